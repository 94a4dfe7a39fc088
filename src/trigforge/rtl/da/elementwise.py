"""Casts, scales, piecewise linear activations, moves and operations on two tensors."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from trigforge.core import fixed_point
from trigforge.core.errors import ConversionError
from trigforge.core.graph import ActivationKind, MergeKind
from trigforge.rtl.da import casts, symbols

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.core.graph import Activation, Gather, Merge, Node, Quantise, Scale
    from trigforge.rtl.da.symbols import Symbol, Symbols
    from trigforge.rtl.da.tracing import Tensors


def array(elements: Iterable[Symbol]) -> Symbols:
    """Return symbols as a flat array."""
    listed = list(elements)
    result = np.empty(len(listed), dtype=object)
    result[:] = listed
    return result


def fixed(value: int, fractional_bits: int, node: Node) -> Symbol:
    """Return a constant cast to the node's format."""
    raw = fixed_point.cast(np.array([value], dtype=object), fractional_bits, node.format)
    return symbols.constant(int(raw[0]))


def aligned(
    left: Symbol, left_bits: int, right: Symbol, right_bits: int
) -> tuple[Symbol, Symbol, int]:
    """Return two exact numbers with the same fractional bits."""
    bits = max(left_bits, right_bits)
    return symbols.shifted(left, bits - left_bits), symbols.shifted(right, bits - right_bits), bits


def quantise(tensors: Tensors, node: Quantise) -> Symbols:
    """Cast each element."""
    source, fmt = tensors.source(node)
    return array(casts.convert(x, fmt, node.format) for x in source)


def scale(tensors: Tensors, node: Scale) -> Symbols:
    """Multiply and add constants, then cast."""
    source, fmt = tensors.source(node)
    product_bits = fmt.fractional_bits + node.scale_format.fractional_bits
    bits = max(product_bits, node.bias_format.fractional_bits)
    up, bias_up = bits - product_bits, bits - node.bias_format.fractional_bits
    result = []
    for i, x in enumerate(source):
        j = i % len(node.scale)
        scaled = symbols.shifted(symbols.multiply(x, int(node.scale[j])), up)
        moved = symbols.add(scaled, int(node.bias[j % len(node.bias)]) << bias_up)
        result.append(casts.cast(moved, bits, node.format))
    return array(result)


def gather(tensors: Tensors, node: Gather) -> Symbols:
    """Move elements, cast to the result's format."""
    cells = [
        casts.convert(x, fmt, node.format)
        for source, fmt in (tensors.source(node, i) for i in range(len(node.inputs)))
        for x in source
    ]
    return array(symbols.constant(0) if i < 0 else cells[i] for i in node.indices)


def merge(tensors: Tensors, node: Merge) -> Symbols:
    """Combine two tensors, the smaller one used cyclically."""
    (left, left_format), (right, right_format) = (tensors.source(node, i) for i in (0, 1))
    n = node.n_elements
    pairs = zip(np.resize(left, n), np.resize(right, n), strict=True)
    return array(_merged(node, x, left_format, y, right_format) for x, y in pairs)


def _merged(
    node: Merge, x: Symbol, x_format: FixedPointFormat, y: Symbol, y_format: FixedPointFormat
) -> Symbol:
    if node.kind is MergeKind.MULTIPLY:
        bits = x_format.fractional_bits + y_format.fractional_bits
        return casts.cast(symbols.product(x, y), bits, node.format)
    left, right, bits = aligned(x, x_format.fractional_bits, y, y_format.fractional_bits)
    if node.kind in {MergeKind.MAXIMUM, MergeKind.MINIMUM}:
        first = (
            symbols.is_less(right, left)
            if node.kind is MergeKind.MAXIMUM
            else symbols.is_less(left, right)
        )
        chosen = casts.convert(x, x_format, node.format)
        return symbols.select(first, chosen, casts.convert(y, y_format, node.format))
    if node.kind is MergeKind.SUBTRACT:
        return casts.cast(symbols.add(left, -right), bits, node.format)
    halved = node.kind is MergeKind.AVERAGE
    return casts.cast(symbols.add(left, right), bits + halved, node.format)


def activation(tensors: Tensors, node: Activation) -> Symbols:
    """Apply a piecewise linear activation."""
    source, fmt = tensors.source(node)
    apply = ACTIVATIONS[node.kind]
    return array(apply(node, x, fmt, i) for i, x in enumerate(source))


