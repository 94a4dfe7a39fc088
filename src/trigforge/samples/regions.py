"""Calorimeter regions: crossings as small images of transverse energy.

``(Crossings, CalorimeterRegions) -> (n, 18, 14, 1) unsigned integers``. A region is the sum of
the trigger primitives of 4 x 4 towers, EM and hadronic: the layout of CMS' calorimeter trigger
(arXiv:2006.10165) that its anomaly detector reads (CMS DP-2023/086). Rows grow with azimuth,
columns with pseudorapidity; the 14 columns reach to ``|eta| = 3`` and are 0.348 wide in the
barrel. A region saturates at the highest integer of its bits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.samples.crossings import primitives
from trigforge.samples.scales import PT_STEP_GEV

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.config import CalorimeterRegions
    from trigforge.samples.crossings import Crossings

FEATURE_NAMES = ("transverse_energy",)
TOWERS_PER_SIDE = 4


def describe(crossings: Crossings, spec: CalorimeterRegions) -> NDArray[Any]:
    """Return the regions of crossings: uint8 up to 8 bits, else uint16."""
    sums = region_sums(primitives(crossings.em) + primitives(crossings.had))
    raw = np.floor(sums * (PT_STEP_GEV / spec.region_lsb_gev))
    kept = np.minimum(raw, 2.0**spec.region_bits - 1)[..., np.newaxis]
    return np.asarray(kept, np.uint8 if spec.region_bits <= 8 else np.uint16)


def region_sums(towers: NDArray[np.int32]) -> NDArray[np.int64]:
    """Add up 4 x 4 towers: ``(n, 72, 56)`` to ``(n, 18, 14)``."""
    n_crossings, n_rows, n_columns = towers.shape
    blocks = (n_rows // TOWERS_PER_SIDE, TOWERS_PER_SIDE, n_columns // TOWERS_PER_SIDE)
    squares = towers.reshape(n_crossings, *blocks, TOWERS_PER_SIDE)
    return np.asarray(squares.sum(axis=(2, 4)), np.int64)
