"""Ranges of values and the integer bits that hold them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding
from trigforge.core.grids import fraction_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_FRACTION = 30
"""Fractional bits up to which events are taken to lie on a grid."""


def integer_bits(minimum: float, maximum: float, margin: float) -> int:
    """Return the integer bits, sign included, for a range widened by ``margin`` (1: as it is).

    The largest value must fit with a step to spare: rounding may carry.
    """
    bits = [-24]
    if maximum > 0:
        bits.append(math.floor(math.log2(maximum * margin)) + 1)
    if minimum < 0:
        bits.append(math.ceil(math.log2(-minimum * margin)))
    return max(bits) + (minimum < 0)


def format_for(
    minimum: float, maximum: float, width: int, *, margin: float, modes: bool = True
) -> FixedPointFormat:
    """Return the format of ``width`` bits for a range; unsigned if nothing is negative."""
    bits = integer_bits(minimum, maximum, margin)
    rounding, overflow = (Rounding.RND, Overflow.SAT) if modes else (Rounding.TRN, Overflow.WRAP)
    return FixedPointFormat(minimum < 0, max(width, 1 + (minimum < 0)), bits, rounding, overflow)


def grid_bits(values: NDArray[Any]) -> int | None:
    """Return the fractional bits that hold all values exactly, None if 30 do not."""
    fraction = fraction_of(values)
    return None if fraction is None or fraction > MAX_FRACTION else max(fraction, 0)


def link_format(
    minimum: float, maximum: float, width: int, *, margin: float, grid: int | None
) -> FixedPointFormat:
    """Return the format of a link; it has no more fractional bits than the grid of the events."""
    link = format_for(minimum, maximum, width, margin=margin, modes=False)
    if grid is None or link.fractional_bits <= grid:
        return link
    return replace(link, width=max(link.integer_bits + grid, 1 + link.signed))
