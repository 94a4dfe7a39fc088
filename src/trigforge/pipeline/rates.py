"""Rates over more events than memory holds: the emulated firmware's scores, counted.

Of whatever background: further zero-bias crossings, chunk by chunk, or files. What was counted
is kept beside the model, in ``rates.json``, with the digest of the network it belongs to.
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge import emulator, physics
from trigforge.core import graph_file
from trigforge.core.config import ImportedSpec
from trigforge.core.errors import InputError, SpecError
from trigforge.core.event_file import open_events
from trigforge.core.graph import FixedPointGraph
from trigforge.core.trigger import CountedRates, SignalRates
from trigforge.emulator import Emulator
from trigforge.physics import Discriminant, LotCounts, ScoreCounts
from trigforge.pipeline import rates_file
from trigforge.pipeline.firmware import delivered_graph
from trigforge.pipeline.job import Job, Prepared
from trigforge.pipeline.preparation import prepare
from trigforge.pipeline.rates_file import Counted
from trigforge.pipeline.source import class_names_of
from trigforge.samples import streaming
from trigforge.samples.crossing_recipe import CrossingRecipe
from trigforge.samples.recipes import recipe_of
from trigforge.samples.tables import reading

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from numpy.typing import NDArray

    from trigforge.core.config import AnySpec, Trigger
    from trigforge.core.records import Progress
    from trigforge.core.workspace import Workspace

    Counts = dict[Discriminant, ScoreCounts]

EVENTS_AT_A_TIME = 1 << 18
"""Events of a file in memory at a time."""
RATES_FILE = "rates.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class RatesRequest:
    """What to count: files of background events, or so many chunks of crossings in all.

    Neither: nothing is counted, what was counted is shown.
    """

    files: tuple[Path, ...] = ()
    n_chunks: int | None = None


def count(
    spec: AnySpec, workspace: Workspace, request: RatesRequest, progress: Progress
) -> CountedRates:
    """Count the scores of background, keep the counts, and return the rates.

    Files are counted anew. Chunks go on where the last count of this network stopped: each is
    kept when it is done, so that an interrupted count loses one a process.

    Raises:
        SpecError: if the spec has no ``trigger``, or chunks are asked for and its sample has
            no zero bias.
        InputError: if a file of events cannot be used, or nothing was ever counted.
    """
    section = require_trigger(spec, request)
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, None)
    graph = delivered_graph(job, ready)
    names, n_outputs = class_names_of(spec), graph.output.n_elements
    found = physics.discriminants(section, names, n_outputs)
    scorer = _Scorer(
        job=job,
        ready=ready,
        graph=graph,
        emulator=emulator.load(emulator.build(emulator.generate(graph), workspace.store)),
        discriminants=tuple(dict.fromkeys(found.values())),
    )
    counted = scorer.count_files(request.files) if request.files else scorer.count_chunks(request)
    scores, of_signals = dict(counted.scores), scorer.held_out()
    return CountedRates(
        name=spec.name,
        file=workspace.model / RATES_FILE,
        background=", ".join(section.background_classes),
        background_rate_khz=section.input_rate_khz,
        working_rate_khz=section.rate_khz,
        signals=tuple(
            SignalRates(
                name=name,
                discriminant=entry.describe(names if n_outputs > 1 else ("output",)),
                counted=physics.count_study(
                    section, scores[entry], of_signals.get(name, {}).get(entry)
                ),
            )
            for name, entry in found.items()
        ),
    )


def require_trigger(spec: AnySpec, request: RatesRequest) -> Trigger:
    """Return the section that says which events make a rate.

    Raises:
        SpecError: if there is none, or chunks are asked for that nobody can make.
    """
    if spec.trigger is None:
        msg = f"{spec.name}: rates need a trigger section with background_classes and rate_khz"
        raise SpecError(msg)
    if request.n_chunks is not None and _crossing_digest(spec) is None:
        msg = f"{spec.name}: --chunks goes on with samples of crossings; here give --events FILE"
        raise SpecError(msg)
    return spec.trigger


def find_counts(
    spec: AnySpec, workspace: Workspace, graph: FixedPointGraph
) -> tuple[Counted | None, tuple[str, ...]]:
    """Return what was counted with this very network, and a line if it was with another.

    Raises:
        InputError: if the file is there and cannot be read.
    """
    path = workspace.model / RATES_FILE
    counted = rates_file.read(path)
    if counted is None:
        return None, ()
    same_sample = counted.sample in {None, _crossing_digest(spec)}
    if counted.graph == graph_file.digest(graph) and same_sample:
        return counted, ()
    what = "network" if same_sample else "sample"
    return None, (f"{path} belongs to another {what}: `trigforge rates` counts anew",)


def _crossing_digest(spec: AnySpec) -> str | None:
    """Return the digest of what a generated crossing is; None: none can be generated."""
    if isinstance(spec, ImportedSpec):
        return None
    recipe = recipe_of(spec.sample)
    return recipe.digest(recipe.further(0)) if isinstance(recipe, CrossingRecipe) else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Scorer:
    """The emulated firmware of a spec, and which of its scores are counted."""

    job: Job
    ready: Prepared
    graph: FixedPointGraph
    emulator: Emulator
    discriminants: tuple[Discriminant, ...]

    def count(self, events: NDArray[Any], *, raw: bool) -> Counts:
        """Count the scores of events ``(n_events, ...)``: raw integers of the link, or values."""
        inputs = events if raw else self.ready.source.encoding.encode(events)
        n_threads = os.cpu_count() or 1
        outputs = self.emulator.predict(inputs.reshape(len(inputs), -1), n_threads=n_threads)
        return {entry: ScoreCounts.of(entry.score(outputs)) for entry in self.discriminants}

    def count_files(self, files: tuple[Path, ...]) -> Counted:
        """Count files of background, each a lot of its own, and keep the counts."""
        counted = self._nothing(None)
        for done, path in enumerate(files):
            self.job.progress("files", done, len(files))
            counted = counted.adding(path.name, _lot(self._parts_of(path)))
        self.job.progress("files", len(files), len(files))
        self._keep(counted)
        return counted

    def count_chunks(self, request: RatesRequest) -> Counted:
        """Go on with generated crossings until as many chunks are counted as are wanted.

        Raises:
            InputError: if none is wanted and none was counted before.
        """
        job, wanted = self.job, request.n_chunks or 0
        counted, _ = find_counts(job.spec, job.workspace, self.graph)
        if counted is None or (wanted and counted.sample is None):
            counted = self._nothing(_crossing_digest(job.spec))
        with closing(_further(job, len(counted.lots), wanted)) as further:
            for x, index in further:
                counted = counted.adding(f"chunk {index}", _lot([self.count(x, raw=False)]))
                self._keep(counted)
        if not counted.lots:
            msg = f"{job.spec.name}: nothing was counted yet; give --events FILE, or --chunks N"
            raise InputError(msg)
        return counted

    def held_out(self) -> dict[str, Counts]:
        """Return the scores of the held-out events of each class; {} without labels."""
        labelled = self.ready.source.labelled()
        if labelled is None:
            return {}
        raw = self.ready.stimulus.inputs.raw[: len(labelled.labels)]
        return {
            name: self.count(raw[labelled.labels == index], raw=True)
            for index, name in enumerate(labelled.class_names)
            if (labelled.labels == index).any()
        }

    def _parts_of(self, path: Path) -> Iterator[Counts]:
        """Yield counts of parts of a file: integers are the link's, other numbers are encoded.

        Only ``.npy`` is read in parts. Of labelled events those of the background are taken.
        """
        if path.suffix.lower() == ".npy":
            events = open_events(path, self.graph.input.n_elements)
            for first in range(0, events.n_events, EVENTS_AT_A_TIME):
                part = events.read(first, EVENTS_AT_A_TIME)
                yield self.count(part, raw=part.dtype.kind != "f")
            return
        table = reading.read(path, self.graph.input.port.shape)
        x = table.x if table.y is None else table.x[_are_background(self.job.spec, table.y, path)]
        for first in range(0, len(x), EVENTS_AT_A_TIME):
            part = x[first : first + EVENTS_AT_A_TIME]
            yield self.count(part, raw=part.dtype.kind != "f")

    def _nothing(self, sample: str | None) -> Counted:
        return Counted(graph=graph_file.digest(self.graph), sample=sample, lots=(), scores=())

    def _keep(self, counted: Counted) -> None:
        rates_file.write(self.job.workspace.model / RATES_FILE, counted)


def _further(job: Job, first: int, n_wanted: int) -> Generator[tuple[NDArray[Any], int]]:
    """Yield further chunks of crossings, up to a number of them in all."""
    if n_wanted <= first or isinstance(job.spec, ImportedSpec):
        return
    yield from streaming.stream(
        job.spec.sample,
        job.workspace.store,
        first_chunk=first,
        n_chunks=n_wanted - first,
        n_processes=os.cpu_count() or 1,
        progress=job.progress,
    )


def _lot(parts: Iterable[Counts]) -> dict[Discriminant, LotCounts]:
    """Return the counts of one lot of events, which may come in parts."""
    total: Counts = {}
    for part in parts:
        for entry, counts in part.items():
            total[entry] = total[entry] + counts if entry in total else counts
    return {entry: LotCounts.of(counts) for entry, counts in total.items()}


def _are_background(spec: AnySpec, labels: NDArray[np.int64], path: Path) -> NDArray[np.bool_]:
    """Choose the events that are labelled as background.

    Raises:
        InputError: if there is none.
    """
    names = class_names_of(spec)
    wanted = () if spec.trigger is None else spec.trigger.background_classes
    chosen = np.isin(labels, [names.index(name) for name in wanted])
    if not chosen.any():
        msg = f"{path}: no event is labelled as {', '.join(wanted)}"
        raise InputError(msg)
    return chosen
