"""The only composer: ``run(Spec, Workspace) -> RunSummary``.

samples -> training -> conversion -> C simulation -> comparison -> report. Stages do not
know each other; what they share are the records that pass through here.
"""

from __future__ import annotations

import os
import platform
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from trigforge import __version__, comparison, csim, physics, training
from trigforge.conversion import convert, project
from trigforge.core.config import Spec
from trigforge.core.errors import InputError, SpecError
from trigforge.core.files import write_file
from trigforge.core.fixed_point import to_values
from trigforge.core.records import (
    Agreement,
    Check,
    HlsProject,
    Metrics,
    Port,
    Progress,
    RawTensor,
    RunSummary,
    Sample,
    StageTime,
    Stimulus,
    no_progress,
)
from trigforge.core.store import key_of
from trigforge.core.workspace import Workspace
from trigforge.networks import reference
from trigforge.report import card, document
from trigforge.samples import archive, generation
from trigforge.training import TrainedNetworks
from trigforge.vendor import toolchain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from trigforge.core.config import Hardware, IoType

N_VECTORS = 256
"""Held-out events that a project carries along with the corners of the grid."""

REFERENCE = "QKeras, exact"
GENERATED = "generated"
_VERSIONS = ("hls4ml", "keras", "qkeras-v3", "tensorflow", "numpy", "pythia8mc", "fastjet")


