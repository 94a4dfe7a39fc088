"""Casts, scales, piecewise linear activations, moves and operations on two tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.graph import ActivationKind, MergeKind
from trigforge.onnx_export import casts, shapes

if TYPE_CHECKING:
    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.core.graph import Activation, Gather, Merge, Quantise, Scale
    from trigforge.onnx_export.builder import Builder, Operand, Wire


def quantise(builder: Builder, node: Quantise) -> Wire:
    """Cast each element."""
    wire, fmt, _ = builder.source(node)
    return casts.convert(builder, wire, fmt, node.format)


def scale(builder: Builder, node: Scale) -> Wire:
    """Multiply and add constants, then cast."""
    wire, fmt, size = builder.source(node)
    n_times = size // len(node.scale)
    products = builder.multiply(wire, np.tile(node.scale, n_times))
    bits = fmt.fractional_bits + node.scale_format.fractional_bits
    bias = np.tile(node.bias, n_times)
    total, bits = _aligned_sum(builder, products, bits, bias, node.bias_format.fractional_bits)
    return casts.cast(builder, total, bits, node.format)


def gather(builder: Builder, node: Gather) -> Wire:
    """Move elements, cast to the result's format."""
    parts, size = [], 0
    for index in range(len(node.inputs)):
        wire, fmt, n_elements = builder.source(node, index)
        parts.append(casts.convert(builder, wire, fmt, node.format))
        size += n_elements
    joined = shapes.concatenate(builder, parts)
    return shapes.pick(builder, joined, size, node.indices.reshape(-1))


def merge(builder: Builder, node: Merge) -> Wire:
    """Combine two tensors, the smaller one used cyclically."""
    (left, left_format), (right, right_format) = (_cyclic(builder, node, i) for i in (0, 1))
    bits = left_format.fractional_bits, right_format.fractional_bits
    if node.kind is MergeKind.MULTIPLY:
        return casts.cast(builder, builder.multiply(left, right), sum(bits), node.format)
    aligned = max(bits)
    first = builder.shift_up(left, aligned - bits[0])
    second = builder.shift_up(right, aligned - bits[1])
    if node.kind in {MergeKind.MAXIMUM, MergeKind.MINIMUM}:
        pair = (first, second) if node.kind is MergeKind.MAXIMUM else (second, first)
        is_first = builder.is_greater(*pair)
        chosen_left = casts.convert(builder, left, left_format, node.format)
        chosen_right = casts.convert(builder, right, right_format, node.format)
        return builder.where(is_first, chosen_left, chosen_right)
    if node.kind is MergeKind.SUBTRACT:
        return casts.cast(builder, builder.subtract(first, second), aligned, node.format)
    halved = aligned + (node.kind is MergeKind.AVERAGE)
    return casts.cast(builder, builder.add(first, second), halved, node.format)


def _cyclic(builder: Builder, node: Merge, index: int) -> tuple[Wire, FixedPointFormat]:
    wire, fmt, size = builder.source(node, index)
    return shapes.pick(builder, wire, size, np.arange(node.n_elements) % size), fmt


def _aligned_sum(
    builder: Builder, left: Wire, left_bits: int, right: Any, right_bits: int
) -> tuple[Wire, int]:
    """Add constants with other fractional bits; return the sum and its own."""
    bits = max(left_bits, right_bits)
    addend = np.asarray(right).astype(object) << bits - right_bits
    return builder.add(builder.shift_up(left, bits - left_bits), addend), bits


def activation(builder: Builder, node: Activation) -> Wire:
    """Apply a piecewise linear activation."""
    wire, fmt, _ = builder.source(node)
    if node.kind in _WITHOUT_FORMAT:
        return _WITHOUT_FORMAT[node.kind](builder, node, wire, fmt)
    if node.parameter_format is None:
        msg = f"{node.kind} needs the format of its parameters"
        raise builder.refuse(msg)
    return _WITH_FORMAT[node.kind](builder, node, wire, node.parameter_format)


def _relu(builder: Builder, node: Activation, wire: Wire, fmt: FixedPointFormat) -> Wire:
    return casts.convert(builder, _positive(builder, wire), fmt, node.format)


