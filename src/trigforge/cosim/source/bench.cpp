// Plays events into a verilated design and writes down every result.
//
// The design has the ports clk, rst, in_valid, in_data, out_valid and out_data. Its inputs
// change at the start of a clock cycle, its outputs are read at the end, before the next
// rising edge: a design without registers answers in the same cycle, one register takes 1.
// The bench believes nothing of the design: it plays as many cycles as it was told, writes
// down whatever comes out, and drives noise on in_data while in_valid is low.
//
// Arguments: EVENTS TRAFFIC RESULTS IN_BITS OUT_BITS N_CYCLES FIRST_CYCLE [WAVES]
//   EVENTS   32-bit words, lowest first, an event after the other
//   TRAFFIC  a byte a cycle: bit 0 in_valid, bit 1 rst; afterwards both are low
//   RESULTS  for each cycle from FIRST_CYCLE on with out_valid: its number (64 bits), the words
// Writes to stdout: cycles and the seconds they took.

#include "Vdut.h"
#include "verilated.h"
#if VM_TRACE_FST
#include "verilated_fst_c.h"
using Waves = VerilatedFstC;
#elif VM_TRACE
#include "verilated_vcd_c.h"
using Waves = VerilatedVcdC;
#endif

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

namespace {

[[noreturn]] void fail(const std::string& message) {
    std::fprintf(stderr, "%s\n", message.c_str());
    std::exit(2);
}

template <class T>
std::vector<T> read(const char* path) {
    std::FILE* file = std::fopen(path, "rb");
    if (!file) fail(std::string("cannot read ") + path);
    std::vector<T> content;
    T buffer[4096];
    while (const std::size_t n = std::fread(buffer, sizeof(T), 4096, file))
        content.insert(content.end(), buffer, buffer + n);
    std::fclose(file);
    return content;
}

long number(const char* text) {
    char* end = nullptr;
    const long value = std::strtol(text, &end, 10);
    if (*end || value < 0) fail(std::string("not a number: ") + text);
    return value;
}

// How many 32-bit words a port has: an integer of 8 to 64 bits, or an array of words.
template <class Port>
constexpr std::size_t words_of() {
    return sizeof(Port) < 4 ? 1 : sizeof(Port) / 4;
}

template <class Port>
void put(Port& port, const std::uint32_t* words) {
    if constexpr (std::is_integral_v<Port>) {
        std::uint64_t value = words[0];
        if constexpr (sizeof(Port) == 8) value |= std::uint64_t{words[1]} << 32;
        port = static_cast<Port>(value);
    } else {
        for (std::size_t i = 0; i < words_of<Port>(); ++i) port[i] = words[i];
    }
}

template <class Port>
void get(const Port& port, std::uint32_t* words) {
    if constexpr (std::is_integral_v<Port>) {
        words[0] = static_cast<std::uint32_t>(port);
        if constexpr (sizeof(Port) == 8) words[1] = static_cast<std::uint32_t>(port >> 32);
    } else {
        for (std::size_t i = 0; i < words_of<Port>(); ++i) words[i] = port[i];
    }
}

// Words of a port and the bits that are used of the last one.
struct Layout {
    std::size_t n_words;
    std::uint32_t last_mask;
};

template <class Port>
Layout layout(const Port&, long n_bits, const char* name) {
    const std::size_t n_words = (n_bits + 31) / 32;
    if (n_words != words_of<Port>() && !(n_words == 1 && words_of<Port>() == 1))
        fail(std::string(name) + " of the design does not have " + std::to_string(n_bits) + " bits");
    return {n_words, n_bits % 32 ? (1u << (n_bits % 32)) - 1 : ~0u};
}

// Bits without a pattern (xorshift64, G. Marsaglia, J. Stat. Softw. 8(14), 2003).
class Noise {
public:
    void fill(std::vector<std::uint32_t>& words, std::uint32_t last_mask) {
        for (auto& word : words) {
            state_ ^= state_ << 13;
            state_ ^= state_ >> 7;
            state_ ^= state_ << 17;
            word = static_cast<std::uint32_t>(state_ >> 16);
        }
        words.back() &= last_mask;
    }

private:
    std::uint64_t state_ = 0x9E3779B97F4A7C15ull;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 8 && argc != 9) fail("arguments: EVENTS TRAFFIC RESULTS IN_BITS OUT_BITS N_CYCLES FIRST_CYCLE [WAVES]");
    const auto events = read<std::uint32_t>(argv[1]);
    const auto traffic = read<std::uint8_t>(argv[2]);
    std::FILE* results = std::fopen(argv[3], "wb");
    if (!results) fail(std::string("cannot write ") + argv[3]);
    const long n_cycles = number(argv[6]), first_cycle = number(argv[7]);

    VerilatedContext context;
    context.randReset(2);
    context.randSeed(1);
    if (argc == 9) context.traceEverOn(true);
    const auto dut = std::make_unique<Vdut>(&context);
    const Layout in = layout(dut->in_data, number(argv[4]), "in_data");
    const Layout out = layout(dut->out_data, number(argv[5]), "out_data");
#if VM_TRACE
    Waves waves;
    if (argc == 9) {
        dut->trace(&waves, 99);
        waves.open(argv[8]);
    }
#endif
    const auto step = [&](bool rising) {
        dut->clk = rising;
        dut->eval();
#if VM_TRACE
        if (argc == 9) waves.dump(context.time());
#endif
        context.timeInc(1);
    };

    std::vector<std::uint32_t> noise(in.n_words), result(out.n_words);
    Noise generator;
    std::size_t next = 0;
    const auto started = std::chrono::steady_clock::now();
    for (long cycle = 0; cycle < n_cycles && !context.gotFinish(); ++cycle) {
        const unsigned now = cycle < static_cast<long>(traffic.size()) ? traffic[cycle] : 0;
        dut->in_valid = now & 1;
        dut->rst = now >> 1 & 1;
        if (now & 1) {
            if (next + in.n_words > events.size()) fail("traffic with more events than there are");
            put(dut->in_data, &events[next]);
            next += in.n_words;
        } else {
            generator.fill(noise, in.last_mask);
            put(dut->in_data, noise.data());
        }
        step(false);
        if (dut->out_valid && cycle >= first_cycle) {
            const std::uint64_t when = cycle;
            get(dut->out_data, result.data());
            std::fwrite(&when, sizeof when, 1, results);
            std::fwrite(result.data(), sizeof result[0], result.size(), results);
        }
        step(true);
    }
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - started;
    dut->final();
#if VM_TRACE
    if (argc == 9) waves.close();
#endif
    if (std::fclose(results)) fail(std::string("cannot write ") + argv[3]);
    std::printf("%llu %.9f\n", static_cast<unsigned long long>(context.time() / 2), spent.count());
    return 0;
}
