"""Both benches on small firmware, right and wrong."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import tiny_designs
from tiny_designs import stimulus, sums, write

from trigforge import cosim
from trigforge.core.errors import InputError, ToolError
from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.records import Port, RawTensor
from trigforge.core.store import Store

pytestmark = pytest.mark.toolchain

STIMULUS = stimulus()
EXPECTED = sums(STIMULUS.inputs.raw)
NAMES = [
    "an event every cycle: held_out",
    "an event every cycle: corner inputs",
    "gaps in valid",
    "reset in mid-stream",
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


def check(folder, text, store, **options):
    return cosim.check(write(folder, text), STIMULUS, EXPECTED, store, **options)


@pytest.mark.parametrize("bench", ["verilator", "cocotb"])
def test_right_firmware_passes_every_scenario(bench, store, tmp_path):
    outcomes = check(tmp_path, tiny_designs.SUMS, store, bench=bench)
    assert [outcome.name for outcome in outcomes] == NAMES
    assert [outcome.fault for outcome in outcomes] == [None] * 4
    assert all(outcome.met for outcome in outcomes)
    assert {outcome.latency_cycles for outcome in outcomes} == {(3, 3)}
    assert [outcome.n_events for outcome in outcomes[:3]] == [200, 5, 205]
    assert 180 < outcomes[3].n_events < 205
    assert all("Verilator 5.048" in outcome.simulator for outcome in outcomes)
    assert ("cocotb" in outcomes[0].simulator) == (bench == "cocotb")


FAULTS = {
    "WRONG_CONSTANT": r"cycle 11, event 0 \(held_out\[0\]\): output y\[1\] is -?\d+, not -?\d+",
    "DATA_TOO_EARLY": r"output y\[0\] is -?\d+, not -?\d+; \d+ of 400 values differ",
    "VALID_TOO_EARLY": r"event 0 \(held_out\[0\], presented in cycle 8\) took 2 cycles, not 3",
    "VALID_AND_DATA_TOO_EARLY": r"cycle 10: .* took 2 cycles, not 3",
    "NEVER_VALID": r"0 results of 200 events: out_valid did not rise in \d+ cycles",
    "ALWAYS_VALID": r"out_valid is high in cycle 8, in which no result is due",
    "DROPS_ONE": r"in cycle 28 the result of event 17 \(presented in cycle 25\) is missing",
}


@pytest.mark.parametrize(
    ("name", "bench"),
    [
        *((name, "verilator") for name in FAULTS),
        *((name, "cocotb") for name in ("WRONG_CONSTANT", "VALID_TOO_EARLY", "DROPS_ONE")),
    ],
)
def test_a_planted_fault_fails_the_check(name, bench, store, tmp_path):
    text = getattr(tiny_designs, name)
    assert text != tiny_designs.SUMS
    outcome = check(tmp_path, text, store, bench=bench)[0]
    assert not outcome.met
    assert re.search(FAULTS[name], outcome.fault), outcome.fault


@pytest.mark.parametrize("bench", ["verilator", "cocotb"])
def test_events_that_survive_a_reset_are_caught_by_the_reset_scenario_alone(bench, store, tmp_path):
    outcomes = check(tmp_path, tiny_designs.SURVIVES_RESET, store, bench=bench)
    assert [outcome.met for outcome in outcomes[:3]] == [True, True, True]
    assert "in which no result is due" in outcomes[3].fault


@pytest.mark.parametrize("bench", ["verilator", "cocotb"])
def test_leaking_noise_is_caught_by_gaps(bench, store, tmp_path):
    outcomes = check(tmp_path, tiny_designs.NOISE_LEAKS, store, bench=bench)
    assert outcomes[2].n_different > 0
    assert "not" in outcomes[2].fault


def test_the_first_difference_is_named(store, tmp_path):
    outcome = check(tmp_path, tiny_designs.WRONG_CONSTANT, store)[0]
    difference = outcome.first_difference
    assert difference is not None
    assert (difference.event, difference.origin, difference.output) == (0, "held_out[0]", 1)
    assert difference.reference == EXPECTED.raw[0, 1]
    assert difference.candidate == EXPECTED.raw[0, 1] - 2 * STIMULUS.inputs.raw[0, 2]
    assert outcome.n_different == np.count_nonzero(STIMULUS.inputs.raw[:200, 2])


PORTS = [
    Port(name="x", shape=(elements,), format=FixedPointFormat(signed, width, width))
    for width, elements, signed in [
        (1, 1, False), (3, 2, True), (11, 1, True), (9, 3, True), (16, 2, True), (11, 3, False),
        (64, 1, False), (13, 5, True), (32, 3, True), (17, 11, True), (64, 5, True),
    ]
]  # fmt: skip


@pytest.mark.parametrize("port", PORTS, ids=lambda port: f"{port.n_elements}x{port.format}")
@pytest.mark.parametrize("latency", [0, 4])
def test_ports_of_any_width_carry_every_bit(port, latency, store, tmp_path):
    text = tiny_designs.echo(port, latency)
    firmware = write(tmp_path, text, top="echo", input=port, output=port, latency_cycles=latency)
    random = np.random.default_rng(2)
    raw = random.integers(
        port.format.raw_min, port.format.raw_max, (50, port.n_elements),
        dtype=port.format.dtype, endpoint=True,
    )  # fmt: skip
    simulation = cosim.run(firmware, RawTensor(format=port.format, raw=raw), store)
    np.testing.assert_array_equal(simulation.outputs.raw, raw)
    assert simulation.latency_cycles == (latency, latency)
    assert simulation.interval_cycles == 1
    assert simulation.n_cycles == 8 + 50 + 32 + latency
    assert simulation.simulator == "Verilator 5.048"
    assert simulation.seconds > 0


@pytest.mark.parametrize("port", [PORTS[0], PORTS[9]], ids=str)
def test_cocotb_carries_every_bit_too(port, store, tmp_path):
    text = tiny_designs.echo(port, 1)
    firmware = write(tmp_path, text, top="echo", input=port, output=port, latency_cycles=1)
    raw = np.random.default_rng(2).integers(
        port.format.raw_min, port.format.raw_max, (50, port.n_elements),
        dtype=port.format.dtype, endpoint=True,
    )  # fmt: skip
    tensor = RawTensor(format=port.format, raw=raw)
    played = replace(STIMULUS, inputs=tensor, blocks=(("all", 50),))
    outcomes = cosim.check(firmware, played, tensor, store, bench="cocotb")
    assert [outcome.fault for outcome in outcomes] == [None] * 3


def test_the_events_that_survive_resets_are_those_that_come_out(store, tmp_path):
    firmware = write(tmp_path, tiny_designs.SUMS)
    traffic = cosim.with_resets(10)
    simulation = cosim.run(firmware, STIMULUS.inputs, store, traffic=traffic)
    events = cosim.surviving(firmware, traffic, len(STIMULUS.inputs.raw))
    assert 0 < len(events) < len(STIMULUS.inputs.raw)
    np.testing.assert_array_equal(simulation.outputs.raw, EXPECTED.raw[events])


def test_too_few_results_are_a_fault_with_a_cycle(store, tmp_path):
    firmware = write(tmp_path, tiny_designs.DROPS_ONE)
    with pytest.raises(cosim.SimulationFault, match="204 results of 205 events") as fault:
        cosim.run(firmware, STIMULUS.inputs, store)
    assert fault.value.cycle == 28


def test_a_wrong_latency_is_reported_by_the_simulation(store, tmp_path):
    firmware = write(tmp_path, tiny_designs.VALID_AND_DATA_TOO_EARLY)
    assert cosim.run(firmware, STIMULUS.inputs, store).latency_cycles == (2, 2)


def test_waves_are_written_where_the_user_wants_them(store, tmp_path):
    firmware = write(tmp_path / "firmware", tiny_designs.SUMS)
    waves = tmp_path / "sums.vcd"
    simulation = cosim.run(firmware, STIMULUS.inputs, store, waves=waves)
    assert simulation.waves == waves
    assert "in_valid" in waves.read_text()
    np.testing.assert_array_equal(simulation.outputs.raw, EXPECTED.raw)
    with pytest.raises(ToolError, match="waveforms could not be written to"):
        cosim.run(firmware, STIMULUS.inputs, store, waves=tmp_path / "nowhere" / "sums.vcd")
    with pytest.raises(ToolError, match=r"must end in \.vcd or \.fst"):
        cosim.run(firmware, STIMULUS.inputs, store, waves=tmp_path / "sums.txt")


def test_a_design_is_built_once(store, tmp_path, monkeypatch):
    firmware = write(tmp_path, tiny_designs.SUMS)
    cosim.run(firmware, STIMULUS.inputs, store)
    monkeypatch.setattr(
        "trigforge.cosim.verilated._compile_model", lambda *_: pytest.fail("compiled")
    )
    cosim.run(firmware, STIMULUS.inputs, store)


def test_what_cannot_be_simulated_is_refused(store, tmp_path):
    firmware = write(tmp_path, tiny_designs.SUMS)
    with pytest.raises(ToolError, match="written in vhdl; Verilator simulates Verilog"):
        cosim.run(replace(firmware, language="vhdl"), STIMULUS.inputs, store)
    wide = RawTensor(format=FixedPointFormat(True, 8, 8), raw=STIMULUS.inputs.raw)
    with pytest.raises(InputError, match="firmware sums takes ap_fixed<7,7>, not ap_fixed<8,8>"):
        cosim.run(firmware, wide, store)
    with pytest.raises(InputError, match="it cannot be compared with"):
        cosim.check(firmware, STIMULUS, STIMULUS.inputs, store)
    slower = write(tmp_path, tiny_designs.SUMS, interval_cycles=4)
    with pytest.raises(InputError, match="every 2 cycles is too fast"):
        cosim.run(slower, STIMULUS.inputs, store, traffic=cosim.back_to_back(2))


def test_verilog_that_does_not_parse_is_a_tool_error(store, tmp_path):
    firmware = write(tmp_path, tiny_designs.SUMS.replace("endmodule", ""))
    with pytest.raises(ToolError, match="verilating firmware sums: perl failed"):
        cosim.run(firmware, STIMULUS.inputs, store)
    with pytest.raises(ToolError, match="compiling the cocotb simulation of firmware sums"):
        cosim.check(firmware, STIMULUS, EXPECTED, store, bench="cocotb")


def test_a_port_of_another_width_is_refused(store, tmp_path):
    narrow = tiny_designs.SUMS.replace("input [20:0] in_data", "input [60:0] in_data")
    with pytest.raises(ToolError, match="in_data of the design does not have 21 bits"):
        cosim.run(write(tmp_path, narrow), STIMULUS.inputs, store)
