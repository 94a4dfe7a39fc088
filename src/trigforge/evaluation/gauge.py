"""What is kept of a tensor, batch by batch, to tell how it uses its format.

The memory of a gauge does not grow with the events: per element a smallest and a largest
value, and one histogram of magnitudes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigforge.core.fixed_point import FixedPointFormat, Overflow, cast, n_overflowing
from trigforge.core.health import SHARES

if TYPE_CHECKING:
    from trigforge.core.fixed_point import Rounding

_BITS_DROPPED = 45
"""Of the 52 bits of a float64's mantissa; 7 stay, so each power of two has 128 bins."""
_BIN_OF_ONE = 1023 << (52 - _BITS_DROPPED)
_N_BINS = ((64 + 1) << (52 - _BITS_DROPPED)) + 1


@dataclass(slots=True)
class Reach:
    """How far exact results go before their cast, and how many overflow there.

    ``minimum`` and ``maximum`` are rounded, in the least significant bit of the cast's
    format, cut at 64 bits; zero always lies between them.
    """

    n_overflows: int = 0
    minimum: int = 0
    maximum: int = 0

    @property
    def ends(self) -> tuple[int, int]:
        """The smallest and the largest."""
        return self.minimum, self.maximum

    def read(self, raw: NDArray[Any], fractional_bits: int, fmt: FixedPointFormat) -> None:
        """Take in exact results, ``raw * 2**-fractional_bits``, that are cast to a format."""
        if raw.size == 0:
            return
        ends = np.array([int(raw.min()), int(raw.max())], dtype=object)
        dropped = fractional_bits - fmt.fractional_bits
        low, high = (int(end) for end in cast(ends, dropped, _whole_numbers(fmt.rounding)))
        self.minimum, self.maximum = min(self.minimum, low), max(self.maximum, high)
        # Rounding keeps the order, so if both ends fit, all between them do.
        if low < fmt.raw_min or high > fmt.raw_max:
            self.n_overflows += n_overflowing(raw, fractional_bits, fmt)


def _whole_numbers(rounding: Rounding) -> FixedPointFormat:
    return FixedPointFormat(True, 64, 64, rounding, Overflow.SAT)


@dataclass(slots=True)
class Gauge:
    """Collect the health of one tensor, batch by batch."""

    n_values: int = 0
    n_events: int = 0
    used_bits: int = 0
    results: Reach = field(default_factory=Reach)
    sums: Reach = field(default_factory=Reach)
    lows: NDArray[Any] | None = None
    highs: NDArray[Any] | None = None
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(_N_BINS, dtype=np.int64))

    def read(self, raw: NDArray[Any]) -> None:
        """Take in the values of a batch, ``(n_events, n_elements)``."""
        if raw.size == 0:
            return
        lows, highs = raw.min(axis=0), raw.max(axis=0)
        self.lows = lows if self.lows is None else np.minimum(self.lows, lows)
        self.highs = highs if self.highs is None else np.maximum(self.highs, highs)
        self.n_values += raw.size
        self.n_events += len(raw)
        self.used_bits |= int(np.bitwise_or.reduce(raw, axis=None))
        self.counts += _count_magnitudes(raw)

    @property
    def extremes(self) -> tuple[int, int]:
        """The smallest and the largest raw integer; zeros if there was none."""
        if self.lows is None or self.highs is None:
            return 0, 0
        return int(self.lows.min()), int(self.highs.max())

    @property
    def n_zeros(self) -> int:
        """Values that were zero."""
        return int(self.counts[0])

    def dead(self) -> tuple[int, ...]:
        """Return the elements that had one value in all events; none if there was one event."""
        if self.lows is None or self.highs is None or self.n_events < 2:
            return ()
        return tuple(np.flatnonzero(self.lows == self.highs).tolist())

    def magnitudes(self) -> tuple[float, ...]:
        """Return the quantiles ``SHARES`` of the magnitudes that are not zero; () if all are.

        They are raw integers: the smallest magnitude that at least this share does not
        exceed. Those below 256 and the largest are exact, others up to 1/128 too small.
        """
        cumulated = self.counts[1:].cumsum()
        total = int(cumulated[-1])
        if not total:
            return ()
        ranks = [max(1, int(np.ceil(share * total))) for share in SHARES[:-1]]
        bins = np.searchsorted(cumulated, ranks)
        edges = ((bins + _BIN_OF_ONE) << _BITS_DROPPED).view(np.float64)
        low, high = self.extremes
        return (*edges.tolist(), float(max(-low, high)))


def _count_magnitudes(raw: NDArray[Any]) -> NDArray[np.int64]:
    """Count zeros in bin 0, and other magnitudes by the leading bits of their float64.

    These are its exponent and the first 7 bits after the leading one, so 128 equal bins
    divide every power of two.
    """
    leading = np.abs(raw.astype(np.float64)).view(np.int64).ravel() >> _BITS_DROPPED
    bins = np.maximum(leading - (_BIN_OF_ONE - 1), 0)
    return np.bincount(bins, minlength=_N_BINS)
