"""Hand out chunks to workers and add up what comes back: ``Plan, Work -> Emulated``."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING

from trigforge import __version__, cluster
from trigforge.core.errors import InputError, TrigforgeError
from trigforge.core.records import no_progress
from trigforge.core.store import key_of
from trigforge.emulation import counting, emulated
from trigforge.emulation.chunks import Plan, plan
from trigforge.emulation.counting import Counts
from trigforge.emulation.emulated import Emulated, Missing, OutputCounts, ScoredChunk, Summary
from trigforge.emulation.results import EMULATED, Results
from trigforge.emulation.selection import Selection
from trigforge.emulation.work import Work
from trigforge.physics import Discriminant, LotCounts
from trigforge.samples.tables.content import one_line

if TYPE_CHECKING:
    from distributed import Client

    from trigforge.core.records import Progress
    from trigforge.emulation.chunks import Chunk, Request
    from trigforge.emulation.scorer import Scorer
    from trigforge.emulation.work import Scored

PER_THREAD = 4.0
"""Chunks under way for each that is worked on: Dask sends the next one before it is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """All that is to be scored, how, and what a trigger would accept of it."""

    plan: Plan
    work: Work
    selection: Selection | None


def prepare(
    scorer: Scorer,
    request: Request,
    selection: Selection | None = None,
    progress: Progress = no_progress,
) -> Campaign:
    """Return what a request comes to: which chunks, and how they are scored.

    Raises:
        InputError: if no file can be found, or names of columns do not fit.
    """
    outputs = map(Discriminant, range(len(scorer.output_names)))
    selected = selection.discriminants if selection else ()
    counted = tuple(dict.fromkeys((*outputs, *selected)))
    settings = {
        "network": scorer.graph,
        "link": key_of([str(scorer.encoding.format), scorer.encoding.lsb_exponents]),
        "kept columns": ", ".join(request.keep),
    }
    if not request.scores:  # nothing else could be counted from what is kept
        settings["counted"] = ", ".join(entry.describe(scorer.output_names) for entry in counted)
    work = Work(
        scorer=scorer,
        counted=counted,
        keep=request.keep,
        results=Results(
            folder=request.folder.absolute(),
            settings=tuple(settings.items()),
            scores=request.scores,
        ),
    )
    return Campaign(plan=plan(request, scorer, progress), work=work, selection=selection)


def run(client: Client, campaign: Campaign, progress: Progress = no_progress) -> Emulated:
    """Score all chunks on the workers of a cluster; write ``emulated.json``.

    A chunk that fails is in the record as missing, and no other one suffers from it.

    Raises:
        InputError: if the folder of results holds something else, or the counts of a score
            that is not written grow too large.
        StoreError: if the record cannot be written.
    """
    chunks, work, n_events = campaign.plan.chunks, campaign.work, campaign.plan.n_events
    work.results.open(campaign.plan)
    total = _Total(
        work=work,
        n_left=Counter(chunk.stem for chunk in chunks),
        selected=frozenset(campaign.selection.discriminants if campaign.selection else ()),
    )
    n_done = 0
    progress("events", n_done, n_events)
    for done in cluster.stream(client, work, iter(chunks), per_thread=PER_THREAD):
        if done.result is None:
            total.miss(done.item, done.error)
        else:
            total.add(done.item, done.result)
        n_done += done.item.n_events
        progress("events", n_done, n_events)
    result = total.emulated(campaign)
    emulated.write(result)
    return result


@dataclass(slots=True, kw_only=True)
class _Total:
    """What has come back so far, in memory that does not grow with the events."""

    work: Work
    n_left: Counter[str]
    """Chunks of each file that are still to come."""
    selected: frozenset[Discriminant]
    """Scores that are compared with thresholds."""
    counts: Counts = field(default_factory=dict)
    files: dict[str, Counts] = field(default_factory=dict)
    """Counts of files that are not done."""
    lots: dict[Discriminant, LotCounts | None] = field(default_factory=dict)
    scored: dict[str, ScoredChunk] = field(default_factory=dict)
    missing: dict[str, Missing] = field(default_factory=dict)
    n_found: int = 0

    def add(self, chunk: Chunk, scored: Scored) -> None:
        """Take the counts of a chunk.

        Raises:
            InputError: if they grow too large and no score is written.
        """
        results = self.work.results
        self.counts = counting.added(self.counts, scored.counts)
        self.files[chunk.stem] = counting.added(self.files.get(chunk.stem, {}), scored.counts)
        self.n_found += scored.found
        self.scored[chunk.name] = ScoredChunk(
            input=str(chunk.path),
            row_groups=chunk.row_groups,
            n_events=chunk.n_events,
            output=results.path_of(chunk).relative_to(results.folder).as_posix(),
            digest=scored.digest,
        )
        if not results.scores and None in self.counts.values():
            msg = (
                f"a score takes more than {counting.MOST_VALUES} different values, too many to "
                "be counted; have the scores written"
            )
            raise InputError(msg)
        self._came(chunk)

    def miss(self, chunk: Chunk, error: BaseException | None) -> None:
        """Take a chunk that failed."""
        known = isinstance(error, TrigforgeError)
        reason = str(error) if known else f"{type(error).__name__}: {error}"
        self.missing[chunk.name] = Missing(
            input=str(chunk.path), row_groups=chunk.row_groups, reason=one_line(reason)
        )
        self._came(chunk)

    def _came(self, chunk: Chunk) -> None:
        """Make a lot of a file when all of it has come."""
        self.n_left[chunk.stem] -= 1
        if self.n_left[chunk.stem]:
            return
        counts = self.files.pop(chunk.stem, {})
        for entry in self.selected & counts.keys():
            counted = counts[entry]
            lot = None if counted is None else LotCounts.of(counted)
            self.lots[entry] = _both(self.lots[entry], lot) if entry in self.lots else lot

    def emulated(self, campaign: Campaign) -> Emulated:
        """Return everything in the order of the plan."""
        unread, scorer = campaign.plan.missing, self.work.scorer
        names = [chunk.name for chunk in campaign.plan.chunks]
        chunks = tuple(self.scored[name] for name in names if name in self.scored)
        missing = tuple(self.missing[name] for name in names if name in self.missing)
        lots = {entry: counts for entry, counts in self.lots.items() if counts is not None}
        selection = campaign.selection
        summary = Summary(
            name=scorer.name,
            graph=scorer.graph,
            versions={"trigforge": __version__, "pyarrow": version("pyarrow")},
            output_format=str(scorer.output.format),
            output_names=scorer.output_names,
            n_events=sum(chunk.n_events for chunk in chunks),
            n_chunks=len(chunks),
            missing=(*unread, *missing),
            accepted=() if selection is None else tuple(selection.accepted(lots)),
        )
        return Emulated(
            file=self.work.results.folder / EMULATED,
            n_found=self.n_found,
            summary=summary,
            chunks=chunks,
            outputs=tuple(
                self._output(name, index) for index, name in enumerate(scorer.output_names)
            ),
        )

    def _output(self, name: str, index: int) -> OutputCounts:
        if not self.counts:
            return OutputCounts(name=name, values=(), counts=())
        counts = self.counts[Discriminant(index)]
        if counts is None:
            return OutputCounts(name=name, values=None, counts=None)
        values, n_events = (tuple(part.tolist()) for part in (counts.values, counts.counts))
        return OutputCounts(name=name, values=values, counts=n_events)


def _both(one: LotCounts | None, other: LotCounts | None) -> LotCounts | None:
    """Return the lots of both; None: the counts of one were given up."""
    return None if one is None or other is None else one + other
