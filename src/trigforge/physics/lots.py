"""Scores counted in independent lots of events, which may differ by more than chance.

Crossings of a chunk share a pool of collisions, files of a campaign a setting: what is rare
comes in clusters then. How much the lots differ is measured at every threshold, in constant
memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigforge.core.errors import InputError
from trigforge.core.records import freeze_arrays
from trigforge.physics.intervals import clopper_pearson

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from trigforge.physics.counts import ScoreCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class LotCounts:
    """Sums over lots at every score that occurred (``values``, int64, rising).

    With ``c`` the events of a lot that are not below a value, and ``n`` all its events:
    ``accepted`` is the sum of ``c`` (int64), ``squares`` of ``c * c``, ``products`` of
    ``c * n`` (float64: no counts overflow). ``lot_events`` holds each ``n``.
    """

    values: NDArray[np.int64]
    accepted: NDArray[np.int64]
    squares: NDArray[np.float64]
    products: NDArray[np.float64]
    lot_events: tuple[int, ...]

    def __post_init__(self) -> None:
        lengths = {len(self.values), len(self.accepted), len(self.squares), len(self.products)}
        if len(lengths) != 1 or not self.lot_events or lengths == {0}:
            msg = f"counts of lots need as many sums as values, not {sorted(lengths)}"
            raise InputError(msg)
        freeze_arrays(self)

    @classmethod
    def of(cls, lot: ScoreCounts) -> LotCounts:
        """Return the sums over one lot of raw scores."""
        n_events, accepted = lot.n_events, lot.n_accepted(lot.values)
        return cls(
            values=lot.values.astype(np.int64),
            accepted=accepted,
            squares=accepted.astype(np.float64) ** 2,
            products=accepted.astype(np.float64) * n_events,
            lot_events=(n_events,),
        )

    def __add__(self, other: LotCounts) -> LotCounts:
        """Return the sums over the lots of both."""
        values = np.union1d(self.values, other.values)
        sums = {
            name: self._at(getattr(self, name), values) + other._at(getattr(other, name), values)
            for name in ("accepted", "squares", "products")
        }
        return LotCounts(values=values, lot_events=self.lot_events + other.lot_events, **sums)

    @property
    def n_events(self) -> int:
        """Events of all lots."""
        return sum(self.lot_events)

    def n_accepted(self, thresholds: ArrayLike) -> NDArray[np.int64]:
        """Return how many events are not below each threshold."""
        return np.asarray(self._at(self.accepted, thresholds), np.int64)

    def design_effect(self, thresholds: ArrayLike) -> NDArray[np.float64]:
        """Return how many times larger the variance is than counting explains, at least 1.

        The variance of a ratio of sums over clusters (Cochran, Sampling Techniques, 3rd ed.,
        eq. 6.13), over that of a binomial share. A few lots tell little of their scatter.
        """
        accepted = self.n_accepted(thresholds).astype(np.float64)
        n_lots, n_events = len(self.lot_events), self.n_events
        if n_lots < 2:
            return np.ones_like(accepted)
        share = accepted / n_events
        spread = (
            self._at(self.squares, thresholds)
            - 2 * share * self._at(self.products, thresholds)
            + share**2 * sum(float(n) ** 2 for n in self.lot_events)
        )
        counting = n_events * share * (1 - share)
        between = spread * n_lots / (n_lots - 1)
        safe = np.where(counting > 0, counting, 1.0)
        return np.where(counting > 0, np.maximum(between / safe, 1.0), 1.0)

    def interval(self, thresholds: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the 68.3 % interval of the share that each threshold accepts.

        Clopper's and Pearson's for as many independent events as the scatter between the lots
        leaves (Korn and Graubard, Survey Methodology 24 (1998) 193).
        """
        effect = self.design_effect(thresholds)
        return clopper_pearson(self.n_accepted(thresholds) / effect, self.n_events / effect)

    def _at(self, sums: NDArray[Any], thresholds: ArrayLike) -> NDArray[Any]:
        """Return sums at thresholds: those at the next score that occurred."""
        return np.asarray(np.append(sums, sums.dtype.type(0))[self.values.searchsorted(thresholds)])
