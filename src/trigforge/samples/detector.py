"""What particles leave in calorimeter towers and muon chambers: a simple model of CMS.

``Particles -> Deposits, Muons``. Charged particles turn in the solenoid and may never reach the
barrel. Photons and electrons end in the electromagnetic calorimeter (EM); a hadron starts to
shower there with the probability of 1.1 interaction lengths and leaves a random share, the rest
goes to the hadronic calorimeter (HAD). Energies are smeared, particle by particle, with the
resolution of each calorimeter (JINST 3 S08004). A shower stays in the tower it hits; there is no
noise, no material before the calorimeters, and every collision is at the centre.

The towers are those of CMS (arXiv:2006.10165): 72 in azimuth, 28 on each side in
pseudorapidity up to 3, 0.087 wide up to 1.74 and wider then. Of the forward calorimeters, from
there up to 5, only the sums over pseudorapidity are kept: missing energy needs no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trigforge.core.records import freeze_arrays
from trigforge.samples.generator import MAX_ABS_ETA

if TYPE_CHECKING:
    from trigforge.samples.inelastic import Particles

N_TOWER_ROWS, N_TOWER_COLUMNS = 72, 56
"""Towers in azimuth and in pseudorapidity."""
N_TOWERS = N_TOWER_ROWS * N_TOWER_COLUMNS
_POSITIVE_EDGES = (
    *(0.087 * number for number in range(1, 21)),
    *(1.83, 1.93, 2.043, 2.172, 2.322, 2.5, 2.65, 3.0),
)
TOWER_EDGES = np.array([*(-edge for edge in reversed(_POSITIVE_EDGES)), 0.0, *_POSITIVE_EDGES])
"""Borders of the columns in pseudorapidity, ``(57,)``."""
STEP_GEV = 2.0**-10
"""Energies are whole numbers of steps: sums are exact, in any order."""

FIELD_T, BARREL_RADIUS_M, ENDCAP_Z_M = 3.8, 1.29, 3.15
"""Solenoid and front faces of the EM calorimeter."""
SMALLEST_PITCH_M = 1e-9
"""Along the beam, for each radian: nothing turns on the spot forever."""
GEV_PER_T_M = 0.299792458
"""Transverse momentum of a unit charge on a circle of 1 m in 1 T."""
EM_RESOLUTION = (0.03, 0.005)
HADRON_RESOLUTION = (1.0, 0.05)
FORWARD_RESOLUTION = (2.0, 0.09)
"""Of a particle of E GeV: first / sqrt(E), and second, added in quadrature."""
EM_SHOWER_PROBABILITY = 1 - np.exp(-1.1)

ELECTRON_ID, MUON_ID, PHOTON_ID = 11, 13, 22
NEGATIVE_LEPTONS = (ELECTRON_ID, MUON_ID)
POSITIVE_HADRONS = (211, 321, 2212, 3222)
NEGATIVE_HADRONS = (3112, 3312, 3334)
"""PDG codes of particles that live for 10 mm; antiparticles carry the other charge."""

MUON_MAX_ABS_ETA = 2.4
MUON_MIN_PT_GEV = 3.0
"""Below it, muons end in the calorimeters and the return yoke."""
MUON_EFFICIENCY = 0.95
MUON_CURVATURE_RESOLUTION = 0.2
"""Relative, of 1/pt: what muon chambers alone achieve in the trigger (arXiv:2006.10165)."""
MUON_ANGLE_RESOLUTION = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Deposits:
    """Energy in towers, one entry a tower that a collision hits, sorted by collision.

    ``tower`` (int64) is ``row * 56 + column``; ``em`` and ``had`` (int64) are transverse
    energies in ``STEP_GEV``. ``forward`` (int64, ``(n_collisions, 72)``) are those of the rows
    of the forward calorimeters, both sides together.
    """

    collision: NDArray[np.int64]
    tower: NDArray[np.int64]
    em: NDArray[np.int64]
    had: NDArray[np.int64]
    forward: NDArray[np.int64]

    def __post_init__(self) -> None:
        freeze_arrays(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Muons:
    """Muons as the chambers measure them, sorted by collision."""

    collision: NDArray[np.int64]
    pt_gev: NDArray[np.float64]
    eta: NDArray[np.float64]
    phi: NDArray[np.float64]


def deposit(particles: Particles, random: np.random.Generator) -> Deposits:
    """Return what the calorimeters measure of visible particles; muons leave nothing."""
    showering = particles.select(np.abs(particles.code) != MUON_ID)
    eta, phi = impact(showering)
    inside = np.abs(eta) < TOWER_EDGES[-1]
    em, had = (energy / np.cosh(eta) for energy in _measured(showering, inside, random))
    tower = tower_of(eta[inside], phi[inside])
    number = showering.collision[inside] * N_TOWERS + tower
    hit, which = np.unique(number, return_inverse=True)
    forward = ~inside & (np.abs(eta) < MAX_ABS_ETA)
    rows = showering.collision[forward] * N_TOWER_ROWS + _row_of(phi[forward])
    n_collisions = particles.n_collisions
    sums = _sum_of_steps(rows, (em + had)[forward], n_collisions * N_TOWER_ROWS)
    return Deposits(
        collision=hit // N_TOWERS,
        tower=hit % N_TOWERS,
        em=_sum_of_steps(which, em[inside], len(hit)),
        had=_sum_of_steps(which, had[inside], len(hit)),
        forward=sums.reshape(n_collisions, N_TOWER_ROWS),
    )


def tower_of(eta: NDArray[np.float64], phi: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the number of the tower at a position with ``|eta| < 3``."""
    column = np.searchsorted(TOWER_EDGES, eta, side="right") - 1
    return _row_of(phi) * N_TOWER_COLUMNS + column


