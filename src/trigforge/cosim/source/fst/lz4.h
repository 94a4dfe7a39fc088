// What Verilator's FST writer needs of LZ4, without its library: blocks of literals alone.
//
// A block that is one sequence of literals is valid and as long as its content (LZ4 block
// format, "the last sequence contains only literals"); the writer keeps what is smaller.

#pragma once

#include <cstring>

inline int LZ4_compressBound(int n_bytes) { return n_bytes + n_bytes / 255 + 16; }

inline int LZ4_compress_default(const char* source, char* target, int n_bytes, int capacity) {
    if (capacity < LZ4_compressBound(n_bytes)) return 0;
    char* end = target;
    if (n_bytes < 15) {
        *end++ = static_cast<char>(n_bytes << 4);
    } else {
        *end++ = static_cast<char>(15 << 4);
        int rest = n_bytes - 15;
        for (; rest >= 255; rest -= 255) *end++ = static_cast<char>(255);
        *end++ = static_cast<char>(rest);
    }
    std::memcpy(end, source, static_cast<std::size_t>(n_bytes));
    return static_cast<int>(end - target) + n_bytes;
}
