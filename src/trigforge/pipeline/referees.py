"""Every implementation of a network against every other, on the same raw integers."""

from __future__ import annotations

import os
from itertools import combinations
from typing import TYPE_CHECKING

from trigforge import comparison, csim, emulator, evaluation, onnx_export
from trigforge.conversion import project
from trigforge.networks import reference
from trigforge.onnx_export import runtime

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trigforge.core.graph import FixedPointGraph
    from trigforge.core.records import Agreement, HlsProject, Port, RawTensor, Sample
    from trigforge.pipeline.job import Job, Prepared

REFERENCE = "QKeras, exact"


def exact_outputs(job: Job, ready: Prepared, output: Port) -> RawTensor:
    """Return what the QKeras model gives for the stimulus, as raw integers of a port."""
    model = ready.networks.quantised_model
    return reference.evaluate(model, ready.stimulus.inputs, output, progress=job.progress)


def verify(
    job: Job,
    ready: Prepared,
    projects: Sequence[HlsProject],
    expected: RawTensor,
    delivered: Iterable[tuple[str, RawTensor]] = (),
) -> tuple[Agreement, ...]:
    """Compare all implementations with each other over the whole stimulus.

    The C simulation is that of each project as it lies on disk; evaluator, emulator and
    ONNX Runtime compute the graph that was lowered when the project was written.
    ``delivered`` are further results, made from the first project's graph.
    """
    names = output_names(ready.sample)
    agreements: list[Agreement] = []
    for entry in projects:
        results = [(REFERENCE, expected), *implementations(job, ready, entry)]
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
    yield f"C simulation, {entry.io_type}", simulated(job, ready, entry)
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
    job: Job, ready: Prepared, projects: Iterable[HlsProject], expected: RawTensor
) -> tuple[Agreement, ...]:
    """Compare the C simulation of each project with the QKeras model."""
    names = output_names(ready.sample)
    return tuple(
        comparison.compare(
            (REFERENCE, expected),
            (f"C simulation, {entry.io_type}", simulated(job, ready, entry)),
            ready.stimulus,
            names,
        )
        for entry in projects
    )


def output_names(sample: Sample) -> tuple[str, ...]:
    """Name the logits; a single one is that of the signal."""
    return sample.class_names[1:] if len(sample.class_names) == 2 else sample.class_names
