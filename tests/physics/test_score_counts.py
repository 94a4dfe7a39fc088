from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigforge.core.errors import InputError
from trigforge.physics.counts import ScoreCounts, threshold_at, thresholds_at

raw_scores = st.lists(st.integers(-12, 12), min_size=1, max_size=40).map(
    lambda scores: np.array(scores, np.int16)
)


@given(raw_scores)
def test_as_many_are_accepted_as_are_not_below_the_threshold(scores):
    counts = ScoreCounts.of(scores)
    thresholds = np.arange(-14, 15)
    expected = [(scores >= threshold).sum() for threshold in thresholds]
    assert counts.n_accepted(thresholds).tolist() == expected
    assert counts.n_events == len(scores)


@given(raw_scores, raw_scores)
def test_counts_of_two_parts_are_those_of_the_whole(first, second):
    added = ScoreCounts.of(first) + ScoreCounts.of(second)
    whole = ScoreCounts.of(np.concatenate([first, second]))
    assert added.values.tolist() == whole.values.tolist()
    assert added.counts.tolist() == whole.counts.tolist()


@given(raw_scores, st.fractions(Fraction(1, 100), Fraction(99, 100)))
def test_the_threshold_is_the_smallest_that_keeps_the_rate(scores, share):
    threshold = threshold_at(ScoreCounts.of(scores), float(share))
    assert isinstance(threshold, int)
    allowed = share * len(scores)
    assert (scores >= threshold).sum() <= allowed
    assert (scores >= threshold - 1).sum() > allowed


@given(raw_scores, st.fractions(Fraction(1, 100), Fraction(99, 100)))
def test_a_threshold_of_floats_is_the_smallest_too(scores, share):
    floats = scores / 8
    threshold = threshold_at(ScoreCounts.of(floats), float(share))
    allowed = share * len(scores)
    assert (floats >= threshold).sum() <= allowed
    assert (floats >= np.nextafter(threshold, -np.inf)).sum() > allowed


def test_a_share_that_is_a_whole_number_of_events_is_used_up():
    scores = np.arange(1000)
    for n_allowed in range(1, 1000):
        assert threshold_at(ScoreCounts.of(scores), n_allowed / 1000) == 1000 - n_allowed


def test_events_of_equal_score_are_accepted_together_or_not_at_all():
    counts = ScoreCounts.of(np.array([5, 5, 5, 5, 1]))
    assert threshold_at(counts, 0.5) == 6
    assert threshold_at(counts, 0.8) == 2


def test_all_may_be_accepted():
    counts = ScoreCounts.of(np.array([3, 7]))
    assert thresholds_at(counts, [0.0, 0.5, 1.0]).tolist() == [8, 4, 3]


def test_scores_of_64_bits_are_counted():
    extremes = np.array([-(2**62), 2**62, 2**62])
    counts = ScoreCounts.of(extremes)
    assert counts.counts.tolist() == [1, 2]
    assert threshold_at(counts, 0.9) == 1 - 2**62


def test_nothing_to_count_is_refused():
    with pytest.raises(InputError, match="no scores to count"):
        ScoreCounts.of(np.zeros(0))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_score_that_is_not_finite_is_named(value):
    with pytest.raises(InputError, match="the score of event 1 is not finite"):
        ScoreCounts.of(np.array([0.0, value]))


def test_counts_cannot_be_changed():
    counts = ScoreCounts.of(np.array([1, 2]))
    with pytest.raises(ValueError, match="read-only"):
        counts.counts[0] = 5
