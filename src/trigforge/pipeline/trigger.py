"""Rates and efficiencies of a run: float, quantised and delivered network on the same events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge import physics
from trigforge.conversion import project
from trigforge.core.errors import SpecError
from trigforge.core.records import Agreement, HlsProject, RawTensor
from trigforge.core.trigger import TriggerPhysics
from trigforge.pipeline import rates
from trigforge.pipeline.referees import REFERENCE, SIMULATION, simulated

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from trigforge.core.config import AnySpec, Trigger
    from trigforge.core.trigger import SignalPhysics
    from trigforge.pipeline.firmware import Built
    from trigforge.pipeline.job import Job, Prepared
    from trigforge.pipeline.source import Labelled

FLOAT, QUANTISED, FIRMWARE = "float network", "quantised network", "firmware"
NO_LABELS = "trigger: the events have no labels, so there are no rates and efficiencies"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Verified:
    """The delivered project, what the network gives exactly, and who was found to agree."""

    project: HlsProject
    expected: RawTensor | None
    """For the stimulus; None: the model's own arithmetic is not exact."""
    agreements: tuple[Agreement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """Rates and efficiencies, if there are any, and what to say of them."""

    physics: TriggerPhysics | None = None
    warnings: tuple[str, ...] = ()


def require_variable(spec: AnySpec, ready: Prepared) -> None:
    """Refuse a turn-on curve against something unknown before the long work, not after it.

    Raises:
        SpecError: naming what is known of the events.
    """
    if spec.trigger is not None and spec.trigger.turn_on is not None:
        labelled = ready.source.labelled()
        if labelled is not None:
            _variable(spec.trigger, labelled)


def examine(job: Job, ready: Prepared, built: Built, verified: Verified) -> Examined:
    """Measure what the spec's ``trigger`` asks for, on the labelled held-out events."""
    section = job.spec.trigger
    if section is None:
        return Examined()
    labelled = ready.source.labelled()
    if labelled is None:
        return Examined(warnings=(NO_LABELS,))
    firmware = delivered_outputs(job, ready, built, verified)
    given = {QUANTISED: verified.expected, FIRMWARE: firmware}
    seen = held_out(labelled, given, _variable(section, labelled))
    if not seen.outputs:
        return Examined()
    graph = project.read_graph(verified.project)
    counted, warnings = rates.find_counts(job.spec, job.workspace, graph)
    found = physics.study(section, seen, {} if counted is None else dict(counted.scores))
    highest = graph.output.format.raw_max if graph.output.n_elements == 1 else np.inf
    return Examined(physics=found, warnings=(*warnings, *_warnings(found, highest)))


def delivered_outputs(
    job: Job, ready: Prepared, built: Built, verified: Verified
) -> RawTensor | None:
    """Return what the delivered firmware gives for the stimulus; None: results were lost.

    What the simulated RTL gave, else what the C simulation gives: where every value of it was
    found to be the network's own, these.
    """
    if job.spec.hardware.has_rtl:
        return built.results[0][1] if built.results else None
    pair = REFERENCE, f"{SIMULATION}, {verified.project.io_type}"
    if any(
        (entry.reference, entry.candidate) == pair and entry.met for entry in verified.agreements
    ):
        return verified.expected
    return simulated(job, ready, verified.project)


def held_out(
    labelled: Labelled,
    given: Mapping[str, RawTensor | None],
    variable: NDArray[Any] | None = None,
) -> physics.HeldOut:
    """Return the labelled events with what each implementation gave, the float network first.

    ``given`` are outputs of the stimulus, which the held-out events begin; None: not known.
    """
    n_events, values = len(labelled.labels), {}
    if labelled.float_outputs is not None:
        values[FLOAT] = labelled.float_outputs.reshape(n_events, -1)
    for name, tensor in given.items():
        if tensor is not None:
            values[name] = tensor.raw[:n_events]
    return physics.HeldOut(
        class_names=labelled.class_names,
        labels=labelled.labels,
        outputs=tuple(
            physics.Outputs(implementation=name, values=found) for name, found in values.items()
        ),
        variable=variable,
    )


def _warnings(found: TriggerPhysics, highest: float) -> Iterator[str]:
    """Say what the figures cannot tell, once for all signals of which it is true."""
    lines: dict[str, list[str]] = {}
    for signal in found.signals:
        for line in _remarks(found, signal, highest):
            lines.setdefault(line, []).append(signal.name)
    for line, names in lines.items():
        yield f"trigger, {', '.join(names)}: {line}"


def _remarks(found: TriggerPhysics, signal: SignalPhysics, highest: float) -> Iterator[str]:
    """Yield remarks on one signal; ``highest`` is the largest raw score there is."""
    counted = signal.streamed
    n_events = found.n_background if counted is None else counted.n_events
    threshold = signal.results[-1].threshold if counted is None else counted.threshold
    event_khz = found.background_rate_khz / n_events
    if event_khz > found.working_rate_khz:
        yield (
            f"each of {n_events} background events stands for {event_khz:.3g} kHz, so that "
            f"{found.working_rate_khz:g} kHz cannot be seen; `trigforge rates` counts more events"
        )
    if threshold > highest:
        yield (
            f"more than {found.working_rate_khz:g} kHz of background has the largest score there "
            "is: no threshold of the firmware brings the rate down to it"
        )


def _variable(section: Trigger, labelled: Labelled) -> NDArray[Any] | None:
    """Return what turn-on curves are drawn against, if any are.

    Raises:
        SpecError: naming what is known of the events.
    """
    if section.turn_on is None:
        return None
    wanted, known = section.turn_on.variable, dict(labelled.variables)
    if wanted not in known:
        msg = f"trigger.turn_on.variable: {wanted} is not known; known: {', '.join(known)}"
        raise SpecError(msg)
    return known[wanted]