def impact(particles: Particles) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return pseudorapidity and azimuth of the points where calorimeters are hit.

    A charged particle follows a helix from the centre until it has gone as far out as the
    barrel or as far along as the endcap; one that cannot reach the barrel curls up to the endcap.
    """
    charge = charge_of(particles.code)
    radius_m = particles.pt / (GEV_PER_T_M * FIELD_T)
    chord = np.minimum(BARREL_RADIUS_M / (2 * radius_m), 1.0)
    to_barrel = np.where(chord < 1, 2 * np.arcsin(chord), np.inf)
    pitch_m = np.maximum(np.abs(particles.pz) / (GEV_PER_T_M * FIELD_T), SMALLEST_PITCH_M)
    angle = np.minimum(to_barrel, ENDCAP_Z_M / pitch_m)
    along_m, out_m = pitch_m * angle, 2 * radius_m * np.sin(angle / 2)
    with np.errstate(divide="ignore"):
        eta = np.arcsinh(np.copysign(along_m, particles.pz) / np.abs(out_m))
    behind = np.where(out_m < 0, np.pi, 0.0)
    bent = charge != 0
    phi = particles.phi
    return (
        np.where(bent, eta, particles.eta),
        np.where(bent, phi - charge * angle / 2 + behind, phi),
    )


def charge_of(code: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return charges of particles that live for 10 mm, from their PDG codes."""
    positive = np.isin(np.abs(code), POSITIVE_HADRONS)
    negative = np.isin(np.abs(code), (*NEGATIVE_LEPTONS, *NEGATIVE_HADRONS))
    return np.sign(code) * (positive.astype(np.int64) - negative.astype(np.int64))


def detect_muons(particles: Particles, random: np.random.Generator) -> Muons:
    """Return the muons that the chambers find, momentum and direction smeared."""
    muons = particles.select(np.abs(particles.code) == MUON_ID)
    found = random.random(len(muons.code)) < MUON_EFFICIENCY
    curvature = 1 + MUON_CURVATURE_RESOLUTION * random.standard_normal(len(muons.code))
    angles = MUON_ANGLE_RESOLUTION * random.standard_normal((2, len(muons.code)))
    reached = (muons.pt > MUON_MIN_PT_GEV) & (np.abs(muons.eta) < MUON_MAX_ABS_ETA)
    kept = found & reached
    return Muons(
        collision=muons.collision[kept],
        pt_gev=(muons.pt / np.maximum(curvature, MUON_CURVATURE_RESOLUTION))[kept],
        eta=(muons.eta + angles[0])[kept],
        phi=(muons.phi + angles[1])[kept],
    )


def _row_of(phi: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.floor(phi / (2 * np.pi) * N_TOWER_ROWS).astype(np.int64) % N_TOWER_ROWS


def _measured(
    particles: Particles, inside: NDArray[np.bool_], random: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the smeared energies in the EM and the hadronic calorimeter, in GeV.

    ``inside`` marks particles that do not go to the forward calorimeters.
    """
    energy, n_particles = particles.energy, len(particles.code)
    electromagnetic = np.isin(np.abs(particles.code), (ELECTRON_ID, PHOTON_ID))
    early = random.random(n_particles) < EM_SHOWER_PROBABILITY
    share = np.where(electromagnetic, 1.0, early * random.random(n_particles))
    stochastic, constant = (
        np.where(inside, np.where(electromagnetic, em, had), forward)
        for em, had, forward in zip(
            EM_RESOLUTION, HADRON_RESOLUTION, FORWARD_RESOLUTION, strict=True
        )
    )
    spread = np.hypot(stochastic / np.sqrt(energy), constant)
    measured = energy * np.maximum(1 + spread * random.standard_normal(n_particles), 0.0)
    return measured * share, measured * (1 - share)


def _sum_of_steps(
    where: NDArray[np.int64], et_gev: NDArray[np.float64], size: int
) -> NDArray[np.int64]:
    """Add up energies, each rounded to steps: exact, whatever the order."""
    steps = np.rint(et_gev / STEP_GEV)
    return np.bincount(where, weights=steps, minlength=size).astype(np.int64)
