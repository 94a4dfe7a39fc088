"""How a tensor uses its format: the record that the evaluator makes and reports show."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from trigforge.core.fixed_point import FixedPointFormat, Overflow

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""The quantiles of a box plot: whiskers, box and median."""


class TensorKind(StrEnum):
    """What a tensor is to the network."""

    INPUT = "input"
    ACTIVATION = "activation"
    WEIGHTS = "weights"
    BIAS = "bias"
    TABLE = "table"


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorHealth:
    """How one tensor used its format over the events seen.

    ``n_overflows`` counts results that were saturated or wrapped when cast to the format,
    ``n_accumulator_overflows`` those of the sums before it (for a bias: entries that the
    accumulator cannot hold). ``unused_high_bits`` and ``unused_low_bits`` were the same in
    all values (copies of the sign; zero). ``reach`` is the smallest and the largest result
    before it was wrapped or saturated, ``accumulator_reach`` that of the sums (and zero),
    each in raw integers of its format. ``dead`` are the elements that had one value in all
    events. ``magnitudes`` are quantiles of the magnitudes that are not zero, in raw integers
    (``SHARES``); () if all are.
    """

    name: str
    kind: TensorKind
    format: FixedPointFormat
    shape: tuple[int, ...]
    n_values: int
    n_zeros: int
    minimum: int
    maximum: int
    n_overflows: int
    reach: tuple[int, int]
    accumulator: FixedPointFormat | None
    n_accumulator_overflows: int
    accumulator_reach: tuple[int, int]
    unused_high_bits: int
    unused_low_bits: int
    dead: tuple[int, ...]
    magnitudes: tuple[float, ...]

    @property
    def constant(self) -> bool:
        """It is the same for every event: weights, biases, tables."""
        return self.kind not in {TensorKind.INPUT, TensorKind.ACTIVATION}

    @property
    def n_elements(self) -> int:
        """Elements an event has."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def n_wraps(self) -> int:
        """Results that came out on the other side of the range."""
        return self.n_overflows if _wraps(self.format) else 0

    @property
    def n_saturations(self) -> int:
        """Results that were held at an end of the range, or set to zero (``AP_SAT_ZERO``)."""
        return 0 if _wraps(self.format) else self.n_overflows

    @property
    def n_accumulator_wraps(self) -> int:
        """Sums that came out on the other side of the accumulator's range."""
        return self.n_accumulator_overflows if _wraps(self.accumulator) else 0

    @property
    def n_accumulator_saturations(self) -> int:
        """Sums that were held at an end of the accumulator's range."""
        return 0 if _wraps(self.accumulator) else self.n_accumulator_overflows

    @property
    def dead_channels(self) -> tuple[int, ...]:
        """Indices of the last axis whose every element is dead; () for a flat tensor."""
        if len(self.shape) < 2 or not self.dead:
            return ()
        alive = np.ones(self.n_elements, dtype=bool)
        alive[list(self.dead)] = False
        alive_channels = alive.reshape(-1, self.shape[-1]).any(axis=0)
        return tuple(np.flatnonzero(~alive_channels).tolist())


def _wraps(fmt: FixedPointFormat | None) -> bool:
    return fmt is not None and fmt.overflow is Overflow.WRAP


def integer_bits_needed(fmt: FixedPointFormat, reach: tuple[int, int]) -> int:
    """Return the integer bits with which a format like this one holds raw integers.

    The sign bit counts where the format has one or a value is negative.
    """
    low, high = reach
    signed = fmt.signed or low < 0
    return magnitude_bits(low, high) + signed - fmt.fractional_bits


def magnitude_bits(low: int, high: int) -> int:
    """Return the bits that raw integers between these take, without the sign."""
    return max(high.bit_length(), (~low).bit_length() if low < 0 else 0)
