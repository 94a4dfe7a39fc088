"""Delay lines and holding registers of the library, in simulation and synthesis."""

import numpy as np
import pytest
from library_bench import (
    Sample,
    as_bits,
    bit_port,
    check,
    design,
    lint_wrapper,
    sources,
    synthesise,
    wrapper,
)

pytestmark = pytest.mark.toolchain

DELAYS = [(1, 1), (7, 1), (4, 3), (3, 10)]
HOLDS = [1, 6]
INTERVAL = 5
WIDTH, LATENCY = 7, 10


def instances() -> tuple[str, list[Sample]]:
    """A delay shows an event in tap k after k cycles; a holding register for an interval."""
    lines, samples = [], []
    for width, n_cycles in DELAYS:
        taps = f"taps{width}x{n_cycles}"
        lines += [
            f"  logic [{width * n_cycles - 1}:0] {taps};",
            f"  tm_delay #(.WIDTH({width}), .N_CYCLES({n_cycles})) of_{taps}",
            f"    (.clk, .in_data(in_data[0+:{width}]), .taps({taps}));",
        ]
        samples += [
            Sample(f"{taps}[{(k - 1) * width}+:{width}]", width, k) for k in range(1, n_cycles + 1)
        ]
    for width in HOLDS:
        lines += [
            f"  logic [{width - 1}:0] held{width};",
            f"  tm_hold #(.WIDTH({width})) of_held{width} (.clk, .enable(in_valid),",
            f"    .in_data(in_data[0+:{width}]), .out_data(held{width}));",
        ]
        samples += [Sample(f"held{width}", width, k) for k in range(1, INTERVAL + 1)]
    return "\n".join(lines), samples


BODY, SAMPLES = instances()
WRAPPER = wrapper(BODY, WIDTH, SAMPLES, LATENCY)


def outcomes(store, bench="cocotb", **changed):
    ports = bit_port("in", WIDTH), bit_port("out", sum(sample.width for sample in SAMPLES))
    built = design(
        "delays", WRAPPER, ["tm_delay", "tm_hold"], *ports, LATENCY, INTERVAL, changed=changed
    )
    raw = np.concatenate([np.arange(128), np.random.default_rng(1).integers(0, 128, 300)])
    expected = as_bits(*((raw, sample.width) for sample in SAMPLES))
    return check(built, as_bits((raw, WIDTH)), expected, store, bench)


def test_taps_and_held_words_are_the_event_in_every_cycle(session_store):
    assert [outcome.fault for outcome in outcomes(session_store)] == [None] * 3


def test_the_wrapper_has_no_warning():
    assert not lint_wrapper(WRAPPER)


@pytest.mark.parametrize(
    ("module", "right", "wrong"),
    [
        ("tm_delay", "taps <= in_data;", "taps <= ~in_data;"),
        ("tm_delay", "{taps[0+:(N_CYCLES-1)*WIDTH], in_data}", "{N_CYCLES{in_data}}"),
        ("tm_hold", "if (enable) out_data", "out_data"),
    ],
)
def test_a_planted_fault_is_seen(module, right, wrong, session_store):
    text = sources(module)[f"{module}.sv"].decode()
    assert right in text
    found = outcomes(session_store, "verilator", **{module: text.replace(right, wrong)})
    assert not any(outcome.met for outcome in found)


def test_a_tap_alone_is_a_shift_register(tmp_path):
    body = "logic [119:0] taps; tm_delay #(.WIDTH(6), .N_CYCLES(20)) line (.clk, .in_data, .taps);"
    text = wrapper(body, 6, [Sample("taps[114+:6]", 6, 20)], 20)
    counts = synthesise(text, ["tm_delay"], tmp_path / "synthesis").counts
    # A word is in one LUT a bit; the valid flags, which a reset clears, are registers.
    assert counts.lut <= 6 + 20
    assert counts.ff <= 2 * 6 + 20
