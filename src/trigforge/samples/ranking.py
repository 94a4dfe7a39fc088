"""Objects in falling order of transverse momentum, as a trigger sorts them."""

from __future__ import annotations

from typing import Any

import numba


@numba.njit
def insert(ranked: Any, pt: Any, eta: Any, phi: Any) -> None:
    """Put an object into a list ``(n, 3)`` in falling order of pt, behind those of the same.

    The last one falls out; entries with pt 0 are free places.
    """
    n = len(ranked)
    place = n
    while place > 0 and ranked[place - 1, 0] < pt:
        place -= 1
    for i in range(n - 1, place, -1):
        for quantity in range(3):
            ranked[i, quantity] = ranked[i - 1, quantity]
    if place < n:
        ranked[place, 0] = pt
        ranked[place, 1] = eta
        ranked[place, 2] = phi
