"""Functions read from tables, and softmax: ``case`` statements and the logic around them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core import fixed_point
from trigforge.core.errors import ConversionError
from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.graph import SoftmaxKind
from trigforge.rtl.da import casts, symbols
from trigforge.rtl.da.elementwise import array, fixed
from trigforge.rtl.da.pooling import accumulate, tree_sum

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trigforge.core.graph import Softmax, Table
    from trigforge.rtl.da.symbols import Symbol, Symbols
    from trigforge.rtl.da.tracing import Tensors

MAX_TABLE_BITS = 16
"""Address bits of a table; more would be a block RAM, which distributed arithmetic has not."""
_PART_BITS = 20
"""alkaid reads entries as float32: wider ones are looked up in parts."""


def look_up(index: Symbol, entries: NDArray[Any]) -> Symbol:
    """Return ``entries[index]``; the index never leaves the table.

    Raises:
        ConversionError: if the table is too large to be logic.
    """
    if symbols.is_constant(index):
        return symbols.constant(int(entries[int(index.low)]))
    # alkaid may not know that the index was clipped: what cannot occur takes the last entry.
    places = np.arange(index.low, index.high + index.step, index.step).astype(np.int64)
    used = [int(entry) for entry in entries[np.clip(places, 0, len(entries) - 1)]]
    if len(used) > 1 << MAX_TABLE_BITS:
        msg = f"a table of {len(used)} entries; as logic at most {1 << MAX_TABLE_BITS} are made"
        raise ConversionError(msg)
    parts, place = [], 0
    while any(not -(1 << _PART_BITS) <= entry < 1 << _PART_BITS for entry in used):
        low_bits = [entry & ((1 << _PART_BITS) - 1) for entry in used]
        parts.append(symbols.shifted(_one_table(index, low_bits), place))
        used = [entry >> _PART_BITS for entry in used]
        place += _PART_BITS
    parts.append(symbols.shifted(_one_table(index, used), place))
    return symbols.total(parts)


def _one_table(index: Symbol, entries: Sequence[int]) -> Symbol:
    if len(set(entries)) == 1:
        return symbols.constant(entries[0])
    return index.lookup(np.array(entries, dtype=np.float64))


def table(tensors: Tensors, node: Table) -> Symbols:
    """Look each element up."""
    source, fmt = tensors.source(node)
    entries = _entries(node)
    return array(_table(node, x, fmt, entries) for x in source)


def _entries(node: Table) -> NDArray[Any]:
    """Return the table in the format of the result."""
    if node.negative is None or node.negative_format is None:
        return fixed_point.convert(node.table, node.table_format, node.format)
    bits = node.table_format.fractional_bits + node.negative_format.fractional_bits
    return fixed_point.cast(node.table.astype(object) * node.negative, bits, node.format)


def _table(node: Table, x: Symbol, fmt: FixedPointFormat, entries: NDArray[Any]) -> Symbol:
    index = casts.quotient(symbols.multiply(x, node.multiplier), node.divisor)
    index = symbols.clip(symbols.add(index, node.offset), 0, len(entries) - 1)
    looked_up = look_up(index, entries)
    if node.positive is None or node.positive_format is None:
        return looked_up
    bits = fmt.fractional_bits + node.positive_format.fractional_bits
    passed = casts.cast(symbols.multiply(x, node.positive), bits, node.format)
    return symbols.select(symbols.is_negative(x), looked_up, passed)


def softmax(tensors: Tensors, node: Softmax) -> Symbols:
    """Apply softmax to each slice."""
    source, fmt = tensors.source(node)
    slices = source.reshape(-1, node.n_slice, node.n_inner)
    result = np.empty(slices.shape, dtype=object)
    for i in range(slices.shape[0]):
        for k in range(node.n_inner):
            result[i, :, k] = SOFTMAX[node.kind](node, list(slices[i, :, k]), fmt)
    return result.reshape(-1)


def _latency(node: Softmax, x: list[Symbol], fmt: FixedPointFormat) -> list[Symbol]:
    return _normalised(node, [_exponential(node, value, fmt) for value in x])


def _stable(node: Softmax, x: list[Symbol], fmt: FixedPointFormat) -> list[Symbol]:
    largest = x[0]
    for value in x[1:]:
        largest = symbols.maximum(largest, value)
    distances = [
        casts.cast(symbols.add(largest, -value), fmt.fractional_bits, node.distance_format)
        for value in x
    ]
    return _normalised(
        node, [_exponential(node, value, node.distance_format) for value in distances]
    )


def _exponential(node: Softmax, x: Symbol, fmt: FixedPointFormat) -> Symbol:
    entries = fixed_point.convert(node.exponentials, node.exponential_format, node.accumulator)
    return look_up(_top_bits(x, fmt, len(entries)), entries)


def _normalised(node: Softmax, values: list[Symbol]) -> list[Symbol]:
    """Add the exponentials as a tree, look the inverse up, multiply."""
    total = tree_sum(values, node.accumulator)
    total = casts.convert(total, node.accumulator, node.sum_format)
    inverse = look_up(_top_bits(total, node.sum_format, len(node.inverses)), node.inverses)
    bits = node.accumulator.fractional_bits + node.inverse_format.fractional_bits
    return [casts.cast(symbols.product(value, inverse), bits, node.format) for value in values]


def _top_bits(x: Symbol, fmt: FixedPointFormat, table_size: int) -> Symbol:
    """Return the highest bits of the pattern, as many as address the table."""
    n_bits = (table_size - 1).bit_length()
    high = symbols.floor(symbols.shifted(x, n_bits - fmt.width))
    return casts.wrapped(high, FixedPointFormat(False, max(n_bits, 1), max(n_bits, 1)))


def _legacy(node: Softmax, x: list[Symbol], fmt: FixedPointFormat) -> list[Symbol]:
    """Sum the exponentials of all differences for each element, then invert."""
    size, unit = len(node.exponentials), node.exponential_format
    one = int(fixed_point.cast(np.array([1]), 0, unit)[0])
    inverses = fixed_point.convert(node.inverses, node.inverse_format, node.format)
    result = []
    for i, value in enumerate(x):
        total = symbols.constant(0)
        for j, other in enumerate(x):
            term = symbols.constant(one)
            if i != j:
                difference = symbols.multiply(symbols.add(other, -value), size)
                index = symbols.add(_whole(difference, 16, fmt.fractional_bits), 8 * size // 16)
                term = look_up(symbols.clip(index, 0, size - 1), node.exponentials)
            total = accumulate(total, term, unit)
        scaled = symbols.multiply(total, len(inverses))
        index = symbols.clip(_whole(scaled, 64, unit.fractional_bits), 0, len(inverses) - 1)
        result.append(look_up(index, inverses))
    return result


def _whole(x: Symbol, divisor: int, fractional_bits: int) -> Symbol:
    """Divide and take the whole part, both truncated towards zero."""
    divided = casts.quotient(x, divisor)
    if fractional_bits >= 0:
        return casts.quotient(divided, 1 << fractional_bits)
    return symbols.shifted(divided, -fractional_bits)


def _argmax(node: Softmax, x: list[Symbol], fmt: FixedPointFormat) -> list[Symbol]:
    """Give one to the first of the largest and zero to the rest."""
    del fmt
    one, zero = fixed(1, 0, node), symbols.constant(0)
    result = []
    for i, value in enumerate(x):
        first = symbols.constant(1)
        for j, other in enumerate(x):
            if j < i:
                first = symbols.both(first, symbols.is_less(other, value))
            elif j > i:
                first = symbols.both(first, symbols.invert(symbols.is_less(value, other)))
        result.append(symbols.select(first, one, zero))
    return result


SOFTMAX = {
    SoftmaxKind.LATENCY: _latency,
    SoftmaxKind.STABLE: _stable,
    SoftmaxKind.LEGACY: _legacy,
    SoftmaxKind.ARGMAX: _argmax,
}
