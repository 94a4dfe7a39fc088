// Test bench on raw integers: what goes in and comes out is the bits of each element, read
// as a two's complement integer, so that two results are equal or they are not.
//
// Usage:  <bench> [INPUTS EXPECTED RESULTS]
//   INPUTS    one event a line, one integer an element, separated by spaces
//   EXPECTED  the outputs in the same form, or "-" for none
//   RESULTS   where the outputs are written, or "-" for nowhere
// Without arguments the files in tb_data/ are played.
//
// Returns 0 if every value agrees, 1 if one differs, 2 if a file cannot be used.

#ifndef TRIGFORGE_RAW_TEST_BENCH_HPP_
#define TRIGFORGE_RAW_TEST_BENCH_HPP_

#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "ap_fixed.h"
#include "ap_int.h"
#include "hls_stream.h"

namespace raw {

template <class T> void load(T &element, long long bits) {
    element.range(T::width - 1, 0) = ap_int<64>(bits).range(T::width - 1, 0);
}

template <class T> long long store(const T &element) {
    const ap_uint<T::width> bits = element.range(T::width - 1, 0);
    if (T(-1) < T(0)) {
        return ap_int<T::width>(bits).to_int64();
    }
    return static_cast<long long>(bits.to_uint64());
}

template <class T> void load_array(T *elements, const std::vector<long long> &bits) {
    for (unsigned i = 0; i < bits.size(); i++) {
        load(elements[i], bits[i]);
    }
}

template <class T> void store_array(const T *elements, std::vector<long long> &bits) {
    for (unsigned i = 0; i < bits.size(); i++) {
        bits[i] = store(elements[i]);
    }
}

template <class P> void load_stream(hls::stream<P> &stream, const std::vector<long long> &bits) {
    for (unsigned first = 0; first < bits.size(); first += P::size) {
        P pack;
        for (unsigned i = 0; i < P::size; i++) {
            load(pack[i], bits[first + i]);
        }
        stream.write(pack);
    }
}

template <class P> void store_stream(hls::stream<P> &stream, std::vector<long long> &bits) {
    for (unsigned first = 0; first < bits.size(); first += P::size) {
        const P pack = stream.read();
        for (unsigned i = 0; i < P::size; i++) {
            bits[first + i] = store(pack[i]);
        }
    }
}

// Read one event; false at the end of the file. A line of another length is an error.
inline bool read_event(std::istream &file, std::vector<long long> &bits, const char *name,
                       long event) {
    std::string line;
    if (!std::getline(file, line)) {
        return false;
    }
    std::istringstream words(line);
    for (unsigned i = 0; i < bits.size(); i++) {
        if (!(words >> bits[i])) {
            std::cerr << "ERROR: " << name << ", line " << event + 1 << ": element " << i
                      << " is missing or no integer; " << bits.size() << " are expected" << std::endl;
            throw 2;
        }
    }
    std::string rest;
    if (words >> rest) {
        std::cerr << "ERROR: " << name << ", line " << event + 1 << ": more than " << bits.size()
                  << " elements" << std::endl;
        throw 2;
    }
    return true;
}

typedef void (*Design)(const std::vector<long long> &, std::vector<long long> &);

inline int play(Design design, unsigned n_inputs, unsigned n_outputs, const char *inputs_name,
                const char *expected_name, const char *results_name) {
    const bool comparing = std::string(expected_name) != "-";
    const bool writing = std::string(results_name) != "-";
    std::ifstream inputs_file(inputs_name);
    std::ifstream expected_file;
    std::ofstream results_file;
    if (!inputs_file) {
        std::cerr << "ERROR: cannot read " << inputs_name << std::endl;
        return 2;
    }
    if (comparing) {
        expected_file.open(expected_name);
        if (!expected_file) {
            std::cerr << "ERROR: cannot read " << expected_name << std::endl;
            return 2;
        }
    }
    if (writing) {
        results_file.open(results_name);
    }

    std::vector<long long> inputs(n_inputs), outputs(n_outputs), expected(n_outputs);
    long n_events = 0;
    long n_different = 0;
    while (read_event(inputs_file, inputs, inputs_name, n_events)) {
        design(inputs, outputs);
        for (unsigned i = 0; writing && i < n_outputs; i++) {
            results_file << outputs[i] << (i + 1 < n_outputs ? ' ' : '\n');
        }
        if (comparing) {
            if (!read_event(expected_file, expected, expected_name, n_events)) {
                std::cerr << "ERROR: " << expected_name << " ends before event " << n_events << std::endl;
                return 2;
            }
            for (unsigned i = 0; i < n_outputs; i++) {
                if (outputs[i] != expected[i]) {
                    if (n_different == 0) {
                        std::cout << "FIRST DIFFERENCE: event " << n_events << ", output " << i
                                  << ": expected " << expected[i] << ", got " << outputs[i] << std::endl;
                    }
                    n_different++;
                }
            }
        }
        n_events++;
    }
    if (writing && !results_file.flush()) {
        std::cerr << "ERROR: cannot write " << results_name << std::endl;
        return 2;
    }
    if (n_events == 0) {
        std::cerr << "ERROR: " << inputs_name << " holds no event" << std::endl;
        return 2;
    }
    if (!comparing) {
        std::cout << n_events << " events played, nothing compared" << std::endl;
        return 0;
    }
    std::cout << n_events << " events, " << n_events * n_outputs << " values compared, " << n_different
              << " different: " << (n_different == 0 ? "PASS" : "FAIL") << std::endl;
    return n_different == 0 ? 0 : 1;
}

inline int test_bench(Design design, unsigned n_inputs, unsigned n_outputs, int argc, char **argv) {
#ifdef RTL_SIM
    const char *results = "tb_data/rtl_cosim_results_raw.txt";
#else
    const char *results = "tb_data/csim_results_raw.txt";
#endif
    try {
        if (argc == 4) {
            return play(design, n_inputs, n_outputs, argv[1], argv[2], argv[3]);
        }
        return play(design, n_inputs, n_outputs, "tb_data/inputs_raw.txt", "tb_data/expected_raw.txt",
                    results);
    } catch (int status) {
        return status;
    }
}

} // namespace raw

#endif
