"""Every scenario of one bench: ``Design, Stimulus, RawTensor -> Outcomes``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from trigforge.core import packing
from trigforge.core.errors import InputError, SimulationFault
from trigforge.core.records import (
    Firmware,
    Outcome,
    Progress,
    RawTensor,
    Simulation,
    Stimulus,
    no_progress,
)
from trigforge.cosim import cocotb_runs, verilated
from trigforge.cosim.design import Design, of_firmware
from trigforge.cosim.scenario import Scenario, judge, pair
from trigforge.cosim.traffic import Traffic, back_to_back, random_gaps, with_resets
from trigforge.vendor import verilator

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from trigforge.core.store import Store

Bench: TypeAlias = Literal["verilator", "cocotb"]

N_EVENTS_TO_MEASURE = 16
MOST_RESETS = 20


def run(  # noqa: PLR0913 - keyword-only options of one simulation
    firmware: Firmware | Design,
    inputs: RawTensor,
    store: Store,
    *,
    traffic: Traffic = Traffic(),  # noqa: B008 - a frozen record
    waves: Path | None = None,
    progress: Progress = no_progress,
) -> Simulation:
    """Simulate events cycle by cycle with the C++ bench.

    ``outputs`` of the result holds the events that ``surviving`` names, in order: all of
    them unless the traffic has resets. ``waves`` is a file to write the waveform to: .fst or .vcd.

    Raises:
        SimulationFault: if there are too many or too few results; a check that failed.
        InputError: if the inputs are not the design's, or follow too fast.
        ToolError: if Verilator or the compiler is missing or refuses the design.
    """
    design = _known(_design(firmware), inputs, store, progress)
    words = _packed(design, inputs)
    schedule = traffic.schedule(len(words), design.interval_cycles)
    program = verilated.build(design, store, waves=waves, progress=progress)
    observed = verilated.play(design, program, words, schedule, waves)
    events = pair(schedule, observed, design.latency_cycles or 0)
    latencies = observed.cycles - schedule.event_cycles[events]
    return Simulation(
        outputs=packing.unpack(observed.words, design.output),
        latency_cycles=(int(latencies.min()), int(latencies.max())) if len(events) else (0, 0),
        interval_cycles=schedule.interval_cycles,
        n_cycles=observed.n_cycles,
        seconds=observed.seconds,
        simulator=verilator.find().title,
        waves=waves,
    )


def surviving(firmware: Firmware, traffic: Traffic, n_events: int) -> NDArray[np.int64]:
    """Return the numbers of the events whose results come out of a simulation."""
    schedule = traffic.schedule(n_events, firmware.interval_cycles)
    return schedule.surviving(firmware.latency_cycles)


def check(  # noqa: PLR0913 - keyword-only options of one check
    firmware: Firmware | Design,
    stimulus: Stimulus,
    expected: RawTensor,
    store: Store,
    *,
    bench: Bench = "verilator",
    progress: Progress = no_progress,
) -> tuple[Outcome, ...]:
    """Play every scenario and compare each result with the expected one.

    ``expected`` holds the raw outputs ``(n_events, n_outputs)`` of the stimulus.

    Raises:
        InputError: if inputs or outputs are not the design's, or there are none.
        SimulationFault: if a design of unknown latency gives no result at all.
        ToolError: if a tool is missing or refuses the design.
    """
    design = _design(firmware)
    _check_outputs(design, stimulus, expected)
    design = _known(design, stimulus.inputs, store, progress)
    played = plan(design, stimulus, expected)
    if bench == "cocotb":
        built = cocotb_runs.build(design, store, progress=progress)
        simulator = cocotb_runs.title()
        results = cocotb_runs.play(design, built, played, store)
        return tuple(
            judge(scenario, observed, simulator)
            for scenario, observed in zip(played, results, strict=True)
        )
    program = verilated.build(design, store, progress=progress)
    simulator = verilator.find().title
    outcomes = []
    for done, scenario in enumerate(played):
        progress(f"simulating {design.title}", done, len(played))
        observed = verilated.play(design, program, scenario.inputs, scenario.schedule)
        outcomes.append(judge(scenario, observed, simulator))
    progress(f"simulating {design.title}", len(played), len(played))
    return tuple(outcomes)


def plan(design: Design, stimulus: Stimulus, expected: RawTensor) -> tuple[Scenario, ...]:
    """Return the scenarios of a stimulus.

    Its first block and the others (its corners) follow at the full rate of the design; then
    all of it with gaps, and with resets.
    """
    words = _packed(design, stimulus.inputs)
    n_events = len(words)
    origins = tuple(stimulus.block_of(event) for event in range(n_events))
    every = "an event every " + (
        "cycle" if design.interval_cycles == 1 else f"{design.interval_cycles} cycles"
    )
    name, size = stimulus.blocks[0]
    parts = [(f"{every}: {name}", back_to_back(), slice(size))]
    if size < n_events:
        parts.append((f"{every}: corner inputs", back_to_back(), slice(size, n_events)))
    n_resets = max(1, min(MOST_RESETS, n_events // 50))
    parts.append(("gaps in valid", random_gaps(), slice(n_events)))
    parts.append(("reset in mid-stream", with_resets(n_resets), slice(n_events)))
    return tuple(
        Scenario(
            name=name,
            output=design.output,
            latency_cycles=design.latency_cycles or 0,
            drain_cycles=design.drain_cycles,
            schedule=traffic.schedule(len(words[part]), design.interval_cycles),
            inputs=words[part],
            expected=expected.raw[part],
            origins=origins[part],
        )
        for name, traffic, part in parts
    )


def _design(firmware: Firmware | Design) -> Design:
    return firmware if isinstance(firmware, Design) else of_firmware(firmware)


def _packed(design: Design, inputs: RawTensor) -> NDArray[np.uint32]:
    if inputs.format != design.input.format:
        msg = f"{design.title} takes {design.input.format}, not {inputs.format}"
        raise InputError(msg)
    return packing.pack(inputs.raw, design.input)


def _check_outputs(design: Design, stimulus: Stimulus, expected: RawTensor) -> None:
    shape = (len(stimulus.inputs.raw), design.output.n_elements)
    n_named = sum(size for _, size in stimulus.blocks)
    if expected.format != design.output.format or expected.raw.shape != shape or not shape[0]:
        msg = (
            f"{design.title} gives {shape} values of {design.output.format} for this stimulus; "
            f"it cannot be compared with {expected.raw.shape} of {expected.format}"
        )
        raise InputError(msg)
    if n_named != shape[0]:
        msg = f"the blocks of the stimulus name {n_named} events of {shape[0]}"
        raise InputError(msg)


def _known(design: Design, inputs: RawTensor, store: Store, progress: Progress) -> Design:
    """Return the design with its latency, measured on a few events if it is unknown."""
    if design.latency_cycles is not None:
        return design
    few = RawTensor(format=inputs.format, raw=inputs.raw[:N_EVENTS_TO_MEASURE].copy())
    schedule = back_to_back().schedule(len(few.raw), design.interval_cycles)
    program = verilated.build(design, store, progress=progress)
    observed = verilated.play(design, program, _packed(design, few), schedule)
    if not len(observed.cycles):
        msg = f"{design.title}: out_valid did not rise in {observed.n_cycles} cycles"
        raise SimulationFault(msg, observed.n_cycles)
    latency = int(observed.cycles[0] - schedule.event_cycles[0])
    return replace(design, latency_cycles=max(0, latency))