def _relu(node: Activation, x: Symbol, fmt: FixedPointFormat, index: int) -> Symbol:
    del index
    if fmt == node.format:
        return x.relu()
    return casts.cast(x, fmt.fractional_bits, node.format, rectify=True)


def _relu_max(node: Activation, x: Symbol, fmt: FixedPointFormat, index: int) -> Symbol:
    limit, fraction = int(node.parameters[0]), fmt.fractional_bits
    threshold = limit << fraction if fraction >= 0 else limit >> -fraction
    top = fixed(limit, 0, node)
    above = symbols.invert(symbols.is_less(x, threshold + 1))
    return symbols.select(above, top, _relu(node, x, fmt, index))


def _binary_tanh(node: Activation, x: Symbol, fmt: FixedPointFormat, index: int) -> Symbol:
    del fmt, index
    return symbols.select(symbols.is_negative(x), fixed(-1, 0, node), fixed(1, 0, node))


def _ternary_tanh(node: Activation, x: Symbol, fmt: FixedPointFormat, index: int) -> Symbol:
    """Give the sign of the input, doubled in its own type, if that is above 1 in magnitude."""
    del index
    doubled = casts.cast(symbols.shifted(x, 1), fmt.fractional_bits, fmt)
    scaled = symbols.shifted(doubled, max(-fmt.fractional_bits, 0))
    one = 1 << max(fmt.fractional_bits, 0)
    upper = symbols.select(symbols.is_less(scaled, one + 1), fixed(0, 0, node), fixed(1, 0, node))
    return symbols.select(symbols.is_less(scaled, 1 - one), fixed(-1, 0, node), upper)


def _hard(
    node: Activation, x: Symbol, fmt: FixedPointFormat, index: int, *, tangent: bool
) -> Symbol:
    """Clip ``slope * x + shift`` to 0..1; the tangent doubles it and subtracts 1."""
    del index
    slope, shift = (int(value) for value in node.parameters)
    fraction = _parameter_format(node).fractional_bits
    bits = max(fmt.fractional_bits + fraction, fraction, 0)
    scaled = symbols.shifted(symbols.multiply(x, slope), bits - fmt.fractional_bits - fraction)
    one = 1 << bits
    clipped = symbols.clip(symbols.add(scaled, shift << (bits - fraction)), 0, one)
    if tangent:
        clipped = symbols.add(symbols.shifted(clipped, 1), -one)
    return casts.cast(clipped, bits, node.format)


def _thresholded(node: Activation, x: Symbol, fmt: FixedPointFormat, index: int) -> Symbol:
    kept = casts.convert(x, fmt, node.format)
    fraction = _parameter_format(node).fractional_bits
    bits = max(fmt.fractional_bits, fraction)
    threshold = int(node.parameters[index % len(node.parameters)]) << (bits - fraction)
    above = symbols.is_less(-symbols.shifted(x, bits - fmt.fractional_bits), -threshold)
    return symbols.select(above, kept, symbols.constant(0))


def _sloped(node: Activation, x: Symbol, fmt: FixedPointFormat, index: int) -> Symbol:
    """Multiply what is not positive by the slope, exactly, and cast."""
    slope = int(node.parameters[index % len(node.parameters)])
    bits = fmt.fractional_bits + _parameter_format(node).fractional_bits
    steep = casts.cast(symbols.multiply(x, slope), bits, node.format)
    positive = symbols.is_negative(-x)
    return symbols.select(positive, casts.convert(x, fmt, node.format), steep)


def _parameter_format(node: Activation) -> FixedPointFormat:
    if node.parameter_format is None:
        msg = f"node {node.name}: {node.kind} needs the format of its parameters"
        raise ConversionError(msg)
    return node.parameter_format


ACTIVATIONS: dict[ActivationKind, Callable[[Activation, Symbol, FixedPointFormat, int], Symbol]] = {
    ActivationKind.RELU: _relu,
    ActivationKind.RELU_MAX: _relu_max,
    ActivationKind.LEAKY_RELU: _sloped,
    ActivationKind.THRESHOLDED_RELU: _thresholded,
    ActivationKind.PRELU: _sloped,
    ActivationKind.BINARY_TANH: _binary_tanh,
    ActivationKind.TERNARY_TANH: _ternary_tanh,
    ActivationKind.HARD_SIGMOID: partial(_hard, tangent=False),
    ActivationKind.HARD_TANH: partial(_hard, tangent=True),
}
