"""Judge many specs at once, for continuous integration: ``Candidates -> SpecVerdicts``.

Each spec runs in a process of its own. What is wrong with one hides nothing of the others.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trigforge.core.errors import InputError
from trigforge.core.records import Check
from trigforge.core.verdict import SpecVerdict
from trigforge.gate import baseline
from trigforge.gate.baseline import Baseline
from trigforge.gate.isolation import Ended, run_apart
from trigforge.gate.judging import Candidate, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from trigforge.core.records import Progress

__all__ = ["Candidate", "Demands", "baseline", "check", "exit_code", "judge", "refuse_twins"]

EXIT_FAILED = 1
EXIT_NOT_JUDGED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What a gate asks for beyond what the specs themselves do."""

    baseline: Baseline | None = None
    strict: bool = False
    """What could not be judged is a failure."""
    recording: bool = False
    """A baseline will be written: a model that is not in the old one is no failure."""


def check(
    candidates: Sequence[Candidate | SpecVerdict],
    demands: Demands,
    *,
    n_jobs: int,
    progress: Progress,
    work: Callable[[Candidate, Progress], SpecVerdict] = judge,
) -> tuple[SpecVerdict, ...]:
    """Judge specs, ``n_jobs`` at a time; return a verdict for each, in their order.

    A spec that could not even be read comes as the verdict that says so.

    Raises:
        InputError: if two specs would write into the same folders.
    """
    refuse_twins(candidates)
    wanted = [entry for entry in candidates if isinstance(entry, Candidate)]
    ends = run_apart(
        work, [(entry.spec.name, entry) for entry in wanted], n_jobs=n_jobs, progress=progress
    )
    found = iter(ends)
    verdicts = [
        _verdict(entry, next(found)) if isinstance(entry, Candidate) else entry
        for entry in candidates
    ]
    return tuple(_demand(verdict, demands) for verdict in verdicts)


def refuse_twins(candidates: Iterable[Candidate | SpecVerdict]) -> None:
    """Refuse two specs of one name, and one that is named twice.

    Raises:
        InputError: naming both: they would write into the same folders.
    """
    seen: dict[str, str] = {}
    for entry in candidates:
        path, name = (
            (entry.path, entry.spec.name)
            if isinstance(entry, Candidate)
            else (entry.spec, entry.name)
        )
        if name in seen:
            msg = (
                f"{path}: {name!r} is also the name of {seen[name]}: both would write into the "
                "same folders; name each model once, or check them one after the other"
            )
            raise InputError(msg)
        seen[name] = str(path)


def exit_code(verdicts: Iterable[SpecVerdict]) -> int:
    """Return 1 if a check failed; else 2 if a spec could not be judged; else 0."""
    judged = list(verdicts)
    if any(verdict.failed for verdict in judged):
        return EXIT_FAILED
    return 0 if judged and all(verdict.met for verdict in judged) else EXIT_NOT_JUDGED


def _verdict(candidate: Candidate, end: Ended[SpecVerdict]) -> SpecVerdict:
    seconds = round(end.seconds, 1)
    if end.result is not None:
        return replace(end.result, seconds=seconds)
    return SpecVerdict(
        name=candidate.spec.name,
        spec=candidate.path,
        seconds=seconds,
        error=end.fault,
        output=end.output,
    )


def _demand(verdict: SpecVerdict, demands: Demands) -> SpecVerdict:
    """Add the lines that strictness and the baseline ask for."""
    if verdict.error is not None:
        return verdict
    if demands.strict:
        verdict = replace(
            verdict, budget=(*verdict.budget, *map(_unknown, verdict.unknown)), unknown=()
        )
    stored = demands.baseline
    if stored is None or (demands.recording and verdict.name not in stored.specs):
        return verdict
    compared = baseline.compare(stored, verdict.name, verdict.figures)
    return replace(verdict, baseline=compared.checks, notes=(*verdict.notes, *compared.notes))


def _unknown(line: str) -> Check:
    name, _, reason = line.partition(": ")
    return Check(name=name, used=reason or "unknown", allowed="known (--strict)", met=False)
