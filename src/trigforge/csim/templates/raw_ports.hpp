// Plays raw integers into the top function of any HLS project and stores what comes out, and
// asks the compiler what the types of its ports are.
//
// Usage:  <program> ports [N]                print the type and size of each port and layer;
//                                            an event has N elements where nothing else says
//         <program> INPUTS - RESULTS         play events: one a line, one integer an element
//
// With layers, their integers stand before those of the output, in the order of the ports.
// Returns 0, or 2 if a file or the design cannot be used; the reason is on standard error.

#ifndef TRIGFORGE_RAW_PORTS_HPP_
#define TRIGFORGE_RAW_PORTS_HPP_

// Headers that the sources of some versions of hls4ml use without including them.
#include <cassert>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "ap_fixed.h"
#include "ap_int.h"
#include "hls_stream.h"

// What hls4ml's own test bench defines for projects written with a trace of their own.
namespace nnet {
bool trace_enabled = false;
std::map<std::string, void *> *trace_outputs = NULL;
std::size_t trace_type_size = sizeof(double);
} // namespace nnet

namespace raw_ports {

typedef std::vector<long long> Raw;

inline std::string rounding(ap_q_mode mode) {
    switch (mode) {
    case AP_RND: return "AP_RND";
    case AP_RND_ZERO: return "AP_RND_ZERO";
    case AP_RND_MIN_INF: return "AP_RND_MIN_INF";
    case AP_RND_INF: return "AP_RND_INF";
    case AP_RND_CONV: return "AP_RND_CONV";
    case AP_TRN: return "AP_TRN";
    case AP_TRN_ZERO: return "AP_TRN_ZERO";
    }
    return "unknown";
}

inline std::string overflow(ap_o_mode mode) {
    switch (mode) {
    case AP_SAT: return "AP_SAT";
    case AP_SAT_ZERO: return "AP_SAT_ZERO";
    case AP_SAT_SYM: return "AP_SAT_SYM";
    case AP_WRAP: return "AP_WRAP";
    case AP_WRAP_SM: return "AP_WRAP_SM";
    }
    return "unknown";
}

inline std::string fixed(const char *kind, int width, int integer, ap_q_mode q, ap_o_mode o, int n) {
    std::ostringstream text;
    text << kind << '<' << width << ',' << integer << ',' << rounding(q) << ',' << overflow(o) << ','
         << n << '>';
    return text.str();
}

// The element types that have raw integers.
template <class T> struct Element {
    static_assert(sizeof(T) == 0, "the elements of a tensor must be ap_fixed or ap_int");
};
template <int W, int I, ap_q_mode Q, ap_o_mode O, int N> struct Element<ap_fixed<W, I, Q, O, N>> {
    static_assert(W <= 64, "a tensor has elements of more than 64 bits");
    static const int width = W;
    static const bool is_signed = true;
    static std::string text() { return fixed("ap_fixed", W, I, Q, O, N); }
};
template <int W, int I, ap_q_mode Q, ap_o_mode O, int N> struct Element<ap_ufixed<W, I, Q, O, N>> {
    static_assert(W <= 63, "a tensor has unsigned elements of more than 63 bits");
    static const int width = W;
    static const bool is_signed = false;
    static std::string text() { return fixed("ap_ufixed", W, I, Q, O, N); }
};
template <int W> struct Element<ap_int<W>> {
    static_assert(W <= 64, "a tensor has elements of more than 64 bits");
    static const int width = W;
    static const bool is_signed = true;
    static std::string text() { return "ap_int<" + std::to_string(W) + ">"; }
};
template <int W> struct Element<ap_uint<W>> {
    static_assert(W <= 63, "a tensor has unsigned elements of more than 63 bits");
    static const int width = W;
    static const bool is_signed = false;
    static std::string text() { return "ap_uint<" + std::to_string(W) + ">"; }
};

template <class T> void load(T &element, long long bits) {
    const int width = Element<T>::width;
    element.range(width - 1, 0) = ap_int<64>(bits).range(width - 1, 0);
}

template <class T> long long store(const T &value) {
    const int width = Element<T>::width;
    T element = value;
    const ap_uint<width> bits = element.range(width - 1, 0);
    if (Element<T>::is_signed) {
        return ap_int<width>(bits).to_int64();
    }
    return static_cast<long long>(bits.to_uint64());
}

// A pack is what one word of a stream carries: an nnet::array, or one element.
template <class T> struct Always { typedef void type; };
template <class P, class = void> struct Pack {
    typedef P element;
    static const unsigned size = 1;
    static element &at(P &pack, unsigned) { return pack; }
};
template <class P> struct Pack<P, typename Always<typename P::value_type>::type> {
    typedef typename P::value_type element;
    static const unsigned size = P::size;
    static element &at(P &pack, unsigned i) { return pack[i]; }
};

template <class T> class ArrayPort {
    std::size_t n_;
    std::unique_ptr<T[]> elements_;

  public:
    explicit ArrayPort(std::size_t n) : n_(n), elements_(new T[n]()) {}
    static std::string type() { return Element<T>::text(); }
    T *port() { return elements_.get(); }
    void load(const Raw &bits) {
        if (bits.size() != n_) {
            throw std::runtime_error("an event has " + std::to_string(bits.size()) +
                                     " elements; the design takes " + std::to_string(n_));
        }
        for (std::size_t i = 0; i < n_; i++) {
            raw_ports::load(elements_[i], bits[i]);
        }
    }
    Raw store() {
        Raw bits;
        for (std::size_t i = 0; i < n_; i++) {
            bits.push_back(raw_ports::store(elements_[i]));
        }
        return bits;
    }
    void check() {}
};

template <class P> class StreamPort {
    hls::stream<P> stream_;

  public:
    explicit StreamPort(std::size_t) {}
    static std::string type() { return Element<typename Pack<P>::element>::text(); }
    hls::stream<P> &port() { return stream_; }
    void load(const Raw &bits) {
        if (bits.size() % Pack<P>::size != 0) {
            throw std::runtime_error("events of " + std::to_string(bits.size()) +
                                     " elements cannot be cut into packs of " +
                                     std::to_string(Pack<P>::size));
        }
        for (std::size_t first = 0; first < bits.size(); first += Pack<P>::size) {
            P pack;
            for (unsigned i = 0; i < Pack<P>::size; i++) {
                raw_ports::load(Pack<P>::at(pack, i), bits[first + i]);
            }
            stream_.write(pack);
        }
    }
    Raw store() {
        Raw bits;
        while (!stream_.empty()) {
            P pack = stream_.read();
            for (unsigned i = 0; i < Pack<P>::size; i++) {
                bits.push_back(raw_ports::store(Pack<P>::at(pack, i)));
            }
        }
        return bits;
    }
    void check() {
        if (!stream_.empty()) {
            throw std::runtime_error("the design does not read all elements of an event");
        }
    }
};

// What the layers of one event gave, in the order in which they were computed.
struct Layer {
    std::string name, type;
    Raw bits;
};
static std::vector<Layer> layers;

template <class T> void keep(const char *name, const T *elements, std::size_t n) {
    Layer layer;
    layer.name = name;
    layer.type = Element<T>::text();
    for (std::size_t i = 0; i < n; i++) {
        layer.bits.push_back(store(elements[i]));
    }
    layers.push_back(layer);
}

template <class T, std::size_t N> void keep(const char *name, const T (&elements)[N]) {
    keep(name, &elements[0], N);
}

// Read a stream to its end and write it back.
template <class P> void keep(const char *name, hls::stream<P> &stream) {
    Layer layer;
    layer.name = name;
    layer.type = Element<typename Pack<P>::element>::text();
    std::vector<P> packs;
    while (!stream.empty()) {
        packs.push_back(stream.read());
    }
    for (std::size_t k = 0; k < packs.size(); k++) {
        for (unsigned i = 0; i < Pack<P>::size; i++) {
            layer.bits.push_back(store(Pack<P>::at(packs[k], i)));
        }
        stream.write(packs[k]);
    }
    layers.push_back(layer);
}

// Runs one event and checks that streams were neither read while empty nor left filled.
template <class Design> Raw run(Design design, const Raw &inputs) {
    std::ostringstream said;
    std::streambuf *screen = std::cout.rdbuf(said.rdbuf());
    Raw outputs;
    layers.clear();
    try {
        design(inputs, outputs);
    } catch (...) {
        std::cout.rdbuf(screen);
        throw;
    }
    std::cout.rdbuf(screen);
    if (said.str().find("read while empty") != std::string::npos) {
        throw std::runtime_error("the design reads more elements than an event of " +
                                 std::to_string(inputs.size()) + " has");
    }
    return outputs;
}

inline void print(const char *what, const std::string &type, std::size_t n, const std::string &name) {
    std::cout << what << ' ' << type << ' ' << n << ' ' << name << '\n';
}

template <class Input, class Output, class Design> int print_ports(Design design, std::size_t n) {
    const Raw outputs = run(design, Raw(n));
    print("input", Input::type(), n, "");
    for (std::size_t i = 0; i < layers.size(); i++) {
        print("layer", layers[i].type, layers[i].bits.size(), layers[i].name);
    }
    print("output", Output::type(), outputs.size(), "");
    return 0;
}

template <class Design>
int play(Design design, const char *inputs_name, const char *results_name) {
    std::ifstream inputs_file(inputs_name);
    std::ofstream results_file(results_name);
    std::string line;
    while (std::getline(inputs_file, line)) {
        std::istringstream words(line);
        Raw inputs;
        for (long long bits; words >> bits;) {
            inputs.push_back(bits);
        }
        const Raw outputs = run(design, inputs);
        for (std::size_t k = 0; k < layers.size(); k++) {
            for (std::size_t i = 0; i < layers[k].bits.size(); i++) {
                results_file << layers[k].bits[i] << ' ';
            }
        }
        for (std::size_t i = 0; i < outputs.size(); i++) {
            results_file << outputs[i] << (i + 1 < outputs.size() ? ' ' : '\n');
        }
    }
    results_file.flush();
    if (!results_file) {
        throw std::runtime_error(std::string("cannot write ") + results_name);
    }
    return 0;
}

template <class Input, class Output, class Design>
int bench(Design design, std::size_t n_inputs, int argc, char **argv) {
    try {
        if (argc == 4) {
            return play(design, argv[1], argv[3]);
        }
        if (argc == 3) {
            n_inputs = std::strtoul(argv[2], NULL, 10);
        }
        return print_ports<Input, Output>(design, n_inputs);
    } catch (const std::exception &error) {
        std::cerr << "ERROR: " << error.what() << std::endl;
        return 2;
    }
}

} // namespace raw_ports

#endif
