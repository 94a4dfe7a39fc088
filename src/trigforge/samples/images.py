"""Jet images as a calorimeter trigger would send them.

``(Jets, TopImages) -> (n_jets, n_pixels, n_pixels, 1) unsigned integers``. The steps and
their order follow arXiv:1803.00107, after arXiv:1701.08784: everything is moved, turned and
flipped before it is pixelated. Rows follow the turned azimuth, columns the turned
pseudorapidity; both grow with the index.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from trigforge.samples.jets import azimuth, transverse_momentum, wrap

if TYPE_CHECKING:
    from trigforge.core.config import TopImages

ETA_LIMIT = 10.0
"""Beyond any particle of a jet; keeps tower numbers positive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Towers:
    """Calorimeter towers of many jets in one flat list, sorted by jet.

    ``jet`` (int64) is the index of the jet a tower belongs to; ``eta`` and ``phi`` are
    positions, ``et_gev`` transverse energies, all of shape ``(n_towers,)``.
    """

    n_jets: int
    jet: NDArray[np.int64]
    eta: NDArray[np.float64]
    phi: NDArray[np.float64]
    et_gev: NDArray[np.float64]

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up a quantity of the towers in each jet: ``(n_jets,)``."""
        return _sums(self.jet, values, self.n_jets)

    def moved_to(self, eta: NDArray[np.float64], phi: NDArray[np.float64]) -> Towers:
        """Return the same towers at other positions."""
        return Towers(n_jets=self.n_jets, jet=self.jet, eta=eta, phi=phi, et_gev=self.et_gev)


def jet_images(constituents: Any, spec: TopImages) -> NDArray[Any]:
    """Return the images of jets given as ``n_jets * var * {px, py, pz, E}``.

    Raw integers ``(n_jets, n_pixels, n_pixels, 1)``, uint8 up to 8 bits, else uint16.
    """
    towers = turned(sum_into_towers(constituents, spec.tower_size))
    pixels = normalised(pixelated(towers, spec.n_pixels, spec.image_width), spec.normalise)
    return quantised(pixels, spec.pixel_bits, spec.pixel_lsb)[..., np.newaxis]


def sum_into_towers(constituents: Any, tower_size: float) -> Towers:
    """Sum the transverse energy of particles that hit the same tower.

    The grid is fixed in the detector. Its pitch in azimuth is the nearest to ``tower_size``
    that divides the circle. A tower sits at its centre.
    """
    n_phi = round(2 * np.pi / tower_size)
    n_eta = int(np.ceil(2 * ETA_LIMIT / tower_size))
    jet, eta, phi, et_gev = _flat_particles(constituents)
    column = np.floor((eta + ETA_LIMIT) / tower_size).astype(np.int64).clip(0, n_eta - 1)
    row = np.floor((phi + np.pi) / (2 * np.pi) * n_phi).astype(np.int64) % n_phi
    number = (jet * n_eta + column) * n_phi + row
    towers, which = np.unique(number, return_inverse=True)
    return Towers(
        n_jets=len(constituents),
        jet=towers // n_phi // n_eta,
        eta=(towers // n_phi % n_eta + 0.5) * tower_size - ETA_LIMIT,
        phi=(towers % n_phi + 0.5) * (2 * np.pi / n_phi) - np.pi,
        et_gev=_sums(which, et_gev, len(towers)),
    )


def turned(towers: Towers) -> Towers:
    """Centre, rotate and flip each jet; positions become relative to its centroid.

    The centroid of transverse energy goes to the origin, the principal axis of transverse
    energy along azimuth, the hottest tower to positive pseudorapidity and azimuth.
    """
    return _flipped(_rotated(_centred(towers)))


def pixelated(towers: Towers, n_pixels: int, image_width: float) -> NDArray[np.float64]:
    """Sum towers into pixels, in GeV: ``(n_jets, n_pixels, n_pixels)``.

    The image is a square of ``image_width`` around the origin; what is outside is lost.
    """
    scale = n_pixels / image_width
    column = np.floor(towers.eta * scale + n_pixels / 2).astype(np.int64)
    row = np.floor(towers.phi * scale + n_pixels / 2).astype(np.int64)
    inside = (column >= 0) & (column < n_pixels) & (row >= 0) & (row < n_pixels)
    number = ((towers.jet * n_pixels + row) * n_pixels + column)[inside]
    pixels = _sums(number, towers.et_gev[inside], towers.n_jets * n_pixels**2)
    return pixels.reshape(towers.n_jets, n_pixels, n_pixels)


def normalised(pixels: NDArray[np.float64], how: str) -> NDArray[np.float64]:
    """Divide each image by its sum or its maximum, or leave it in GeV (``none``)."""
    if how == "none":
        return pixels
    reduce = np.sum if how == "sum" else np.max
    scale = np.broadcast_to(reduce(pixels, axis=(1, 2), keepdims=True), pixels.shape)
    result = np.zeros_like(pixels)
    np.divide(pixels, scale, out=result, where=scale > 0)
    return result


def quantised(values: NDArray[np.float64], bits: int, lsb: float) -> NDArray[Any]:
    """Round to steps of ``lsb`` (half to even) and saturate at the largest integer."""
    raw: NDArray[np.float64] = np.minimum(np.rint(values / lsb), 2.0**bits - 1)
    return raw.astype(np.uint8 if bits <= 8 else np.uint16)


def _sums(where: NDArray[np.int64], values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """Add values up by the index they belong to: ``(size,)``."""
    return np.bincount(where, weights=values, minlength=size).astype(np.float64, copy=False)


def _flat_particles(
    constituents: Any,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return jet index, pseudorapidity, azimuth and transverse energy of all particles."""
    flat = ak.flatten(constituents)
    pt = ak.to_numpy(transverse_momentum(flat))
    pz = ak.to_numpy(flat.pz)
    jet = np.repeat(np.arange(len(constituents)), ak.to_numpy(ak.num(constituents)))
    et_gev = ak.to_numpy(flat.E) * pt / np.hypot(pt, pz)
    return jet, np.arcsinh(pz / pt), ak.to_numpy(azimuth(flat)), et_gev


