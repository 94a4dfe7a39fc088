"""Sums of products: dense layers and convolutions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.fixed_point import Overflow, convert
from trigforge.core.graph import Dense, window_indices
from trigforge.evaluation.run import magnitude

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.core.graph import Conv, SumOfProducts
    from trigforge.evaluation.run import Run

_FLOAT_EXACT = 2**53
_INT_EXACT = 2**62


def dense(run: Run, node: Dense) -> NDArray[Any]:
    """Multiply by a matrix, row by row."""
    raw, fmt = run.source(node)
    terms = raw.reshape(len(raw), -1, node.weights.shape[0])
    return _sum_of_products(run, node, terms, fmt, node.weights).reshape(len(raw), -1)


def conv(run: Run, node: Conv) -> NDArray[Any]:
    """Multiply each window by the kernel."""
    raw, fmt = run.source(node)
    window = (node.weights.shape[0], node.weights.shape[1])
    indices = window_indices(node.input_shape, window, node.strides, node.padding)
    padded = np.concatenate([raw, np.zeros((len(raw), 1), dtype=raw.dtype)], axis=1)
    patches = padded[:, indices]
    if not node.depthwise:
        terms = patches.reshape(len(raw), indices.shape[0], -1)
        weights = node.weights.reshape(-1, node.weights.shape[3])
        return _sum_of_products(run, node, terms, fmt, weights).reshape(len(raw), -1)
    filters = node.weights.reshape(-1, node.weights.shape[2], 1)
    channels = [
        _sum_of_products(run, _channel(node, c), patches[..., c], fmt, filters[:, c])
        for c in range(filters.shape[1])
    ]
    return np.concatenate(channels, axis=2).reshape(len(raw), -1)


def _channel(node: Conv, channel: int) -> Dense:
    """Return the sum of products that one channel of a depthwise convolution is."""
    return Dense(
        name=node.name,
        inputs=node.inputs,
        shape=(1,),
        format=node.format,
        weights=node.weights.reshape(-1, node.weights.shape[2])[:, channel : channel + 1],
        weight_format=node.weight_format,
        bias=node.bias[channel : channel + 1],
        bias_format=node.bias_format,
        accumulator=node.accumulator,
        order=None if node.order is None else node.order[:, channel : channel + 1],
    )


def _sum_of_products(
    run: Run,
    node: SumOfProducts,
    terms: NDArray[Any],
    source: FixedPointFormat,
    weights: NDArray[np.int64],
) -> NDArray[Any]:
    """Return ``(n_events, positions, channels)`` of terms ``(n_events, positions, n_terms)``."""
    accumulator = node.accumulator
    product_bits = source.fractional_bits + node.weight_format.fractional_bits
    bias = convert(node.bias, node.bias_format, accumulator)
    gained = accumulator.fractional_bits - product_bits
    bound = _bound(terms, weights, bias, gained)
    stays_inside = accumulator.signed and bound <= accumulator.raw_max
    order_is_free = gained >= 0 and (accumulator.overflow is Overflow.WRAP or stays_inside)
    if order_is_free and bound < _INT_EXACT:
        sums = _matmul(terms, weights, bound) << gained
        total = run.accumulated(node, sums + bias, accumulator.fractional_bits, accumulator)
    else:
        total = _one_by_one(run, node, terms, source, weights)
    return run.converted(node, total, accumulator)


def _bound(terms: NDArray[Any], weights: NDArray[np.int64], bias: NDArray[Any], gained: int) -> int:
    """Return a bound of every partial sum, in the accumulator's least significant bits."""
    largest = magnitude(terms)
    heaviest = int(np.abs(weights.astype(object)).sum(axis=0).max(initial=0))
    offset = max((abs(int(b)) for b in bias), default=0)
    return (largest * heaviest << max(gained, 0)) + offset


def _matmul(terms: NDArray[Any], weights: NDArray[np.int64], bound: int) -> NDArray[np.int64]:
    """Multiply matrices exactly, by the fast float64 routine where it is exact."""
    if bound < _FLOAT_EXACT:
        product = np.matmul(terms.astype(np.float64), weights.astype(np.float64))
        return np.asarray(product, dtype=np.int64)
    return np.asarray(np.matmul(terms.astype(np.int64), weights))


def _one_by_one(
    run: Run,
    node: SumOfProducts,
    terms: NDArray[Any],
    source: FixedPointFormat,
    weights: NDArray[np.int64],
) -> NDArray[Any]:
    """Cast and add the products in the order of the C++."""
    fmt = node.accumulator
    product_bits = source.fractional_bits + node.weight_format.fractional_bits
    wide = source.width + node.weight_format.width > 62 or fmt.width > 61
    kind = np.object_ if wide else np.int64
    n_terms, n_channels = weights.shape
    order = node.order
    if order is None:
        order = np.broadcast_to(np.arange(n_terms)[:, None], (n_terms, n_channels))
    bias = convert(node.bias, node.bias_format, fmt).astype(kind)
    shape = (*terms.shape[:2], n_channels)
    total = np.broadcast_to(bias, shape).copy()
    for chosen in order:
        weight = weights[chosen, np.arange(n_channels)].astype(kind)
        products = terms[..., chosen].astype(kind) * weight
        product = run.accumulated(node, products, product_bits, fmt).astype(kind)
        total = run.accumulated(node, total + product, fmt.fractional_bits, fmt).astype(kind)
    return total.astype(fmt.dtype)
