"""Pools of collisions made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from trigforge.samples.crossings import Draws
from trigforge.samples.pools import Pool, join

STEPS_PER_GEV = 1024


def collision(towers=(), muons=(), forward=()) -> Pool:
    """Return one collision of ``(row, column, em_gev, had_gev)`` and integer muons.

    ``forward`` are rows of the forward calorimeters, ``(row, gev)``.
    """
    rows_of_forward = np.zeros((1, 72), np.int32)
    for row, energy_gev in forward:
        rows_of_forward[0, row] = energy_gev * STEPS_PER_GEV
    rows, columns, em, had = np.array(towers, float).reshape(-1, 4).T
    return Pool(
        first_tower=np.array([0, len(rows)]),
        row=rows.astype(np.uint8),
        column=columns.astype(np.uint8),
        em=(em * STEPS_PER_GEV).astype(np.int32),
        had=(had * STEPS_PER_GEV).astype(np.int32),
        forward=rows_of_forward,
        first_muon=np.array([0, len(muons)]),
        muons=np.array(muons, np.int16).reshape(-1, 3),
        probability=np.ones(1),
        truth=np.zeros((1, 3), np.float32),
    )


def random_pool(random, n_collisions=5, n_towers=40) -> Pool:
    """Return collisions of random towers, never two of one in the same, and muons."""
    parts = []
    for number in range(n_collisions):
        place = random.choice(72 * 56, n_towers, replace=False)
        towers = np.column_stack((place // 56, place % 56, *random.exponential(2, (2, n_towers))))
        muons = random.integers((6, -200, 0), (100, 200, 576), (number % 3, 3))
        forward = enumerate(random.exponential(1, 72))
        probability = np.ones(1) / n_collisions
        parts.append(replace(collision(towers, muons, forward), probability=probability))
    return join(parts)


def draws(*crossings) -> Draws:
    """Return crossings given as lists of ``(collision, rows, mirrored)``."""
    flat = np.array([entry for crossing in crossings for entry in crossing], int).reshape(-1, 3)
    return Draws(
        first=np.cumsum([0, *map(len, crossings)]),
        collision=flat[:, 0],
        rows=flat[:, 1],
        mirrored=flat[:, 2].astype(bool),
    )