@dataclass(slots=True)
class Stage:
    """What a running stage may say of itself."""

    cached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is asked for, where things lie, who is told how far it is, and how long it took."""

    spec: Spec
    workspace: Workspace
    progress: Progress = no_progress
    times: list[StageTime] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Time a block as one stage."""
        started = time.perf_counter()
        stage = Stage()
        yield stage
        seconds = round(time.perf_counter() - started, 3)
        self.times.append(StageTime(stage=name, seconds=seconds, cached=stage.cached))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Events, networks and the stimulus made from them: what every later stage starts from."""

    sample: Sample
    origin: str
    networks: TrainedNetworks
    stimulus: Stimulus


def run(
    spec: Spec,
    workspace: Workspace,
    *,
    sample_file: Path | None = None,
    progress: Progress = no_progress,
) -> RunSummary:
    """Do everything a spec asks for and write ``report.json``.

    Raises:
        TrigforgeError: if an input or a tool is not what it should be. A mismatch is no
            error: it is in the summary, whose ``met`` is then false.
    """
    require_simulator(spec)
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, sample_file)
    projects = write_projects(job, ready)
    with job.stage("reference"):
        expected = exact_outputs(job, ready, projects[0].output)
    agreements = verify(job, ready, projects, expected)
    with job.stage("physics"):
        baseline, quantised = measure(spec, ready, expected)
        warnings = warnings_of(projects, ready, expected)
    summary = RunSummary(
        name=spec.name,
        n_train=int(ready.networks.provenance["n_train"]),
        n_test=len(ready.sample.x_test),
        sample_origin=ready.origin,
        float_metrics=baseline,
        quantised_metrics=quantised,
        agreements=agreements,
        checks=(
            *agreement_checks(agreements),
            *physics.check(spec.acceptance, baseline, quantised),
        ),
        projects=projects,
        stages=tuple(job.times),
        provenance=_provenance(spec, ready),
        report=workspace.reports / spec.name / "report.json",
        warnings=warnings,
    )
    document.write(summary, spec)
    return summary


def train(
    spec: Spec, workspace: Workspace, sample_file: Path | None, progress: Progress
) -> tuple[Metrics, Metrics]:
    """Train the networks of a spec anew and write them beside it, with their model card."""
    job = Job(spec=spec, workspace=workspace, progress=progress)
    sample, origin = open_sample(job, sample_file)
    networks = training.train(spec, sample, progress=progress)
    training.save(networks, workspace.model)
    stimulus = make_stimulus(spec, sample, networks)
    ready = Prepared(sample=sample, origin=origin, networks=networks, stimulus=stimulus)
    link = networks.encoding.format
    output = convert.convert(networks.quantised_model, spec.name, link, spec.hardware).output
    metrics = measure(spec, ready, exact_outputs(job, ready, output))
    write_file(workspace.model / "card.md", card.make(spec, networks.provenance, metrics))
    return metrics


def convert_all(
    spec: Spec, workspace: Workspace, sample_file: Path | None, progress: Progress
) -> tuple[HlsProject, ...]:
    """Write the project of each io type of a spec."""
    job = Job(spec=spec, workspace=workspace, progress=progress)
    return write_projects(job, prepare(job, sample_file))


def simulate_all(
    spec: Spec, workspace: Workspace, sample_file: Path | None, progress: Progress
) -> tuple[Agreement, ...]:
    """Simulate and compare the project of each io type of a spec."""
    require_simulator(spec)
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, sample_file)
    projects = write_projects(job, ready)
    return verify(job, ready, projects, exact_outputs(job, ready, projects[0].output))


def require_simulator(spec: Spec) -> None:
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


def prepare(job: Job, sample_file: Path | None) -> Prepared:
    """Return events, networks and stimulus."""
    with job.stage("samples") as stage:
        sample, origin = open_sample(job, sample_file)
        stage.cached = origin != GENERATED
    with job.stage("training") as stage:
        networks, stage.cached = obtain_networks(job, sample)
    with job.stage("stimulus"):
        stimulus = make_stimulus(job.spec, sample, networks)
    return Prepared(sample=sample, origin=origin, networks=networks, stimulus=stimulus)


def open_sample(job: Job, sample_file: Path | None) -> tuple[Sample, str]:
    """Return the events and where they came from: a given file, the shipped one, Pythia.

    The shipped sample is used if it was drawn from the very sample the spec describes;
    otherwise the events are generated (and kept in the store).

    Raises:
        InputError: if the file is no sample, or one of another kind.
    """
    wanted, workspace = job.spec.sample, job.workspace
    if sample_file is not None:
        sample = archive.load(sample_file)
        if sample.kind != wanted.kind:
            msg = f"{sample_file} holds {sample.kind}, but the spec asks for {wanted.kind}"
            raise InputError(msg)
        return sample, str(sample_file)
    shipped = workspace.sample_file
    if shipped.exists():
        sample = archive.load(shipped)
        provenance = sample.read_provenance()
        if provenance.get("spec") == wanted.model_dump(mode="json"):
            return sample, f"{shipped}, part of {provenance.get('n_generated')} jets"
    sample = generation.generate(
        wanted, workspace.store, n_processes=os.cpu_count() or 1, progress=job.progress
    )
    return sample, GENERATED


def obtain_networks(job: Job, sample: Sample) -> tuple[TrainedNetworks, bool]:
    """Return the networks, and whether they were there already: shipped, or trained before."""
    spec, workspace = job.spec, job.workspace
    shipped = training.find(workspace.model, spec, sample)
    if shipped is not None:
        return shipped, True
    digest = key_of([training.training_key(spec), training.content_digest(sample)])
    found = workspace.store.find("training", digest)
    if found is not None:
        networks = training.find(found, spec, sample)
        if networks is not None:
            return networks, True
    networks = training.train(spec, sample, progress=job.progress)
    with workspace.store.adding("training", digest) as folder:
        training.save(networks, folder)
    return networks, False


def make_stimulus(spec: Spec, sample: Sample, networks: TrainedNetworks) -> Stimulus:
    """Return the whole held-out sample on the link's grid, and the grid's corners."""
    raw = networks.encoding.encode(sample.x_test).reshape(len(sample.x_test), -1)
    held_out = RawTensor(format=networks.encoding.format, raw=raw)
    return comparison.make_stimulus(held_out, seed=spec.training.seed)


def ordered_io_types(spec: Spec) -> tuple[IoType, ...]:
    """Return the io types to verify, each once, that of the hardware first."""
    return tuple(dict.fromkeys((spec.hardware.io_type, *spec.acceptance.io_types)))


def project_folder(spec: Spec, io_type: IoType, workspace: Workspace) -> Path:
    """Return where a project is written: the delivered one bears the model's name alone."""
    delivered = io_type == spec.hardware.io_type
    return workspace.projects / (spec.name if delivered else f"{spec.name}_{io_type}")


def write_projects(job: Job, ready: Prepared) -> tuple[HlsProject, ...]:
    """Write the project of each io type, or take the one written from the same input."""
    projects = []
    for io_type in ordered_io_types(job.spec):
        hardware = job.spec.hardware.model_copy(update={"io_type": io_type})
        folder = project_folder(job.spec, io_type, job.workspace)
        with job.stage(f"conversion {io_type}") as stage:
            found = project.find(folder, project_digest(job.spec, hardware, ready))
            stage.cached = found is not None
            projects.append(found or write_project(job.spec, hardware, ready, folder))
    return tuple(projects)


