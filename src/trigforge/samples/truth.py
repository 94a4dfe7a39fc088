"""What was generated: the truth a turn-on curve is drawn against.

``Collided -> (n_collisions, 3)``. Jets are anti-kT of R = 0.4 (arXiv:0802.1189) made of all
visible particles, within ``|eta| < 3``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import awkward as ak
import fastjet
import numpy as np

from trigforge.samples.jets import cluster, transverse_momentum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.samples.inelastic import Collided, Particles

TRUTH_NAMES = ("generated_jet_pt_gev", "generated_ht_gev", "generated_met_gev")
JET_RADIUS = 0.4
MAX_ABS_ETA = 3.0
MIN_JET_PT_GEV = 5.0
"""Softer jets do not count as jets: without one, the leading jet has 0 GeV."""
MIN_HT_JET_PT_GEV = 30.0


def describe(collided: Collided) -> NDArray[np.float32]:
    """Return, for each collision, the columns of ``TRUTH_NAMES``.

    The transverse momentum of the leading jet, the sum of those of jets above 30 GeV, and the
    transverse momentum of all neutrinos together.
    """
    jets = cluster(_listed(collided.visible), fastjet.antikt_algorithm, JET_RADIUS)
    momenta = jets.inclusive_jets(MIN_JET_PT_GEV)
    pt = transverse_momentum(momenta)
    pt = pt[abs(momenta.pz) < np.sinh(MAX_ABS_ETA) * pt]
    leading = ak.fill_none(ak.max(pt, axis=1), 0.0)
    ht = ak.sum(pt[pt > MIN_HT_JET_PT_GEV], axis=1)
    columns = (ak.to_numpy(leading), ak.to_numpy(ht), _missing_pt(collided.neutrinos))
    return np.column_stack(columns).astype(np.float32)


def _listed(particles: Particles) -> ak.Array:
    """Return the particles as ``n_collisions * var * {px, py, pz, E}``."""
    flat = ak.zip(
        {"px": particles.px, "py": particles.py, "pz": particles.pz, "E": particles.energy}
    )
    counts = np.bincount(particles.collision, minlength=particles.n_collisions)
    return ak.unflatten(flat, counts)


def _missing_pt(neutrinos: Particles) -> NDArray[np.float64]:
    x, y = (
        np.bincount(neutrinos.collision, weights=component, minlength=neutrinos.n_collisions)
        for component in (neutrinos.px, neutrinos.py)
    )
    return np.hypot(x, y)
