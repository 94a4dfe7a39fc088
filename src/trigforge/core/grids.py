"""Grids of steps of powers of two on which numbers lie."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST_FRACTION, _MOST_FRACTION = -30, 60


def fraction_of(values: NDArray[Any]) -> int | None:
    """Return the fewest fractional bits that hold numbers exactly; None above 60."""
    numbers = np.unique(values)
    for bits in range(_LEAST_FRACTION, _MOST_FRACTION + 1):
        scaled = np.ldexp(numbers, bits)
        numbers = numbers[scaled != np.floor(scaled)]
        if numbers.size == 0:
            return bits if np.any(values) else 0
    return None
