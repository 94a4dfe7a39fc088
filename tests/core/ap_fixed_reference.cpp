// Casts by the ap_fixed headers, for the tests to compare with.
//
// Reads 8-byte values (raw integers or doubles) from stdin, writes raw integers of 8 bytes.
// REFERENCE chooses what is compiled, so that two compilers can work at once:
//   1  every small target, from an exact holder     2  every small target, from double
//   3  the pairs of formats in pairs.hpp: argv[1] is "cast" or "double", argv[2] the pair
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

// An assertion of the headers stops a rounding cast that drops more bits than the source has
// (it guards a bit that is read and then not used); the pairs go there, the small targets do not.
#if REFERENCE == 3
#define NDEBUG
#endif
#include "ap_fixed.h"

using Values = std::vector<int64_t>;
using Holder = ap_fixed<40, 24>;

constexpr ap_q_mode roundings[] = {AP_TRN,     AP_TRN_ZERO,    AP_RND,     AP_RND_ZERO,
                                   AP_RND_INF, AP_RND_MIN_INF, AP_RND_CONV};
constexpr ap_o_mode overflows[] = {AP_WRAP, AP_SAT, AP_SAT_ZERO, AP_SAT_SYM};

template <class Fixed>
Fixed from_double(int64_t bits) {
    double number;
    std::memcpy(&number, &bits, sizeof number);
    return Fixed(number);
}

template <class Source, class Target>
Target cast(int64_t raw) {
    Source source;
    source.V = raw;
    Target target = source;
    return target;
}

template <class Target, class Function>
void write_all(const Values &values, Function function) {
    Values results;
    results.reserve(values.size());
    for (int64_t value : values) results.push_back(int64_t(Target(function(value)).V.get_VAL()));
    std::fwrite(results.data(), sizeof(int64_t), results.size(), stdout);
}

// Target number i; test_fixed_point_reference.py counts in the same order.
template <int i>
struct Small {
    static constexpr int width = i / 56 + 1;
    using type = ap_fixed_base<width, width + i * 7 % 13 - 6, (i / 28) % 2 == 0,
                               roundings[i / 4 % 7], overflows[i % 4]>;
};

template <int... i>
void small_targets(const Values &values, std::integer_sequence<int, i...>) {
#if REFERENCE == 1
    (write_all<typename Small<i>::type>(values, cast<Holder, typename Small<i>::type>), ...);
#elif REFERENCE == 2
    (write_all<typename Small<i>::type>(values, from_double<typename Small<i>::type>), ...);
#endif
}

#if REFERENCE == 3
template <class Source, class Target>
void pair(const Values &values, bool doubles) {
    if (doubles)
        write_all<Target>(values, from_double<Target>);
    else
        write_all<Target>(values, cast<Source, Target>);
}

constexpr void (*pairs[])(const Values &, bool) = {
#include "pairs.hpp"
};
#endif

int main(int, [[maybe_unused]] char **argv) {
    Values values;
    for (int64_t value; std::fread(&value, sizeof value, 1, stdin) == 1;) values.push_back(value);
#if REFERENCE == 3
    pairs[std::atoi(argv[2])](values, std::strcmp(argv[1], "double") == 0);
#else
    small_targets(values, std::make_integer_sequence<int, 448>());
#endif
}