def _binary(builder: Builder, node: Activation, wire: Wire, fmt: FixedPointFormat) -> Wire:
    """Return the sign, which zero has too."""
    del fmt
    one, minus_one = (casts.constant(value, node.format) for value in (1, -1))
    return builder.where(builder.is_greater(wire, -1), one, minus_one)


def _positive(builder: Builder, wire: Wire) -> Wire:
    return builder.clip(wire, 0, max(wire.high, 0))


def _limited(builder: Builder, node: Activation, wire: Wire, fmt: FixedPointFormat) -> Wire:
    """Clip below at zero and above at an integer (``nnet::relu_max``)."""
    limit, fraction = int(node.parameters[0]), fmt.fractional_bits
    threshold = limit << fraction if fraction >= 0 else limit >> -fraction
    clipped = casts.convert(builder, _positive(builder, wire), fmt, node.format)
    top = casts.constant(limit, node.format)
    return builder.where(builder.is_greater(wire, threshold), top, clipped)


def _ternary(builder: Builder, node: Activation, wire: Wire, fmt: FixedPointFormat) -> Wire:
    """Compare with -1/2 and 1/2: the input is doubled in its own type."""
    fraction = fmt.fractional_bits
    doubled = casts.cast(builder, builder.shift_up(wire, 1), fraction, fmt)
    one, coarse = 1 << max(fraction, 0), max(-fraction, 0)
    top, bottom = (casts.constant(value, node.format) for value in (1, -1))
    lower = builder.where(builder.is_greater(doubled, -one >> coarse), 0, bottom)
    return builder.where(builder.is_greater(doubled, one >> coarse), top, lower)


def _hard(builder: Builder, node: Activation, wire: Wire, parameters: FixedPointFormat) -> Wire:
    """Clip ``slope * x + shift`` to 0..1; the tangent doubles it and subtracts 1."""
    slope, shift = (int(value) for value in node.parameters)
    fraction = parameters.fractional_bits
    _, fmt, _ = builder.source(node)
    products = builder.multiply(wire, slope)
    total, bits = _aligned_sum(builder, products, fmt.fractional_bits + fraction, shift, fraction)
    total, bits = builder.shift_up(total, max(-bits, 0)), max(bits, 0)
    clipped = builder.clip(total, 0, 1 << bits)
    if node.kind is ActivationKind.HARD_TANH:
        clipped = builder.subtract(builder.shift_up(clipped, 1), 1 << bits)
    return casts.cast(builder, clipped, bits, node.format)


def _thresholded(
    builder: Builder, node: Activation, wire: Wire, parameters: FixedPointFormat
) -> Wire:
    """Keep what is above the threshold."""
    _, fmt, _ = builder.source(node)
    bits = max(fmt.fractional_bits, parameters.fractional_bits)
    threshold: Operand = node.parameters.astype(object) << bits - parameters.fractional_bits
    aligned = builder.shift_up(wire, bits - fmt.fractional_bits)
    kept = casts.convert(builder, wire, fmt, node.format)
    return builder.where(builder.is_greater(aligned, threshold), kept, 0)


def _sloped(builder: Builder, node: Activation, wire: Wire, parameters: FixedPointFormat) -> Wire:
    """Multiply what is not positive by a slope."""
    _, fmt, _ = builder.source(node)
    kept = casts.convert(builder, wire, fmt, node.format)
    bits = fmt.fractional_bits + parameters.fractional_bits
    products = builder.multiply(wire, node.parameters)
    sloped = casts.cast(builder, products, bits, node.format)
    return builder.where(builder.is_greater(wire, 0), kept, sloped)


_WITHOUT_FORMAT = {
    ActivationKind.RELU: _relu,
    ActivationKind.RELU_MAX: _limited,
    ActivationKind.BINARY_TANH: _binary,
    ActivationKind.TERNARY_TANH: _ternary,
}
_WITH_FORMAT = {
    ActivationKind.HARD_SIGMOID: _hard,
    ActivationKind.HARD_TANH: _hard,
    ActivationKind.THRESHOLDED_RELU: _thresholded,
    ActivationKind.LEAKY_RELU: _sloped,
    ActivationKind.PRELU: _sloped,
}
