import functools
import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigforge.core.errors import InputError
from trigforge.physics import LotCounts, ScoreCounts
from trigforge.physics.counts import threshold_at
from trigforge.physics.curves import rate_at

lots_of_scores = st.lists(
    st.lists(st.integers(-6, 6), min_size=1, max_size=15), min_size=1, max_size=6
)


def counted(lots) -> LotCounts:
    parts = [LotCounts.of(ScoreCounts.of(np.asarray(scores))) for scores in lots]
    return functools.reduce(operator.add, parts)


@given(lots_of_scores)
def test_the_sums_over_lots_are_those_of_brute_force(lots):
    counts, thresholds = counted(lots), np.arange(-8, 9)
    accepted = np.array([[(np.array(lot) >= t).sum() for t in thresholds] for lot in lots])
    n_events = np.array([len(lot) for lot in lots])
    assert counts.n_accepted(thresholds).tolist() == accepted.sum(axis=0).tolist()
    assert counts._at(counts.squares, thresholds).tolist() == (accepted**2).sum(axis=0).tolist()
    products = (accepted * n_events[:, None]).sum(axis=0)
    assert counts._at(counts.products, thresholds).tolist() == products.tolist()
    assert counts.lot_events == tuple(n_events)


@given(lots_of_scores)
def test_the_scatter_is_that_of_the_ratio_of_sums(lots):
    counts, thresholds = counted(lots), np.arange(-5, 6)
    n_lots, n_events = len(lots), sum(map(len, lots))
    for threshold, found in zip(thresholds, counts.design_effect(thresholds), strict=True):
        accepted = np.array([(np.array(lot) >= threshold).sum() for lot in lots])
        share = accepted.sum() / n_events
        residuals = accepted - share * np.array([len(lot) for lot in lots])
        counting = n_events * share * (1 - share)
        expected = 1.0
        if n_lots > 1 and counting > 0:
            expected = max(1, (residuals**2).sum() * n_lots / (n_lots - 1) / counting)
        assert found == pytest.approx(expected)


def test_lots_that_are_alike_have_the_interval_of_their_events():
    one, many = counted([[1] * 4 + [0] * 96]), counted([[1] + [0] * 24] * 4)
    assert [float(end) for end in many.interval(1)] == [float(end) for end in one.interval(1)]


def test_what_comes_in_clusters_has_a_wider_interval():
    """All of the rare events are in one of twenty lots."""
    spread = counted([[1, *[0] * 99]] * 20)
    clustered = counted([[1] * 20 + [0] * 80, *[[0] * 100] * 19])
    assert spread.n_accepted(1) == clustered.n_accepted(1) == 20
    assert clustered.design_effect(1) == pytest.approx(20, rel=0.02)
    low, high = clustered.interval(1)
    assert high - low > 3 * (spread.interval(1)[1] - spread.interval(1)[0])


def test_the_interval_of_clustered_events_covers_the_truth():
    """A pool of 40 crossings is used for 10 events each: the rare ones come tenfold."""
    random, n_covered, n_toys, share = np.random.default_rng(3), 0, 300, 0.02
    n_naive = 0
    for _ in range(n_toys):
        pools = np.repeat(random.random((30, 40)) < share, 10, axis=1).astype(np.int64)
        counts = counted(pools)
        low, high = counts.interval(1)
        n_covered += low <= share <= high
        naive_low, naive_high = ScoreCounts.of(pools.ravel()).interval(1)
        n_naive += naive_low <= share <= naive_high
    assert 0.62 < n_covered / n_toys < 0.8
    assert n_naive / n_toys < 0.4  # what counting alone would claim


def test_rates_and_thresholds_come_from_lots_as_from_scores():
    random = np.random.default_rng(1)
    lots = [random.integers(0, 50, 400) for _ in range(5)]
    counts, whole = counted(lots), ScoreCounts.of(np.concatenate(lots))
    assert threshold_at(counts, 0.01) == threshold_at(whole, 0.01)
    assert rate_at(counts, 49, 40.0).value == rate_at(whole, 49, 40.0).value


def test_sums_that_do_not_belong_together_are_refused():
    with pytest.raises(InputError, match="as many sums as values, not \\[1, 2\\]"):
        LotCounts(
            values=np.array([1, 2]),
            accepted=np.array([2, 1]),
            squares=np.array([4.0]),
            products=np.array([4.0, 2.0]),
            lot_events=(2,),
        )
