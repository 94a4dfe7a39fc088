"""Jets, electrons and photons in calorimeter towers, as a trigger finds them.

``(primitives of one crossing) -> the hardest clusters``. Jets are squares of 9 x 9 towers
around a local maximum (arXiv:2006.10165); what pile-up adds is estimated, in the same columns
because towers grow with pseudorapidity, by strips of three rows: two on each side, the highest
of the four left out, so that the rest has as many towers as the square. Electrons and photons
are a local maximum of EM energy and the highest of its four neighbours (the two-tower cluster
of CERN-LHCC-2000-038) with little hadronic energy behind it. Squares end at the last column.
"""

from __future__ import annotations

from typing import Any

import numba

from trigforge.samples.detector import N_TOWER_COLUMNS, N_TOWER_ROWS
from trigforge.samples.ranking import insert

JET_REACH = 4
"""A jet is its seed and four towers on each side."""
STRIP_ROWS = 3
STRIPS = (-10, -7, 5, 8)
"""First rows of the strips beside a jet, counted from its seed."""
JET_SEED = 8
"""Least transverse energy of a seed, 4 GeV, in steps of 0.5 GeV."""
EGAMMA_SEED = 4
EGAMMA_LARGEST_HADRONIC = 8
"""Hadronic energy behind the seed at most this part of the cluster: 1/8."""
EGAMMA_COLUMNS = (2, N_TOWER_COLUMNS - 2)
"""Up to |eta| = 2.5, where the fine part of the EM calorimeter ends."""


@numba.njit
def find_jets(towers: Any, found: Any) -> None:
    """Write the hardest jets of many crossings to ``found``.

    ``towers`` (``(n, 72, 56)``) are primitives, EM and hadronic together; ``found`` (int32,
    ``(n, n_jets, 3)``, zeros) gets energy, row and column in falling order of energy; where the
    energy is 0 there is none.
    """
    for crossing in range(len(towers)):
        grid = towers[crossing]
        for row in range(N_TOWER_ROWS):
            for column in range(N_TOWER_COLUMNS):
                if grid[row, column] < JET_SEED or not _is_highest(grid, row, column, JET_REACH):
                    continue
                energy = _jet_energy(grid, row, column)
                if energy > 0:
                    insert(found[crossing], energy, row, column)


@numba.njit
def find_egammas(em: Any, had: Any, found: Any) -> None:
    """Write the hardest electrons and photons of many crossings to ``found``.

    Arrays as in ``find_jets``, the calorimeters apart.
    """
    low, high = EGAMMA_COLUMNS
    for crossing in range(len(em)):
        grid = em[crossing]
        for row in range(N_TOWER_ROWS):
            for column in range(low, high):
                if grid[row, column] < EGAMMA_SEED or not _is_highest(grid, row, column, 1):
                    continue
                energy = grid[row, column] + _highest_neighbour(grid, row, column)
                if had[crossing, row, column] * EGAMMA_LARGEST_HADRONIC <= energy:
                    insert(found[crossing], energy, row, column)


@numba.njit
def _is_highest(grid: Any, row: int, column: int, reach: int) -> bool:
    """Tell whether a tower is the highest of its square; of equals, one is: the first."""
    own = grid[row, column]
    for i in range(-reach, reach + 1):
        for j in range(max(-reach, -column), min(reach, N_TOWER_COLUMNS - 1 - column) + 1):
            other = grid[(row + i) % N_TOWER_ROWS, column + j]
            before = i < 0 or (i == 0 and j < 0)
            if other > own or (before and other == own):
                return False
    return True


@numba.njit
def _jet_energy(grid: Any, row: int, column: int) -> Any:
    """Return the energy of the square without that of pile-up."""
    low, high = max(column - JET_REACH, 0), min(column + JET_REACH, N_TOWER_COLUMNS - 1)
    highest, pile_up = 0, 0
    for strip in STRIPS:
        energy = _rows_sum(grid, row + strip, row + strip + STRIP_ROWS, (low, high))
        highest = max(highest, energy)
        pile_up += energy
    inside = _rows_sum(grid, row - JET_REACH, row + JET_REACH + 1, (low, high))
    return inside - (pile_up - highest)


@numba.njit
def _rows_sum(grid: Any, first: int, end: int, columns: Any) -> Any:
    """Add up the towers of rows ``first`` to ``end - 1`` between two columns, both included."""
    total = 0
    for row in range(first, end):
        for column in range(columns[0], columns[1] + 1):
            total += grid[row % N_TOWER_ROWS, column]
    return total


@numba.njit
def _highest_neighbour(grid: Any, row: int, column: int) -> Any:
    highest = max(grid[(row - 1) % N_TOWER_ROWS, column], grid[(row + 1) % N_TOWER_ROWS, column])
    if column > 0:
        highest = max(highest, grid[row, column - 1])
    if column < N_TOWER_COLUMNS - 1:
        highest = max(highest, grid[row, column + 1])
    return highest
