"""Sums of products as ONNX operators: dense layers and convolutions.

Both are a list of terms for each position and channel. Where the order of the additions
cannot matter and products keep their bits it is one MatMul; where products lose bits they
are rounded side by side before they are added; where the accumulator can saturate on the
way each product is cast and added in the order of the C++.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigforge.core.fixed_point import Overflow, convert
from trigforge.core.graph import window_indices
from trigforge.onnx_export import casts, shapes
from trigforge.onnx_export.builder import Wire, is_int_exact

if TYPE_CHECKING:
    from trigforge.core.graph import Conv, Dense, SumOfProducts
    from trigforge.onnx_export.builder import Builder

MAX_PRODUCTS = 2**14
"""Products of an event that are held side by side: more would crowd the memory."""


@dataclass(frozen=True, slots=True)
class _Terms:
    """What is multiplied: elements of the flat input with weights.

    ``elements`` is ``(positions, n_terms, 1)``, or ``(positions, n_terms, n_channels)``
    where each channel has its own; -1 stands for zero. ``weights`` and ``order`` are
    ``(n_terms, n_channels)``. ``gained`` zeros (bits, if negative) are appended to a
    product (dropped) when it is cast to the accumulator; ``bias`` is in the accumulator.
    """

    source: Wire
    size: int
    elements: NDArray[np.int64]
    weights: NDArray[np.int64]
    order: NDArray[np.int64]
    bias: NDArray[Any]
    product_bits: int
    gained: int


def dense(builder: Builder, node: Dense) -> Wire:
    """Multiply by a matrix, row by row."""
    size = builder.source(node)[2]
    elements = np.arange(size).reshape(-1, node.weights.shape[0], 1)
    return _sum_of_products(builder, node, elements, node.weights)


def conv(builder: Builder, node: Conv) -> Wire:
    """Multiply each window by the kernel."""
    window = (node.weights.shape[0], node.weights.shape[1])
    indices = window_indices(node.input_shape, window, node.strides, node.padding)
    if node.depthwise:
        weights = node.weights.reshape(-1, node.weights.shape[2])
        return _sum_of_products(builder, node, indices, weights)
    elements = indices.reshape(indices.shape[0], -1, 1)
    return _sum_of_products(builder, node, elements, node.weights.reshape(elements.shape[1], -1))


def _sum_of_products(
    builder: Builder, node: SumOfProducts, elements: NDArray[np.int64], weights: NDArray[np.int64]
) -> Wire:
    accumulator = node.accumulator
    terms = _terms(builder, node, elements, weights)
    lowest, highest = _reach(terms, node)
    low, high = accumulator.saturation_limits
    reach = (
        int((lowest + np.minimum(terms.bias, 0)).min(initial=0)),
        int((highest + np.maximum(terms.bias, 0)).max(initial=0)),
    )
    stays_inside = low <= reach[0] and reach[1] <= high
    wraps = accumulator.overflow is Overflow.WRAP and is_int_exact(*reach)
    if not (stays_inside or wraps):
        total = _one_by_one(builder, node, terms)
    else:
        together = _matrix_product if _is_matrix_product(terms) else _side_by_side
        exact = builder.add(together(builder, node, terms), terms.bias)
        total = casts.cast(builder, exact, accumulator.fractional_bits, accumulator)
    if elements.shape[0] > 1:
        total = shapes.reshape(builder, total, (elements.shape[0] * weights.shape[1],))
    return casts.convert(builder, total, accumulator, node.format)


def _terms(
    builder: Builder, node: SumOfProducts, elements: NDArray[np.int64], weights: NDArray[np.int64]
) -> _Terms:
    source, fmt, size = builder.source(node)
    ascending = np.broadcast_to(np.arange(weights.shape[0])[:, None], weights.shape)
    product_bits = fmt.fractional_bits + node.weight_format.fractional_bits
    return _Terms(
        source=source,
        size=size,
        elements=elements,
        weights=weights,
        order=ascending if node.order is None else node.order,
        bias=convert(node.bias, node.bias_format, node.accumulator).astype(object),
        product_bits=product_bits,
        gained=node.accumulator.fractional_bits - product_bits,
    )


def _is_matrix_product(terms: _Terms) -> bool:
    return terms.gained >= 0 and terms.elements.shape[2] == 1


def _reach(terms: _Terms, node: SumOfProducts) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return what the sum of any of a channel's cast products reaches at most."""
    weights = terms.weights.astype(object)
    low, high = min(terms.source.low, 0), max(terms.source.high, 0)
    ends = np.stack([weights * low, weights * high])
    ends = casts.rounded_integers(ends, -terms.gained, node.accumulator.rounding)
    return (
        np.minimum(ends.min(axis=0), 0).sum(axis=0),
        np.maximum(ends.max(axis=0), 0).sum(axis=0),
    )


