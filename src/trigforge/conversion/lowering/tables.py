"""The tables of functions, entry by entry as the C++ computes them.

Source: ``init_*_table`` in nnet_activation.h (hls4ml 1.3.0). The C++ works in float and
double and calls ``std::exp(float)``; NumPy's own float32 routines round differently, so the
C library that the simulation calls is called here too.
"""

from __future__ import annotations

import ctypes
import math
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.fixed_point import FixedPointFormat, quantise, to_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

_BEYOND = 2.0**1000
"""In place of infinity, which ``ap_fixed`` reads as 2**1024: it saturates, or wraps to 0."""


def function_table(function: str, size: int, fmt: FixedPointFormat) -> NDArray[np.int64]:
    """Return the raw entries of the table of a function."""
    return _raw(FUNCTIONS[function](size), fmt)


def exponentials(
    size: int, index_format: FixedPointFormat, scale: float, *, negative: bool
) -> NDArray[np.float32]:
    """Return ``exp(scale * x)``, or of ``-x``, for x addressed by its top bits."""
    x = _addressed(size, index_format) * np.float32(scale)
    return _float_exp(-x if negative else x)


def inverses(size: int, index_format: FixedPointFormat) -> NDArray[np.float32]:
    """Return ``1 / x`` for x addressed by its top bits; infinity at 0."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.float32(1) / _addressed(size, index_format))


def legacy_exponentials(size: int) -> NDArray[np.float32]:
    """Return ``exp(x)`` for x from -8 to 8."""
    return _float_exp(_positions(size, 16.0))


def legacy_inverses(size: int) -> NDArray[np.float64]:
    """Return ``1 / x`` for x from 0 to 64, 0 at 0."""
    x = (64.0 * np.arange(size) / np.float64(np.float32(size))).astype(np.float32)
    x[0] = 1
    result = 1.0 / x.astype(np.float64)
    result[0] = 0
    return result


def raw_entries(values: NDArray[Any], fmt: FixedPointFormat) -> NDArray[np.int64]:
    """Return the raw integers of entries, infinite ones too."""
    return _raw(values, fmt)


def _raw(values: NDArray[Any], fmt: FixedPointFormat) -> NDArray[np.int64]:
    numbers = np.asarray(values, dtype=np.float64)
    return quantise(np.where(np.isposinf(numbers), _BEYOND, numbers), fmt).astype(np.int64)


def _addressed(size: int, fmt: FixedPointFormat) -> NDArray[np.float32]:
    """Return the numbers whose top bits are 0, 1, ... and whose other bits are 0."""
    shift = fmt.width - (size - 1).bit_length()
    pattern = np.arange(size, dtype=np.int64) << shift
    if fmt.signed:
        pattern = np.where(pattern > fmt.raw_max, pattern - (1 << fmt.width), pattern)
    return to_values(pattern, fmt).astype(np.float32)


def _positions(size: int, width: float) -> NDArray[np.float32]:
    """Return ``size`` numbers from ``-width / 2`` on, rounded as the C++ does."""
    count = np.float64(np.float32(size))
    return (width * (np.arange(size) - count / 2.0) / count).astype(np.float32)


def _negative_positions(size: int) -> NDArray[np.float32]:
    """Return ``size`` numbers from 0 down to -8."""
    return (-8.0 * np.arange(size) / np.float64(np.float32(size))).astype(np.float32)


@cache
def _library() -> Any:
    try:
        return ctypes.CDLL("libm.so.6")
    except OSError:  # another C library than glibc
        return ctypes.CDLL(None)


def _float_function(name: str) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return a function of float of the C library, element by element."""

    def apply(values: NDArray[np.float32]) -> NDArray[np.float32]:
        routine = getattr(_library(), name)
        routine.argtypes, routine.restype = [ctypes.c_float], ctypes.c_float
        return np.array([routine(float(x)) for x in values], dtype=np.float32)

    return apply


_float_exp = _float_function("expf")
_float_tanh = _float_function("tanhf")


def _sigmoid(size: int) -> NDArray[np.float32]:
    denominator = np.float32(1) + _float_exp(-_positions(size, 16.0))
    return (1.0 / denominator.astype(np.float64)).astype(np.float32)


def _tanh(size: int) -> NDArray[np.float32]:
    return _float_tanh(_positions(size, 8.0))


def _softplus(size: int) -> NDArray[np.float32]:
    arguments = _float_exp(_positions(size, 16.0)).astype(np.float64) + 1.0
    return np.array([math.log(x) for x in arguments]).astype(np.float32)


def _softsign(size: int) -> NDArray[np.float32]:
    x = _positions(size, 16.0).astype(np.float64)
    return (x / (np.abs(x) + 1.0)).astype(np.float32)


def _elu(size: int) -> NDArray[np.float32]:
    return (_float_exp(_negative_positions(size)).astype(np.float64) - 1.0).astype(np.float32)


def _selu(size: int) -> NDArray[np.float32]:
    x = _float_exp(_negative_positions(size)).astype(np.float64) - 1.0
    scale, alpha = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
    return (scale * (alpha * x)).astype(np.float32)


FUNCTIONS: Mapping[str, Callable[[int], NDArray[np.float32]]] = {
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "softplus": _softplus,
    "softsign": _softsign,
    "elu": _elu,
    "selu": _selu,
}
