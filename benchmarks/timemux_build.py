"""Build RTL for the benchmarks of time-multiplexing: generate, simulate, synthesise.

What is wrong ends a benchmark with an error: a figure of wrong RTL is none.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table

from trigforge import cosim, evaluation, rtl, synthesis
from trigforge.core.config import Budget, Hardware
from trigforge.core.files import FileSet
from trigforge.core.graph import FixedPointGraph
from trigforge.core.records import Stimulus
from trigforge.core.schedule import Schedule
from trigforge.rtl import da, timemux
from trigforge.synthesis import Effort, Synthesis

if TYPE_CHECKING:
    from pathlib import Path

    from trigforge.core.store import Store
    from trigforge.rtl.design import Design


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What is built, for which part and clock, and the events it is simulated with."""

    name: str
    graph: FixedPointGraph
    hardware: Hardware
    budget: Budget
    stimulus: Stimulus
    delay: bool = True
    """Look for the slowest path: for thousands of DSPs that takes more than half an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """RTL that gave the right results."""

    netlist: Synthesis
    latency_cycles: int
    """As simulated, the same for every event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeMultiplexed(Measured):
    """Time-multiplexed RTL, whose DSPs are those of its schedule."""

    schedule: Schedule
    generation_s: float


def time_multiplexed(network: Network, folder: Path, store: Store) -> TimeMultiplexed:
    """Generate, simulate and synthesise time-multiplexed RTL.

    Raises:
        RuntimeError: if a result is wrong or late, or the DSPs are not those of the schedule.
    """
    started = time.perf_counter()
    design, schedule = scheduled(network.graph, network.hardware, network.budget)
    generation_s = time.perf_counter() - started
    found = _verified(design, network, folder / "timemux", store)
    for what, promised, measured in (
        ("DSPs", schedule.n_dsp, found.netlist.resources.dsp),
        ("cycles of latency", schedule.latency_cycles, found.latency_cycles),
    ):
        if measured != promised:
            msg = f"{network.name} has {measured} {what}, its schedule {promised}"
            raise RuntimeError(msg)
    return TimeMultiplexed(
        netlist=found.netlist,
        latency_cycles=found.latency_cycles,
        schedule=schedule,
        generation_s=generation_s,
    )


def distributed_arithmetic(network: Network, folder: Path, store: Store) -> Measured:
    """Generate, simulate and synthesise RTL without multipliers.

    Raises:
        RuntimeError: if a result is wrong or late.
    """
    return _verified(da.generate(network.graph, network.hardware), network, folder / "da", store)


def scheduled(
    graph: FixedPointGraph, hardware: Hardware, budget: Budget
) -> tuple[Design, Schedule]:
    """Generate time-multiplexed RTL; return its schedule too."""
    design = timemux.generate(graph, hardware, budget)
    if design.schedule is None:
        msg = f"the time-multiplexed design of {graph.name} has no schedule"
        raise RuntimeError(msg)
    return design, design.schedule


def busy_share(schedule: Schedule) -> float:
    """Return the share of cycles in which a DSP multiplies something, over all DSPs."""
    used = sum(layer.n_slots_used for layer in schedule.layers)
    return used / (schedule.n_dsp * schedule.interval_cycles)


def lut_estimated(schedule: Schedule) -> int:
    """Return the LUTs of all layers, before any synthesis."""
    return sum(layer.n_lut_estimated for layer in schedule.layers)


def new_table(title: str, columns: tuple[str, ...], n_of_words: int = 1) -> Table:
    """Return a table whose first columns are words, the others numbers."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        words = number < n_of_words
        table.add_column(column, justify="left" if words else "right", no_wrap=words)
    return table


def _verified(design: Design, network: Network, folder: Path, store: Store) -> Measured:
    """Write a design as firmware, play every scenario, synthesise it."""
    graph, stimulus = network.graph, network.stimulus
    expected = evaluation.evaluate(graph, stimulus.inputs).outputs
    files = rtl.assemble(design, graph, network.hardware, stimulus, expected, FileSet({}))
    written = rtl.write(folder / network.name, files, files.digest)
    outcomes = cosim.check(written, stimulus, expected, store)
    unmet = [f"{entry.name}: {entry.fault}" for entry in outcomes if not entry.met]
    if unmet:
        msg = f"the RTL of {network.name} is wrong: {unmet}"
        raise RuntimeError(msg)
    latencies = {cycles for entry in outcomes for cycles in entry.latency_cycles or ()}
    if len(latencies) != 1:
        msg = f"the latency of {network.name} is not fixed: {sorted(latencies)} cycles"
        raise RuntimeError(msg)
    effort = Effort(delay=network.delay)
    return Measured(
        netlist=synthesis.run(written, store, effort=effort), latency_cycles=latencies.pop()
    )
