"""Every implementation of a network against every other, on the same raw integers."""

from __future__ import annotations

import os
from itertools import combinations
from typing import TYPE_CHECKING

from trigforge import comparison, csim, emulator, evaluation, onnx_export
from trigforge.conversion import project
from trigforge.onnx_export import runtime

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trigforge.core.graph import FixedPointGraph
    from trigforge.core.records import Agreement, HlsProject, Port, RawTensor
    from trigforge.pipeline.job import Job, Prepared

REFERENCE = "QKeras, exact"
SIMULATION = "C simulation"


def exact_outputs(job: Job, ready: Prepared, output: Port) -> RawTensor | None:
    """Return what the model itself gives for the stimulus, as raw integers of a port.

    None if its arithmetic is not exact: a float model, or one with a softmax.
    """
    return ready.source.exact(ready.stimulus.inputs, output, job.progress)


def verify(
    job: Job,
    ready: Prepared,
    projects: Sequence[HlsProject],
    expected: RawTensor | None,
    delivered: Iterable[tuple[str, RawTensor]] = (),
) -> tuple[Agreement, ...]:
    """Compare all implementations with each other over the whole stimulus.

    The C simulation is that of each project as it lies on disk; evaluator, emulator and
    ONNX Runtime compute the graph that was lowered when the project was written.
    ``delivered`` are further results, made from the first project's graph.
    """
    names = ready.source.output_names
    agreements: list[Agreement] = []
    for entry in projects:
        exact = () if expected is None else ((REFERENCE, expected),)
        results = [*exact, *implementations(job, ready, entry)]
        results += delivered if entry is projects[0] else ()
        agreements.extend(
            comparison.compare(first, second, ready.stimulus, names)
            for first, second in combinations(results, 2)
        )
    return tuple(agreements)


def implementations(
    job: Job, ready: Prepared, entry: HlsProject
) -> Iterator[tuple[str, RawTensor]]:
    """Yield the result of each implementation made for an io type."""
    yield f"{SIMULATION}, {entry.io_type}", simulated(job, ready, entry)
    graph = project.read_graph(entry)
    inputs, progress = ready.stimulus.inputs, job.progress
    with job.stage(f"evaluator {entry.io_type}"):
        result = evaluation.evaluate(graph, inputs, progress=progress).outputs
    yield f"evaluator, {entry.io_type}", result
    yield f"emulator, {entry.io_type}", emulated(job, graph, inputs, entry.io_type)
    with job.stage(f"onnx {entry.io_type}"):
        result = runtime.run(onnx_export.export(graph), inputs, progress=progress)
    yield f"ONNX Runtime, {entry.io_type}", result


def simulated(job: Job, ready: Prepared, entry: HlsProject) -> RawTensor:
    """Return what the C++ of a project gives."""
    store = job.workspace.store
    with job.stage(f"csim {entry.io_type}") as stage:
        stage.cached = csim.is_built(entry, store)
        return csim.run(entry, ready.stimulus.inputs, store, progress=job.progress)


def emulated(job: Job, graph: FixedPointGraph, inputs: RawTensor, io_type: str) -> RawTensor:
    """Return what the compiled emulator of a graph gives."""
    n_threads, store = os.cpu_count() or 1, job.workspace.store
    with job.stage(f"emulator {io_type}") as stage:
        sources = emulator.generate(graph)
        stage.cached = emulator.is_built(sources, store)
        return emulator.load(emulator.build(sources, store)).run(inputs, n_threads=n_threads)


def simulate(
    job: Job, ready: Prepared, projects: Iterable[HlsProject], expected: RawTensor | None
) -> tuple[Agreement, ...]:
    """Compare the C simulation of each project with the model, else with the graph."""
    inputs = ready.stimulus.inputs
    agreements = []
    for entry in projects:
        right = (
            (f"evaluator, {entry.io_type}", evaluated(entry, inputs))
            if expected is None
            else (REFERENCE, expected)
        )
        found = (f"{SIMULATION}, {entry.io_type}", simulated(job, ready, entry))
        names = ready.source.output_names
        agreements.append(comparison.compare(right, found, ready.stimulus, names))
    return tuple(agreements)


def evaluated(entry: HlsProject, inputs: RawTensor) -> RawTensor:
    """Return what the graph that a project was written with gives."""
    return evaluation.evaluate(project.read_graph(entry), inputs).outputs
