// What every instruction set's copy of a model needs once.
#ifndef TRIGFORGE_PRELUDE_HPP
#define TRIGFORGE_PRELUDE_HPP

#include <stdint.h>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#endif

namespace {

__extension__ typedef __int128 Wide;
__extension__ typedef unsigned __int128 UnsignedWide;
constexpr Wide TWO_TO_64 = Wide(1) << 64;

template <class T> struct Unsigned;
template <> struct Unsigned<int32_t> { typedef uint32_t type; };
template <> struct Unsigned<int64_t> { typedef uint64_t type; };
template <> struct Unsigned<Wide> { typedef UnsignedWide type; };

} // namespace

#endif
