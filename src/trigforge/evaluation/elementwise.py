"""Casts, scales, piecewise linear activations, moves and operations on two tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.errors import InputError
from trigforge.core.fixed_point import cast
from trigforge.core.graph import ActivationKind, MergeKind
from trigforge.evaluation.run import aligned_sum, integers_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.core.graph import Activation, Gather, Merge, Quantise, Scale
    from trigforge.evaluation.run import Run


def quantise(run: Run, node: Quantise) -> NDArray[Any]:
    """Cast each element."""
    return run.converted(node, *run.source(node))


def scale(run: Run, node: Scale) -> NDArray[Any]:
    """Multiply and add constants, then cast."""
    raw, fmt = run.source(node)
    n_events = len(raw)
    product_bits = fmt.fractional_bits + node.scale_format.fractional_bits
    kind = integers_for(fmt.width + node.scale_format.width)
    products: NDArray[Any] = raw.reshape(n_events, -1, len(node.scale)).astype(
        kind
    ) * node.scale.astype(kind)
    sums, bits = aligned_sum(products, product_bits, node.bias, node.bias_format.fractional_bits)
    return run.result(node, sums, bits).reshape(n_events, -1)


def gather(run: Run, node: Gather) -> NDArray[Any]:
    """Move elements, cast to the result's format."""
    n_events, first = len(run.tensors[node.inputs[0]]), 0
    result = np.zeros((n_events, len(node.indices)), dtype=node.format.dtype)
    for i in range(len(node.inputs)):
        raw, fmt = run.source(node, i)
        taken = (node.indices >= first) & (node.indices < first + raw.shape[1])
        result[:, taken] = run.converted(node, raw[:, node.indices[taken] - first], fmt)
        first += raw.shape[1]
    return result


def merge(run: Run, node: Merge) -> NDArray[Any]:
    """Combine two tensors, the smaller one used cyclically."""
    (left, left_format), (right, right_format) = (run.source(node, i) for i in (0, 1))
    n_elements = node.n_elements
    left = left[:, np.arange(n_elements) % left.shape[1]]
    right = right[:, np.arange(n_elements) % right.shape[1]]
    bits = left_format.fractional_bits, right_format.fractional_bits
    if node.kind is MergeKind.MULTIPLY:
        kind = integers_for(left_format.width + right_format.width)
        return run.result(node, left.astype(kind) * right.astype(kind), sum(bits))
    if node.kind in {MergeKind.MAXIMUM, MergeKind.MINIMUM}:
        difference, _ = aligned_sum(left, bits[0], -right.astype(object), bits[1])
        first = difference > 0 if node.kind is MergeKind.MAXIMUM else difference < 0
        # Only what is chosen is cast: the overflow of the other one is none.
        chosen_left = run.converted(node, np.where(first, left, 0), left_format)
        chosen_right = run.converted(node, np.where(first, 0, right), right_format)
        return np.where(first, chosen_left, chosen_right)
    sign = -1 if node.kind is MergeKind.SUBTRACT else 1
    sums, fraction = aligned_sum(left, bits[0], sign * right.astype(object), bits[1])
    return run.result(node, sums, fraction + (node.kind is MergeKind.AVERAGE))


def activation(run: Run, node: Activation) -> NDArray[Any]:
    """Apply a piecewise linear activation."""
    raw, fmt = run.source(node)
    if node.kind is ActivationKind.RELU:
        return run.converted(node, np.maximum(raw, 0), fmt)
    if node.kind is ActivationKind.RELU_MAX:
        limit = int(node.parameters[0])
        return _limited(run, node, raw, fmt, limit)
    if node.kind in {ActivationKind.BINARY_TANH, ActivationKind.TERNARY_TANH}:
        return run.result(node, _sign(node.kind, raw, fmt), 0)
    if node.kind in {ActivationKind.HARD_SIGMOID, ActivationKind.HARD_TANH}:
        return _hard(run, node, raw, fmt)
    return _sloped(run, node, raw, fmt)


def _limited(
    run: Run, node: Activation, raw: NDArray[Any], fmt: FixedPointFormat, limit: int
) -> NDArray[Any]:
    """Clip below at zero and above at an integer (``nnet::relu_max``)."""
    fraction = fmt.fractional_bits
    over = raw.astype(object) > (limit << fraction if fraction >= 0 else limit >> -fraction)
    above = over.astype(bool)
    clipped = run.converted(node, np.where(above, 0, np.maximum(raw, 0)), fmt)
    top = run.result(node, np.where(above, limit, 0), 0)
    return np.where(above, top, clipped)


def _sign(kind: ActivationKind, raw: NDArray[Any], fmt: FixedPointFormat) -> NDArray[np.int64]:
    """Return -1, (0,) 1; the ternary one doubles its input in the input's own type."""
    if kind is ActivationKind.BINARY_TANH:
        return np.where(raw >= 0, 1, -1)
    doubled = cast(raw.astype(object) * 2, fmt.fractional_bits, fmt).astype(object)
    one = 1 << max(fmt.fractional_bits, 0)
    scaled = doubled << max(-fmt.fractional_bits, 0)
    return np.where(scaled > one, 1, np.where(scaled > -one, 0, -1)).astype(np.int64)


def _hard(run: Run, node: Activation, raw: NDArray[Any], fmt: FixedPointFormat) -> NDArray[Any]:
    """Clip ``slope * x + shift`` to 0..1; the tangent doubles it and subtracts 1.

    The clipped value lives in the exact type of the sum (C++ ``auto``).
    """
    parameters = _parameter_format(node)
    slope, shift = (int(value) for value in node.parameters)
    fraction = parameters.fractional_bits
    total, bits = aligned_sum(
        raw.astype(object) * slope,
        fmt.fractional_bits + fraction,
        np.array([shift], dtype=object),
        fraction,
    )
    if bits < 0:
        total, bits = total << -bits, 0
    one = 1 << bits
    clipped = np.minimum(np.maximum(total, 0), one)
    if node.kind is ActivationKind.HARD_TANH:
        clipped = 2 * clipped - one
    return run.result(node, clipped, bits)


def _sloped(run: Run, node: Activation, raw: NDArray[Any], fmt: FixedPointFormat) -> NDArray[Any]:
    """Apply leaky, thresholded and parametric ReLU."""
    parameters = _parameter_format(node)
    if node.kind is ActivationKind.THRESHOLDED_RELU:
        difference, _ = aligned_sum(
            raw, fmt.fractional_bits, -node.parameters.astype(object), parameters.fractional_bits
        )
        return run.converted(node, np.where(difference > 0, raw, 0), fmt)
    kept = run.converted(node, np.maximum(raw, 0), fmt)
    kind = integers_for(fmt.width + parameters.width)
    products: NDArray[Any] = np.minimum(raw, 0).astype(kind) * node.parameters.astype(kind)
    bits = fmt.fractional_bits + parameters.fractional_bits
    return np.where(raw > 0, kept, run.result(node, products, bits))


def _parameter_format(node: Activation) -> FixedPointFormat:
    if node.parameter_format is None:
        msg = f"node {node.name}: {node.kind} needs the format of its parameters"
        raise InputError(msg)
    return node.parameter_format
