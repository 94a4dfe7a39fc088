"""Carry intervals through a graph: ``FixedPointGraph -> Intervals`` of every tensor.

From all integers of the input's format the bounds are carried on, cast by cast
(``core.graph`` says which). They hold for every event; they need not be reached.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from trigforge.core.errors import InputError
from trigforge.core.fixed_point import Overflow, cast, convert
from trigforge.core.graph import (
    Activation,
    ActivationKind,
    Conv,
    Dense,
    Gather,
    Input,
    Merge,
    MergeKind,
    Pool,
    PoolKind,
    Quantise,
    Scale,
    Softmax,
    SoftmaxKind,
    SumOfProducts,
    Table,
    window_indices,
)
from trigforge.core.intervals import Intervals, of_format, of_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.core.graph import FixedPointGraph, Node

_FLOAT_EXACT = 2**53
_INT_EXACT = 2**62

Operand: TypeAlias = "tuple[Intervals, FixedPointFormat]"
"""What a node reads: the intervals of a tensor and its format."""


def intervals(graph: FixedPointGraph) -> Mapping[str, Intervals]:
    """Return the intervals of every tensor, by the name of its node.

    Raises:
        InputError: if there is no rule for a node, or an average has nothing to divide by.
    """
    found: dict[str, Intervals] = {}
    for node in graph:
        rule = RULES.get(type(node))
        if rule is None:
            msg = f"graph {graph.name}, node {node.name}: no rule for {type(node).__name__}"
            raise InputError(msg)
        operands = [(found[source.name], source.format) for source in graph.sources(node)]
        found[node.name] = rule(node, *operands)
    return found


def _input(node: Input) -> Intervals:
    return of_format(node.format, node.n_elements)


def _quantise(node: Quantise, operand: Operand) -> Intervals:
    x, fmt = operand
    return x.convert(fmt, node.format)


def cells(node: SumOfProducts, values: NDArray[Any]) -> NDArray[Any]:
    """Return which of ``values`` is multiplied where: ``(n_positions, n_terms)``, padding 0.

    A depthwise convolution has ``(n_positions, n_cells, n_channels)``.
    """
    if not isinstance(node, Conv):
        return values.reshape(-1, node.weights.shape[0])
    window = (node.weights.shape[0], node.weights.shape[1])
    indices = window_indices(node.input_shape, window, node.strides, node.padding)
    found = np.append(values, 0)[indices]
    return found if node.depthwise else found.reshape(len(indices), -1)


def _sum_of_products(node: SumOfProducts, operand: Operand) -> Intervals:
    x, fmt = operand
    accumulator = node.accumulator
    factors = Intervals(cells(node, x.low), cells(node, x.high))
    weights = weight_matrix(node)
    fraction = fmt.fractional_bits + node.weight_format.fractional_bits
    gained = accumulator.fractional_bits - fraction
    bias = convert(node.bias, node.bias_format, accumulator).astype(object)
    sums = _aligned(_summed(factors, weights), weights, gained)
    total = sums.plus(bias, bias)
    within = _inside(total, accumulator.raw_min, accumulator.raw_max)
    if accumulator.overflow is not Overflow.WRAP:
        # It must not saturate on the way either, in whatever order the terms are added.
        zero = Intervals(np.minimum(factors.low, 0), np.maximum(factors.high, 0))
        partial = _aligned(_summed(zero, weights), weights, gained)
        reached = partial | partial.plus(bias, bias)
        within = _inside(reached, *accumulator.saturation_limits)
    total = Intervals(
        np.where(within, total.low, accumulator.raw_min).reshape(-1),
        np.where(within, total.high, accumulator.raw_max).reshape(-1),
    )
    return total.convert(accumulator, node.format)


def weight_matrix(node: SumOfProducts) -> NDArray[np.int64]:
    """Return the weights as ``(n_terms, n_channels)``; depthwise, a column a channel."""
    n_columns = node.weights.shape[2] if _is_depthwise(node) else node.weights.shape[-1]
    return node.weights.reshape(-1, n_columns)


def _is_depthwise(node: SumOfProducts) -> bool:
    return isinstance(node, Conv) and node.depthwise


def _summed(factors: Intervals, weights: NDArray[np.int64]) -> Intervals:
    """Bound the exact sums of products ``(n_positions, n_channels)``."""
    positive, negative = np.maximum(weights, 0), np.minimum(weights, 0)
    if factors.low.ndim == 3:
        products = factors.times(weights.astype(object))
        return Intervals(products.low.sum(axis=1), products.high.sum(axis=1))
    return Intervals(
        _product(factors.low, positive) + _product(factors.high, negative),
        _product(factors.high, positive) + _product(factors.low, negative),
    )


def _product(left: NDArray[Any], right: NDArray[np.int64]) -> NDArray[Any]:
    """Multiply matrices of integers exactly, in the fastest type that can."""
    largest = max(abs(left.min(initial=0)), abs(left.max(initial=0)))
    bound = largest * int(np.abs(right.astype(object)).sum(axis=0).max(initial=0))
    kind = np.float64 if bound < _FLOAT_EXACT else np.int64 if bound < _INT_EXACT else object
    product = left.astype(kind) @ right.astype(kind)
    exact = product.astype(np.int64) if kind is np.float64 else product
    return np.asarray(exact.astype(object))


def _aligned(sums: Intervals, weights: NDArray[np.int64], gained: int) -> Intervals:
    """Bring sums of products to the accumulator's point, where each product is rounded.

    A rounded product differs from the exact one by less than the last bit.
    """
    if gained >= 0:
        return Intervals(sums.low << gained, sums.high << gained)
    n_rounded = (weights.astype(object) % (1 << -gained) != 0).sum(axis=0)
    low, high = (np.asarray(sums.low >> -gained), -(-sums.high >> -gained))
    return Intervals(low - n_rounded, high + n_rounded)


def _inside(x: Intervals, low: int, high: int) -> NDArray[np.bool_]:
    return np.asarray((x.low >= low) & (x.high <= high), dtype=bool)


def _pool(node: Pool, operand: Operand) -> Intervals:
    x, fmt = operand
    accumulator = node.accumulator
    if node.kind is PoolKind.MAXIMUM:
        padded = Intervals(np.append(x.low, node.padding_raw), np.append(x.high, node.padding_raw))
        window = padded[_pool_cells(node)]
        largest = Intervals(window.low.max(axis=1), window.high.max(axis=1))
        return largest.convert(fmt, accumulator).convert(accumulator, node.format)
    sums, divisors = pooled_sums(node, operand), divisors_of(node)
    if not divisors.all():
        msg = f"node {node.name}: the average of a window of padding alone divides by zero"
        raise InputError(msg)
    quotient = Intervals(*(_truncated(end, divisors) for end in (sums.low, sums.high)))
    if node.divide_last:
        return quotient.cast(accumulator.fractional_bits, node.format)
    inside = quotient.cast(accumulator.fractional_bits, accumulator)
    return inside.convert(accumulator, node.format)


def pooled_sums(node: Pool, operand: Operand) -> Intervals:
    """Return the sums an average divides, one a result, in the accumulator's format."""
    x, fmt = operand
    converted = x.convert(fmt, node.accumulator)
    padded = Intervals(np.append(converted.low, 0), np.append(converted.high, 0))
    window = padded[_pool_cells(node)]
    total = Intervals(window.low.sum(axis=1), window.high.sum(axis=1))
    low, high = np.minimum(window.low, 0).sum(axis=1), np.maximum(window.high, 0).sum(axis=1)
    within = _inside(Intervals(low, high), *node.accumulator.saturation_limits)
    whole = of_format(node.accumulator, len(within))
    return Intervals(
        np.where(within, total.low, whole.low), np.where(within, total.high, whole.high)
    )


