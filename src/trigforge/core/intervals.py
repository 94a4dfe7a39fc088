"""What values each element of a tensor can take, with casts that keep the bounds sound.

Rounding keeps the order of two values, so the ends of an interval give the ends of the
rounded one; where an end wraps, the bound is given up and the whole format remains.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigforge.core.fixed_point import Overflow, cast, n_overflowing
from trigforge.core.records import freeze_arrays

if TYPE_CHECKING:
    from trigforge.core.fixed_point import FixedPointFormat


@dataclass(frozen=True, slots=True, eq=False)
class Intervals:
    """For each of ``n`` elements, all raw integers from ``low`` to ``high``, both included.

    Both are ``(n,)`` arrays of Python's integers: nothing overflows.
    """

    low: NDArray[Any]
    high: NDArray[Any]

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def constant(self) -> NDArray[np.bool_]:
        """Which elements have the same value in every event."""
        return np.asarray(self.low == self.high, dtype=bool)

    @property
    def bits(self) -> NDArray[np.int64]:
        """The narrowest width that holds each element, with a sign only if it needs one."""
        pairs = zip(self.low, self.high, strict=True)
        widths = [
            high.bit_length() if low >= 0 else 1 + max((~low).bit_length(), _bits(high))
            for low, high in pairs
        ]
        return np.array(widths, dtype=np.int64)

    def contain(self, raw: NDArray[Any]) -> bool:
        """Tell whether all raw integers ``(n_events, n)`` lie within."""
        values = raw.astype(object)
        return bool(((values >= self.low) & (values <= self.high)).all())

    def __getitem__(self, chosen: Any) -> Intervals:
        return Intervals(self.low[chosen], self.high[chosen])

    def __or__(self, other: Intervals) -> Intervals:
        """Return the smallest intervals that hold both."""
        return Intervals(np.minimum(self.low, other.low), np.maximum(self.high, other.high))

    def clipped(self, low: Any, high: Any) -> Intervals:
        """Return where values go that are clipped to ``low`` and ``high``."""
        ends = (np.minimum(np.maximum(end, low), high) for end in (self.low, self.high))
        return Intervals(*ends)

    def times(self, factor: Any) -> Intervals:
        """Return the products with constants."""
        ends = self.low * factor, self.high * factor
        return Intervals(np.minimum(*ends), np.maximum(*ends))

    def plus(self, low: Any, high: Any) -> Intervals:
        """Return the sums with numbers from ``low`` to ``high``."""
        return Intervals(self.low + low, self.high + high)

    def cast(self, fraction: int, target: FixedPointFormat) -> Intervals:
        """Return where exact results go in a format (``core.fixed_point.cast``)."""
        saturating = target
        if target.overflow in {Overflow.WRAP, Overflow.SAT_ZERO}:
            saturating = replace(target, overflow=Overflow.SAT)
        ends = Intervals(*(_cast(end, fraction, saturating) for end in (self.low, self.high)))
        if saturating == target:
            return ends
        below, above = (_overflowing(end, fraction, target) for end in (self.low, self.high))
        lost = below | above
        if target.overflow is Overflow.WRAP:
            return Intervals(
                np.where(lost, target.raw_min, ends.low), np.where(lost, target.raw_max, ends.high)
            )
        return Intervals(
            np.where(lost, np.minimum(ends.low, 0), ends.low),
            np.where(lost, np.maximum(ends.high, 0), ends.high),
        )

    def convert(self, source: FixedPointFormat, target: FixedPointFormat) -> Intervals:
        """Return where values of a typed variable go (``core.fixed_point.convert``)."""
        return self if source == target else self.cast(source.fractional_bits, target)


def of_format(fmt: FixedPointFormat, n_elements: int) -> Intervals:
    """Return all raw integers of a format, for each element."""
    return Intervals(_filled(fmt.raw_min, n_elements), _filled(fmt.raw_max, n_elements))


def of_values(values: NDArray[Any], n_elements: int) -> Intervals:
    """Return the smallest interval around constants, for each element."""
    low, high = int(values.min()), int(values.max())
    return Intervals(_filled(low, n_elements), _filled(high, n_elements))


def _filled(value: int, n_elements: int) -> NDArray[Any]:
    return np.full(n_elements, value, dtype=object)


def _bits(value: int) -> int:
    return value.bit_length() if value >= 0 else (~value).bit_length()


def _cast(values: NDArray[Any], fraction: int, target: FixedPointFormat) -> NDArray[Any]:
    return cast(values, fraction, target).astype(object)


def _overflowing(
    values: NDArray[Any], fraction: int, target: FixedPointFormat
) -> NDArray[np.bool_]:
    """Tell which exact results a format cannot hold after rounding."""
    if n_overflowing(values, fraction, target) == 0:
        return np.zeros(values.shape, dtype=bool)
    single = (n_overflowing(np.array([v], dtype=object), fraction, target) for v in values)
    return np.array([count > 0 for count in single], dtype=bool)
