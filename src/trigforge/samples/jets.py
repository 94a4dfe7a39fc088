"""Jets: clustering, matching to the hard process and grooming, all with FastJet.

``Events -> Jets``. FastJet: arXiv:1111.6097; anti-kT: arXiv:0802.1189; soft drop:
arXiv:1402.2657, which with beta = 0 is the modified mass drop tagger (mMDT) of
arXiv:1307.0007.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import awkward as ak
import fastjet
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from trigforge.samples.collisions import Events

JETS_PER_EVENT = 2
MATCH_DISTANCE = 0.4
"""Largest distance in rapidity and azimuth between a jet and the particle it comes from."""
MAX_ABS_RAPIDITY = 2.5
"""Jets beyond it are dropped: the trackers end there."""
SOFT_DROP_Z_CUT = 0.1
RECLUSTERING_RADIUS = 10.0
"""Larger than any jet, so that Cambridge/Aachen finds one jet in each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jets:
    """Jets of many events, one row a jet.

    ``momenta`` is ``n_jets * {px, py, pz, E}``, ``constituents`` ``n_jets * var * {px, py,
    pz, E}``, both in GeV; ``event`` (int64, ``(n_jets,)``) is the index of the event a jet
    comes from.
    """

    momenta: Any
    constituents: Any
    event: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.event)

    def select(self, mask: NDArray[np.bool_]) -> Jets:
        """Return the jets a boolean mask ``(n_jets,)`` keeps."""
        return Jets(
            momenta=self.momenta[mask],
            constituents=self.constituents[mask],
            event=self.event[mask],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Groomed:
    """What soft drop leaves of jets: mass in GeV ``(n_jets,)`` and constituents."""

    mass_gev: NDArray[np.float64]
    constituents: Any


def find_jets(events: Events, radius: float, min_pt_gev: float) -> Jets:
    """Return the leading jets of each event that match a particle of the hard process.

    Jets are anti-kT of the given radius, at most ``JETS_PER_EVENT`` an event in falling
    transverse momentum, each within ``MATCH_DISTANCE`` of a partner.
    """
    jets = _leading_jets(events.particles, radius, min_pt_gev)
    partners = events.partners[jets.event]
    distance = ak.min(_distances(jets.momenta, partners), axis=1)
    matched = ak.fill_none(distance, np.inf) < MATCH_DISTANCE
    central = abs(rapidity(jets.momenta)) < MAX_ABS_RAPIDITY
    return jets.select(np.asarray(matched & central))


def groom(jets: Jets) -> Groomed:
    """Recluster each jet with Cambridge/Aachen and soft-drop it (beta 0, z_cut 0.1)."""
    sequence = cluster(jets.constituents, fastjet.cambridge_algorithm, RECLUSTERING_RADIUS)
    dropped = sequence.exclusive_jets_softdrop_grooming(
        njets=1,
        beta=0.0,
        symmetry_cut=SOFT_DROP_Z_CUT,
        symmetry_measure="scalar_z",
        R0=RECLUSTERING_RADIUS,
    )
    return Groomed(
        mass_gev=np.maximum(ak.to_numpy(dropped.msoftdrop), 0.0),
        constituents=dropped.constituents,
    )


def transverse_momentum(momenta: Any) -> Any:
    """Return pT in GeV, in the shape of the four-momenta."""
    return np.hypot(momenta.px, momenta.py)


def rapidity(momenta: Any) -> Any:
    """Return the rapidity, in the shape of the four-momenta; stable for forward particles."""
    mass2 = (momenta.E + momenta.pz) * (momenta.E - momenta.pz) - _pt2(momenta)
    transverse2 = _pt2(momenta) + np.maximum(mass2, 0.0)
    forward = 0.5 * np.log((momenta.E + abs(momenta.pz)) ** 2 / transverse2)
    return np.sign(momenta.pz) * forward


def azimuth(momenta: Any) -> Any:
    """Return phi in (-pi, pi], in the shape of the four-momenta."""
    return np.arctan2(momenta.py, momenta.px)


def wrap(angle: Any) -> Any:
    """Bring differences of azimuth into [-pi, pi)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


def _pt2(momenta: Any) -> Any:
    return momenta.px**2 + momenta.py**2


def _distances(momenta: Any, others: Any) -> Any:
    """Return the distance of each jet to each particle listed for it."""
    dphi = wrap(azimuth(momenta) - azimuth(others))
    return np.hypot(rapidity(momenta) - rapidity(others), dphi)


def cluster(particles: Any, algorithm: int, radius: float) -> Any:
    """Cluster each list of particles; FastJet's banner would go to standard output."""
    fastjet._swig.ClusterSequence.set_fastjet_banner_stream(None)  # noqa: SLF001 (no public name)
    return fastjet.ClusterSequence(
        ak.to_packed(particles), fastjet.JetDefinition(algorithm, radius)
    )


def _leading_jets(particles: Any, radius: float, min_pt_gev: float) -> Jets:
    sequence = cluster(particles, fastjet.antikt_algorithm, radius)
    momenta = sequence.inclusive_jets(min_pt_gev)
    constituents = sequence.constituents(min_pt_gev)
    order = ak.argsort(transverse_momentum(momenta), ascending=False, axis=1)[:, :JETS_PER_EVENT]
    event = np.repeat(np.arange(len(order)), ak.to_numpy(ak.num(order)))
    return Jets(
        momenta=ak.flatten(momenta[order]),
        constituents=ak.flatten(constituents[order]),
        event=event.astype(np.int64),
    )