def divisors_of(node: Pool) -> NDArray[np.int64]:
    """Return what an average divides each sum by."""
    cells_of_results = _pool_cells(node)
    if node.count_padding:
        return np.full(len(cells_of_results), cells_of_results.shape[1])
    return np.asarray((cells_of_results >= 0).sum(axis=1))


def _pool_cells(node: Pool) -> NDArray[np.int64]:
    """Return which element each cell of each result is, ``(n_results, n_cells)``; padding -1."""
    indices = window_indices(node.input_shape, node.window, node.strides, node.padding)
    return np.moveaxis(indices, 1, 2).reshape(-1, indices.shape[1])


def _scale(node: Scale, operand: Operand) -> Intervals:
    x, fmt = operand
    position = np.arange(len(x.low)) % len(node.scale)
    products = x.times(node.scale.astype(object)[position])
    fraction = fmt.fractional_bits + node.scale_format.fractional_bits
    bias = node.bias.astype(object)[np.arange(len(x.low)) % len(node.bias)]
    left, right, fraction = _same_point(
        (products, fraction), (Intervals(bias, bias), node.bias_format.fractional_bits)
    )
    return left.plus(right.low, right.high).cast(fraction, node.format)


def _same_point(
    left: tuple[Intervals, int], right: tuple[Intervals, int]
) -> tuple[Intervals, Intervals, int]:
    """Append zeros until both have the same point; return both and the fractional bits."""
    fraction = max(left[1], right[1])
    first, second = (x.times(1 << (fraction - bits)) for x, bits in (left, right))
    return first, second, fraction


