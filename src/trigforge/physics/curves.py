"""Curves and numbers of one score: ROC, rates, efficiency at a rate, turn-on.

Of at most some 200 points, every one of them exact: thresholds are left out, none is moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.errors import InputError
from trigforge.core.trigger import Curve, Measurement
from trigforge.physics.counts import just_above, thresholds_at
from trigforge.physics.intervals import clopper_pearson

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.physics.counts import Background, ScoreCounts

MOST_POINTS = 200


def rate_at(background: Background, threshold: float, input_rate_khz: float) -> Measurement:
    """Return the rate of accepted background in kHz; none seen: up to 1.84 events' worth."""
    return _first(_rates(background, np.asarray([threshold]), input_rate_khz))


def efficiency_at(signal: ScoreCounts, background: Background, threshold: float) -> Measurement:
    """Return the signal efficiency at a threshold that background events have set.

    The interval holds what both leave open: the accepted signal as counted (Clopper and
    Pearson), and where the threshold would be if the accepted background were at either end
    of its own interval; added in quadrature.
    """
    return _first(_efficiencies(signal, background, np.asarray([threshold])))


def roc(signal: ScoreCounts, background: ScoreCounts) -> Curve:
    """Return signal efficiency against background efficiency, from none to all accepted.

    Where several thresholds accept the same background the lowest is taken. Uncertainties as
    of ``efficiency_at``.
    """
    scores = np.union1d(signal.values, background.values)
    thresholds = np.append(scores, just_above(scores[-1:]))[::-1]
    accepted = background.n_accepted(thresholds)
    lowest = np.append(np.diff(accepted) > 0, True)
    thresholds, accepted = thresholds[lowest], accepted[lowest]
    chosen = _spread(accepted, signal.n_accepted(thresholds))
    bands = _efficiencies(signal, background, thresholds[chosen])
    return _curve(accepted[chosen] / background.n_events, bands)


def rates(background: Background, input_rate_khz: float) -> Curve:
    """Return the rate against the threshold, up to one that accepts nothing any more."""
    values = background.values
    chosen = _spread(background.n_accepted(values), values)
    thresholds = np.append(values[chosen], just_above(values[-1:]))
    return _curve(thresholds, _rates(background, thresholds, input_rate_khz))


def turn_on(variable: NDArray[Any], accepted: NDArray[np.bool_], n_bins: int) -> Curve:
    """Return the efficiency against a variable, in bins of as many events each.

    ``x`` is the mean of the variable in a bin. Equal values stay together, so that there may
    be fewer bins. The intervals are Clopper's and Pearson's, at the threshold as it is.

    Raises:
        InputError: if a value of the variable is not finite.
    """
    values = np.asarray(variable, np.float64)
    if not np.isfinite(values).all():
        msg = "the variable of the turn-on curve is not finite for every event"
        raise InputError(msg)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, n_bins + 1)[1:-1]))
    bins = np.unique(np.searchsorted(edges, values, side="right"), return_inverse=True)[1]
    n_events = np.bincount(bins)
    n_accepted = np.bincount(bins[accepted], minlength=len(n_events))
    low, high = clopper_pearson(n_accepted, n_events)
    return Curve(
        x=tuple((np.bincount(bins, weights=values) / n_events).tolist()),
        y=tuple((n_accepted / n_events).tolist()),
        low=tuple(low.tolist()),
        high=tuple(high.tolist()),
    )


def _rates(
    background: Background, thresholds: NDArray[Any], input_rate_khz: float
) -> tuple[NDArray[np.float64], ...]:
    """Return rates in kHz at thresholds, and the ends of their intervals."""
    share = background.n_accepted(thresholds) / background.n_events
    return tuple(input_rate_khz * part for part in (share, *background.interval(thresholds)))


def _efficiencies(
    signal: ScoreCounts, background: Background, thresholds: NDArray[Any]
) -> tuple[NDArray[np.float64], ...]:
    """Return signal efficiencies at thresholds, and the ends of their intervals."""
    n_events = signal.n_events
    value = signal.n_accepted(thresholds) / n_events
    low, high = signal.interval(thresholds)
    lower, higher = (
        signal.n_accepted(thresholds_at(background, shares)) / n_events
        for shares in background.interval(thresholds)
    )
    return (
        value,
        np.maximum(value - np.hypot(value - low, np.maximum(value - lower, 0)), 0),
        np.minimum(value + np.hypot(high - value, np.maximum(higher - value, 0)), 1),
    )


def _first(points: tuple[NDArray[np.float64], ...]) -> Measurement:
    value, low, high = (float(part[0]) for part in points)
    return Measurement(value=value, low=low, high=high)


def _curve(x: NDArray[Any], points: tuple[NDArray[np.float64], ...]) -> Curve:
    y, low, high = (tuple(part.tolist()) for part in points)
    return Curve(x=tuple(x.astype(np.float64).tolist()), y=y, low=low, high=high)


def _spread(counts: NDArray[np.int64], values: NDArray[Any]) -> NDArray[np.int64]:
    """Choose points: dense where few are accepted, and evenly over the values.

    ``counts`` (monotonic) and ``values`` (rising) describe the same points; the first and the
    last are always among those chosen.
    """
    n_points = len(counts)
    if n_points <= MOST_POINTS:
        return np.arange(n_points)
    logarithms = np.log(np.maximum(counts, 0.5))
    if logarithms[0] > logarithms[-1]:
        logarithms = -logarithms
    even = [
        np.searchsorted(scale, np.linspace(scale[0], scale[-1], MOST_POINTS // 2))
        for scale in (logarithms, values)
    ]
    return np.unique(np.clip(np.concatenate([[0, n_points - 1], *even]), 0, n_points - 1))
