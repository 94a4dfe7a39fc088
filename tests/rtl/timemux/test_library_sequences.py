"""What works over several cycles: control, selection, memories, pooling; each under cocotb."""

from __future__ import annotations

import numpy as np
import pytest
from library_bench import (
    Instance,
    Sample,
    as_bits,
    bit_port,
    check,
    design,
    side_by_side,
    sources,
    wrapper,
)

pytestmark = pytest.mark.toolchain

N_EVENTS = 300
INTERVAL, DEPTH = 5, 9


def words(width: int, n_words: int, seed: int, *, signed: bool) -> np.ndarray:
    low = -(1 << (width - 1)) if signed else 0
    rng = np.random.default_rng(seed)
    return rng.integers(low, low + (1 << width), (N_EVENTS, n_words))


def truncated(dividend: np.ndarray, divisor: int) -> np.ndarray:
    return np.sign(dividend) * (np.abs(dividend) // divisor)


def met(outcomes) -> bool:
    return all(outcome.met for outcome in outcomes)


def controlled(store, bench="cocotb", **changed):
    """Look at each tap and each counter in every cycle of an interval."""
    taps, bits = DEPTH + 1, 3
    body = f"""
  logic [{DEPTH}:0] valid;
  logic [{taps * bits - 1}:0] phase;
  tm_control #(.INTERVAL({INTERVAL}), .DEPTH({DEPTH}), .PHASE_WIDTH({bits})) control (
    .clk, .rst, .in_valid, .valid, .phase);
  logic [2:0] chosen;
  tm_select #(.WIDTH(3), .N_CHOICES({INTERVAL}), .PHASE_WIDTH({bits})) select (
    .phase(phase[{2 * bits}+:{bits}]), .in_data(15'o43210), .out_data(chosen));
  logic [3:0] entry;
  tm_rom #(.WIDTH(4), .DEPTH({INTERVAL}), .PHASE_WIDTH({bits}), .CONTENT(20'hfedcb)) rom (
    .phase(phase[{3 * bits}+:{bits}]), .out_data(entry));
"""
    samples, expected = [], []
    for tap in range(1, taps):
        samples.append(Sample(f"valid[{tap}]", 1, tap))
        expected.append((1, 1))
        for cycle in range(tap, min(tap + INTERVAL, DEPTH + 1)):
            samples.append(Sample(f"phase[{tap * bits}+:{bits}]", bits, cycle))
            expected.append((cycle - tap, bits))
    for cycle in range(INTERVAL):
        samples += [Sample("chosen", 3, 2 + cycle), Sample("entry", 4, 3 + cycle)]
        expected += [(cycle, 3), (0xB + cycle, 4)]
    text = wrapper(body, 4, samples, DEPTH)
    results = as_bits(*((np.full(N_EVENTS, value), width) for value, width in expected))
    built = design(
        "control",
        text,
        ["tm_delay", "tm_control", "tm_select", "tm_rom"],
        bit_port("in", 4),
        bit_port("out", results.shape[1]),
        DEPTH,
        INTERVAL,
        changed=changed,
    )
    return check(built, np.zeros((N_EVENTS, 4), np.int64), results, store, bench)


def test_flags_counters_choices_and_constants_follow_an_event(session_store):
    assert met(controlled(session_store))


@pytest.mark.parametrize(
    ("module", "right", "wrong"),
    [
        ("tm_control", "count <= '0", "count <= 1"),
        ("tm_rom", "i*WIDTH", "(DEPTH-1-i)*WIDTH"),
    ],
)
def test_a_fault_of_control_is_seen(module, right, wrong, session_store):
    text = sources(module)[f"{module}.sv"].decode()
    assert right in text
    changed = {module: text.replace(right, wrong)}
    assert not met(controlled(session_store, "verilator", **changed))


def pooled(store, bench="cocotb", **changed):
    """Maxima and averages of windows whose cells come together."""
    instances, given, expected = [], [], []
    for number, n_cells in enumerate((1, 2, 3, 4, 5, 9)):
        for signed in (True, False):
            levels, width = 1 + number % 3, 4 + number
            cells = words(width, n_cells, number, signed=signed)
            depth = (n_cells - 1).bit_length()
            common = {
                "N_CELLS": n_cells,
                "WIDTH": width,
                "IS_SIGNED": int(signed),
                "LEVELS": levels,
            }
            instances.append(
                Instance(
                    module="tm_maximum",
                    parameters=common,
                    inputs={"first": 1, "in_data": n_cells * width},
                    outputs={"out_data": width},
                    latency=max(1, -(-depth // levels)),
                )
            )
            given += [(np.ones(N_EVENTS, np.int64), 1), (cells, width)]
            expected.append((cells.max(axis=1), width))
            divisor = (1, 2, 3, 4, 7, 9)[number]
            instances.append(
                Instance(
                    module="tm_average",
                    parameters={**common, "DIVISOR": divisor},
                    inputs={"in_data": n_cells * width},
                    outputs={"out_data": width + depth},
                    latency=-(-depth // levels) + 1,
                )
            )
            given.append((cells, width))
            expected.append((truncated(cells.sum(axis=1), divisor), width + depth))
    text, in_port, out_port, latency = side_by_side(instances)
    names = ["tm_delay", "tm_tree", "tm_maximum", "tm_average"]
    built = design("pooling", text, names, in_port, out_port, latency, changed=changed)
    return check(built, as_bits(*given), as_bits(*expected), store, bench)


def test_maxima_and_averages_of_a_window_are_exact(session_store):
    assert met(pooled(session_store))


def running(store, bench="cocotb", **changed):
    """A running maximum over the cycles of an interval, in windows of one, two and three."""
    width, n_cells, lengths = 5, 2, (1, 2, 3)
    lines, samples, expected = ["  logic [5:0] slot;"], [], []
    lines += [
        "  always_ff @(posedge clk) slot <= {slot[4:0], in_valid};",
        f"  logic [{6 * n_cells * width - 1}:0] held;",
        f"  always_ff @(posedge clk) held <= in_valid ? in_data : held >> {n_cells * width};",
    ]
    cells = words(width, 6 * n_cells, 3, signed=True)
    for levels in (1, 2):
        latency = -(-2 // levels)
        name = f"out{levels}"
        lines += [
            f"  logic [{width - 1}:0] {name};",
            f"  tm_maximum #(.N_CELLS(2), .WIDTH({width}), .IS_SIGNED(1), .ACCUMULATE(1),",
            f"    .LEVELS({levels})) of_{name} (.clk, .first(slot[0] | slot[1] | slot[3]),",
            f"    .in_data(held[0+:{n_cells * width}]), .out_data({name}));",
        ]
        slot = 0
        for length in lengths:
            window = cells[:, slot * n_cells : (slot + length) * n_cells]
            slot += length
            # The first cells are in the registers a cycle after the event.
            samples.append(Sample(name, width, slot + latency))
            expected.append((window.max(axis=1), width))
    text = wrapper("\n".join(lines), 6 * n_cells * width, samples, 8)
    built = design(
        "running",
        text,
        ["tm_delay", "tm_maximum"],
        bit_port("in", 6 * n_cells * width),
        bit_port("out", len(samples) * width),
        8,
        6,
        changed=changed,
    )
    return check(built, as_bits((cells, width)), as_bits(*expected), store, bench)


def test_a_running_maximum_starts_anew_with_each_window(session_store):
    assert met(running(session_store))


@pytest.mark.parametrize(
    ("play", "module", "right", "wrong"),
    [
        (pooled, "tm_maximum", "a > b ? a : b;\n  endfunction", "a < b ? a : b;\n  endfunction"),
        (running, "tm_maximum", "starts ?", "0 ?"),
        (pooled, "tm_average", "IS_SIGNED && sum", "1'b0 && sum"),
    ],
)
def test_a_fault_of_pooling_is_seen(play, module, right, wrong, session_store):
    text = sources(module)[f"{module}.sv"].decode()
    assert right in text
    assert not met(play(session_store, "verilator", **{module: text.replace(right, wrong)}))
