"""C++ expressions whose value is bounded: casts that cannot matter are not rendered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trigforge.core.fixed_point import Overflow, Rounding
from trigforge.emulator.ranges import Interval, of_format, rounded

if TYPE_CHECKING:
    from trigforge.core.fixed_point import FixedPointFormat

ROUNDINGS = {
    Rounding.TRN: "truncated",
    Rounding.TRN_ZERO: "truncated_to_zero",
    Rounding.RND: "rounded_up",
    Rounding.RND_ZERO: "rounded_to_zero",
    Rounding.RND_INF: "rounded_to_infinity",
    Rounding.RND_MIN_INF: "rounded_down",
    Rounding.RND_CONV: "rounded_to_even",
}
"""Function templates of ``arithmetic.hpp``."""


@dataclass(frozen=True, slots=True)
class Expression:
    """C++ code of an integer, where it lies, and how many of its bits are fractional."""

    code: str
    range: Interval
    fraction: int

    def scaled_up(self, n_bits: int) -> Expression:
        """Append zeros; the value stays."""
        if n_bits == 0:
            return self
        wide = self.range << n_bits
        return Expression(
            f"({wide.c_type}({self.code}) * {literal(1 << n_bits, wide.c_type)})",
            wide,
            self.fraction + n_bits,
        )

    def __add__(self, other: Expression) -> Expression:
        fraction = max(self.fraction, other.fraction)
        left = self.scaled_up(fraction - self.fraction)
        right = other.scaled_up(fraction - other.fraction)
        total = left.range + right.range
        kind = (total | left.range | right.range).c_type
        return Expression(f"({kind}({left.code}) + {kind}({right.code}))", total, fraction)

    def __mul__(self, other: Expression) -> Expression:
        product = self.range * other.range
        kind = (product | self.range | other.range).c_type
        return Expression(
            f"({kind}({self.code}) * {kind}({other.code}))",
            product,
            self.fraction + other.fraction,
        )

    def clipped(self, low: int, high: int) -> Expression:
        """Clip the raw integer."""
        if self.range in Interval(low, high):
            return self
        kind = (self.range | Interval(low, high)).c_type
        code = f"clipped<{kind}>({self.code}, {literal(low, kind)}, {literal(high, kind)})"
        return replace(self, code=code, range=self.range.clipped(low, high))

    def at_least_zero(self) -> Expression:
        """Replace negative values by zero."""
        return self.clipped(0, max(self.range.high, 0))

    def cast(self, target: FixedPointFormat) -> Expression:
        """Assign an exact result to a variable (``core.fixed_point.cast``)."""
        moved = self._moved(target)
        return replace(moved.overflowed(target), fraction=target.fractional_bits)

    def _moved(self, target: FixedPointFormat) -> Expression:
        dropped = self.fraction - target.fractional_bits
        if dropped > 0:
            return self._rounded(dropped, target.rounding)
        # Beyond the width every bit is lost, or every value but zero saturates.
        return self.scaled_up(min(-dropped, target.width + 1))

    def keeps_order_in(self, target: FixedPointFormat) -> bool:
        """Tell whether a cast never reverses two values: it wraps none and zeroes none."""
        if target.overflow in {Overflow.SAT, Overflow.SAT_SYM}:
            return True
        return self._moved(target).range in Interval(*target.saturation_limits)

    def convert(self, source: FixedPointFormat, target: FixedPointFormat) -> Expression:
        """Assign a typed variable: equal types copy the bits (``core.fixed_point.convert``)."""
        return self if source == target else self.cast(target)

    def _rounded(self, dropped: int, mode: Rounding) -> Expression:
        # All bits beyond the highest are copies of the sign.
        shift = min(dropped, self.range.bits + 1)
        result = Interval(*(rounded(v, shift, mode) for v in (self.range.low, self.range.high)))
        margin = 0 if mode is Rounding.TRN else 1 << shift
        room = self.range | Interval(self.range.low - margin, self.range.high + margin)
        if mode is Rounding.TRN and shift >= room.bits:
            room = room | Interval(-(1 << shift), 0)
        code = f"{ROUNDINGS[mode]}<{room.c_type}, {shift}>({self.code})"
        return replace(self, code=code, range=result)

    def overflowed(self, target: FixedPointFormat) -> Expression:
        """Bring a raw integer with the target's point into its range."""
        limits = Interval(*target.saturation_limits)
        if target.overflow is Overflow.WRAP:
            return self._wrapped(target)
        if target.overflow is not Overflow.SAT_ZERO:
            return self.clipped(limits.low, limits.high)
        if self.range in limits:
            return self
        kind = (self.range | limits).c_type
        code = f"zeroed<{kind}>({self.code}, {literal(limits.low, kind)}, "
        code += f"{literal(limits.high, kind)})"
        return replace(self, code=code, range=limits)

    def _wrapped(self, target: FixedPointFormat) -> Expression:
        if self.range in of_format(target):
            return self
        kind = (self.range | of_format(target)).c_type
        sign = "wrapped" if target.signed else "wrapped_unsigned"
        code = f"{sign}<{kind}, {target.width}>({self.code})"
        return replace(self, code=code, range=of_format(target))


def constant(value: int, fraction: int) -> Expression:
    """Return a constant."""
    interval = Interval(value, value)
    return Expression(literal(value, interval.c_type), interval, fraction)


def literal(value: int, kind: str) -> str:
    """Write an integer of a C++ type; the most negative has no literal of its own."""
    if kind == "Wide" and Interval(value, value).bits > 64:
        sign, size = ("-" if value < 0 else ""), abs(value)
        return f"({sign}(Wide({size >> 64}) * TWO_TO_64 + Wide({size & (1 << 64) - 1}u)))"
    if Interval(value, value).bits > 32:
        return f"({value + 1}ll - 1)" if value == -(1 << 63) else f"{value}ll"
    return f"({value + 1} - 1)" if value == -(1 << 31) else str(value)


def select(condition: str, chosen: Expression, otherwise: Expression) -> Expression:
    """Choose one of two values of equal scale."""
    both = chosen.range | otherwise.range
    kind = both.c_type
    code = f"(({condition}) ? {kind}({chosen.code}) : {kind}({otherwise.code}))"
    return Expression(code, both, chosen.fraction)
