"""Four-momenta from what a detector measures."""

from __future__ import annotations

import numpy as np


def momentum(pt, y, phi, mass=0.0):
    transverse = np.hypot(pt, mass)
    px, py = pt * np.cos(phi), pt * np.sin(phi)
    return {"px": px, "py": py, "pz": transverse * np.sinh(y), "E": transverse * np.cosh(y)}
