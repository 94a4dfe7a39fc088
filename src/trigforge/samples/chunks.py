"""Chunks: the pieces a sample is made of, each from its own seed.

``(Recipe, ChunkKey) -> Chunk``. A recipe knows how the pieces of one kind of sample are made;
here they are named, kept and found again. A chunk depends on nothing but what its digest says,
so any number of processes makes the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trigforge.core.errors import StoreError
from trigforge.core.records import freeze_arrays

if TYPE_CHECKING:
    from pathlib import Path

    from trigforge.core.config import SampleSpec
    from trigforge.core.store import Store

STORE_KIND = "sample_chunks"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkKey:
    """Which piece of a sample: its class, its place in a series, its number of examples.

    The chunks of a class are one series, unless the recipe tells several apart.
    """

    class_name: str
    index: int
    n_examples: int
    series: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Examples of one class: ``x`` one row an example.

    ``event`` (int64, ``(n,)``) is the collision or crossing each is from; ``variables``
    (float32, ``(n, n_variables)``) what is known of it beyond ``x``.
    """

    x: NDArray[Any]
    event: NDArray[np.int64]
    variables: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        freeze_arrays(self)


class Recipe(Protocol):
    """How the chunks of one kind of sample are made."""

    @property
    def spec(self) -> SampleSpec:
        """What is wanted."""

    @property
    def unit(self) -> str:
        """What examples are, in the plural."""

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Names of the features; an image has one kind of value, its pixels."""

    @property
    def variable_names(self) -> tuple[str, ...]:
        """Names of the columns of ``Chunk.variables``."""

    def check(self) -> None:
        """Refuse what cannot be made, before anything is."""

    def chunk_keys(self) -> tuple[ChunkKey, ...]:
        """List the chunks of the sample."""

    def digest(self, key: ChunkKey) -> str:
        """Return the digest of all that the bytes of a chunk depend on."""

    def make(self, key: ChunkKey, store: Store) -> Chunk:
        """Make a chunk; what is dear and serves others too is kept in the store."""

    def held_out(self, key: ChunkKey, event: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which examples belong to the test set."""

    def generator_versions(self) -> dict[str, str]:
        """Return the versions of what the bytes of a sample depend on."""

    def chunk_size(self) -> dict[str, int]:
        """Say in the provenance how large chunks are."""


def store_chunk(recipe: Recipe, key: ChunkKey, store: Store) -> None:
    """Make a chunk and keep it.

    Raises:
        SpecError: if what the spec asks for is out of reach.
        ToolError: if Pythia fails.
        StoreError: if it cannot be written.
    """
    chunk = recipe.make(key, store)
    with store.adding(STORE_KIND, recipe.digest(key)) as folder:
        np.save(folder / "x.npy", chunk.x, allow_pickle=False)
        np.save(folder / "event.npy", chunk.event, allow_pickle=False)
        if chunk.variables is not None:
            np.save(folder / "variables.npy", chunk.variables, allow_pickle=False)


def find_chunk(recipe: Recipe, key: ChunkKey, store: Store) -> Path | None:
    """Return the folder of a kept chunk, or None.

    Raises:
        StoreError: if it is not what was written.
    """
    return store.find(STORE_KIND, recipe.digest(key))


def read_chunk(recipe: Recipe, key: ChunkKey, store: Store) -> Chunk:
    """Read a kept chunk.

    Raises:
        StoreError: if it is missing or not what was written.
    """
    folder = find_chunk(recipe, key, store)
    if folder is None:
        where = store.folder(STORE_KIND, recipe.digest(key))
        msg = f"{where} is missing: something removed it while the sample was made; run again"
        raise StoreError(msg)
    variables = folder / "variables.npy"
    return Chunk(
        x=np.load(folder / "x.npy", allow_pickle=False),
        event=np.load(folder / "event.npy", allow_pickle=False),
        variables=np.load(variables, allow_pickle=False) if variables.exists() else None,
    )
