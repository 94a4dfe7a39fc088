import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from trigforge.physics import ScoreCounts
from trigforge.physics.areas import area, area_loss

scores = st.lists(st.integers(-5, 5), min_size=2, max_size=25).map(np.array)


def order(signal, background):
    """1 where a signal is above a background, 1/2 where they are equal: ``(n, m)``."""
    difference = signal[:, None] - background[None, :]
    return (difference > 0) + 0.5 * (difference == 0)


def of(signal, background):
    return area(ScoreCounts.of(signal), ScoreCounts.of(background))


def variance(pairs):
    """DeLong's, written down directly."""
    return (
        pairs.mean(axis=1).var(ddof=1) / pairs.shape[0]
        + pairs.mean(axis=0).var(ddof=1) / (pairs.shape[1])
    )


@given(scores, scores)
def test_the_area_is_the_share_of_pairs_in_order(signal, background):
    found = of(signal, background)
    assert found.value == pytest.approx(order(signal, background).mean(), abs=1e-12)
    labels = np.repeat([1, 0], [len(signal), len(background)])
    expected = roc_auc_score(labels, np.concatenate([signal, background]))
    assert found.value == pytest.approx(expected, abs=1e-12)


@given(scores, scores)
def test_the_uncertainty_is_delongs(signal, background):
    found, pairs = of(signal, background), order(signal, background)
    if found.value in {0, 1}:
        assert found.low < 1
        assert found.high > 0
        assert found.high > found.low
        return
    deviation = np.sqrt(variance(pairs))
    assert found.low == pytest.approx(max(found.value - deviation, 0), abs=1e-12)
    assert found.high == pytest.approx(min(found.value + deviation, 1), abs=1e-12)


@given(scores, scores, st.data())
def test_the_loss_of_area_has_the_paired_uncertainty(signal, background, data):
    move = st.integers(-2, 2)
    other_signal, other_background = (
        part + data.draw(st.lists(move, min_size=len(part), max_size=len(part)).map(np.array))
        for part in (signal, background)
    )
    found = area_loss((signal, background), (other_signal, other_background))
    pairs = order(signal, background) - order(other_signal, other_background)
    assert found.value == pytest.approx(pairs.mean(), abs=1e-12)
    assert found.high - found.value == pytest.approx(np.sqrt(variance(pairs)), abs=1e-12)
    assert found.value - found.low == pytest.approx(np.sqrt(variance(pairs)), abs=1e-12)


def test_the_area_is_covered_as_often_as_it_says():
    random, n_toys = np.random.default_rng(2), 400
    truth = 0.76024993890652  # normal distributions one standard deviation apart
    n_covered = 0
    for _ in range(n_toys):
        signal, background = random.normal(1, size=60), random.normal(size=200)
        found = of(signal, background)
        n_covered += found.low <= truth <= found.high
    assert 0.62 < n_covered / n_toys < 0.75


def test_the_same_scores_lose_exactly_nothing():
    signal, background = np.array([1, 5, 3]), np.array([0, 4, 2, 2])
    loss = area_loss((signal, background), (signal, background))
    assert (loss.low, loss.value, loss.high) == (0, 0, 0)


def test_a_loss_is_known_better_than_either_area():
    random = np.random.default_rng(4)
    signal, background = random.normal(1, size=500), random.normal(size=2000)
    coarse = [np.floor(8 * part) for part in (signal, background)]
    loss, alone = area_loss((signal, background), tuple(coarse)), of(signal, background)
    assert 0 < loss.high - loss.low < 0.2 * (alone.high - alone.low)


def test_perfect_order_leaves_what_the_rarer_kind_leaves_open():
    found = of(np.arange(10, 110), np.arange(4))
    assert (found.value, found.high) == (1, 1)
    assert found.low == pytest.approx((1 - 0.6826894921370859) ** (1 / 4) / 2 ** (1 / 4))
