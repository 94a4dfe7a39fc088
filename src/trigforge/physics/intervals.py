"""Uncertainties of counted numbers: central 68.3 % intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betaincinv

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

COVERAGE = 0.6826894921370859
"""Of one standard deviation of a normal distribution to both sides."""
TAIL = (1 - COVERAGE) / 2


def clopper_pearson(
    n_accepted: ArrayLike, n_events: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ends of the interval of the share that ``n_accepted`` of ``n_events`` are.

    It covers at least 68.3 %, whatever the true share. For few accepted of many events it is
    that of Poisson counts (Garwood); none accepted: up to 1.84 events. Counts need not be
    whole: those of ``lots`` are effective ones.

    Source: Clopper and Pearson, Biometrika 26 (1934) 404.
    """
    accepted, events = np.broadcast_arrays(
        np.asarray(n_accepted, np.float64), np.asarray(n_events, np.float64)
    )
    rejected = events - accepted
    none, all_ = accepted <= 0, rejected <= 0
    low = betaincinv(np.where(none, 1, accepted), rejected + 1, TAIL)
    high = betaincinv(accepted + 1, np.where(all_, 1, rejected), 1 - TAIL)
    return np.where(none, 0.0, low), np.where(all_, 1.0, high)
