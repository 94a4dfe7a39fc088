"""The clock of the collider: bunch crossings, and how design clocks relate to them."""

from __future__ import annotations

import math

CROSSING_MHZ = 40.08
"""Rate of bunch crossings at the LHC (a crossing every 24.95 ns)."""
ORBIT_CROSSINGS = 3564
"""Crossings of an orbit of the LHC; not all of them bring collisions."""
ORBIT_KHZ = 11.2456
"""Rate at which a bunch comes round the LHC."""

_NOMINAL_TOLERANCE = 0.0025
"""Clocks are named by multiples of 40 MHz (240, 280, 320, 360, 480 MHz) though they are
multiples of 40.08 MHz: 320 MHz is 8 clocks a crossing, not 7."""


def clocks_per_crossing(clock_mhz: float) -> int:
    """Return how many whole clock cycles fit into a crossing, at least 0.

    A clock named by its nominal frequency counts as the multiple it stands for.
    """
    return math.floor(clock_mhz / CROSSING_MHZ * (1 + _NOMINAL_TOLERANCE))


def crossings(duration_ns: float) -> float:
    """Return a duration in crossings."""
    return duration_ns * CROSSING_MHZ / 1000
