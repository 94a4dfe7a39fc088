"""Counts of raw scores, small enough to be sent, added up and kept for 1e9 events."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa

from trigforge.physics import Discriminant, ScoreCounts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MOST_VALUES = 1 << 20
"""Different values of one score that are counted; beyond it its counts are given up."""

Counts: TypeAlias = "dict[Discriminant, ScoreCounts | None]"
"""Of each score that is counted; None: it has too many different values."""

COUNTS_SCHEMA = pa.schema(
    [("counted", pa.int32()), ("score", pa.int64()), ("n_events", pa.int64())]
)


def count(scores: NDArray[np.int64]) -> ScoreCounts:
    """Return what ``ScoreCounts.of`` does, faster where the scores lie close together."""
    low, high = int(scores.min()), int(scores.max())
    if high - low >= max(1 << 16, len(scores)):
        return ScoreCounts.of(scores)
    counts = np.bincount(scores - low)
    present = np.flatnonzero(counts)
    return ScoreCounts(values=present + low, counts=counts[present].astype(np.int64))


def count_columns(columns: NDArray[np.int64], counted: Sequence[Discriminant]) -> Counts:
    """Return the counts of outputs and of what is made of them: ``(n_outputs, n_events)``."""
    return {entry: count(entry.score(columns.T)) for entry in counted}


def added(total: Counts, part: Counts) -> Counts:
    """Return the counts of the events of both; {} is the count of none."""
    if not total:
        return part
    return {entry: _sum(counts, part[entry]) for entry, counts in total.items()}


def _sum(one: ScoreCounts | None, other: ScoreCounts | None) -> ScoreCounts | None:
    if one is None or other is None:
        return None
    both = one + other
    return both if len(both.values) <= MOST_VALUES else None


def to_table(counts: Counts) -> pa.Table:
    """Return counts as rows ``(counted, score, n_events)``; one of -1 events: given up."""
    parts = []
    for index, entry in enumerate(counts.values()):
        values, n_events = ([0], [-1]) if entry is None else (entry.values, entry.counts)
        parts.append(
            pa.table(
                [np.full(len(values), index, np.int32), values, n_events], schema=COUNTS_SCHEMA
            )
        )
    return pa.concat_tables(parts)


def of_table(table: pa.Table, counted: Sequence[Discriminant]) -> Counts:
    """Return the counts that ``to_table`` wrote."""
    index, values, n_events = (table[name].to_numpy() for name in COUNTS_SCHEMA.names)
    counts: Counts = {}
    for number, entry in enumerate(counted):
        chosen = index == number
        given_up = bool((n_events[chosen] < 0).any())
        counts[entry] = (
            None if given_up else ScoreCounts(values=values[chosen], counts=n_events[chosen])
        )
    return counts
