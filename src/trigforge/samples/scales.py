"""The integers of CMS' global trigger: bits and steps of what its links carry.

Transverse momenta in steps of 0.5 GeV from zero, pseudorapidities with a sign, azimuths from 0
to 2 pi. Source: CMS DN-2014/029 and the constants of the global trigger's firmware: jets have
11 bits of transverse momentum, electrons, photons and muons 9, sums 12; muons have four times
as fine angles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PT_STEP_GEV = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How an object's transverse momentum, pseudorapidity and azimuth become integers."""

    pt_max: int
    eta_step: float
    eta_max: int
    n_phi: int

    def pt(self, pt_gev: NDArray[np.float64]) -> NDArray[np.int16]:
        """Return transverse momenta, rounded and saturated."""
        raw = np.minimum(np.rint(pt_gev / PT_STEP_GEV), self.pt_max)
        return np.asarray(raw, np.int16)

    def eta(self, eta: NDArray[np.float64]) -> NDArray[np.int16]:
        """Return pseudorapidities, rounded and saturated."""
        raw = np.clip(np.rint(eta / self.eta_step), -self.eta_max, self.eta_max)
        return np.asarray(raw, np.int16)

    def phi(self, phi: NDArray[np.float64]) -> NDArray[np.int16]:
        """Return azimuths, rounded down: bin ``i`` begins at ``i * 2 pi / n_phi``."""
        raw = np.floor(phi / (2 * np.pi) * self.n_phi) % self.n_phi
        return np.asarray(raw, np.int16)


SUM = Scale(pt_max=4095, eta_step=0.0435, eta_max=0, n_phi=144)
EGAMMA = Scale(pt_max=511, eta_step=0.0435, eta_max=115, n_phi=144)
JET = Scale(pt_max=2047, eta_step=0.0435, eta_max=115, n_phi=144)
MUON = Scale(pt_max=511, eta_step=0.010875, eta_max=225, n_phi=576)
