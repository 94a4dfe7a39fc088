r"""The 16 high-level features of the jet-tagging benchmark.

``Jets -> (n_jets, 16) float32``, the variables of arXiv:1804.06913 as defined in
arXiv:1709.08705. With z_i the share of constituent i in the sum of the constituents'
transverse momenta and theta_ij the distance in rapidity and azimuth, the energy
correlation functions are (arXiv:1609.07483; ``v`` counts the smallest angles of
a triple that are multiplied)::

    e2(beta)  = sum_{i<j}   z_i z_j     theta_ij^beta
    ve3(beta) = sum_{i<j<k} z_i z_j z_k (product of the v smallest angles)^beta

Those whose name ends in ``_mmdt`` are taken on the groomed jet (soft drop, beta = 0,
z_cut = 0.1); ``zlogz`` and ``multiplicity`` on the whole jet. A ratio with a vanishing
denominator (a groomed jet of one or two constituents) is 0.

| name | definition | source |
|---|---|---|
| ``zlogz`` | sum z_i ln z_i | arXiv:1709.08705 |
| ``c1_b0_mmdt`` | C1(0) = e2(0) | arXiv:1305.0007 |
| ``c1_b1_mmdt`` | C1(1) = e2(1) | arXiv:1305.0007 |
| ``c1_b2_mmdt`` | C1(2) = e2(2) | arXiv:1305.0007 |
| ``c2_b1_mmdt`` | C2(1) = 3e3(1) / e2(1)^2 | arXiv:1305.0007 |
| ``c2_b2_mmdt`` | C2(2) = 3e3(2) / e2(2)^2 | arXiv:1305.0007 |
| ``d2_b1_mmdt`` | D2(1) = 3e3(1) / e2(1)^3 | arXiv:1409.6298 |
| ``d2_b2_mmdt`` | D2(2) = 3e3(2) / e2(2)^3 | arXiv:1409.6298 |
| ``d2_a1_b1_mmdt`` | D2(1,1) = 3e3(1) / e2(1)^3, equal to D2(1) | arXiv:1409.6298 |
| ``d2_a1_b2_mmdt`` | D2(1,2) = 3e3(1) / e2(2)^(3/2) | arXiv:1409.6298 |
| ``m2_b1_mmdt`` | M2(1) = 1e3(1) / e2(1) | arXiv:1609.07483 |
| ``m2_b2_mmdt`` | M2(2) = 1e3(2) / e2(2) | arXiv:1609.07483 |
| ``n2_b1_mmdt`` | N2(1) = 2e3(1) / e2(1)^2 | arXiv:1609.07483 |
| ``n2_b2_mmdt`` | N2(2) = 2e3(2) / e2(2)^2 | arXiv:1609.07483 |
| ``mass_mmdt`` | mass of the groomed jet in GeV | arXiv:1307.0007 |
| ``multiplicity`` | number of constituents | arXiv:1709.08705 |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import numba
import numpy as np

from trigforge.samples.jets import Groomed, Jets, azimuth, rapidity, transverse_momentum

if TYPE_CHECKING:
    from numpy.typing import NDArray

FEATURE_NAMES = (
    "zlogz",
    "c1_b0_mmdt",
    "c1_b1_mmdt",
    "c1_b2_mmdt",
    "c2_b1_mmdt",
    "c2_b2_mmdt",
    "d2_b1_mmdt",
    "d2_b2_mmdt",
    "d2_a1_b1_mmdt",
    "d2_a1_b2_mmdt",
    "m2_b1_mmdt",
    "m2_b2_mmdt",
    "n2_b1_mmdt",
    "n2_b2_mmdt",
    "mass_mmdt",
    "multiplicity",
)


def jet_features(jets: Jets, groomed: Groomed) -> NDArray[np.float32]:
    """Return the features in the order of ``FEATURE_NAMES``: ``(n_jets, 16)``."""
    e2_0, e2_1, e2_2, *e3 = correlators(groomed.constituents).T
    e3_1, e3_2, one_e3_1, one_e3_2, two_e3_1, two_e3_2 = e3
    columns = (
        _momentum_entropy(jets.constituents),
        e2_0,
        e2_1,
        e2_2,
        _ratio(e3_1, e2_1**2),
        _ratio(e3_2, e2_2**2),
        _ratio(e3_1, e2_1**3),
        _ratio(e3_2, e2_2**3),
        _ratio(e3_1, e2_1**3),
        _ratio(e3_1, e2_2**1.5),
        _ratio(one_e3_1, e2_1),
        _ratio(one_e3_2, e2_2),
        _ratio(two_e3_1, e2_1**2),
        _ratio(two_e3_2, e2_2**2),
        groomed.mass_gev,
        ak.to_numpy(ak.num(jets.constituents)).astype(np.float64),
    )
    return np.stack(columns, axis=1).astype(np.float32)


def correlators(constituents: Any) -> NDArray[np.float64]:
    """Return the normalised energy correlation functions of jets: ``(n_jets, 9)``.

    The columns are e2(0), e2(1), e2(2), 3e3(1), 3e3(2), 1e3(1), 1e3(2), 2e3(1), 2e3(2).
    """
    shares = _shares(constituents)
    offsets = np.concatenate(([0], np.cumsum(ak.to_numpy(ak.num(shares))))).astype(np.int64)
    flat = (ak.flatten(shares), *(ak.flatten(f(constituents)) for f in (rapidity, azimuth)))
    z, y, phi = (np.ascontiguousarray(ak.to_numpy(values), np.float64) for values in flat)
    result: NDArray[np.float64] = _correlate(offsets, z, y, phi)
    return result


def _shares(constituents: Any) -> Any:
    pt = transverse_momentum(constituents)
    return pt / ak.sum(pt, axis=1)


def _momentum_entropy(constituents: Any) -> NDArray[np.float64]:
    shares = _shares(constituents)
    return np.asarray(ak.to_numpy(ak.sum(shares * np.log(shares), axis=1)))


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


@numba.njit(error_model="numpy")
def _correlate(offsets: Any, z: Any, y: Any, phi: Any) -> Any:
    n_jets = len(offsets) - 1
    sums = np.zeros((n_jets, 9))
    for jet in range(n_jets):
        own = slice(offsets[jet], offsets[jet + 1])
        theta = _angles(y[own], phi[own])
        _add_pairs(sums[jet], z[own], theta)
        _add_triples(sums[jet], z[own], theta)
    return sums


@numba.njit(error_model="numpy")
def _angles(y: Any, phi: Any) -> Any:
    n = len(y)
    theta = np.empty((n, n))
    for i in range(n):
        for j in range(n):
            dphi = abs(phi[i] - phi[j])
            dphi = min(dphi, 2 * np.pi - dphi)
            theta[i, j] = np.sqrt((y[i] - y[j]) ** 2 + dphi**2)
    return theta


@numba.njit(error_model="numpy")
def _add_pairs(sums: Any, z: Any, theta: Any) -> None:
    for i in range(len(z)):
        for j in range(i):
            weight = z[i] * z[j]
            sums[0] += weight
            sums[1] += weight * theta[i, j]
            sums[2] += weight * theta[i, j] ** 2


@numba.njit(error_model="numpy")
def _add_triples(sums: Any, z: Any, theta: Any) -> None:
    for i in range(len(z)):
        for j in range(i):
            side = theta[i, j]
            weight_ij = z[i] * z[j]
            for k in range(j):
                weight = weight_ij * z[k]
                low = min(theta[i, k], theta[j, k])
                high = max(theta[i, k], theta[j, k])
                least = min(side, low)
                two = least * min(high, max(side, low))
                three = side * low * high
                sums[3] += weight * three
                sums[4] += weight * three * three
                sums[5] += weight * least
                sums[6] += weight * least * least
                sums[7] += weight * two
                sums[8] += weight * two * two
