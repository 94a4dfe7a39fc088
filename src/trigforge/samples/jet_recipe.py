"""Samples of jets, chunk by chunk: collisions until there are enough jets of a class.

``(JetSpec, ChunkKey) -> Chunk``. A chunk of fewer jets is the beginning of one of more, so a
smaller sample is the beginning of a larger one.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.config import JetsHlf, TopImages
from trigforge.core.errors import SpecError
from trigforge.core.store import key_of
from trigforge.samples import collisions, features, images, jets
from trigforge.samples.chunks import Chunk, ChunkKey
from trigforge.samples.seeds import digest_number, pythia_seed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.store import Store

CHUNK_JETS = 1000
ALGORITHM_VERSION = 1
"""Raise it whenever the same spec would give other bytes."""
MAX_EMPTY_BATCHES = 100
"""Batches in a row without a jet before a window is held to be out of reach."""
LOWEST_JET_PT_SHARE = 0.5
"""Jets of a parton must keep this share of the lowest parton's transverse momentum."""
WINDOW_SHARES = (0.85, 1.25)
"""Hard processes generated for a window of jets: energy leaks out of jets and into them."""
GOLDEN_GAMMA = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class JetRecipe:
    """How jets are made and described."""

    spec: JetsHlf | TopImages

    @property
    def unit(self) -> str:
        """Examples are jets."""
        return "jets"

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features; an image has one kind of value, its pixels."""
        high_level = isinstance(self.spec, JetsHlf)
        return features.FEATURE_NAMES if high_level else ("transverse_energy",)

    @property
    def variable_names(self) -> tuple[str, ...]:
        """Nothing is kept beyond what describes a jet."""
        return ()

    def check(self) -> None:
        """Refuse a spec whose window no hard process can reach.

        Raises:
            SpecError: naming the window and what would be right.
        """
        for class_name in self.spec.class_names:
            collisions.check_window(self._process(class_name), self._beam())

    def chunk_keys(self) -> tuple[ChunkKey, ...]:
        """List the chunks, the first of every class before the second of any."""
        n_full, rest = divmod(self.spec.jets_per_class, CHUNK_JETS)
        sizes = [CHUNK_JETS] * n_full + [rest] * bool(rest)
        return tuple(
            ChunkKey(class_name=class_name, index=index, n_examples=n_jets)
            for index, n_jets in enumerate(sizes)
            for class_name in self.spec.class_names
        )

    def digest(self, key: ChunkKey) -> str:
        """Return the digest of all that the bytes of a chunk depend on."""
        physics = self.spec.model_dump(mode="json", exclude={"jets_per_class", "test_fraction"})
        return key_of(
            {
                "spec": physics,
                "chunk": [key.class_name, key.index, key.n_examples],
                "generators": self.generator_versions(),
            }
        )

    def generator_versions(self) -> dict[str, str]:
        """Return the versions of what the bytes of a sample depend on."""
        return {
            "pythia8mc": version("pythia8mc"),
            "fastjet": version("fastjet"),
            "algorithm": str(ALGORITHM_VERSION),
        }

    def chunk_size(self) -> dict[str, int]:
        """Say in the provenance how large chunks are."""
        return {"chunk_jets": CHUNK_JETS}

    def seed(self, key: ChunkKey) -> int:
        """Return Pythia's seed for a chunk, whatever its number of jets."""
        return pythia_seed(self.spec.seed, key.class_name, key.index)

    def held_out(self, key: ChunkKey, event: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which collisions belong to the test set: ``(n,)`` of ``(n,)`` event indices.

        A hash of seed, class, chunk and event decides, so a jet's side depends neither on how
        many jets are made nor on its neighbours. Mixing: SplitMix64
        (doi:10.1145/2660193.2660195).
        """
        start = np.uint64(digest_number("split", self.spec.seed, key.class_name, key.index))
        mixed = start + GOLDEN_GAMMA * (event.astype(np.uint64) + np.uint64(1))
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
        return np.asarray(mixed / 2.0**64 < self.spec.test_fraction)

    def make(self, key: ChunkKey, store: Store) -> Chunk:
        """Generate collisions until there are ``key.n_examples`` jets.

        Raises:
            SpecError: if the window is out of reach.
            ToolError: if Pythia fails.
        """
        del store
        parts: list[Chunk] = []
        n_jets = n_events = n_empty = 0
        stream = collisions.generate(self._process(key.class_name), self._beam(), self.seed(key))
        while n_jets < key.n_examples:
            events = next(stream)
            found = self._wanted_jets(events)
            n_empty = 0 if len(found) else n_empty + 1
            if n_empty == MAX_EMPTY_BATCHES:
                n_tried = n_empty * collisions.BATCH_EVENTS
                msg = f"sample: no {key.class_name} jet in {n_tried} events; widen the pt window"
                raise SpecError(msg)
            if len(found):
                parts.append(Chunk(x=self._describe(found), event=found.event + n_events))
            n_jets += len(found)
            n_events += len(events.particles)
        return Chunk(
            x=np.concatenate([part.x for part in parts])[: key.n_examples],
            event=np.concatenate([part.event for part in parts])[: key.n_examples],
        )

    def _process(self, class_name: str) -> collisions.Process:
        source = self.spec.boson_source if isinstance(self.spec, JetsHlf) else None
        return collisions.process_of(class_name, source)

    def _beam(self) -> collisions.Beam:
        if isinstance(self.spec, JetsHlf):
            low, high = self.spec.parton_pt_gev
        else:
            low, high = (a * b for a, b in zip(self.spec.jet_pt_gev, WINDOW_SHARES, strict=True))
        return collisions.Beam(
            window_gev=(low, high),
            multi_parton_interactions=self.spec.multi_parton_interactions,
        )

    def _wanted_jets(self, events: collisions.Events) -> jets.Jets:
        if isinstance(self.spec, JetsHlf):
            lowest_gev = LOWEST_JET_PT_SHARE * self.spec.parton_pt_gev[0]
            return jets.find_jets(events, self.spec.jet_radius, lowest_gev)
        low, high = self.spec.jet_pt_gev
        found = jets.find_jets(events, self.spec.jet_radius, low)
        return found.select(np.asarray(jets.transverse_momentum(found.momenta) < high))

    def _describe(self, found: jets.Jets) -> NDArray[Any]:
        if isinstance(self.spec, JetsHlf):
            return features.jet_features(found, jets.groom(found))
        return images.jet_images(found.constituents, self.spec)
