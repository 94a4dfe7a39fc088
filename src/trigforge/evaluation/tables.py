"""Functions read from tables, and softmax."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.fixed_point import cast, convert
from trigforge.core.graph import SoftmaxKind
from trigforge.evaluation.run import integers_for, truncated_quotient

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.core.graph import Softmax, Table
    from trigforge.evaluation.run import Run


def table(run: Run, node: Table) -> NDArray[Any]:
    """Look each element up."""
    raw, fmt = run.source(node)
    wide: NDArray[Any] = raw.astype(integers_for(fmt.width + abs(node.multiplier).bit_length()))
    index = truncated_quotient(wide * node.multiplier, node.divisor) + node.offset
    index = np.minimum(np.maximum(index, 0), len(node.table) - 1).astype(np.int64)
    entries = node.table[index]
    if node.positive is not None:
        # Those pass the table by: an overflow of their entry would be none.
        entries = np.where(raw >= 0, 0, entries)
    if node.negative is None or node.negative_format is None:
        looked_up = run.converted(node, entries, node.table_format)
    else:
        kind = integers_for(node.table_format.width + node.negative_format.width)
        bits = node.table_format.fractional_bits + node.negative_format.fractional_bits
        looked_up = run.result(node, entries.astype(kind) * node.negative, bits)
    if node.positive is None or node.positive_format is None:
        return looked_up
    kind = integers_for(fmt.width + node.positive_format.width)
    bits = fmt.fractional_bits + node.positive_format.fractional_bits
    passed = run.result(node, np.maximum(raw, 0).astype(kind) * node.positive, bits)
    return np.where(raw >= 0, passed, looked_up)


def softmax(run: Run, node: Softmax) -> NDArray[Any]:
    """Apply softmax to each slice."""
    raw, fmt = run.source(node)
    slices = raw.reshape(len(raw), -1, node.n_slice, node.n_inner).swapaxes(2, 3)
    result = SOFTMAX[node.kind](run, node, slices, fmt)
    return np.asarray(result.swapaxes(2, 3).reshape(len(raw), -1))


def _latency(run: Run, node: Softmax, x: NDArray[Any], fmt: FixedPointFormat) -> NDArray[Any]:
    index = _top_bits(x, fmt, len(node.exponentials))
    return _normalised(run, node, node.exponentials[index])


def _stable(run: Run, node: Softmax, x: NDArray[Any], fmt: FixedPointFormat) -> NDArray[Any]:
    distance = x.max(axis=-1, keepdims=True).astype(object) - x
    distance = cast(distance, fmt.fractional_bits, node.distance_format)
    index = _top_bits(distance, node.distance_format, len(node.exponentials))
    return _normalised(run, node, node.exponentials[index])


def _normalised(run: Run, node: Softmax, exponentials: NDArray[Any]) -> NDArray[Any]:
    """Add the exponentials as a tree, look the inverse up, multiply."""
    values = run.to_accumulator(node, exponentials, node.exponential_format, node.accumulator)
    total = run.tree_sum(node, list(np.moveaxis(values, -1, 0)), node.accumulator)
    total = convert(total, node.accumulator, node.sum_format)
    index = _top_bits(total, node.sum_format, len(node.inverses))
    inverse = node.inverses[index][..., None]
    kind = integers_for(node.accumulator.width + node.inverse_format.width)
    bits = node.accumulator.fractional_bits + node.inverse_format.fractional_bits
    return run.result(node, values.astype(kind) * inverse.astype(kind), bits)


def _top_bits(raw: NDArray[Any], fmt: FixedPointFormat, table_size: int) -> NDArray[np.int64]:
    """Return the highest bits of each value, as many as address the table."""
    n_bits = (table_size - 1).bit_length()
    pattern = np.asarray(raw).astype(np.int64) & ((1 << fmt.width) - 1 if fmt.width < 64 else -1)
    return np.asarray((pattern >> (fmt.width - n_bits)) & ((1 << n_bits) - 1))


def _legacy(run: Run, node: Softmax, x: NDArray[Any], fmt: FixedPointFormat) -> NDArray[Any]:
    """Sum the exponentials of all differences for each element, then invert."""
    size, unit = len(node.exponentials), node.exponential_format
    one = cast(np.array([1]), 0, unit)[0]
    result = np.empty(x.shape, dtype=node.format.dtype)
    for i in range(x.shape[-1]):
        total: NDArray[np.int64] = np.zeros(x.shape[:-1], dtype=np.int64)
        for j in range(x.shape[-1]):
            difference = (x[..., j].astype(object) - x[..., i]) * size
            index = _whole(difference, 16, fmt.fractional_bits) + 8 * size // 16
            entry = node.exponentials[np.clip(index, 0, size - 1)]
            term = np.full_like(total, one) if i == j else entry
            total = cast(total + term, unit.fractional_bits, unit).astype(np.int64)
        scaled = _whole(total.astype(object) * len(node.inverses), 64, unit.fractional_bits)
        index = np.clip(scaled, 0, len(node.inverses) - 1)
        result[..., i] = run.converted(node, node.inverses[index], node.inverse_format)
    return result


def _whole(raw: NDArray[Any], divisor: int, fractional_bits: int) -> NDArray[np.int64]:
    """Divide and take the whole part, both truncated towards zero."""
    quotient = truncated_quotient(raw, divisor)
    if fractional_bits >= 0:
        return np.asarray(truncated_quotient(quotient, 1 << fractional_bits), dtype=np.int64)
    return np.asarray(quotient << -fractional_bits, dtype=np.int64)


def _argmax(run: Run, node: Softmax, x: NDArray[Any], fmt: FixedPointFormat) -> NDArray[Any]:
    """Give one to the first of the largest and zero to the rest."""
    del fmt
    first = x.argmax(axis=-1)[..., None] == np.arange(x.shape[-1])
    return np.where(first, run.result(node, np.array([1]), 0), 0)


SOFTMAX = {
    SoftmaxKind.LATENCY: _latency,
    SoftmaxKind.STABLE: _stable,
    SoftmaxKind.LEGACY: _legacy,
    SoftmaxKind.ARGMAX: _argmax,
}
