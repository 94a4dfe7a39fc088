"""Where do the referees of a spec part, and why: ``Spec -> Diagnosed``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trigforge import diagnosis, emulator, evaluation, onnx_export
from trigforge.conversion import project
from trigforge.core.diagnosis import Cause, Diagnosis, Finding, Mend
from trigforge.core.graph import FixedPointGraph
from trigforge.core.health import TensorHealth
from trigforge.csim import trace
from trigforge.diagnosis.analysis import position
from trigforge.onnx_export import runtime
from trigforge.pipeline.job import Job
from trigforge.pipeline.preparation import prepare
from trigforge.pipeline.projects import write_projects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from trigforge.core.config import AnySpec
    from trigforge.core.records import HlsProject, Progress, RawTensor
    from trigforge.core.store import Store
    from trigforge.core.workspace import Workspace
    from trigforge.pipeline.source import Source

    Referee = Callable[[FixedPointGraph, RawTensor], RawTensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosed:
    """What was found for each io type, and how every tensor of the delivered one is used."""

    name: str
    diagnoses: tuple[tuple[str, Diagnosis], ...]
    """By io type, that of the hardware first."""
    health: tuple[TensorHealth, ...]
    n_events: int
    left_out: tuple[str, ...]
    """Layers of the C++ that could not be traced, and why."""

    @property
    def met(self) -> bool:
        """No two referees part."""
        return all(entry.met for _, entry in self.diagnoses)


def diagnose(
    spec: AnySpec, workspace: Workspace, sample: Path | None, n_events: int, progress: Progress
) -> Diagnosed:
    """Compare model, graph, C simulation, emulator and ONNX layer by layer.

    ``n_events`` are taken from the start of the events, and the corners of the input grid.

    Raises:
        TrigforgeError: if an input or a tool is not what it should be.
    """
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, sample)
    projects = write_projects(job, ready)
    delivered = project.read_graph(projects[0])
    names = tuple(node.name for node in delivered)
    original, inputs = ready.source.trace(n_events, names)
    found, left_out = [], []
    for entry in projects:
        graph = project.read_graph(entry)
        progress(f"diagnosing {entry.io_type}", 0, 3)
        traced = trace.run(entry, inputs, workspace.store, progress=progress)
        left_out += [f"{entry.io_type}: {name}: {reason}" for name, reason in traced.left_out]
        progress(f"diagnosing {entry.io_type}", 1, 3)
        result = diagnosis.diagnose(
            graph,
            inputs,
            original,
            project=_project_trace(entry, graph, traced),
            deviations=entry.deviations,
        )
        progress(f"diagnosing {entry.io_type}", 2, 3)
        further = tuple(_of_graph(graph, inputs, workspace.store))
        found.append((entry.io_type, _placed(result, further, ready.source)))
        progress(f"diagnosing {entry.io_type}", 3, 3)
    return Diagnosed(
        name=spec.name,
        diagnoses=tuple(found),
        health=evaluation.measure(delivered, inputs),
        n_events=len(inputs.raw),
        left_out=tuple(left_out),
    )


def _placed(result: Diagnosis, further: tuple[Finding, ...], source: Source) -> Diagnosis:
    """Return a diagnosis whose changes name the file and key in which they are made."""

    def placed(mends: tuple[Mend, ...]) -> tuple[Mend, ...]:
        return tuple(replace(mend, path=source.place(mend.path)) for mend in mends)

    return replace(
        result,
        findings=tuple(
            replace(finding, mends=placed(finding.mends))
            for finding in (*result.findings, *further)
        ),
        configuration=placed(result.configuration),
    )


def _project_trace(
    entry: HlsProject, graph: FixedPointGraph, traced: trace.Trace
) -> diagnosis.ProjectTrace:
    """Return what the C++ gave for the nodes that the graph has too."""
    names = {node.name for node in graph}
    layers = [(name.removeprefix("repack_"), tensor) for name, tensor in traced.layers]
    return diagnosis.ProjectTrace(
        tensors=tuple((name, tensor) for name, tensor in layers if name in names),
        modified=entry.modified,
        what=f"C simulation, {entry.io_type}",
    )


def _of_graph(graph: FixedPointGraph, inputs: RawTensor, store: Store) -> Iterator[Finding]:
    """Yield the first node that emulator or ONNX Runtime computes otherwise than the graph."""

    def emulated(part: FixedPointGraph, raw: RawTensor) -> RawTensor:
        return emulator.load(emulator.build(emulator.generate(part), store)).run(raw, n_threads=1)

    def by_onnx(part: FixedPointGraph, raw: RawTensor) -> RawTensor:
        return runtime.run(onnx_export.export(part), raw)

    for name, run in (("emulator", emulated), ("ONNX Runtime", by_onnx)):
        finding = first_wrong_node(graph, inputs, name, run)
        if finding is not None:
            yield finding


def first_wrong_node(
    graph: FixedPointGraph, inputs: RawTensor, name: str, run: Referee
) -> Finding | None:
    """Return the first node at which an implementation of a graph leaves the evaluator.

    Prefixes of the graph are tried by bisection: an implementation that is wrong at a node
    is taken to be wrong behind it.
    """
    if np.array_equal(run(graph, inputs).raw, evaluation.evaluate(graph, inputs).outputs.raw):
        return None
    names = tuple(node.name for node in graph)
    right = dict(evaluation.evaluate(graph, inputs, keep=names).tensors)

    def wrong(n_nodes: int) -> bool:
        part = FixedPointGraph(name=graph.name, nodes=graph.nodes[:n_nodes])
        return not np.array_equal(run(part, inputs).raw, right[part.output.name].raw)

    low, high = 1, len(graph.nodes)  # the input alone is right
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if wrong(middle) else (middle, high)
    part = FixedPointGraph(name=graph.name, nodes=graph.nodes[:high])
    node, found = part.output, run(part, inputs)
    different = found.raw != right[node.name].raw
    event, element = (int(i) for i in np.argwhere(different)[0])
    expected_raw, found_raw = (
        int(right[node.name].raw[event, element]),
        int(found.raw[event, element]),
    )
    return Finding(
        cause=Cause.UNKNOWN,
        layer=node.name,
        event=event,
        element=element,
        position=position(node, element),
        expected=expected_raw * node.format.lsb,
        found=found_raw * node.format.lsb,
        format=node.format,
        expected_raw=expected_raw,
        found_raw=found_raw,
        evidence=(
            f"{name} computes this node otherwise than the evaluator, in {int(different.sum())} "
            f"of {different.size} values: a fault of trigforge's {name}, not of the model"
        ),
        n_values=different.size,
        n_explained=int(different.sum()),
    )
