// What Verilator's FST writer needs of zlib, without its library: stored blocks (RFC 1950, 1951).

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

using Bytef = unsigned char;
using uLong = unsigned long;
using uLongf = unsigned long;
constexpr int Z_OK = 0, Z_BUF_ERROR = -5;

inline uLong compressBound(uLong n_bytes) { return n_bytes + 5 * (n_bytes / 65535 + 1) + 6; }

inline int compress2(Bytef* target, uLongf* n_target, const Bytef* source, uLong n_source, int) {
    if (*n_target < compressBound(n_source)) return Z_BUF_ERROR;
    Bytef* end = target;
    *end++ = 0x78;
    *end++ = 0x01;
    uLong first = 0;
    do {
        const uLong n_bytes = std::min<uLong>(n_source - first, 65535);
        *end++ = first + n_bytes == n_source;
        for (const uLong field : {n_bytes, ~n_bytes}) {
            *end++ = static_cast<Bytef>(field);
            *end++ = static_cast<Bytef>(field >> 8);
        }
        std::memcpy(end, source + first, n_bytes);
        end += n_bytes;
        first += n_bytes;
    } while (first < n_source);
    std::uint32_t low = 1, high = 0;  // Adler-32
    for (uLong i = 0; i < n_source; ++i) {
        low = (low + source[i]) % 65521;
        high = (high + low) % 65521;
    }
    for (const std::uint32_t half : {high, low}) {
        *end++ = static_cast<Bytef>(half >> 8);
        *end++ = static_cast<Bytef>(half);
    }
    *n_target = static_cast<uLongf>(end - target);
    return Z_OK;
}
