"""How many bits numbers need."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.fixed_point import MAX_WIDTH, FixedPointFormat
from trigforge.core.grids import fraction_of

if TYPE_CHECKING:
    from trigforge.core.traces import Values

WIDE_BITS = 60
"""A format so wide computes in int64 and holds whatever a layer gives."""


def wide(fractional_bits: int) -> FixedPointFormat:
    """Return a format that only the fractional bits can be too few of."""
    return FixedPointFormat(signed=True, width=WIDE_BITS, integer_bits=WIDE_BITS - fractional_bits)


def resized(fmt: FixedPointFormat, *, integer: int = 0, fraction: int = 0) -> FixedPointFormat:
    """Return a format with more bits left and right of the point."""
    return replace(
        fmt, width=fmt.width + integer + fraction, integer_bits=fmt.integer_bits + integer
    )


def fits(fmt: FixedPointFormat, *, integer: int = 0, fraction: int = 0) -> bool:
    """Tell whether a format may have so many more bits."""
    return 1 <= fmt.width + integer + fraction <= MAX_WIDTH


def integer_bits_of(values: Values, *, signed: bool, fractional_bits: int) -> int:
    """Return the fewest integer bits, the sign included, whose range holds numbers.

    Numbers between two steps of the grid count as the step below.
    """
    low = int(np.floor(np.ldexp(float(values.min(initial=0)), fractional_bits)))
    high = int(np.floor(np.ldexp(float(values.max(initial=0)), fractional_bits)))
    needed = max(high.bit_length(), (~low).bit_length() if low < 0 else 0)
    return needed + signed - fractional_bits


def smallest_format(values: Values) -> FixedPointFormat | None:
    """Return the narrowest format that holds numbers exactly; None if 64 bits do not."""
    fraction = fraction_of(values)
    if fraction is None:
        return None
    signed = bool(np.min(values, initial=0) < 0)
    integer = integer_bits_of(values, signed=signed, fractional_bits=fraction)
    width = max(integer + fraction, 1)
    if width > MAX_WIDTH:
        return None
    return FixedPointFormat(signed=signed, width=width, integer_bits=width - fraction)
