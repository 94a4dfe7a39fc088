"""Scores are counted exactly, added up, and written down."""

import numpy as np
import pytest

from trigforge.emulation import counting
from trigforge.emulation.counting import added, count, count_columns, of_table, to_table
from trigforge.physics import Discriminant, ScoreCounts

COUNTED = (Discriminant(0), Discriminant(1), Discriminant(1, (0,)))


def same(found, expected):
    return np.array_equal(found.values, expected.values) and np.array_equal(
        found.counts, expected.counts
    )


@pytest.mark.parametrize(("scale", "n_events"), [(3, 1000), (10**6, 1000), (10**15, 10), (0, 1)])
def test_scores_near_and_far_are_counted_alike(scale, n_events):
    rng = np.random.default_rng(4)
    scores = np.rint(rng.normal(size=n_events) * scale).astype(np.int64) - 7
    found = count(scores)
    assert same(found, ScoreCounts.of(scores))
    assert (found.values.dtype, found.counts.dtype) == (np.int64, np.int64)


def test_parts_add_up_to_the_whole():
    outputs = np.random.default_rng(5).integers(-50, 50, (900, 2))
    total = {}
    for part in np.split(outputs, 9):
        total = added(total, count_columns(np.ascontiguousarray(part.T), COUNTED))
    for entry, counts in total.items():
        assert same(counts, ScoreCounts.of(entry.score(outputs)))
    assert list(total) == list(COUNTED)


def test_counts_above_the_limit_are_given_up_for_good(monkeypatch):
    monkeypatch.setattr(counting, "MOST_VALUES", 3)
    columns = np.array([[1, 2, 3], [1, 1, 1]])
    few = count_columns(columns, COUNTED[:2])
    once = added(few, count_columns(columns + 1, COUNTED[:2]))
    assert once[COUNTED[0]] is None
    assert once[COUNTED[1]].values.tolist() == [1, 2]
    assert added(once, few)[COUNTED[0]] is None
    assert added(few, once)[COUNTED[0]] is None
    found = of_table(to_table(once), COUNTED[:2])
    assert found[COUNTED[0]] is None
    assert same(found[COUNTED[1]], once[COUNTED[1]])
