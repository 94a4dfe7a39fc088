"""The area under the ROC curve, alone and of two scores of the same events.

Source: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837; events of equal score are
half in order, as there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.trigger import Measurement
from trigforge.physics.intervals import clopper_pearson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.physics.counts import ScoreCounts


def area(signal: ScoreCounts, background: ScoreCounts) -> Measurement:
    """Return the share of pairs of signal and background whose scores are in order.

    Where all pairs are (or none), no scatter is left to see: the interval is that of as many
    events, all accepted, as there are of the rarer kind.
    """
    n_signal, n_background = signal.n_events, background.n_events
    in_order = _placed(signal.values, background)  # twice the background below each signal
    value = float(in_order @ signal.counts.astype(np.float64)) / (2 * n_signal * n_background)
    of_signal = in_order / (2 * n_background)
    of_background = 1 - _placed(background.values, signal) / (2 * n_signal)
    variance = _variance(of_signal, signal.counts) + _variance(of_background, background.counts)
    low, high = value - math.sqrt(variance), value + math.sqrt(variance)
    if value in {0.0, 1.0}:
        ends = clopper_pearson(value * min(n_signal, n_background), min(n_signal, n_background))
        low, high = (float(end) for end in ends)
    return Measurement(value=value, low=max(low, 0.0), high=min(high, 1.0))


def area_loss(
    reference: tuple[NDArray[Any], NDArray[Any]], candidate: tuple[NDArray[Any], NDArray[Any]]
) -> Measurement:
    """Return the area of a reference minus that of a candidate, and the paired uncertainty.

    Each is the scores of the same signal and the same background events, in the same order.
    """
    before, after = (_placements(*scores) for scores in (reference, candidate))
    of_signal, of_background = (a - b for a, b in zip(before, after, strict=True))
    ones = np.ones(len(of_signal), np.int64), np.ones(len(of_background), np.int64)
    variance = _variance(of_signal, ones[0]) + _variance(of_background, ones[1])
    value, deviation = float(of_signal.mean()), math.sqrt(variance)
    return Measurement(value=value, low=value - deviation, high=value + deviation)


def _placements(
    signal: NDArray[Any], background: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return for each event the share of the other kind that it is in order with."""
    below, above = (
        _midranks(np.sort(other), scores)
        for other, scores in ((background, signal), (signal, background))
    )
    return below / (2 * len(background)), 1 - above / (2 * len(signal))


def _placed(scores: NDArray[Any], other: ScoreCounts) -> NDArray[np.float64]:
    """Return twice the events of the other kind below each score; equal ones count once."""
    total = other.n_events
    not_below = other.n_accepted(scores)
    equal = not_below - _n_above(scores, other)
    return (2 * (total - not_below) + equal).astype(np.float64)


def _n_above(scores: NDArray[Any], other: ScoreCounts) -> NDArray[np.int64]:
    from_above = np.append(np.cumsum(other.counts[::-1])[::-1], 0)
    return np.asarray(from_above[np.searchsorted(other.values, scores, side="right")], np.int64)


def _midranks(ordered: NDArray[Any], scores: NDArray[Any]) -> NDArray[np.float64]:
    """Return twice the entries below each score; equal ones count once."""
    left, right = (np.searchsorted(ordered, scores, side=side) for side in ("left", "right"))
    return (left + right).astype(np.float64)


def _variance(values: NDArray[np.float64], counts: NDArray[np.int64]) -> float:
    """Return the variance of the mean of values that occur so many times."""
    n = int(counts.sum())
    if n < 2:
        return 0.0
    mean = float(values @ counts) / n
    return float((values - mean) ** 2 @ counts) / (n - 1) / n
