"""What a scan found: records from the study to the table, the picture and the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class TrialState(StrEnum):
    """How a trial ended."""

    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One design: what was changed, what it is worth, what it takes.

    ``parameters`` are by name of the space, ``figures`` by name of ``core.config.scan``,
    ``measured`` what logic synthesis counted, where it was done. ``not_met`` says which losses
    of physics are more than the design's own spec allows: a run of it would fail.
    """

    number: int
    name: str
    state: TrialState
    parameters: Mapping[str, Any]
    figures: Mapping[str, float]
    measured: Mapping[str, float]
    seconds: float | None
    worker: str
    not_met: tuple[str, ...] = ()
    error: str = ""
    on_front: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanResult:
    """All trials of a scan; ``base`` is the design that was changed, as it is shipped.

    ``best`` are numbers of trials on the front: first those whose loss is small enough, both
    against the base and for their own spec, the cheapest before all; then the others by loss.
    """

    name: str
    base_name: str
    objectives: tuple[str, ...]
    base: Mapping[str, float]
    base_measured: Mapping[str, float]
    trials: tuple[Trial, ...]
    best: tuple[int, ...]
    largest_loss: float
    n_wanted: int
    n_lost: int
    provenance: tuple[tuple[str, str], ...]

    @property
    def front(self) -> tuple[Trial, ...]:
        """The designs that no other beats in every objective, by cost."""
        found = (trial for trial in self.trials if trial.on_front)
        return tuple(sorted(found, key=lambda trial: trial.figures[self.objectives[1]]))

    @property
    def failed(self) -> tuple[Trial, ...]:
        """The trials that failed."""
        return tuple(trial for trial in self.trials if trial.state is TrialState.FAILED)

    def trial(self, number: int) -> Trial:
        """Return a trial by its number."""
        return next(trial for trial in self.trials if trial.number == number)
