"""Maximum and average over windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.errors import InputError
from trigforge.core.graph import PoolKind, Summation, window_indices
from trigforge.evaluation.run import integers_for, truncated_quotient

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.graph import Pool
    from trigforge.evaluation.run import Run


def pool(run: Run, node: Pool) -> NDArray[Any]:
    """Take the maximum or the average of each window."""
    raw, fmt = run.source(node)
    indices = window_indices(node.input_shape, node.window, node.strides, node.padding)
    maximum = node.kind is PoolKind.MAXIMUM
    fill = np.full((len(raw), 1), node.padding_raw if maximum else 0, dtype=raw.dtype)
    cells = np.concatenate([raw, fill], axis=1)[:, indices]
    if maximum:
        chosen = run.to_accumulator(node, cells.max(axis=2), fmt, node.accumulator)
        return run.converted(node, chosen, node.accumulator).reshape(len(raw), -1)
    counts = (indices >= 0).sum(axis=1)
    if node.count_padding:
        counts = np.full_like(counts, indices.shape[1])
    if not counts.all():
        msg = f"node {node.name}: the average of a window of padding alone divides by zero"
        raise InputError(msg)
    terms = run.to_accumulator(node, cells, fmt, node.accumulator)
    return _average(run, node, terms, counts)


def _average(run: Run, node: Pool, cells: NDArray[Any], counts: NDArray[np.int64]) -> NDArray[Any]:
    """Sum ``(n_events, positions, cells, channels)`` in the accumulator and divide."""
    fmt = node.accumulator
    if node.summation is Summation.TREE:
        total = run.tree_sum(node, [cells[:, :, i] for i in range(cells.shape[2])], fmt)
    else:
        kind, total = integers_for(fmt.width), np.zeros_like(cells[:, :, 0])
        for i in range(cells.shape[2]):
            wide: NDArray[Any] = total.astype(kind) + cells[:, :, i].astype(kind)
            total = run.accumulated(node, wide, fmt.fractional_bits, fmt)
    quotient = truncated_quotient(total, counts)
    if not node.divide_last:
        quotient = run.accumulated(node, quotient, fmt.fractional_bits, fmt)
        return run.converted(node, quotient, fmt).reshape(len(cells), -1)
    return run.result(node, quotient, fmt.fractional_bits).reshape(len(cells), -1)
