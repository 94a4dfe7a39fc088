import numpy as np
import pytest
from scipy.stats import norm

from trigforge.physics import losses
from trigforge.physics.losses import efficiency_loss


def drawn(seed, n_signal=400, n_background=3000, noise=0.15):
    """Return scores of a float network and of one whose scores are blurred."""
    random = np.random.default_rng(seed)
    exact = random.normal(1.5, size=n_signal), random.normal(size=n_background)
    blurred = tuple(part + noise * random.normal(size=len(part)) for part in exact)
    return exact, tuple(np.rint(64 * part).astype(np.int64) for part in blurred)


def test_the_loss_is_the_difference_at_thresholds_of_equal_rate():
    signal, background = np.arange(10), np.arange(-10, 10)
    worse = np.where(signal == 9, -20, signal)
    loss = efficiency_loss((signal, background), (worse, background), 0.1)
    assert loss.value == pytest.approx(0.2 - 0.1)  # both thresholds are 8


def test_the_same_scores_lose_exactly_nothing():
    exact, _ = drawn(1)
    loss = efficiency_loss(exact, exact, 0.01)
    assert (loss.low, loss.value, loss.high) == (0, 0, 0)


def test_a_change_of_scale_is_no_loss():
    exact, _ = drawn(1)
    scaled = tuple(4 * part - 3 for part in exact)
    loss = efficiency_loss(exact, scaled, 0.01)
    assert (loss.low, loss.value, loss.high) == (0, 0, 0)


def test_the_same_events_give_the_same_interval_again():
    exact, blurred = drawn(2)
    assert efficiency_loss(exact, blurred, 0.01) == efficiency_loss(exact, blurred, 0.01)


def test_a_loss_is_known_better_than_unpaired_events_would_say():
    exact, blurred = drawn(3, noise=0.02)
    paired = efficiency_loss(exact, blurred, 0.05)
    random = np.random.default_rng(5)
    shuffled = tuple(random.permutation(part) for part in blurred)
    unpaired = efficiency_loss(exact, shuffled, 0.05)
    assert paired.value == unpaired.value
    assert paired.high - paired.low < 0.5 * (unpaired.high - unpaired.low)


def test_the_loss_is_covered_at_least_as_often_as_it_says(monkeypatch):
    monkeypatch.setattr(losses, "N_REPLICAS", 150)
    share, noise, n_toys = 0.02, 0.5, 150
    cut, spread = norm.isf(share), np.hypot(1, noise)
    truth = norm.sf(cut - 1.5) - norm.sf(cut - 1.5 / spread)
    n_covered = 0
    for seed in range(n_toys):
        found = efficiency_loss(*drawn(seed, noise=noise), share)
        n_covered += found.low <= truth <= found.high
    assert 0.66 < n_covered / n_toys < 0.88


def test_replicas_of_a_coarse_score_are_those_of_brute_force(monkeypatch):
    """A few values, so that nearly all background is at a threshold; every event is drawn."""
    random = np.random.default_rng(7)
    signal, background = random.integers(2, 6, 300), random.integers(0, 5, 2000)
    coarse = signal // 2, background // 2
    found = efficiency_loss((signal, background), coarse, 0.1)
    losses_found = []
    for _ in range(400):
        drawn_signal = random.integers(0, len(signal), len(signal))
        drawn_background = random.integers(0, len(background), len(background))
        pair = [
            losses._efficiency(part[0][drawn_signal], part[1][drawn_background], 0.1)
            for part in ((signal, background), coarse)
        ]
        losses_found.append(pair[0] - pair[1])
    low, high = np.quantile(losses_found, [losses.TAIL, 1 - losses.TAIL])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02)


def test_drawing_few_replicas_at_a_time_changes_little(monkeypatch):
    exact, blurred = drawn(4)
    whole = efficiency_loss(exact, blurred, 0.01)
    monkeypatch.setattr(losses, "MOST_WEIGHTS", 5000)
    parts = efficiency_loss(exact, blurred, 0.01)
    assert parts.value == whole.value
    assert (parts.low, parts.high) == pytest.approx((whole.low, whole.high), abs=0.02)


def test_a_rate_that_no_event_may_have_leaves_a_loss_too():
    exact, blurred = drawn(6)
    loss = efficiency_loss(exact, blurred, 1e-6)
    assert loss.low <= loss.value <= loss.high
