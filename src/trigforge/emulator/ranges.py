"""Prove what values a tensor can hold, and with what C++ integers it can be computed.

An ``Interval`` is a bound that holds for every event; the widths of all integers in the
generated code, and the casts that are left out, follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.errors import ConversionError
from trigforge.core.fixed_point import Rounding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from trigforge.core.fixed_point import FixedPointFormat

C_TYPES = ((32, "int32_t"), (64, "int64_t"), (128, "Wide"))
"""Signed integers of the generated code; ``Wide`` is the compiler's ``__int128``."""


@dataclass(frozen=True, slots=True)
class Interval:
    """All integers from ``low`` to ``high``, both included."""

    low: int
    high: int

    @property
    def bits(self) -> int:
        """The width of the smallest signed type that holds the interval."""
        return 1 + max((v if v >= 0 else ~v).bit_length() for v in (self.low, self.high))

    @property
    def magnitude(self) -> int:
        """The largest absolute value."""
        return max(abs(self.low), abs(self.high))

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __mul__(self, other: Interval) -> Interval:
        corners = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(corners), max(corners))

    def __lshift__(self, n_bits: int) -> Interval:
        return Interval(self.low << n_bits, self.high << n_bits)

    def __or__(self, other: Interval) -> Interval:
        """Return the smallest interval that holds both."""
        return Interval(min(self.low, other.low), max(self.high, other.high))

    def __contains__(self, other: Interval) -> bool:
        return self.low <= other.low and other.high <= self.high

    def clipped(self, low: int, high: int) -> Interval:
        """Return where the values go that are clipped to ``low`` and ``high``."""
        return Interval(min(max(self.low, low), high), min(max(self.high, low), high))

    @property
    def c_type(self) -> str:
        """The smallest C++ integer that holds the interval.

        Raises:
            ConversionError: if there is none.
        """
        for width, name in C_TYPES:
            if self.bits <= width:
                return name
        msg = f"an intermediate result of {self.bits} bits; the emulator computes with 128 at most"
        raise ConversionError(msg)


def of_format(fmt: FixedPointFormat) -> Interval:
    """Return all raw integers of a format."""
    return Interval(fmt.raw_min, fmt.raw_max)


def of_values(values: NDArray[Any] | Iterable[int]) -> Interval:
    """Return the smallest interval around constants (zero if there are none)."""
    integers = [int(value) for value in np.asarray(values, dtype=object).reshape(-1)]
    return Interval(min(integers, default=0), max(integers, default=0))


def rounded(value: int, dropped: int, mode: Rounding) -> int:
    """Drop low bits of an integer as ``ap_fixed`` does; every mode is monotonic."""
    return (value + rounding_addend(value, dropped, mode)) >> dropped


def rounding_addend(value: int, dropped: int, mode: Rounding) -> int:
    """Return what is added before the low bits are cut off."""
    half = 1 << (dropped - 1)
    return {
        Rounding.TRN: 0,
        Rounding.TRN_ZERO: 2 * half - 1 if value < 0 else 0,
        Rounding.RND: half,
        Rounding.RND_ZERO: half - 1 + (value < 0),
        Rounding.RND_INF: half - (value < 0),
        Rounding.RND_MIN_INF: half - 1,
        Rounding.RND_CONV: half - 1 + (value >> dropped & 1),
    }[mode]


def of_sums(weights: NDArray[Any], terms: Interval) -> tuple[NDArray[Any], NDArray[Any]]:
    """Bound the sums of products of each column of ``weights`` ``(n_terms, n_channels)``.

    Every partial sum, in any order, lies within the bounds too if both are widened to zero.
    Returns Python's integers, ``(n_channels,)`` twice: lowest and highest.
    """
    exact = weights.astype(object)
    corners = exact * terms.low, exact * terms.high
    low = np.minimum(corners[0], corners[1]).sum(axis=0)
    high = np.maximum(corners[0], corners[1]).sum(axis=0)
    return low, high
