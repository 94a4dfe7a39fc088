"""The functions that hls4ml reads from tables, in float64."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trigforge.core.traces import Values

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def _sigmoid(x: Values) -> Values:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def _softplus(x: Values) -> Values:
    return np.logaddexp(0.0, x)


def _softsign(x: Values) -> Values:
    return x / (1.0 + np.abs(x))


def _selu(x: Values) -> Values:
    return _SELU_SCALE * _SELU_ALPHA * np.expm1(np.minimum(x, 0.0))


def _elu(x: Values) -> Values:
    return np.expm1(np.minimum(x, 0.0))


FUNCTIONS: Mapping[str, Callable[[Values], Values]] = {
    "sigmoid": _sigmoid,
    "tanh": np.tanh,
    "softplus": _softplus,
    "softsign": _softsign,
    "elu": _elu,
    "selu": _selu,
}
"""ELU and SELU: the branch below zero, which is what their tables hold."""


def softmax(x: Values) -> Values:
    """Return the softmax over the last axis."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))
