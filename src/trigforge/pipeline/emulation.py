"""The emulated firmware of a spec on events: a file, many files on many machines, arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigforge import cluster, emulation, emulator, physics
from trigforge.core.errors import SpecError
from trigforge.core.event_file import open_events, writing_events
from trigforge.core.records import no_progress
from trigforge.emulation import Request, Scorer, Selection
from trigforge.pipeline.firmware import delivered_graph
from trigforge.pipeline.job import Job
from trigforge.pipeline.preparation import prepare
from trigforge.pipeline.source import TrainedSource, class_names_of

if TYPE_CHECKING:
    from pathlib import Path

    from trigforge.core.config import AnySpec
    from trigforge.core.records import Progress
    from trigforge.core.workspace import Workspace
    from trigforge.emulation import Campaign, Emulated
    from trigforge.pipeline.source import Source

EVENTS_AT_A_TIME = 1 << 18
"""Events in memory at a time while emulating."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulationRequest:
    """Which events are scored, what is asked of them, and who does the work.

    ``thresholds`` are raw scores at which the accepted share is asked for. ``scheduler`` is the
    address of a Dask scheduler; None: workers are started here, ``n_workers`` or one a core.
    """

    events: Request
    thresholds: tuple[int, ...] = ()
    scheduler: str | None = None
    n_workers: int | None = None


def emulate(
    spec: AnySpec,
    workspace: Workspace,
    files: tuple[Path, Path],
    *,
    n_threads: int,
    progress: Progress,
) -> tuple[int, int]:
    """Write the raw scores of any number of events in constant memory; return their shape.

    ``files`` names the events, ``.npy`` of shape ``(n_events, ...)``: integers are raw
    integers of the link, floats are encoded first; and the scores, raw integers of the
    output's format, ``(n_events, n_outputs)``.

    Raises:
        InputError: if a file or a value is not what the network takes.
    """
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, None)
    graph = delivered_graph(job, ready)
    library = emulator.load(emulator.build(emulator.generate(graph), workspace.store))
    events, out = files
    found = open_events(events, graph.input.n_elements)
    shape = (found.n_events, graph.output.n_elements)
    encode = ready.source.encoding.encode
    with writing_events(out, shape, library.dtype) as append:
        for first in range(0, found.n_events, EVENTS_AT_A_TIME):
            part = found.read(first, EVENTS_AT_A_TIME)
            raw = encode(part) if part.dtype.kind == "f" else part
            append(library.predict(raw, n_threads=n_threads))
            progress("emulating", first + len(part), found.n_events)
    return shape


def scorer(spec: AnySpec, workspace: Workspace, progress: Progress = no_progress) -> Scorer:
    """Return the emulated firmware as a function of NumPy, awkward or Dask arrays.

    Raises:
        TrigforgeError: if the network cannot be made or compiled.
    """
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, None)
    graph = delivered_graph(job, ready)
    names = _input_names(ready.source, graph.input.n_elements), ready.source.output_names
    return Scorer.of(graph, ready.source.encoding, names, workspace.store)


def emulate_files(
    spec: AnySpec, workspace: Workspace, request: EmulationRequest, progress: Progress
) -> Emulated:
    """Score files of events on the workers of a cluster; what is done is not done again.

    Raises:
        InputError: if no file can be found, or the folder of results holds something else.
        SpecError: if thresholds are given and the spec has no trigger.
        ToolError: if no scheduler answers.
    """
    campaign = prepare_files(spec, workspace, request, progress)
    with cluster.connect(request.scheduler, n_workers=request.n_workers) as client:
        return emulation.run(client, campaign, progress)


def prepare_files(
    spec: AnySpec, workspace: Workspace, request: EmulationRequest, progress: Progress
) -> Campaign:
    """Return what is to be done, for ``emulation.run`` on a cluster of one's own.

    Raises:
        InputError: if no file can be found, or names of columns do not fit.
        SpecError: if thresholds are given and the spec has no trigger.
    """
    scoring = scorer(spec, workspace, progress)
    selection = _selection(spec, scoring, request.thresholds)
    return emulation.prepare(scoring, request.events, selection, progress)


def _selection(spec: AnySpec, scoring: Scorer, thresholds: tuple[int, ...]) -> Selection | None:
    """Return what thresholds are to accept; None: the spec knows no rates.

    Raises:
        SpecError: if thresholds are asked for all the same.
    """
    if spec.trigger is None:
        if thresholds:
            msg = f"{spec.name}: a threshold needs a trigger section with background_classes"
            raise SpecError(msg)
        return None
    names, n_outputs = class_names_of(spec), len(scoring.output_names)
    return Selection(
        trigger=spec.trigger,
        signals=tuple(physics.discriminants(spec.trigger, names, n_outputs).items()),
        names=names if n_outputs > 1 else ("output",),
        thresholds=thresholds,
    )


def _input_names(source: Source, n_elements: int) -> tuple[str, ...]:
    """Name the elements of an event; of a model that came with no names, by number."""
    if isinstance(source, TrainedSource):
        return source.sample.feature_names
    return tuple(f"input_{index}" for index in range(n_elements))
