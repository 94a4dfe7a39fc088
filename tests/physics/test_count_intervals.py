import numpy as np
import pytest
from scipy.stats import binom, binomtest, chi2

from trigforge.physics.intervals import COVERAGE, TAIL, clopper_pearson


@pytest.mark.parametrize(
    ("n_accepted", "n_events"), [(0, 10), (1, 10), (7, 10), (10, 10), (3, 9000)]
)
def test_the_interval_is_that_of_scipy(n_accepted, n_events):
    low, high = clopper_pearson(n_accepted, n_events)
    expected = binomtest(n_accepted, n_events).proportion_ci(COVERAGE, method="exact")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)


@pytest.mark.parametrize("n_events", [1, 7, 50])
def test_the_interval_covers_every_true_share_at_least_as_often_as_it_says(n_events):
    """Exactly, by the probability of every outcome; no toys."""
    outcomes = np.arange(n_events + 1)
    low, high = clopper_pearson(outcomes, n_events)
    for share in np.linspace(0.001, 0.999, 97):
        covered = (low <= share) & (share <= high)
        assert binom.pmf(outcomes[covered], n_events, share).sum() >= COVERAGE


@pytest.mark.parametrize("n_accepted", [0, 1, 4, 30])
def test_few_of_many_events_have_the_interval_of_poisson_counts(n_accepted):
    """Garwood's: quantiles of chi squared."""
    n_events = 10**9
    low, high = clopper_pearson(n_accepted, n_events)
    lower = chi2.ppf(TAIL, 2 * n_accepted) / 2 if n_accepted else 0
    upper = chi2.ppf(1 - TAIL, 2 * n_accepted + 2) / 2
    assert (low * n_events, high * n_events) == pytest.approx((lower, upper), rel=1e-6)


def test_nothing_seen_leaves_1_84_events_possible():
    low, high = clopper_pearson(0, 10**8)
    assert low == 0
    assert high * 10**8 == pytest.approx(1.841, abs=1e-3)


def test_effective_counts_need_not_be_whole():
    low, high = clopper_pearson([2.0, 2.5, 3.0], 100.0)
    assert (np.diff(low) > 0).all()
    assert (np.diff(high) > 0).all()