def project_digest(spec: Spec, hardware: Hardware, ready: Prepared) -> str:
    """Return the digest of all that decides the files of a project."""
    return key_of(
        [
            project.project_key(spec.name, hardware),
            spec.network.model_dump(mode="json"),
            spec.quantization.model_dump(mode="json"),
            training.quantised_weights_digest(ready.networks),
            comparison.digest(ready.stimulus),
        ]
    )


def write_project(spec: Spec, hardware: Hardware, ready: Prepared, folder: Path) -> HlsProject:
    """Convert the quantised network and write it, with vectors to check it by."""
    model, link = ready.networks.quantised_model, ready.networks.encoding.format
    conversion = convert.convert(model, spec.name, link, hardware)
    vectors = comparison.project_vectors(ready.stimulus, N_VECTORS)
    expected = reference.evaluate(model, vectors, conversion.output)
    files = project.assemble(conversion, vectors, expected)
    return project.write(folder, files, project_digest(spec, hardware, ready))


def exact_outputs(job: Job, ready: Prepared, output: Port) -> RawTensor:
    """Return what the QKeras model gives for the stimulus, as raw integers of a port."""
    model = ready.networks.quantised_model
    return reference.evaluate(model, ready.stimulus.inputs, output, progress=job.progress)


def verify(
    job: Job, ready: Prepared, projects: Iterable[HlsProject], expected: RawTensor
) -> tuple[Agreement, ...]:
    """Compare the C simulation of each project with the QKeras model, over the whole stimulus."""
    store, inputs = job.workspace.store, ready.stimulus.inputs
    agreements = []
    for entry in projects:
        with job.stage(f"csim {entry.io_type}") as stage:
            stage.cached = csim.is_built(entry, store)
            simulated = csim.run(entry, inputs, store, progress=job.progress)
        candidate = (f"C simulation, {entry.io_type}", simulated)
        names = output_names(ready.sample)
        agreements.append(
            comparison.compare((REFERENCE, expected), candidate, ready.stimulus, names)
        )
    return tuple(agreements)


def output_names(sample: Sample) -> tuple[str, ...]:
    """Name the logits; a single one is that of the signal."""
    return sample.class_names[1:] if len(sample.class_names) == 2 else sample.class_names


def measure(spec: Spec, ready: Prepared, outputs: RawTensor) -> tuple[Metrics, Metrics]:
    """Measure the float and the quantised network on the same held-out events."""
    sample = ready.sample
    float_logits = ready.networks.float_model.predict(
        sample.x_test.astype(np.float32), batch_size=1024, verbose=0
    )
    logits = to_values(outputs.raw[: len(sample.x_test)], outputs.format)
    efficiency = spec.acceptance.signal_efficiency
    return (
        physics.measure(float_logits, sample.y_test, sample.class_names, efficiency),
        physics.measure(logits, sample.y_test, sample.class_names, efficiency),
    )


def agreement_checks(agreements: Iterable[Agreement]) -> Iterator[Check]:
    """Yield one line of the verdict for each comparison."""
    for entry in agreements:
        yield Check(
            name=f"bit-exact: {entry.candidate}",
            used=f"{entry.n_different} of {entry.n_values} values differ",
            allowed="0",
            met=entry.met,
        )


def warnings_of(
    projects: Iterable[HlsProject], ready: Prepared, outputs: RawTensor
) -> tuple[str, ...]:
    """Say what a user should know though no check failed because of it."""
    lines = [
        f"{entry.folder}: changed since it was written: {', '.join(entry.modified[:5])}"
        for entry in projects
        if entry.modified
    ]
    model, inputs = ready.networks.quantised_model, ready.stimulus.inputs
    rounded = reference.n_rounded_in_float32(model, inputs, outputs)
    if rounded:
        lines.append(
            f"Keras' float32 inference of the quantised network differs from the exact result "
            f"on {rounded} of {len(outputs.raw)} events; the firmware follows the exact one"
        )
    return tuple(lines)


def _provenance(spec: Spec, ready: Prepared) -> tuple[tuple[str, str], ...]:
    entries = {
        "trigforge": __version__,
        "python": platform.python_version(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "compiler": toolchain.compiler_version(),
        "spec_digest": key_of(spec.model_dump(mode="json")),
        "sample_digest": ready.sample.digest,
        "training_key": ready.networks.key,
        "weights_digest": training.quantised_weights_digest(ready.networks),
        "sample_seed": str(spec.sample.seed),
        "training_seed": str(spec.training.seed),
    }
    entries |= {package: version(package) for package in _VERSIONS}
    return tuple(entries.items())
