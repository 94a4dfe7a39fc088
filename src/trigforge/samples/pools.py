"""Collisions as the trigger sees them, kept to be overlaid many times.

``(seed, n_collisions) -> Pool``. A collision is a short list of towers and muons. Turned by
whole towers in azimuth and mirrored in pseudorapidity it is another one that is as likely, so a
pool stands for 144 times as many; but what it does not hold never happens. Independent pools
show by how much they scatter.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trigforge.core.records import freeze_arrays
from trigforge.samples import detector, inelastic, truth
from trigforge.samples.scales import MUON
from trigforge.samples.seeds import pythia_seed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from trigforge.core.store import Store
    from trigforge.samples.inelastic import Collided, Process

STORE_KIND = "collision_pools"
FILE = "pool.npz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Towers and muons of collisions, those of one after those of another.

    The towers of collision ``i`` are at ``first_tower[i]`` to ``first_tower[i + 1]``: ``row`` and
    ``column`` (uint8) and transverse energies ``em`` and ``had`` (int32, in
    ``detector.STEP_GEV``); ``forward`` (int32, ``(n_collisions, 72)``) is what the rows of the
    forward calorimeters have. Its muons are at ``first_muon[i]`` on: ``muons`` (int16, ``(n, 3)``)
    are the trigger's integers of pt, eta and phi. ``probability`` (float64, sums to 1) is that of
    drawing a collision; ``truth`` (float32, ``(n_collisions, 3)``) has the columns of
    ``truth.TRUTH_NAMES``.
    """

    first_tower: NDArray[np.int64]
    row: NDArray[np.uint8]
    column: NDArray[np.uint8]
    em: NDArray[np.int32]
    had: NDArray[np.int32]
    forward: NDArray[np.int32]
    first_muon: NDArray[np.int64]
    muons: NDArray[np.int16]
    probability: NDArray[np.float64]
    truth: NDArray[np.float32]

    def __post_init__(self) -> None:
        freeze_arrays(self)

    def __len__(self) -> int:
        return len(self.probability)


def make_minimum_bias(seed: int, n_collisions: int) -> Pool:
    """Generate inelastic collisions, each slice with its share of the pool.

    Raises:
        ToolError: if Pythia fails.
    """
    sizes = [round(part.pool_share * n_collisions) for part in inelastic.SLICES[1:]]
    parts = [
        _weighted(make(part.process, pythia_seed(seed, number), size), part.probability)
        for number, (part, size) in enumerate(
            zip(inelastic.SLICES, (n_collisions - sum(sizes), *sizes), strict=True)
        )
    ]
    return join(parts)


def make(process: Process, seed: int, n_collisions: int) -> Pool:
    """Generate collisions of one process; the probabilities are their weights.

    Raises:
        ToolError: if Pythia fails.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    return join([detect(batch, random) for batch in inelastic.collide(process, seed, n_collisions)])


def detect(collided: Collided, random: np.random.Generator) -> Pool:
    """Return a batch of collisions as the trigger sees it."""
    n_collisions = collided.visible.n_collisions
    deposits = detector.deposit(collided.visible, random)
    muons = detector.detect_muons(collided.visible, random)
    return Pool(
        first_tower=_firsts(deposits.collision, n_collisions),
        row=(deposits.tower // detector.N_TOWER_COLUMNS).astype(np.uint8),
        column=(deposits.tower % detector.N_TOWER_COLUMNS).astype(np.uint8),
        em=deposits.em.astype(np.int32),
        had=deposits.had.astype(np.int32),
        forward=deposits.forward.astype(np.int32),
        first_muon=_firsts(muons.collision, n_collisions),
        muons=np.column_stack((MUON.pt(muons.pt_gev), MUON.eta(muons.eta), MUON.phi(muons.phi))),
        probability=collided.weight,
        truth=truth.describe(collided),
    )


def join(parts: Iterable[Pool]) -> Pool:
    """Return the collisions of several pools as one; probabilities stay as they are."""
    pools = tuple(parts)
    arrays = {
        name: np.concatenate([getattr(pool, name) for pool in pools])
        for name in (entry.name for entry in fields(Pool))
        if not name.startswith("first_")
    }
    counts = {
        name: np.concatenate([np.diff(getattr(pool, name)) for pool in pools])
        for name in ("first_tower", "first_muon")
    }
    firsts = {name: np.concatenate(([0], np.cumsum(own))) for name, own in counts.items()}
    return Pool(**firsts, **arrays)


def set_apart(own: Pool, pool: Pool) -> Pool:
    """Return a pool that begins with collisions that are never drawn."""
    return join([replace(own, probability=np.zeros(len(own))), pool])


def keep(store: Store, digest: str, make_pool: Callable[[], Pool]) -> Pool:
    """Return the pool of this digest from the store, made and added if it is not there.

    Raises:
        StoreError: if what is in the store is not what was written.
    """
    folder = store.find(STORE_KIND, digest)
    if folder is not None:
        with np.load(folder / FILE, allow_pickle=False) as arrays:
            return Pool(**arrays)
    pool = make_pool()
    with store.adding(STORE_KIND, digest) as new:
        arrays = {entry.name: getattr(pool, entry.name) for entry in fields(Pool)}
        np.savez_compressed(new / FILE, allow_pickle=False, **arrays)
    return pool


def _firsts(collision: NDArray[np.int64], n_collisions: int) -> NDArray[np.int64]:
    """Return where each collision begins in a list sorted by collision, and the end."""
    return np.searchsorted(collision, np.arange(n_collisions + 1)).astype(np.int64)


def _weighted(pool: Pool, probability: float) -> Pool:
    """Return the pool with probabilities that add up to that of its slice."""
    return replace(pool, probability=pool.probability * (probability / pool.probability.sum()))
