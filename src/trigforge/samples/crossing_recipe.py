"""Samples of bunch crossings, chunk by chunk: a pool of collisions, overlaid.

``(CrossingSpec, ChunkKey) -> Chunk``. Each chunk draws from a pool of its own, so chunks are
independent, and how much they scatter includes that a pool is used again and again. Zero bias
comes in three series: ``train``, ``test`` and ``further``, for counting rates; no collision is in
two of them. A crossing of a signal holds one collision of the signal, used once, and as much
pile-up as zero bias.

Pools are kept: both kinds of crossings, any pile-up and any number of bits are made from the
same collisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from itertools import starmap
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.config import (
    CROSSING_VARIABLES,
    ZERO_BIAS,
    CalorimeterRegions,
    TriggerObjects,
)
from trigforge.core.store import key_of
from trigforge.samples import crossings, inelastic, pools, regions, trigger_objects
from trigforge.samples.chunks import Chunk, ChunkKey
from trigforge.samples.seeds import digest_number, pythia_seed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from trigforge.core.store import Store
    from trigforge.samples.crossings import Draws
    from trigforge.samples.pools import Pool

CHUNK_CROSSINGS = 5000
BLOCK_CROSSINGS = 250
"""Crossings whose towers are in memory at once; part of the algorithm, drawn as a whole."""
ALGORITHM_VERSION = 2
"""Raise it whenever the same spec would give other bytes."""
TRAIN, TEST, FURTHER = "train", "test", "further"
MINIMUM_BIAS = "minimum_bias"
SIZES = frozenset({"zero_bias_events", "signal_events", "signals", "test_fraction"})
"""Keys of the spec that say how much is made, not what it is."""


@dataclass(frozen=True, slots=True)
class CrossingRecipe:
    """How crossings are made and described."""

    spec: CalorimeterRegions | TriggerObjects

    @property
    def unit(self) -> str:
        """Examples are crossings."""
        return "crossings"

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features; an image has one kind of value, its regions."""
        as_regions = isinstance(self.spec, CalorimeterRegions)
        return regions.FEATURE_NAMES if as_regions else trigger_objects.FEATURE_NAMES

    @property
    def variable_names(self) -> tuple[str, ...]:
        """Names of what was generated; of zero bias, in its hardest collision.

        The hardest is the one with the leading jet of highest transverse momentum.
        """
        return CROSSING_VARIABLES

    def check(self) -> None:
        """Every spec can be made."""

    def chunk_keys(self) -> tuple[ChunkKey, ...]:
        """List the chunks: zero bias to train and to test with, then each signal."""
        n_zero_bias = self.spec.zero_bias_events
        n_test = min(max(round(self.spec.test_fraction * n_zero_bias), 1), n_zero_bias - 1)
        wanted = (
            (ZERO_BIAS, TRAIN, n_zero_bias - n_test),
            (ZERO_BIAS, TEST, n_test),
            *((name, TEST, self.spec.signal_events) for name in self.spec.signals),
        )
        return tuple(key for series in starmap(_series, wanted) for key in series)

    def further(self, index: int) -> ChunkKey:
        """Return the key of a chunk of zero bias that is not part of any sample."""
        return ChunkKey(
            class_name=ZERO_BIAS, index=index, n_examples=CHUNK_CROSSINGS, series=FURTHER
        )

    def digest(self, key: ChunkKey) -> str:
        """Return the digest of all that the bytes of a chunk depend on."""
        return key_of(
            {
                "spec": self.spec.model_dump(mode="json", exclude=set(SIZES)),
                "chunk": [key.class_name, key.series, key.index, key.n_examples],
                "generators": self.generator_versions(),
            }
        )

    def generator_versions(self) -> dict[str, str]:
        """Return the versions of what the bytes of a sample depend on."""
        return {
            "pythia8mc": version("pythia8mc"),
            "fastjet": version("fastjet"),
            "crossings": str(ALGORITHM_VERSION),
        }

    def chunk_size(self) -> dict[str, int]:
        """Say in the provenance how large chunks are."""
        return {"chunk_crossings": CHUNK_CROSSINGS}

    def held_out(self, key: ChunkKey, event: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which crossings belong to the test set: ``(n,)``, all of a series alike."""
        return np.full(len(event), key.series == TEST)

    def make(self, key: ChunkKey, store: Store) -> Chunk:
        """Overlay the collisions of ``key.n_examples`` crossings.

        A chunk of zero bias with fewer crossings is the beginning of one with more.

        Raises:
            ToolError: if Pythia fails.
            StoreError: if a pool in the store is corrupt or cannot be written.
        """
        parts = [
            (self._describe(crossings.overlay(pool, draws)), _variables(pool, draws, chosen))
            for pool, draws, chosen in self._blocks(key, store)
        ]
        x, variables = (np.concatenate(part)[: key.n_examples] for part in zip(*parts, strict=True))
        return Chunk(x=x, event=np.arange(key.n_examples), variables=variables)

    def _blocks(
        self, key: ChunkKey, store: Store
    ) -> Iterator[tuple[Pool, Draws, NDArray[np.int64]]]:
        """Yield blocks of crossings, and of each the collision that ``variables`` describe."""
        pool, is_signal = self._minimum_bias(key, store), key.class_name != ZERO_BIAS
        if is_signal:
            pool = pools.set_apart(self._signal(key, store), pool)
        seed = digest_number("overlay", self.spec.seed, key.class_name, key.series, key.index)
        random = np.random.Generator(np.random.PCG64(seed))
        for first in range(0, key.n_examples, BLOCK_CROSSINGS):
            draws = crossings.draw(pool, self.spec.pileup, BLOCK_CROSSINGS, random)
            if is_signal:
                own = np.arange(first, first + BLOCK_CROSSINGS).clip(max=key.n_examples - 1)
                yield pool, crossings.with_own(draws, own), own
            else:
                yield pool, draws, crossings.hardest(draws, pool.truth[:, 0])

    def _minimum_bias(self, key: ChunkKey, store: Store) -> Pool:
        seed, n_collisions = self._seed(MINIMUM_BIAS, key), self.spec.pool_collisions
        make = partial(pools.make_minimum_bias, seed, n_collisions)
        return pools.keep(store, self._pool_digest(MINIMUM_BIAS, seed, n_collisions), make)

    def _signal(self, key: ChunkKey, store: Store) -> Pool:
        seed, n_collisions = self._seed("signal", key), key.n_examples
        make = partial(pools.make, inelastic.SIGNALS[key.class_name], seed, n_collisions)
        return pools.keep(store, self._pool_digest(key.class_name, seed, n_collisions), make)

    def _seed(self, what: str, key: ChunkKey) -> int:
        return pythia_seed(what, self.spec.seed, key.class_name, key.series, key.index)

    def _pool_digest(self, process: str, seed: int, n_collisions: int) -> str:
        return key_of([process, seed, n_collisions, self.generator_versions()])

    def _describe(self, found: crossings.Crossings) -> NDArray[Any]:
        if isinstance(self.spec, CalorimeterRegions):
            return regions.describe(found, self.spec)
        return trigger_objects.describe(found)


def _series(class_name: str, series: str, n_crossings: int) -> Iterator[ChunkKey]:
    """Yield the chunks of a series, all full but the last."""
    for index, first in enumerate(range(0, n_crossings, CHUNK_CROSSINGS)):
        n_examples = min(CHUNK_CROSSINGS, n_crossings - first)
        yield ChunkKey(class_name=class_name, index=index, n_examples=n_examples, series=series)


def _variables(pool: Pool, draws: Draws, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the columns of ``CROSSING_VARIABLES``; zeros where no collision is chosen (-1)."""
    nothing = np.zeros((1, pool.truth.shape[1]), np.float32)
    truth = np.concatenate((pool.truth, nothing))[chosen]
    return np.column_stack((truth, draws.n_interactions)).astype(np.float32)
