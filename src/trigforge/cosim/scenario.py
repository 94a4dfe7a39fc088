"""What is played, what came out, and the verdict: ``Scenario, Observed -> Outcome``.

Nothing here knows a simulator: both benches are judged by this module, inside cocotb too.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigforge.core import packing
from trigforge.core.errors import SimulationFault
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import Difference, Outcome, Port, freeze_arrays
from trigforge.cosim.traffic import Schedule

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What came out of a design: in which cycles, and the words ``(n_results, n_words)``."""

    cycles: NDArray[np.int64]
    words: NDArray[np.uint32]
    n_cycles: int
    seconds: float

    def __post_init__(self) -> None:
        freeze_arrays(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Events with the results they must have, and the cycles in which they are presented.

    ``inputs`` holds packed words ``(n_events, n_words)``, ``expected`` raw integers
    ``(n_events, n_outputs)``, ``origins`` a name an event for messages.
    """

    name: str
    output: Port
    latency_cycles: int
    """What every event must take."""
    drain_cycles: int
    schedule: Schedule
    inputs: NDArray[np.uint32]
    expected: NDArray[np.int64]
    origins: tuple[str, ...]

    def __post_init__(self) -> None:
        freeze_arrays(self)


def pair(schedule: Schedule, observed: Observed, latency_cycles: int) -> NDArray[np.int64]:
    """Return the numbers of the events that the results belong to, in order.

    Raises:
        SimulationFault: if there are more or fewer results than events that must have one.
    """
    surviving = schedule.surviving(latency_cycles)
    due = schedule.event_cycles[surviving] + latency_cycles
    if len(due) == len(observed.cycles):
        return surviving
    counts = f"{len(observed.cycles)} results of {len(due)} events"
    surplus = np.setdiff1d(observed.cycles, due)
    missing = np.setdiff1d(due, observed.cycles)
    if not len(observed.cycles):
        msg = f"{counts}: out_valid did not rise in {observed.n_cycles} cycles"
        raise SimulationFault(msg, int(missing[0]))
    if not len(missing) or (len(surplus) and surplus[0] < missing[0]):
        cycle = int(surplus[0])
        msg = f"{counts}: out_valid is high in cycle {cycle}, in which no result is due"
        raise SimulationFault(msg, cycle)
    cycle = int(missing[0])
    event = int(surviving[np.searchsorted(due, cycle)])
    msg = (
        f"{counts}: in cycle {cycle} the result of event {event} (presented in cycle "
        f"{int(schedule.event_cycles[event])}) is missing"
    )
    raise SimulationFault(msg, cycle)


def judge(scenario: Scenario, observed: Observed, simulator: str) -> Outcome:
    """Compare what came out with what must come out, bit by bit and cycle by cycle."""
    try:
        events = pair(scenario.schedule, observed, scenario.latency_cycles)
    except SimulationFault as error:
        n_events = len(scenario.schedule.surviving(scenario.latency_cycles))
        return _outcome(scenario, observed, simulator, n_events=n_events, fault=str(error))
    expected = scenario.expected[events]
    got = packing.unpack(observed.words, scenario.output).raw
    latencies = observed.cycles - scenario.schedule.event_cycles[events]
    wrong = np.argwhere(got != expected)
    difference, fault = (
        _first_difference(scenario, events, got, wrong) if len(wrong) else (None, None)
    )
    return _outcome(
        scenario,
        observed,
        simulator,
        n_events=len(events),
        n_values=expected.size,
        n_different=len(wrong),
        first_difference=difference,
        latency_cycles=(int(latencies.min()), int(latencies.max())) if len(events) else None,
        fault=_latency_fault(scenario, events, latencies) or fault,
    )


def _first_difference(
    scenario: Scenario, events: NDArray[np.int64], got: NDArray[Any], wrong: NDArray[np.int64]
) -> tuple[Difference, str]:
    """Return the first value that differs, and the same in words."""
    row, element = (int(index) for index in wrong[0])
    event = int(events[row])
    difference = Difference(
        event=event,
        origin=scenario.origins[event],
        output=element,
        output_name=f"{scenario.output.name}[{element}]",
        reference=int(scenario.expected[event, element]),
        candidate=int(got[row, element]),
    )
    cycle = int(scenario.schedule.event_cycles[event]) + scenario.latency_cycles
    return difference, (
        f"cycle {cycle}, event {event} ({difference.origin}): output {difference.output_name} "
        f"is {difference.candidate}, not {difference.reference}; "
        f"{len(wrong)} of {got.size} values differ"
    )


def _outcome(scenario: Scenario, observed: Observed, simulator: str, **found: Any) -> Outcome:
    nothing = {"n_values": 0, "n_different": 0, "first_difference": None, "latency_cycles": None}
    return Outcome(
        name=scenario.name,
        simulator=simulator,
        n_cycles=observed.n_cycles,
        seconds=observed.seconds,
        **{**nothing, **found},
    )


def _latency_fault(
    scenario: Scenario, events: NDArray[np.int64], latencies: NDArray[np.int64]
) -> str | None:
    """Say which event took another number of cycles than it must."""
    late = np.flatnonzero(latencies != scenario.latency_cycles)
    if not len(late):
        return None
    event = int(events[late[0]])
    presented = int(scenario.schedule.event_cycles[event])
    return (
        f"cycle {presented + int(latencies[late[0]])}: the result of event {event} "
        f"({scenario.origins[event]}, presented in cycle {presented}) took "
        f"{int(latencies[late[0]])} cycles, not {scenario.latency_cycles}"
    )


def save(scenario: Scenario, folder: Path) -> None:
    """Write a scenario into an existing folder: numbers as .npz, the rest as JSON."""
    np.savez(
        folder / "scenario.npz",
        event_cycles=scenario.schedule.event_cycles,
        reset_cycles=scenario.schedule.reset_cycles,
        inputs=scenario.inputs,
        expected=scenario.expected,
    )
    facts = {
        "name": scenario.name,
        "output": [scenario.output.name, scenario.output.shape, str(scenario.output.format)],
        "latency_cycles": scenario.latency_cycles,
        "drain_cycles": scenario.drain_cycles,
        "origins": scenario.origins,
    }
    (folder / "scenario.json").write_text(json.dumps(facts))


def load(folder: Path) -> Scenario:
    """Read a scenario that ``save`` wrote."""
    facts = json.loads((folder / "scenario.json").read_text())
    name, shape, fmt = facts["output"]
    with np.load(folder / "scenario.npz") as numbers:
        return Scenario(
            name=facts["name"],
            output=Port(name=name, shape=tuple(shape), format=parse_format(fmt)),
            latency_cycles=facts["latency_cycles"],
            drain_cycles=facts["drain_cycles"],
            schedule=Schedule(
                event_cycles=numbers["event_cycles"], reset_cycles=numbers["reset_cycles"]
            ),
            inputs=numbers["inputs"],
            expected=numbers["expected"],
            origins=tuple(facts["origins"]),
        )


def save_observed(observed: Observed, folder: Path) -> None:
    """Write what came out beside its scenario."""
    np.savez(
        folder / "observed.npz",
        cycles=observed.cycles,
        words=observed.words,
        counts=[observed.n_cycles, observed.seconds],
    )


def load_observed(folder: Path) -> Observed:
    """Read what ``save_observed`` wrote."""
    with np.load(folder / "observed.npz") as numbers:
        n_cycles, seconds = numbers["counts"]
        return Observed(
            cycles=numbers["cycles"],
            words=numbers["words"],
            n_cycles=int(n_cycles),
            seconds=float(seconds),
        )
