"""What a design is worth and about what it takes, before any RTL is simulated or synthesised.

The networks are trained as ``run`` trains them and kept in the store, so that a run of the
same spec finds them there; the figures of physics are those of the exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trigforge import estimation, evaluation, physics, rtl, training
from trigforge.core.config.scan import LATENCY
from trigforge.core.errors import InputError
from trigforge.core.records import Progress, RawTensor, no_progress
from trigforge.core.spec_file import require_trainable
from trigforge.estimation import hls
from trigforge.pipeline import firmware, trigger, writing
from trigforge.pipeline.job import Job, Prepared
from trigforge.pipeline.preparation import obtain_networks, open_sample, prepare
from trigforge.pipeline.trigger import FIRMWARE, NO_LABELS
from trigforge.rtl import da

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from trigforge.core.config import AnySpec
    from trigforge.core.costs import Resources
    from trigforge.core.graph import FixedPointGraph
    from trigforge.core.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Appraisal:
    """Figures by the names of ``core.config.scan``, and the seconds each stage took.

    ``not_met`` says which losses of physics are more than the spec's acceptance allows.
    """

    figures: Mapping[str, float]
    not_met: tuple[str, ...]
    seconds: Mapping[str, float]


def appraise(
    spec: AnySpec,
    workspace: Workspace,
    wanted: Collection[str],
    *,
    sample_file: Path | None = None,
    progress: Progress = no_progress,
) -> Appraisal:
    """Train if need be, evaluate the held-out events exactly, and estimate the costs.

    Whatever is known without further work is among the figures; ``wanted`` says what must be.

    Raises:
        InputError: if a figure is wanted that the spec or its events do not have.
        TrigforgeError: if the design cannot be trained, converted or built.
    """
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, sample_file)
    with job.stage("conversion"):
        graph = ready.source.convert(spec.name, spec.hardware).arithmetic
    with job.stage("physics"):
        figures, not_met = _physics(job, ready, graph)
    with job.stage("estimates"):
        figures |= _costs(job, ready, graph, latency=LATENCY in wanted)
    missing = sorted(set(wanted) - set(figures))
    if missing:
        msg = f"{spec.name}: no {', '.join(missing)}; there is {', '.join(figures)}"
        raise InputError(msg)
    seconds = {entry.stage: entry.seconds for entry in job.times}
    return Appraisal(figures=figures, not_met=not_met, seconds=seconds)


def measure_resources(
    spec: AnySpec,
    workspace: Workspace,
    *,
    sample_file: Path | None = None,
    progress: Progress = no_progress,
) -> Resources:
    """Write the RTL of a spec and count what logic synthesis makes of it."""
    return firmware.synthesise_rtl(spec, workspace, sample_file, progress)[0].resources


def deliver(spec: AnySpec, workspace: Workspace, folder: Path, sample_file: Path | None) -> None:
    """Write the networks of a design into the folder of a model, trained if they are not there.

    Raises:
        SpecError: if the spec is that of an imported model, which has its own files.
    """
    job = Job(spec=spec, workspace=workspace)
    described = require_trainable(spec)
    sample, _ = open_sample(job, described, sample_file)
    networks, _ = obtain_networks(job, described, sample)
    training.save(networks, folder)


def _physics(
    job: Job, ready: Prepared, graph: FixedPointGraph
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return what the held-out events say of the firmware's arithmetic, and what is not met."""
    labelled = ready.source.labelled()
    if labelled is None:
        raise InputError(NO_LABELS)
    inputs = ready.stimulus.inputs
    held_out = RawTensor(format=inputs.format, raw=inputs.raw[: len(labelled.labels)].copy())
    outputs = evaluation.evaluate(graph, held_out).outputs
    metrics = ready.source.measure(outputs)
    figures: dict[str, float] = {}
    if metrics is not None:
        figures["mean_auc"] = metrics[1].mean_auc
        if metrics[1].accuracy is not None:
            figures["accuracy"] = metrics[1].accuracy
    found = None
    if job.spec.trigger is not None:
        found = physics.study(job.spec.trigger, trigger.held_out(labelled, {FIRMWARE: outputs}))
        efficiencies = [signal.results[-1].efficiency.value for signal in found.signals]
        figures["efficiency"] = float(np.mean(efficiencies))
    checks = physics.checks(job.spec.acceptance, metrics, found, ready.source.distance(outputs))
    return figures, tuple(
        f"{check.name}: {check.used}, allowed {check.allowed}" for check in checks if not check.met
    )


def _costs(job: Job, ready: Prepared, graph: FixedPointGraph, *, latency: bool) -> dict[str, float]:
    """Estimate the costs; a schedule of time-multiplexed RTL is made, that is no guess."""
    hardware, schedule = job.spec.hardware, None
    figures: dict[str, float] = {"ebops": float(estimation.ebops(graph).total)}
    if hardware.has_rtl and (latency or hardware.implementation != "da"):
        written = writing.write_firmware(job, ready, graph)
        schedule = rtl.read_schedule(written)
        figures[LATENCY] = written.latency_cycles / hardware.clock_mhz * 1000
    estimates = (
        writing.estimates_of(graph, schedule)
        if hardware.has_rtl
        else hls.estimates(graph, hardware)
    )
    likely = {entry.resource: entry.likely for entry in estimates}
    if hardware.has_rtl and schedule is None:
        likely["lut"] = da.estimated_lut(graph)
    return figures | {name: likely[name] for name in ("lut", "ff", "dsp")}