def _gather(node: Gather, *operands: Operand) -> Intervals:
    parts = [x.convert(fmt, node.format) for x, fmt in operands]
    zero = np.zeros(1, dtype=object)
    low = np.concatenate([*(part.low for part in parts), zero])
    high = np.concatenate([*(part.high for part in parts), zero])
    return Intervals(low, high)[node.indices]


def _merge(node: Merge, *operands: Operand) -> Intervals:
    positions = [np.arange(node.n_elements) % len(x.low) for x, _ in operands]
    (left, left_format), (right, right_format) = (
        (x[chosen], fmt) for (x, fmt), chosen in zip(operands, positions, strict=True)
    )
    bits = left_format.fractional_bits, right_format.fractional_bits
    if node.kind is MergeKind.MULTIPLY:
        product = left.times(right.low) | left.times(right.high)
        return product.cast(sum(bits), node.format)
    if node.kind in {MergeKind.MAXIMUM, MergeKind.MINIMUM}:
        return left.convert(left_format, node.format) | right.convert(right_format, node.format)
    signed = right.times(-1) if node.kind is MergeKind.SUBTRACT else right
    first, second, fraction = _same_point((left, bits[0]), (signed, bits[1]))
    halved = node.kind is MergeKind.AVERAGE
    return first.plus(second.low, second.high).cast(fraction + halved, node.format)


def _activation(node: Activation, operand: Operand) -> Intervals:
    x, fmt = operand
    n_elements = len(x.low)
    if node.kind is ActivationKind.RELU:
        return _positive(x).convert(fmt, node.format)
    if node.kind is ActivationKind.RELU_MAX:
        return _limited(node, x, fmt)
    if node.kind in {ActivationKind.BINARY_TANH, ActivationKind.TERNARY_TANH}:
        return of_values(cast(np.array([-1, 0, 1]), 0, node.format), n_elements)
    if node.parameter_format is None:
        msg = f"node {node.name}: {node.kind} needs the format of its parameters"
        raise InputError(msg)
    fraction = node.parameter_format.fractional_bits
    if node.kind in {ActivationKind.HARD_SIGMOID, ActivationKind.HARD_TANH}:
        return _hard(node, x, fmt, fraction)
    kept = x.convert(fmt, node.format)
    if node.kind is ActivationKind.THRESHOLDED_RELU:
        return kept | of_values(np.zeros(1, dtype=np.int64), n_elements)
    slopes = node.parameters.astype(object)
    negative = x.clipped(x.low, np.minimum(x.high, 0)).times(slopes)
    sloped = negative.cast(fmt.fractional_bits + fraction, node.format)
    kept = _positive(x).convert(fmt, node.format)
    return Intervals(
        np.where(x.low > 0, kept.low, np.where(x.high > 0, (kept | sloped).low, sloped.low)),
        np.where(x.low > 0, kept.high, np.where(x.high > 0, (kept | sloped).high, sloped.high)),
    )


