"""Vectors of a spec: what firmware test benches play, and what they must capture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trigforge import evaluation, vectors
from trigforge.core.errors import InputError
from trigforge.core.records import RawTensor
from trigforge.pipeline.firmware import delivered_graph
from trigforge.pipeline.job import Job
from trigforge.pipeline.preparation import prepare
from trigforge.vectors import VectorFormat

if TYPE_CHECKING:
    from trigforge.core.config import AnySpec
    from trigforge.core.graph import FixedPointGraph
    from trigforge.core.records import Progress
    from trigforge.core.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorRequest:
    """Which vectors to write and where; ``n_events`` None: the whole stimulus."""

    format: VectorFormat
    out: Path
    n_events: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRequest:
    """Which files to compare; ``words_only`` leaves the flags of packets out."""

    expected: Path
    captured: Path
    words_only: bool = False


def write_vectors(
    spec: AnySpec, workspace: Workspace, request: VectorRequest, progress: Progress
) -> vectors.VectorFolder:
    """Write the stimulus of a spec and what the delivered graph gives for it.

    Raises:
        SpecError: if the format needs links and the spec names none, or too few.
        InputError: if there are not so many events, or the folder holds something else.
    """
    if request.format in vectors.FRAME_WRITERS:
        vectors.require_section(spec.links)
    vectors.require_replaceable(request.out)
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, None)
    graph = delivered_graph(job, ready)
    inputs = _first(ready.stimulus.inputs, request.n_events)
    expected = evaluation.evaluate(graph, inputs).outputs
    interface = vectors.Interface(
        name=spec.name,
        input=graph.input.port,
        output=graph.output.port,
        links=spec.links,
        output_names=ready.source.output_names,
    )
    contents, files = vectors.assemble(interface, request.format, inputs, expected)
    vectors.write(request.out, contents)
    return vectors.VectorFolder(
        folder=request.out, format=request.format, n_events=len(inputs.raw), files=files
    )


def compare_outputs(
    spec: AnySpec, workspace: Workspace, request: ComparisonRequest, progress: Progress
) -> vectors.VectorComparison:
    """Compare captured outputs with expected ones and name the outputs that differ.

    Raises:
        InputError: if a file cannot be used.
        ComparisonError: if they cannot be compared, or are not the outputs of the spec.
        SpecError: if the files hold frames and the spec names no links.
    """
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, None)
    graph: FixedPointGraph = delivered_graph(job, ready)
    outputs = vectors.Described(
        port=graph.output.port, links=spec.links, names=ready.source.output_names
    )
    return vectors.compare_files(
        request.expected, request.captured, outputs, words_only=request.words_only
    )


def _first(inputs: RawTensor, n_events: int | None) -> RawTensor:
    """Return the first events.

    Raises:
        InputError: if there are fewer.
    """
    if n_events is None:
        return inputs
    if n_events > len(inputs.raw):
        msg = f"{n_events} events are asked for; the stimulus has {len(inputs.raw)}"
        raise InputError(msg)
    return RawTensor(format=inputs.format, raw=inputs.raw[:n_events].copy())
