"""Chunks: the pieces a sample is made of, each from its own seed.

``(SampleSpec, ChunkKey) -> Chunk``. A chunk depends on nothing but what its digest says,
and a chunk of fewer jets is the beginning of one of more; so a smaller sample is the
beginning of a larger one, and any number of processes makes the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigforge.core.config import JetsHlf
from trigforge.core.errors import SpecError, StoreError
from trigforge.core.records import freeze_arrays
from trigforge.core.store import Store, key_of
from trigforge.samples import collisions, features, images, jets

if TYPE_CHECKING:
    from pathlib import Path

    from trigforge.core.config import SampleSpec

CHUNK_JETS = 1000
ALGORITHM_VERSION = 1
"""Raise it whenever the same spec would give other bytes."""
STORE_KIND = "sample_chunks"
CLASS_NAMES = {
    "jets_hlf": ("gluon", "light_quark", "w", "z", "top"),
    "top_images": ("qcd", "top"),
}
MAX_EMPTY_BATCHES = 100
"""Batches in a row without a jet before a window is held to be out of reach."""
PYTHIA_SEEDS = 900_000_000
"""Pythia takes seeds from 1 to this."""
LOWEST_JET_PT_SHARE = 0.5
"""Jets of a parton must keep this share of the lowest parton's transverse momentum."""
WINDOW_SHARES = (0.85, 1.25)
"""Hard processes generated for a window of jets: energy leaks out of jets and into them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkKey:
    """Which piece of a sample: its class, its place in the class, its number of jets."""

    class_name: str
    index: int
    n_jets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Jets of one class: ``x`` one row a jet, ``event`` (int64) the collision each is from."""

    x: NDArray[Any]
    event: NDArray[np.int64]

    def __post_init__(self) -> None:
        freeze_arrays(self)


def generator_versions() -> dict[str, str]:
    """Return the versions of what the bytes of a sample depend on."""
    return {
        "pythia8mc": version("pythia8mc"),
        "fastjet": version("fastjet"),
        "algorithm": str(ALGORITHM_VERSION),
    }


def keys_of(spec: SampleSpec) -> tuple[ChunkKey, ...]:
    """List the chunks of a sample, the first of every class before the second of any."""
    n_full, rest = divmod(spec.jets_per_class, CHUNK_JETS)
    sizes = [CHUNK_JETS] * n_full + [rest] * bool(rest)
    return tuple(
        ChunkKey(class_name=class_name, index=index, n_jets=n_jets)
        for index, n_jets in enumerate(sizes)
        for class_name in CLASS_NAMES[spec.kind]
    )


def physics_of(spec: SampleSpec) -> dict[str, Any]:
    """Return the part of a spec that decides what a jet is, not how many there are."""
    return spec.model_dump(mode="json", exclude={"jets_per_class", "test_fraction"})


def chunk_digest(spec: SampleSpec, key: ChunkKey) -> str:
    """Return the digest of all that the bytes of a chunk depend on."""
    return key_of(
        {
            "spec": physics_of(spec),
            "chunk": [key.class_name, key.index, key.n_jets],
            "generators": generator_versions(),
        }
    )


def seed_of(spec: SampleSpec, key: ChunkKey) -> int:
    """Return Pythia's seed for a chunk, 1 to 900,000,000, whatever its number of jets."""
    return digest_number(spec.seed, key.class_name, key.index) % PYTHIA_SEEDS + 1


