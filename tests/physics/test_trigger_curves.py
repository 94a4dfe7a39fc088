import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_curve

from trigforge.core.errors import InputError
from trigforge.physics import ScoreCounts
from trigforge.physics.counts import threshold_at
from trigforge.physics.curves import MOST_POINTS, efficiency_at, rate_at, rates, roc, turn_on
from trigforge.physics.intervals import clopper_pearson

COUNTS = ScoreCounts.of(np.repeat([0, 3, 7], [90, 9, 1]))


def drawn(seed, n_signal=800, n_background=5000, steps=64):
    random = np.random.default_rng(seed)
    return tuple(
        np.rint(steps * random.normal(mean, size=n)).astype(np.int64)
        for mean, n in ((1.5, n_signal), (0, n_background))
    )


def test_the_rate_is_the_accepted_share_of_the_input_rate():
    low, high = clopper_pearson(10, 100)
    found = rate_at(COUNTS, 3, 28000.0)
    assert (found.low, found.value, found.high) == (28000 * low, 2800, 28000 * high)


def test_a_rate_of_nothing_has_an_upper_end():
    found = rate_at(COUNTS, 8, 100.0)
    assert (found.low, found.value) == (0, 0)
    assert found.high == pytest.approx(1.83, abs=0.02)


def test_rates_are_exact_at_every_threshold_and_end_with_one_that_accepts_nothing():
    curve = rates(COUNTS, 1000.0)
    assert curve.x == (0, 3, 7, 8)
    assert curve.y == (1000, 100, 10, 0)
    assert all(
        low <= y <= high for low, y, high in zip(curve.low, curve.y, curve.high, strict=True)
    )
    assert curve.high[-1] > 0


@pytest.mark.parametrize("as_floats", [False, True])
def test_a_long_curve_of_rates_leaves_points_out_but_moves_none(as_floats):
    background = drawn(1, steps=1000)[1]
    background = background / 7 if as_floats else background
    curve = rates(ScoreCounts.of(background), 5000.0)
    assert len(np.unique(background)) > 10 * MOST_POINTS
    assert 150 < len(curve.x) <= MOST_POINTS + 3
    for threshold, rate in zip(curve.x, curve.y, strict=True):
        assert rate == pytest.approx((background >= threshold).sum())
    assert set(range(1, 10)) <= {round(y) for y in curve.y}  # the tail is all there
    assert curve.x == tuple(sorted(curve.x))


def test_the_roc_curve_is_that_of_sklearn():
    signal, background = drawn(2, 60, 100, steps=4)
    curve = roc(ScoreCounts.of(signal), ScoreCounts.of(background))
    labels = np.repeat([1, 0], [len(signal), len(background)])
    scores = np.concatenate([signal, background])
    false, true, _ = roc_curve(labels, scores, drop_intermediate=False)
    best = {}
    for x, y in zip(false, true, strict=True):
        best[x] = max(y, best.get(x, 0))
    assert dict(zip(curve.x, curve.y, strict=True)) == pytest.approx(best)
    assert (curve.x[-1], curve.y[-1]) == (1, 1)


def test_a_long_roc_curve_keeps_every_decade_of_the_background():
    signal, background = drawn(3, 3000, 60_000, steps=4096)
    curve = roc(ScoreCounts.of(signal), ScoreCounts.of(background))
    assert len(curve.x) <= MOST_POINTS + 2
    assert (np.diff(curve.x) > 0).all()
    for decade in range(-4, 0):
        inside = [x for x in curve.x if 10.0**decade <= x < 10.0 ** (decade + 1)]
        assert len(inside) >= 9
    for x, y in list(zip(curve.x, curve.y, strict=True))[::20]:
        threshold = threshold_at(ScoreCounts.of(background), x)
        assert y == (signal >= threshold).mean()


def test_the_efficiency_at_a_rate_holds_what_signal_and_background_leave_open():
    """Worked out by hand from the order of both."""
    signal, background = ScoreCounts.of(np.arange(50, 150)), ScoreCounts.of(np.arange(100))
    threshold = threshold_at(background, 0.1)
    assert threshold == 90
    found = efficiency_at(signal, background, threshold)
    counted = [float(end) for end in clopper_pearson(60, 100)]
    lower, higher = (int(100 * float(share)) for share in clopper_pearson(10, 100))
    moved = (60 - (10 - lower)) / 100, (60 + (higher - 10)) / 100
    assert found.value == 0.6
    assert found.low == pytest.approx(0.6 - np.hypot(0.6 - counted[0], 0.6 - moved[0]))
    assert found.high == pytest.approx(0.6 + np.hypot(counted[1] - 0.6, moved[1] - 0.6))


def test_the_efficiency_at_a_rate_is_covered_as_often_as_it_says():
    share, n_toys, n_covered, n_signal_alone = 0.01, 200, 0, 0
    truth = norm.sf(norm.isf(share) - 1.5)
    for seed in range(n_toys):
        signal, background = (
            ScoreCounts.of(part) for part in drawn(seed, 3000, 3000, steps=10_000)
        )
        threshold = threshold_at(background, share)
        found = efficiency_at(signal, background, threshold)
        n_covered += found.low <= truth <= found.high
        low, high = signal.interval(threshold)
        n_signal_alone += low <= truth <= high
    assert 0.62 < n_covered / n_toys < 0.78
    assert n_signal_alone / n_toys < 0.4  # without the threshold's own uncertainty


def test_the_turn_on_is_the_accepted_share_of_each_bin():
    variable = np.arange(12.0)
    curve = turn_on(variable, variable >= 6, 3)
    assert curve.x == (1.5, 5.5, 9.5)
    assert curve.y == (0, 0.5, 1)
    low, high = clopper_pearson([0, 2, 4], 4)
    assert (curve.low, curve.high) == (tuple(low), tuple(high))


def test_equal_values_stay_in_one_bin():
    variable = np.repeat([1.0, 2.0], [90, 10])
    curve = turn_on(variable, variable > 1, 12)
    assert (curve.x, curve.y) == ((1, 2), (0, 1))


def test_few_events_have_no_empty_bins():
    curve = turn_on(np.array([5.0, 1.0]), np.array([True, False]), 12)
    assert (curve.x, curve.y) == ((1, 5), (0, 1))


def test_a_variable_that_is_not_finite_is_refused():
    with pytest.raises(InputError, match="variable of the turn-on curve is not finite"):
        turn_on(np.array([1.0, np.nan]), np.array([True, True]), 2)
