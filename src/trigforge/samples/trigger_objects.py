"""Trigger objects: crossings as the global trigger gets them.

``Crossings -> (n, 57) integers``. As in arXiv:2108.03986: missing transverse energy, the 4
hardest electrons or photons, 4 muons and 10 jets, each with pt, eta and phi (the missing energy
has no eta), in falling order of pt, zero where there is none. Integers are those of CMS' global
trigger (``scales``). An electron or photon is among the jets too, as in CMS. Energies are not
calibrated: of a generated jet of 100 GeV, its trigger jet has 94 % (median, no pile-up).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trigforge.samples import clusters
from trigforge.samples.crossings import STEPS_PER_PRIMITIVE as PRIMITIVE
from trigforge.samples.crossings import primitives
from trigforge.samples.detector import N_TOWER_ROWS, TOWER_EDGES
from trigforge.samples.scales import EGAMMA, JET, SUM, Scale

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from trigforge.samples.crossings import Crossings

N_EGAMMAS, N_MUONS, N_JETS = 4, 4, 10
QUANTITIES = ("pt", "eta", "phi")
DIRECTION_STEPS = 1024
"""Cosines and sines of the rows are integers of this many steps, as in firmware."""


def _names() -> Iterator[str]:
    objects = ["met"]
    for name, n_objects in (("egamma", N_EGAMMAS), ("muon", N_MUONS), ("jet", N_JETS)):
        objects += [f"{name}_{number}" for number in range(1, n_objects + 1)]
    for name in objects:
        for quantity in QUANTITIES:
            yield f"{name}_{quantity}"


FEATURE_NAMES = tuple(_names())
"""``met_pt``, ``met_eta``, ..., ``jet_10_phi``."""


def describe(crossings: Crossings) -> NDArray[np.int16]:
    """Return the integers of crossings, ``(n, 57)``, in the order of ``FEATURE_NAMES``."""
    em, had = primitives(crossings.em), primitives(crossings.had)
    towers = em + had
    n_crossings = len(em)
    egammas = np.zeros((n_crossings, N_EGAMMAS, 3), np.int32)
    jets = np.zeros((n_crossings, N_JETS, 3), np.int32)
    clusters.find_egammas(em, had, egammas)
    clusters.find_jets(towers, jets)
    parts = (
        missing_energy(towers, crossings.forward),
        at_positions(egammas, EGAMMA),
        crossings.muons[:, :N_MUONS],
        at_positions(jets, JET),
    )
    return np.concatenate([part.reshape(n_crossings, -1) for part in parts], axis=1)


def missing_energy(towers: NDArray[np.int32], forward: NDArray[np.int32]) -> NDArray[np.int16]:
    """Return what balances all calorimeters up to 5: pt, 0 and phi, ``(n, 3)``.

    ``towers`` (``(n, 72, 56)``) are primitives, ``forward`` (``(n, 72)``) energies in steps,
    rounded to those of primitives.
    """
    angle = (np.arange(N_TOWER_ROWS) + 0.5) * (2 * np.pi / N_TOWER_ROWS)
    rows = towers.sum(axis=2, dtype=np.int64) + (forward + PRIMITIVE // 2) // PRIMITIVE
    x, y = (
        -rows @ np.rint(DIRECTION_STEPS * component).astype(np.int64)
        for component in (np.cos(angle), np.sin(angle))
    )
    pt = np.minimum(np.rint(np.hypot(x, y) / DIRECTION_STEPS), SUM.pt_max).astype(np.int16)
    phi = np.where(pt > 0, SUM.phi(np.arctan2(y, x)), 0)
    return np.column_stack((pt, np.zeros_like(pt), phi)).astype(np.int16)


def at_positions(found: NDArray[np.int32], scale: Scale) -> NDArray[np.int16]:
    """Return pt, eta and phi of clusters given as energy, row and column, ``(n, n_own, 3)``.

    The position is the middle of the tower.
    """
    energy, row, column = np.moveaxis(found, 2, 0)
    middles = (TOWER_EDGES[:-1] + TOWER_EDGES[1:]) / 2
    there = energy > 0
    eta = np.where(there, scale.eta(middles)[column], 0)
    phi = np.where(there, (2 * row + 1) * (scale.n_phi // (2 * N_TOWER_ROWS)), 0)
    return np.stack((np.minimum(energy, scale.pt_max), eta, phi), axis=2).astype(np.int16)
