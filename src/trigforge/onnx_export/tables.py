"""Functions read from tables, and softmax, as ONNX operators.

What is done to a table's entry alone (casts, factors) is done to the table when it is
written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trigforge.core import fixed_point
from trigforge.core.graph import SoftmaxKind
from trigforge.onnx_export import casts, shapes

if TYPE_CHECKING:
    from trigforge.core.fixed_point import FixedPointFormat, RawArray
    from trigforge.core.graph import Softmax, Table
    from trigforge.onnx_export.builder import Builder, Wire


def table(builder: Builder, node: Table) -> Wire:
    """Look each element up."""
    wire, fmt, _ = builder.source(node)
    scaled = wire if node.multiplier == 1 else builder.multiply(wire, node.multiplier)
    index = builder.quotient(scaled, node.divisor)
    index = builder.add(index, node.offset) if node.offset else index
    index = builder.clip(index, 0, len(node.table) - 1)
    looked_up = shapes.look_up(builder, _entries(node), index)
    if node.positive is None or node.positive_format is None:
        return looked_up
    bits = fmt.fractional_bits + node.positive_format.fractional_bits
    products = builder.multiply(builder.clip(wire, 0, max(wire.high, 0)), node.positive)
    passed = casts.cast(builder, products, bits, node.format)
    return builder.where(builder.is_greater(wire, -1), passed, looked_up)


def _entries(node: Table) -> RawArray:
    """Return the table in the format of the result."""
    if node.negative is None or node.negative_format is None:
        return fixed_point.convert(node.table, node.table_format, node.format)
    bits = node.table_format.fractional_bits + node.negative_format.fractional_bits
    return fixed_point.cast(node.table.astype(object) * node.negative, bits, node.format)


def softmax(builder: Builder, node: Softmax) -> Wire:
    """Apply softmax to each slice: axis 2 of ``(n_events, n_slices, n_slice, n_inner)``."""
    wire, fmt, size = builder.source(node)
    shape = (size // (node.n_slice * node.n_inner), node.n_slice, node.n_inner)
    sliced = shapes.reshape(builder, wire, shape)
    if node.kind is SoftmaxKind.ARGMAX:
        first = shapes.first_of_largest(builder, sliced, 2, node.n_slice)
        result = builder.where(first, casts.constant(1, node.format), 0)
    elif node.kind is SoftmaxKind.LEGACY:
        result = _legacy(builder, node, sliced, fmt)
    else:
        result = _normalised(builder, node, _exponentials(builder, node, sliced, fmt))
    return shapes.reshape(builder, result, (size,))


def _exponentials(builder: Builder, node: Softmax, wire: Wire, fmt: FixedPointFormat) -> Wire:
    """Look exponentials up, in the accumulator."""
    if node.kind is SoftmaxKind.STABLE:
        largest = shapes.maximum(builder, wire, 2, keep=True)
        distance = builder.combine("Sub", largest, wire, (0, wire.high - wire.low))
        wire = casts.cast(builder, distance, fmt.fractional_bits, node.distance_format)
        fmt = node.distance_format
    entries = fixed_point.convert(node.exponentials, node.exponential_format, node.accumulator)
    return _look_up_top_bits(builder, entries, wire, fmt)


def _normalised(builder: Builder, node: Softmax, values: Wire) -> Wire:
    """Add the exponentials as a tree, look the inverse up, multiply."""
    fmt = node.accumulator
    total = shapes.accumulate(builder, values, node.n_slice, fmt, tree=True)
    total = casts.convert(builder, total, fmt, node.sum_format)
    inverse = _look_up_top_bits(builder, node.inverses, total, node.sum_format)
    axes = builder.initializer(np.array([2]))
    spread = shapes.renamed(inverse, builder.emit("Unsqueeze", [inverse.name, axes]))
    bits = fmt.fractional_bits + node.inverse_format.fractional_bits
    return casts.cast(builder, builder.multiply(values, spread), bits, node.format)


def _look_up_top_bits(
    builder: Builder, entries: RawArray, wire: Wire, fmt: FixedPointFormat
) -> Wire:
    """Address a table by the highest bits; those of a negative number count from its end."""
    n_bits = (len(entries) - 1).bit_length()
    if len(entries) != 1 << n_bits or n_bits > fmt.width:
        msg = f"a table of {len(entries)} entries cannot be addressed by the top bits of {fmt}"
        raise builder.refuse(msg)
    return shapes.look_up(builder, entries, builder.shift_down(wire, fmt.width - n_bits))


def _legacy(builder: Builder, node: Softmax, wire: Wire, fmt: FixedPointFormat) -> Wire:
    """Sum the exponentials of all differences for each element, then invert.

    Differences stand as ``(n_events, n_slices, j, i, n_inner)``: ``x_j - x_i``.
    """
    size, unit = len(node.exponentials), node.exponential_format
    left, right = (
        shapes.renamed(wire, builder.emit("Unsqueeze", [wire.name, builder.initializer(axis)]))
        for axis in (np.array([3]), np.array([2]))
    )
    scaled = builder.multiply(builder.subtract(left, right), size)
    index = builder.add(_whole(builder, scaled, 16, fmt.fractional_bits), 8 * size // 16)
    terms = shapes.look_up(builder, node.exponentials, builder.clip(index, 0, size - 1))
    is_same = builder.initializer(np.eye(node.n_slice, dtype=bool)[:, :, None])
    terms = builder.where(is_same, casts.constant(1, unit), terms)
    total = shapes.accumulate(builder, terms, node.n_slice, unit, tree=False)
    scaled = builder.multiply(total, len(node.inverses))
    index = _whole(builder, scaled, 64, unit.fractional_bits)
    entries = fixed_point.convert(node.inverses, node.inverse_format, node.format)
    return shapes.look_up(builder, entries, builder.clip(index, 0, len(entries) - 1))


def _whole(builder: Builder, wire: Wire, divisor: int, fractional_bits: int) -> Wire:
    """Divide and take the whole part; truncating twice is truncating once."""
    quotient = builder.quotient(wire, divisor << max(fractional_bits, 0))
    return builder.shift_up(quotient, max(-fractional_bits, 0))
