"""Maximum and average over windows as ONNX operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.graph import PoolKind, Summation, window_indices
from trigforge.onnx_export import casts, shapes

if TYPE_CHECKING:
    from trigforge.core.graph import Pool
    from trigforge.onnx_export.builder import Builder, Wire


def pool(builder: Builder, node: Pool) -> Wire:
    """Take the maximum or the average of each window."""
    wire, fmt, size = builder.source(node)
    indices = window_indices(node.input_shape, node.window, node.strides, node.padding)
    flat = (indices.shape[0] * indices.shape[2],)
    if node.kind is PoolKind.MAXIMUM:
        cells = shapes.pick(builder, wire, size, indices, node.padding_raw)
        largest = shapes.reshape(builder, shapes.maximum(builder, cells, 2), flat)
        chosen = casts.convert(builder, largest, fmt, node.accumulator)
        return casts.convert(builder, chosen, node.accumulator, node.format)
    counts = (indices >= 0).sum(axis=1)
    if node.count_padding:
        counts = np.full_like(counts, indices.shape[1])
    converted = casts.convert(builder, wire, fmt, node.accumulator)
    cells = shapes.pick(builder, converted, size, indices)
    tree = node.summation is Summation.TREE
    total = shapes.accumulate(builder, cells, indices.shape[1], node.accumulator, tree=tree)
    quotient = builder.quotient(total, int(counts.flat[0]) if np.ptp(counts) == 0 else counts)
    return shapes.reshape(builder, _assigned(builder, node, quotient), flat)


def _assigned(builder: Builder, node: Pool, quotient: Wire) -> Wire:
    """Cast an average to the result, by way of the accumulator unless it is divided last."""
    fraction = node.accumulator.fractional_bits
    if node.divide_last:
        return casts.cast(builder, quotient, fraction, node.format)
    quotient = casts.cast(builder, quotient, fraction, node.accumulator)
    return casts.convert(builder, quotient, node.accumulator, node.format)