def digest_number(*parts: int | str) -> int:
    """Return 64 bits of the SHA-256 of numbers and names."""
    text = "\0".join(str(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def check_reachable(spec: SampleSpec) -> None:
    """Refuse a spec whose window no hard process can reach.

    Raises:
        SpecError: naming the window and what would be right.
    """
    for class_name in CLASS_NAMES[spec.kind]:
        collisions.check_window(_process(spec, class_name), _beam(spec))


def make_chunk(spec: SampleSpec, key: ChunkKey) -> Chunk:
    """Generate collisions until there are ``key.n_jets`` jets.

    Raises:
        SpecError: if the window is out of reach.
        ToolError: if Pythia fails.
    """
    parts: list[Chunk] = []
    n_jets = n_events = n_empty = 0
    stream = collisions.generate(_process(spec, key.class_name), _beam(spec), seed_of(spec, key))
    while n_jets < key.n_jets:
        events = next(stream)
        found = _wanted_jets(spec, events)
        n_empty = 0 if len(found) else n_empty + 1
        if n_empty == MAX_EMPTY_BATCHES:
            n_tried = n_empty * collisions.BATCH_EVENTS
            msg = f"sample: no {key.class_name} jet in {n_tried} events; widen the pt window"
            raise SpecError(msg)
        if len(found):
            parts.append(Chunk(x=_describe(spec, found), event=found.event + n_events))
        n_jets += len(found)
        n_events += len(events.particles)
    return Chunk(
        x=np.concatenate([part.x for part in parts])[: key.n_jets],
        event=np.concatenate([part.event for part in parts])[: key.n_jets],
    )


def store_chunk(spec: SampleSpec, key: ChunkKey, store: Store) -> None:
    """Make a chunk and keep it.

    Raises:
        SpecError: if the window is out of reach.
        ToolError: if Pythia fails.
        StoreError: if it cannot be written.
    """
    chunk = make_chunk(spec, key)
    with store.adding(STORE_KIND, chunk_digest(spec, key)) as folder:
        np.save(folder / "x.npy", chunk.x, allow_pickle=False)
        np.save(folder / "event.npy", chunk.event, allow_pickle=False)


def find_chunk(spec: SampleSpec, key: ChunkKey, store: Store) -> Path | None:
    """Return the folder of a kept chunk, or None.

    Raises:
        StoreError: if it is not what was written.
    """
    return store.find(STORE_KIND, chunk_digest(spec, key))


def read_chunk(spec: SampleSpec, key: ChunkKey, store: Store) -> Chunk:
    """Read a kept chunk.

    Raises:
        StoreError: if it is missing or not what was written.
    """
    folder = find_chunk(spec, key, store)
    if folder is None:
        where = store.folder(STORE_KIND, chunk_digest(spec, key))
        msg = f"{where} is missing: something removed it while the sample was made; run again"
        raise StoreError(msg)
    return Chunk(
        x=np.load(folder / "x.npy", allow_pickle=False),
        event=np.load(folder / "event.npy", allow_pickle=False),
    )


def _process(spec: SampleSpec, class_name: str) -> collisions.Process:
    source = spec.boson_source if isinstance(spec, JetsHlf) else None
    return collisions.process_of(class_name, source)


def _beam(spec: SampleSpec) -> collisions.Beam:
    if isinstance(spec, JetsHlf):
        low, high = spec.parton_pt_gev
    else:
        low, high = (a * b for a, b in zip(spec.jet_pt_gev, WINDOW_SHARES, strict=True))
    return collisions.Beam(
        window_gev=(low, high),
        multi_parton_interactions=spec.multi_parton_interactions,
    )


def _wanted_jets(spec: SampleSpec, events: collisions.Events) -> jets.Jets:
    if isinstance(spec, JetsHlf):
        lowest_gev = LOWEST_JET_PT_SHARE * spec.parton_pt_gev[0]
        return jets.find_jets(events, spec.jet_radius, lowest_gev)
    low, high = spec.jet_pt_gev
    found = jets.find_jets(events, spec.jet_radius, low)
    return found.select(np.asarray(jets.transverse_momentum(found.momenta) < high))


def _describe(spec: SampleSpec, found: jets.Jets) -> NDArray[Any]:
    if isinstance(spec, JetsHlf):
        return features.jet_features(found, jets.groom(found))
    return images.jet_images(found.constituents, spec)