def _without_single(elements: NDArray[np.int64]) -> NDArray[np.int64]:
    """Leave the dimension of positions out if there is one."""
    return elements[0] if elements.shape[0] == 1 else elements


def _matrix_product(builder: Builder, node: SumOfProducts, terms: _Terms) -> Wire:
    """Multiply matrices, the zeros to append multiplied into the weights."""
    lowest, highest = _reach(terms, node)
    rows = _without_single(terms.elements[:, :, 0])
    cells = shapes.pick(builder, terms.source, terms.size, rows)
    weights = terms.weights.astype(object) << terms.gained
    result = int(lowest.min(initial=0)), int(highest.max(initial=0))
    return builder.combine("MatMul", cells, weights, result)


def _side_by_side(builder: Builder, node: SumOfProducts, terms: _Terms) -> Wire:
    """Cast the products side by side and add them, many at a time."""
    n_positions, n_terms, _ = terms.elements.shape
    n_channels = terms.weights.shape[1]
    lowest, highest = _reach(terms, node)
    result = int(lowest.min(initial=0)), int(highest.max(initial=0))
    step = max(1, MAX_PRODUCTS // (n_positions * n_channels))
    axis = 1 if n_positions == 1 else 2
    total: Wire | None = None
    for first in range(0, n_terms, step):
        chosen = _without_single(terms.elements[:, first : first + step])
        cells = shapes.pick(builder, terms.source, terms.size, chosen)
        weights = terms.weights[first : first + step]
        products = builder.multiply(cells, weights)
        if terms.gained < 0:
            mode = node.accumulator.rounding
            products = casts.rounded(builder, products, -terms.gained, mode)
        else:
            products = builder.shift_up(products, terms.gained)
        part = shapes.exact_sum(builder, products, axis, len(weights), result)
        total = part if total is None else builder.combine("Add", total, part, result)
    builder.values_per_event = max(
        builder.values_per_event, n_positions * n_channels * min(step, n_terms)
    )
    return _complete(builder, total)


def _one_by_one(builder: Builder, node: SumOfProducts, terms: _Terms) -> Wire:
    """Cast and add the products in the order of the C++."""
    fmt = node.accumulator
    shape = (terms.elements.shape[0], *terms.weights.shape)
    elements = np.take_along_axis(np.broadcast_to(terms.elements, shape), terms.order[None], axis=1)
    weights = np.take_along_axis(terms.weights, terms.order, axis=0)
    total: Wire | None = None
    for t in range(shape[1]):
        chosen = elements[:, t]
        if (chosen == chosen[:, :1]).all():
            chosen = chosen[:, :1]
        cells = shapes.pick(builder, terms.source, terms.size, _without_single(chosen))
        products = builder.multiply(cells, weights[t])
        product = casts.cast(builder, products, terms.product_bits, fmt)
        exact = builder.add(product, terms.bias if total is None else total)
        total = casts.cast(builder, exact, fmt.fractional_bits, fmt)
    return _complete(builder, total)


def _complete(builder: Builder, total: Wire | None) -> Wire:
    if total is None:
        msg = "a sum without terms"
        raise builder.refuse(msg)
    return total
