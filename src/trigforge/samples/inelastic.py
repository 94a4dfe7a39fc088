"""Collisions as they happen at every crossing, and those a trigger is to find.

``(Process, seed) -> Collided``. Inelastic collisions are made in slices, split where Pythia's
own examples do it, by the transverse momentum of the hardest scattering: soft ones with a veto
above ``SOFT_BELOW_GEV``, hard ones from there on by the hard process, which is the same physics.
Hard ones are made more often the harder they are, ``pT^3`` times, and weighted for it. Single W
and Z bosons, where lepton triggers get their rate from, are a slice too. Whoever draws a
collision with its probability gets crossings without weights, in which the hard collisions that
rates come from are many different ones: among as many plain ones there would be a handful.

Cross sections are those of Pythia 8.317 at 13.6 TeV (leading order), from 100,000 hard
scatterings each, to 0.2 %.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from trigforge.core.records import freeze_arrays
from trigforge.samples import generator

if TYPE_CHECKING:
    from collections.abc import Iterator

BATCH_EVENTS = 100
"""Events asked of Pythia at once: a matter of memory."""
SOFT_BELOW_GEV = 20.0
INELASTIC_MB, HARD_MB, BOSON_MB = 78.585, 0.7692, 0.0002298
FIRST_SEED = 1
"""What a Pythia that is used again starts with, before it gets the seed of the collisions."""
LEPTOQUARK_ID = 42


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """Settings of a process, and the highest hard scattering it may have in GeV.

    A ``reusable`` Pythia takes seconds to start and learns nothing while it runs, so a process
    starts one and gives it new seeds.
    """

    settings: tuple[str, ...]
    highest_scale_gev: float = float("inf")
    reusable: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A part of all inelastic collisions: its process and its share of them.

    ``pool_share`` is the share of a pool's collisions that are made for it.
    """

    process: Process
    probability: float
    pool_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Particles:
    """Final particles of collisions in one flat list, sorted by collision.

    ``collision`` (int64) is the index of the collision, ``code`` (int64) the PDG code, the
    rest four-momenta in GeV, all ``(n_particles,)``.
    """

    n_collisions: int
    collision: NDArray[np.int64]
    code: NDArray[np.int64]
    px: NDArray[np.float64]
    py: NDArray[np.float64]
    pz: NDArray[np.float64]
    energy: NDArray[np.float64]

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def pt(self) -> NDArray[np.float64]:
        """Return transverse momenta in GeV."""
        return np.hypot(self.px, self.py)

    @property
    def eta(self) -> NDArray[np.float64]:
        """Return pseudorapidities."""
        return np.asarray(np.arcsinh(self.pz / self.pt))

    @property
    def phi(self) -> NDArray[np.float64]:
        """Return azimuths in [-pi, pi]."""
        return np.arctan2(self.py, self.px)

    def select(self, mask: NDArray[np.bool_]) -> Particles:
        """Return the particles a boolean mask ``(n_particles,)`` keeps."""
        return Particles(
            n_collisions=self.n_collisions,
            collision=self.collision[mask],
            code=self.code[mask],
            px=self.px[mask],
            py=self.py[mask],
            pz=self.pz[mask],
            energy=self.energy[mask],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Collided:
    """Collisions of one process: what the detector may see of them, and their neutrinos.

    ``weight`` (``(n_collisions,)``) is what each stands for among those of its process.
    """

    visible: Particles
    neutrinos: Particles
    weight: NDArray[np.float64]


HARD = Slice(
    process=Process(
        settings=(
            "HardQCD:all = on",
            f"PhaseSpace:pTHatMin = {SOFT_BELOW_GEV}",
            "PhaseSpace:bias2Selection = on",
            "PhaseSpace:bias2SelectionPow = 3",
            f"PhaseSpace:bias2SelectionRef = {SOFT_BELOW_GEV}",
        )
    ),
    probability=HARD_MB / INELASTIC_MB,
    pool_share=0.4,
)
BOSON = Slice(
    process=Process(settings=("WeakSingleBoson:ffbar2gmZ = on", "WeakSingleBoson:ffbar2W = on")),
    probability=BOSON_MB / INELASTIC_MB,
    pool_share=0.1,
)
SOFT = Slice(
    process=Process(
        settings=("SoftQCD:inelastic = on",), highest_scale_gev=SOFT_BELOW_GEV, reusable=True
    ),
    probability=1 - HARD.probability - BOSON.probability,
    pool_share=0.5,
)
SLICES = (SOFT, HARD, BOSON)
"""All inelastic collisions: probabilities and shares add up to 1."""

SIGNALS = {
    "top_pair": Process(settings=("Top:gg2ttbar = on", "Top:qqbar2ttbar = on")),
    "higgs_tau_tau": Process(
        settings=("HiggsSM:gg2H = on", "25:onMode = off", "25:onIfMatch = 15 -15")
    ),
    "higgs_four_leptons": Process(
        settings=(
            "HiggsSM:gg2H = on",
            "25:onMode = off",
            "25:onIfMatch = 23 23",
            "23:onMode = off",
            "23:onIfAny = 11 13",
        )
    ),
    "leptoquark_pair": Process(
        settings=(
            "LeptoQuark:gg2LQLQbar = on",
            "LeptoQuark:qqbar2LQLQbar = on",
            f"{LEPTOQUARK_ID}:m0 = 80",
            f"{LEPTOQUARK_ID}:0:products = 5 -15",
        )
    ),
}
"""Signals with all decays of their tops, W bosons and taus. The leptoquark (80 GeV, to b and
tau) and two taus or four leptons from a Higgs boson are benchmarks after arXiv:2107.02157."""


def collide(process: Process, seed: int, n_collisions: int) -> Iterator[Collided]:
    """Yield collisions in batches, ``n_collisions`` in all; the same seed, the same bytes.

    Raises:
        ToolError: if Pythia refuses a setting, cannot start or makes no event.
    """
    pythia = _start(process, seed)
    n_left = n_collisions
    while n_left:
        batch = generator.next_batch(pythia, BATCH_EVENTS, process.settings[0])
        batch = batch[batch.info.pT2Hat <= process.highest_scale_gev**2][:n_left]
        record = batch.prt
        n_left -= len(record)
        neutrinos = (record.status > 0) & generator.has_id(record, generator.NEUTRINO_IDS)
        yield Collided(
            visible=_flat(record, generator.is_visible(record)),
            neutrinos=_flat(record, neutrinos),
            weight=ak.to_numpy(batch.info.weights[:, 0]),
        )


def _start(process: Process, seed: int) -> Any:
    if not process.reusable:
        return generator.start(process.settings, seed, process.settings[0])
    pythia = _started(process.settings)
    pythia.rndm.init(seed)
    return pythia


@functools.cache
def _started(settings: tuple[str, ...]) -> Any:
    return generator.start(settings, FIRST_SEED, settings[0])


def _flat(record: Any, mask: Any) -> Particles:
    chosen = record[mask]
    flat = ak.flatten(chosen)
    px, py, pz, energy = (ak.to_numpy(flat.p[name]) for name in ("px", "py", "pz", "e"))
    return Particles(
        n_collisions=len(record),
        collision=np.repeat(np.arange(len(record)), ak.to_numpy(ak.num(chosen))),
        code=ak.to_numpy(flat.id).astype(np.int64),
        px=px,
        py=py,
        pz=pz,
        energy=energy,
    )
