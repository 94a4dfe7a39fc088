"""What a trigger link carries: physical quantities as integers in steps of powers of two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.errors import InputError
from trigforge.core.fixed_point import FixedPointFormat

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkEncoding:
    """Integers on the link: ``round(x * 2**-lsb_exponent)``, saturated to ``format``.

    ``lsb_exponents`` has one entry for each element of the last axis of what is encoded,
    or a single one for all: the value of the lowest bit is ``2**lsb_exponent``, in the
    units of that quantity. Halves round to even.
    """

    format: FixedPointFormat
    lsb_exponents: tuple[int, ...]

    def encode(self, values: ArrayLike) -> NDArray[np.int64]:
        """Return the raw integers of physical values, ``(n_events, ..., n_elements)``.

        Raises:
            InputError: if a value is not finite or the last axis has another length.
        """
        numbers = np.asarray(values, dtype=np.float64)
        if len(self.lsb_exponents) not in {1, numbers.shape[-1]}:
            msg = (
                f"{numbers.shape[-1]} quantities an event, but the link encodes "
                f"{len(self.lsb_exponents)}"
            )
            raise InputError(msg)
        if not np.isfinite(numbers).all():
            where = tuple(int(i) for i in np.argwhere(~np.isfinite(numbers))[0])
            msg = f"value {numbers[where]} at {where} cannot go onto a link"
            raise InputError(msg)
        steps = np.rint(np.ldexp(numbers, -np.asarray(self.lsb_exponents)))
        raw: NDArray[np.int64] = np.clip(steps, self.format.raw_min, self.format.raw_max).astype(
            np.int64
        )
        return raw


def encoding_of_values(fmt: FixedPointFormat) -> LinkEncoding:
    """Return the encoding of numbers as they are: the lowest bit is the format's."""
    return LinkEncoding(format=fmt, lsb_exponents=(-fmt.fractional_bits,))


def fit_encoding(values: ArrayLike, fmt: FixedPointFormat, *, kept: float = 0.999) -> LinkEncoding:
    """Choose for each quantity the finest step that keeps a share of the values in range.

    ``values`` is ``(n_events, n_quantities)``; the rest saturates.
    """
    magnitudes = np.quantile(np.abs(np.asarray(values, dtype=np.float64)), kept, axis=0)
    smallest = np.maximum(magnitudes, np.finfo(np.float32).tiny) / fmt.raw_max
    return LinkEncoding(format=fmt, lsb_exponents=tuple(int(e) for e in np.ceil(np.log2(smallest))))
