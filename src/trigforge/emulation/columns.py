"""Columns of numbers as raw integers of the link: what ``LinkEncoding.encode`` gives, faster.

Blocks of events stay in a core's cache, and numbers that are exact in float32 stay in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigforge.core.errors import InputError
from trigforge.samples.tables.content import beyond_float64

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.core.link import LinkEncoding

BLOCK_EVENTS = 1 << 14
FLOAT32_BITS, FLOAT64_BITS = 24, 53
"""Integers of so many bits are exact."""
FLOAT32_EXPONENT, FLOAT64_EXPONENT = 100, 1000
"""Steps of larger powers of two might leave the type's range and come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Numbers of events, ``(n_events,)`` for each element of the network's input.

    ``first`` is the row of the first event in its file: errors name rows.
    """

    names: Sequence[str]
    arrays: Sequence[NDArray[Any]]
    first: int = 0

    @property
    def n_events(self) -> int:
        """Events in every column."""
        return len(self.arrays[0])

    @property
    def are_raw(self) -> bool:
        """They are integers of the link: none is a float."""
        return all(array.dtype.kind in "iub" for array in self.arrays)


def raw_integers(columns: Columns, encoding: LinkEncoding, dtype: DTypeLike) -> NDArray[Any]:
    """Return raw integers of the link in C order, ``(n_events, n_elements)``.

    Integers are those of the link already; where one column is of floats, all are values and
    are encoded.

    Raises:
        InputError: if a column is none of numbers, a raw integer lies outside the format, or a
            value is not finite, with column and row.
    """
    for name, array in zip(columns.names, columns.arrays, strict=True):
        if array.dtype.kind not in "iubf" or array.dtype.itemsize > 8:
            msg = f"column {name!r} is {array.dtype}; it must hold integers or floats"
            raise InputError(msg)
    raw = np.empty((columns.n_events, len(columns.arrays)), dtype)
    if columns.are_raw:
        _copy(columns, encoding.format, raw)
    else:
        _encode(columns, encoding, raw)
    return raw


def _copy(columns: Columns, fmt: FixedPointFormat, raw: NDArray[Any]) -> None:
    """Fill raw integers block by block; refuse one outside the format before it is cut."""
    for first in range(0, columns.n_events, BLOCK_EVENTS):
        block = raw[first : first + BLOCK_EVENTS]
        for element, array in enumerate(columns.arrays):
            part = array[first : first + BLOCK_EVENTS]
            if part.min() < fmt.raw_min or part.max() > fmt.raw_max:
                outside = (part < fmt.raw_min) | (part > fmt.raw_max)
                row = int(np.flatnonzero(outside)[0])
                msg = (
                    f"column {columns.names[element]!r}: row {columns.first + first + row} is "
                    f"{part[row]}, which does not fit into {fmt} of the link"
                )
                raise InputError(msg)
            block[:, element] = part


def _encode(columns: Columns, encoding: LinkEncoding, raw: NDArray[Any]) -> None:
    """Fill encoded values block by block: scaled, rounded to even, saturated."""
    _check_exact(columns)
    fmt, exponents = encoding.format, np.asarray(encoding.lsb_exponents)
    dtype = _float_of(columns, fmt, int(np.abs(exponents).max()))
    steps = np.resize(exponents, len(columns.arrays))  # the last axis has one exponent each
    scales = None if dtype is None else np.ldexp(1.0, -steps).astype(dtype)[:, None]
    values = np.empty((len(columns.arrays), BLOCK_EVENTS), dtype or np.float64)
    for first in range(0, columns.n_events, BLOCK_EVENTS):
        n_events = min(BLOCK_EVENTS, columns.n_events - first)
        block = values[:, :n_events]
        for element, array in enumerate(columns.arrays):
            block[element] = array[first : first + n_events]
        _check_finite(block, columns, first)
        target = raw[first : first + n_events]
        with np.errstate(over="ignore", under="ignore"):
            if scales is None:
                events = block.T.reshape(-1, len(encoding.lsb_exponents))
                target[:] = encoding.encode(events).reshape(target.shape)
                continue
            np.multiply(block, scales, out=block)
        np.rint(block, out=block)
        np.clip(block, fmt.raw_min, fmt.raw_max, out=block)
        target[:] = block.T


def _float_of(
    columns: Columns, fmt: FixedPointFormat, largest_exponent: int
) -> np.dtype[Any] | None:
    """Return the smallest type of floats in which encoding is exact; None: there is none."""
    small = all(
        array.dtype.itemsize <= (4 if array.dtype.kind == "f" else 2) for array in columns.arrays
    )
    if small and fmt.width <= FLOAT32_BITS and largest_exponent <= FLOAT32_EXPONENT:
        return np.dtype(np.float32)
    if fmt.width <= FLOAT64_BITS and largest_exponent <= FLOAT64_EXPONENT:
        return np.dtype(np.float64)
    return None


def _check_exact(columns: Columns) -> None:
    """Refuse integers among values that a float would round."""
    for name, array in zip(columns.names, columns.arrays, strict=True):
        if array.dtype.kind in "iu" and beyond_float64(array):
            msg = f"column {name!r} holds integers above 2^53 that cannot stand beside floats"
            raise InputError(msg)


def _check_finite(block: NDArray[Any], columns: Columns, first: int) -> None:
    """Refuse a value that cannot go onto a link."""
    if np.isfinite(block).all():
        return
    event, element = (int(index) for index in np.argwhere(~np.isfinite(block.T))[0])
    msg = (
        f"column {columns.names[element]!r}: row {columns.first + first + event} is "
        f"{block[element, event]}; it cannot go onto a link"
    )
    raise InputError(msg)
