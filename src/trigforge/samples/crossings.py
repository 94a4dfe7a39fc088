"""Bunch crossings: collisions of a pool laid over each other.

``(Pool, Draws) -> Crossings``. Every crossing draws its collisions with their probabilities,
turns each by whole towers in azimuth and mirrors every second one. What they leave in a tower is
added up in whole steps of energy, so a crossing is exactly the sum of its collisions, until the
trigger primitives are read off: transverse energies in steps of 0.5 GeV, rounded, below one step
zero, saturated at 8 bits (as CMS' towers, arXiv:2006.10165).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numpy.typing import NDArray

from trigforge.core.records import freeze_arrays
from trigforge.samples.detector import N_TOWER_COLUMNS, N_TOWER_ROWS, STEP_GEV
from trigforge.samples.ranking import insert
from trigforge.samples.scales import MUON, PT_STEP_GEV

if TYPE_CHECKING:
    from trigforge.samples.pools import Pool

N_MUONS = 8
"""Muons that the muon trigger sends on: the ones of highest transverse momentum."""
STEPS_PER_PRIMITIVE = round(PT_STEP_GEV / STEP_GEV)
PRIMITIVE_BITS = 8
N_MUON_PHI = MUON.n_phi
MUON_PHI_PER_ROW = N_MUON_PHI // N_TOWER_ROWS


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Which collisions meet in which crossing, and how each is turned.

    Those of crossing ``i`` are at ``first[i]`` to ``first[i + 1]``: ``collision`` indexes the
    pool, ``rows`` (0 to 71) is the turn in towers, ``mirrored`` exchanges forward and backward.
    """

    first: NDArray[np.int64]
    collision: NDArray[np.int64]
    rows: NDArray[np.int64]
    mirrored: NDArray[np.bool_]

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def n_interactions(self) -> NDArray[np.int64]:
        """Return the number of collisions in each crossing."""
        return np.diff(self.first)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossings:
    """What the calorimeters and muon chambers see of crossings.

    ``em`` and ``had`` (int32, ``(n, 72, 56)``) are transverse energies in towers, in
    ``detector.STEP_GEV``, ``forward`` (int32, ``(n, 72)``) those of the rows of the forward
    calorimeters; ``muons`` (int16, ``(n, 8, 3)``) integers of pt, eta and phi in
    falling order of pt, zero where there is none.
    """

    em: NDArray[np.int32]
    had: NDArray[np.int32]
    forward: NDArray[np.int32]
    muons: NDArray[np.int16]

    def __post_init__(self) -> None:
        freeze_arrays(self)


def draw(pool: Pool, pileup: float, n_crossings: int, random: np.random.Generator) -> Draws:
    """Draw the collisions of crossings, Poisson-distributed around ``pileup``."""
    first = np.concatenate(([0], np.cumsum(random.poisson(pileup, n_crossings))))
    n_drawn = int(first[-1])
    upper = np.cumsum(pool.probability)
    where = np.searchsorted(upper / upper[-1], random.random(n_drawn), side="right")
    return Draws(
        first=first,
        collision=where.astype(np.int64),
        rows=random.integers(N_TOWER_ROWS, size=n_drawn),
        mirrored=random.integers(2, size=n_drawn).astype(np.bool_),
    )


def with_own(draws: Draws, collision: NDArray[np.int64]) -> Draws:
    """Add to each crossing a collision of its own ``(n,)``, first and as it is."""
    where = draws.first[:-1]
    return Draws(
        first=draws.first + np.arange(len(draws.first)),
        collision=np.insert(draws.collision, where, collision),
        rows=np.insert(draws.rows, where, 0),
        mirrored=np.insert(draws.mirrored, where, values=False),
    )


def hardest(draws: Draws, hardness: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the hardest collision of each crossing, -1 if it has none: ``(n,)``.

    ``hardness`` has an entry a collision of the pool.
    """
    chosen = np.full(len(draws.first) - 1, -1, np.int64)
    _choose_hardest(draws.first, draws.collision, hardness, chosen)
    return chosen


def overlay(pool: Pool, draws: Draws) -> Crossings:
    """Add up the collisions of each crossing."""
    n_crossings = len(draws.first) - 1
    em, had = np.zeros((2, n_crossings, N_TOWER_ROWS, N_TOWER_COLUMNS), np.int32)
    forward = np.zeros((n_crossings, N_TOWER_ROWS), np.int32)
    muons = np.zeros((n_crossings, N_MUONS, 3), np.int16)
    drawn = (draws.first, draws.collision, draws.rows, draws.mirrored)
    _add_towers(drawn, (pool.first_tower, pool.row, pool.column, pool.em, pool.had), em, had)
    _add_forward(drawn, pool.forward, forward)
    _collect_muons(drawn, (pool.first_muon, pool.muons), muons)
    return Crossings(em=em, had=had, forward=forward, muons=muons)


def primitives(energy: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return trigger primitives of transverse energies in steps: 0 to 255, of 0.5 GeV."""
    raw = np.zeros(energy.shape, np.int32)
    _read_primitives(energy.reshape(-1), raw.reshape(-1))
    return raw


@numba.njit
def _read_primitives(energy: Any, raw: Any) -> None:
    for tower in range(len(energy)):
        if energy[tower] >= STEPS_PER_PRIMITIVE:
            rounded = (energy[tower] + STEPS_PER_PRIMITIVE // 2) // STEPS_PER_PRIMITIVE
            raw[tower] = min(rounded, 2**PRIMITIVE_BITS - 1)


@numba.njit
def _choose_hardest(first: Any, collision: Any, hardness: Any, chosen: Any) -> None:
    for crossing in range(len(chosen)):
        for entry in range(first[crossing], first[crossing + 1]):
            own, best = collision[entry], chosen[crossing]
            if best < 0 or hardness[own] > hardness[best]:
                chosen[crossing] = own


@numba.njit
def _add_towers(drawn: Any, pool: Any, em: Any, had: Any) -> None:
    first, collision, rows, mirrored = drawn
    first_tower, row, column, pool_em, pool_had = pool
    for crossing in range(len(first) - 1):
        for entry in range(first[crossing], first[crossing + 1]):
            own = collision[entry]
            for tower in range(first_tower[own], first_tower[own + 1]):
                i = (row[tower] + rows[entry]) % N_TOWER_ROWS
                j = np.int64(column[tower])
                if mirrored[entry]:
                    j = N_TOWER_COLUMNS - 1 - j
                em[crossing, i, j] += pool_em[tower]
                had[crossing, i, j] += pool_had[tower]


@numba.njit
def _add_forward(drawn: Any, pool_forward: Any, forward: Any) -> None:
    first, collision, rows, _ = drawn
    for crossing in range(len(first) - 1):
        for entry in range(first[crossing], first[crossing + 1]):
            for row in range(N_TOWER_ROWS):
                turned = (row + rows[entry]) % N_TOWER_ROWS
                forward[crossing, turned] += pool_forward[collision[entry], row]


@numba.njit
def _collect_muons(drawn: Any, pool: Any, muons: Any) -> None:
    first, collision, rows, mirrored = drawn
    first_muon, pool_muons = pool
    for crossing in range(len(first) - 1):
        for entry in range(first[crossing], first[crossing + 1]):
            own = collision[entry]
            for muon in range(first_muon[own], first_muon[own + 1]):
                sign = -1 if mirrored[entry] else 1
                eta = sign * pool_muons[muon, 1]
                phi = (pool_muons[muon, 2] + MUON_PHI_PER_ROW * rows[entry]) % N_MUON_PHI
                insert(muons[crossing], pool_muons[muon, 0], eta, phi)