def _positive(x: Intervals) -> Intervals:
    return Intervals(np.maximum(x.low, 0), np.maximum(x.high, 0))


def _limited(node: Activation, x: Intervals, fmt: FixedPointFormat) -> Intervals:
    """Bound ``relu_max``: above an integer its cast stands, whatever became of it."""
    limit, fraction = int(node.parameters[0]), fmt.fractional_bits
    threshold = limit << fraction if fraction >= 0 else limit >> -fraction
    passed = x.clipped(0, max(threshold, 0)).convert(fmt, node.format)
    top = of_values(cast(np.array([limit]), 0, node.format), len(x.low))
    low, high = (passed | top).low, (passed | top).high
    below = x.high <= threshold
    return Intervals(np.where(below, passed.low, low), np.where(below, passed.high, high))


def _hard(node: Activation, x: Intervals, fmt: FixedPointFormat, fraction: int) -> Intervals:
    slope, shift = (int(value) for value in node.parameters)
    shifts = of_values(np.array([shift], dtype=object), len(x.low))
    product = x.times(slope), fmt.fractional_bits + fraction
    left, right, bits = _same_point(product, (shifts, fraction))
    total = left.plus(right.low, right.high)
    if bits < 0:
        total, bits = total.times(1 << -bits), 0
    clipped = total.clipped(0, 1 << bits)
    if node.kind is ActivationKind.HARD_TANH:
        clipped = clipped.times(2).plus(-(1 << bits), -(1 << bits))
    return clipped.cast(bits, node.format)


def _table(node: Table, operand: Operand) -> Intervals:
    x, fmt = operand
    if node.negative is None or node.negative_format is None:
        entries = convert(node.table, node.table_format, node.format)
    else:
        bits = node.table_format.fractional_bits + node.negative_format.fractional_bits
        entries = cast(node.table.astype(object) * node.negative, bits, node.format)
    looked_up = of_values(entries, len(x.low))
    if node.positive is None or node.positive_format is None:
        return looked_up
    bits = fmt.fractional_bits + node.positive_format.fractional_bits
    passed = _positive(x).times(node.positive).cast(bits, node.format)
    both = passed | looked_up
    return Intervals(
        np.where(x.low >= 0, passed.low, np.where(x.high < 0, looked_up.low, both.low)),
        np.where(x.low >= 0, passed.high, np.where(x.high < 0, looked_up.high, both.high)),
    )


def _softmax(node: Softmax, operand: Operand) -> Intervals:
    n_elements = len(operand[0].low)
    if node.kind is SoftmaxKind.ARGMAX:
        return of_values(cast(np.array([0, 1]), 0, node.format), n_elements)
    if node.kind is SoftmaxKind.LEGACY:
        entries = convert(node.inverses, node.inverse_format, node.format)
        return of_values(entries, n_elements)
    accumulator = node.accumulator
    values = convert(node.exponentials, node.exponential_format, accumulator)
    first, second = of_values(values, n_elements), of_values(node.inverses, n_elements)
    product = first.times(second.low) | first.times(second.high)
    bits = accumulator.fractional_bits + node.inverse_format.fractional_bits
    return product.cast(bits, node.format)


RULES: Mapping[type[Node], Callable[..., Intervals]] = {
    Input: _input,
    Quantise: _quantise,
    Dense: _sum_of_products,
    Conv: _sum_of_products,
    Pool: _pool,
    Scale: _scale,
    Activation: _activation,
    Table: _table,
    Softmax: _softmax,
    Gather: _gather,
    Merge: _merge,
}


def _truncated(dividends: NDArray[Any], divisors: NDArray[np.int64]) -> NDArray[Any]:
    """Divide, truncating towards zero as C++ does."""
    quotients = np.abs(dividends) // divisors.astype(object)
    return np.asarray(np.where(dividends < 0, -quotients, quotients))