def _centred(towers: Towers) -> Towers:
    hottest = _hottest(towers)
    phi = wrap(towers.phi - towers.phi[hottest][towers.jet])
    total = towers.sums(towers.et_gev)
    eta_mean = towers.sums(towers.et_gev * towers.eta) / total
    phi_mean = towers.sums(towers.et_gev * phi) / total
    return towers.moved_to(towers.eta - eta_mean[towers.jet], phi - phi_mean[towers.jet])


def _rotated(towers: Towers) -> Towers:
    """Turn the axis of the largest second moment of transverse energy along azimuth."""
    et, eta, phi = towers.et_gev, towers.eta, towers.phi
    spread = towers.sums(et * (phi**2 - eta**2))
    angle = 0.5 * np.arctan2(2 * towers.sums(et * eta * phi), spread)
    cosine, sine = np.cos(angle)[towers.jet], np.sin(angle)[towers.jet]
    return towers.moved_to(cosine * eta - sine * phi, sine * eta + cosine * phi)


def _flipped(towers: Towers) -> Towers:
    hottest = _hottest(towers)
    signs = (np.where(values[hottest] < 0, -1.0, 1.0) for values in (towers.eta, towers.phi))
    eta_sign, phi_sign = signs
    return towers.moved_to(
        towers.eta * eta_sign[towers.jet],
        towers.phi * phi_sign[towers.jet],
    )


def _hottest(towers: Towers) -> NDArray[np.int64]:
    """Return the index of the tower of most transverse energy in each jet: ``(n_jets,)``."""
    order = np.lexsort((-towers.et_gev, towers.jet))
    first = np.searchsorted(towers.jet, np.arange(towers.n_jets))
    return np.asarray(order[first], np.int64)
