"""Scores counted exactly: how many events had which score.

Raw scores are integers of a few bits, so the counts of any number of events are as small as
those of a thousand, and can be added. Scores of floats are counted likewise, where they fit
into memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trigforge.core.errors import InputError
from trigforge.core.records import freeze_arrays
from trigforge.physics.intervals import clopper_pearson

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


class Background(Protocol):
    """Counted scores of background: what rates and thresholds are made from."""

    @property
    def n_events(self) -> int:
        """Events that were counted."""

    @property
    def values(self) -> NDArray[Any]:
        """The scores that occurred, rising."""

    def n_accepted(self, thresholds: ArrayLike) -> NDArray[np.int64]:
        """Return how many events are not below each threshold."""

    def interval(self, thresholds: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the 68.3 % interval of the share that each threshold accepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCounts:
    """How many events had which score: ``values`` rising, int64 or float64; ``counts`` int64."""

    values: NDArray[Any]
    counts: NDArray[np.int64]

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @classmethod
    def of(cls, scores: NDArray[Any]) -> ScoreCounts:
        """Count scores ``(n_events,)``.

        Raises:
            InputError: if there is none, or one is not finite.
        """
        if not len(scores):
            msg = "there are no scores to count"
            raise InputError(msg)
        if scores.dtype.kind == "f" and not np.isfinite(scores).all():
            msg = f"the score of event {int(np.flatnonzero(~np.isfinite(scores))[0])} is not finite"
            raise InputError(msg)
        wide = scores.astype(np.float64 if scores.dtype.kind == "f" else np.int64, copy=False)
        values, counts = np.unique(wide, return_counts=True)
        return cls(values=values, counts=counts.astype(np.int64))

    def __add__(self, other: ScoreCounts) -> ScoreCounts:
        """Return the counts of the events of both."""
        values = np.union1d(self.values, other.values)
        counts = np.zeros(len(values), np.int64)
        for part in (self, other):
            counts[np.searchsorted(values, part.values)] += part.counts
        return ScoreCounts(values=values, counts=counts)

    @property
    def n_events(self) -> int:
        """Events that were counted."""
        return int(self.counts.sum())

    def n_accepted(self, thresholds: ArrayLike) -> NDArray[np.int64]:
        """Return how many events are not below each threshold."""
        from_above = np.append(np.cumsum(self.counts[::-1])[::-1], 0)
        return np.asarray(from_above[np.searchsorted(self.values, thresholds)], np.int64)

    def interval(self, thresholds: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the 68.3 % interval of the share that each threshold accepts."""
        return clopper_pearson(self.n_accepted(thresholds), self.n_events)


def just_above(scores: NDArray[Any]) -> NDArray[Any]:
    """Return the smallest thresholds that scores are below: the next integers, or floats."""
    return scores + 1 if scores.dtype.kind == "i" else np.nextafter(scores, np.inf)


def thresholds_at(background: Background, shares: ArrayLike) -> NDArray[Any]:
    """Return the smallest thresholds that accept no more than shares of the background.

    They are integers if the scores are.
    """
    allowed = np.floor(np.asarray(shares) * background.n_events * (1 + 1e-12))
    accepted = background.n_accepted(background.values)
    n_too_many = np.searchsorted(-accepted, -allowed)
    thresholds = np.append(background.values[:1], just_above(background.values))
    return np.asarray(thresholds[n_too_many])


def threshold_at(background: Background, share: float) -> Any:
    """Return the smallest threshold that accepts no more than a share of the background."""
    return thresholds_at(background, share).item()
