"""Maximum and average over windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigforge.core.errors import ConversionError
from trigforge.core.graph import PoolKind, Summation, window_indices
from trigforge.rtl.da import casts, symbols
from trigforge.rtl.da.elementwise import array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.core.graph import Pool
    from trigforge.rtl.da.symbols import Symbol, Symbols
    from trigforge.rtl.da.tracing import Tensors


def pool(tensors: Tensors, node: Pool) -> Symbols:
    """Take the maximum or the average of each window."""
    source, fmt = tensors.source(node)
    windows = window_indices(node.input_shape, node.window, node.strides, node.padding)
    one_window = _maximum if node.kind is PoolKind.MAXIMUM else _average
    return array(
        one_window(node, source, cells, fmt)
        for position in windows
        for cells in position.T.tolist()
    )


def _maximum(node: Pool, source: Symbols, cells: Sequence[int], fmt: FixedPointFormat) -> Symbol:
    largest = [source[i] for i in cells if i >= 0]
    if len(largest) < len(cells):
        largest.append(symbols.constant(node.padding_raw))
    while len(largest) > 1:
        pairs = zip(largest[::2], largest[1::2], strict=False)
        odd = largest[-1:] if len(largest) % 2 else []
        largest = [symbols.maximum(a, b) for a, b in pairs] + odd
    chosen = casts.convert(largest[0], fmt, node.accumulator)
    return casts.convert(chosen, node.accumulator, node.format)


def _average(node: Pool, source: Symbols, cells: Sequence[int], fmt: FixedPointFormat) -> Symbol:
    accumulator = node.accumulator
    zero = symbols.constant(0)
    values = [casts.convert(source[i], fmt, accumulator) if i >= 0 else zero for i in cells]
    n_counted = len(cells) if node.count_padding else sum(i >= 0 for i in cells)
    if n_counted == 0:
        msg = f"node {node.name}: the average of a window of padding alone divides by zero"
        raise ConversionError(msg)
    if node.summation is Summation.TREE:
        total = tree_sum(values, accumulator)
    else:
        total = zero
        for value in values:
            total = accumulate(total, value, accumulator)
    quotient = casts.quotient(total, n_counted)
    if not node.divide_last:
        quotient = casts.cast(quotient, accumulator.fractional_bits, accumulator)
        return casts.convert(quotient, accumulator, node.format)
    return casts.cast(quotient, accumulator.fractional_bits, node.format)


def accumulate(total: Symbol, value: Symbol, fmt: FixedPointFormat) -> Symbol:
    """Add two values of a format and cast the sum to it."""
    return casts.cast(symbols.add(total, value), fmt.fractional_bits, fmt)


def tree_sum(values: Sequence[Symbol], fmt: FixedPointFormat) -> Symbol:
    """Add as ``nnet::reduce`` does: the largest power of two below the count goes left."""
    if len(values) == 1:
        return values[0]
    left = 1 << ((len(values) - 1).bit_length() - 1)
    return accumulate(tree_sum(values[:left], fmt), tree_sum(values[left:], fmt), fmt)
