"""Assignments to formats as hardware: which can be wires, which need registers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding
from trigforge.rtl.timemux.placements import Cast

if TYPE_CHECKING:
    from trigforge.rtl.timemux.clocking import Timing


class Number(NamedTuple):
    """An integer on wires: its bits, its point, and the range it keeps to."""

    bits: int
    signed: bool
    fractional_bits: int
    low: int
    high: int

    @classmethod
    def of(cls, fmt: FixedPointFormat) -> Number:
        """Return any number of a format."""
        return cls(fmt.width, fmt.signed, fmt.fractional_bits, fmt.raw_min, fmt.raw_max)


def chain(
    number: Number, targets: tuple[FixedPointFormat, ...], timing: Timing
) -> tuple[Cast, ...]:
    """Return the casts of assignments one after the other; those that change nothing are left out.

    A number that one format holds exactly goes straight to the next.
    """
    casts: list[Cast] = []
    for i, target in enumerate(targets):
        dropped = number.fractional_bits - target.fractional_bits
        exact = holds(number, target)
        if exact and i + 1 < len(targets):
            continue
        if exact and dropped == 0 and number[:2] == (target.width, target.signed):
            continue
        casts.append(single(number, target, timing, exact=exact))
        number = _after(number, target, exact=exact)
    return tuple(casts)


def single(
    number: Number, target: FixedPointFormat, timing: Timing, *, exact: bool, rectify: bool = False
) -> Cast:
    """Return one cast."""
    dropped = number.fractional_bits - target.fractional_bits
    truncates = dropped <= 0 or target.rounding is Rounding.TRN
    wires = exact or (truncates and target.overflow is Overflow.WRAP)
    return Cast(
        in_bits=number.bits,
        in_signed=number.signed,
        dropped=dropped,
        target=target,
        exact=exact,
        rectify=rectify,
        stages=0 if wires and not rectify else timing.cast_stages,
    )


def cycles(casts: tuple[Cast, ...]) -> int:
    """Return the registers in a chain of casts."""
    return sum(cast.stages for cast in casts)


def holds(number: Number, target: FixedPointFormat) -> bool:
    """Tell whether a format holds every number of a range exactly."""
    gained = target.fractional_bits - number.fractional_bits
    low, high = target.saturation_limits
    return gained >= 0 and low <= number.low << gained and number.high << gained <= high


def _after(number: Number, target: FixedPointFormat, *, exact: bool) -> Number:
    if not exact:
        return Number.of(target)
    gained = target.fractional_bits - number.fractional_bits
    return Number(
        target.width,
        target.signed,
        target.fractional_bits,
        number.low << gained,
        number.high << gained,
    )
