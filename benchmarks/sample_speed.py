"""Crossings: collisions a second from Pythia, and crossings a second laid over each other.

One process, one core. Collisions include what the detector makes of them; starting Pythia and
compiling the overlay do not count, a sample does them once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from stopwatch import seconds

from trigforge.core.config import CalorimeterRegions, TriggerObjects
from trigforge.core.store import Store
from trigforge.samples import inelastic, pools
from trigforge.samples.crossing_recipe import CrossingRecipe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

N_COLLISIONS = 1000
N_CROSSINGS = 2000
REPEATS = 3
SEED = 60
SPEC = {
    "zero_bias_events": 10_000,
    "signal_events": 10,
    "signals": ("top_pair",),
    "pool_collisions": N_COLLISIONS,
    "test_fraction": 0.5,
    "seed": SEED,
}


def measure(folder: Path) -> dict[str, float]:
    soft, few = inelastic.SOFT.process, 10
    pools.make(soft, SEED, few)
    return {
        "samples_minimum_bias_per_s": N_COLLISIONS
        / seconds(lambda: pools.make(soft, SEED, N_COLLISIONS)),
        "samples_pool_collisions_per_s": N_COLLISIONS
        / seconds(lambda: pools.make_minimum_bias(SEED, N_COLLISIONS)),
        **dict(_overlays(Store(folder / "store"))),
    }


def _overlays(store: Store) -> Iterator[tuple[str, float]]:
    for pileup in (60, 200):
        regions = CalorimeterRegions(
            kind="calorimeter_regions",
            region_bits=10,
            region_lsb_gev=0.5,
            pileup=pileup,
            **SPEC,
        )
        objects = TriggerObjects(kind="trigger_objects", pileup=pileup, **SPEC)
        for spec in (regions, objects):
            recipe = CrossingRecipe(spec)
            key = replace(recipe.chunk_keys()[0], n_examples=N_CROSSINGS)
            recipe.make(key, store)  # its pool is made, its code compiled
            taken = seconds(lambda recipe=recipe, key=key: recipe.make(key, store), repeats=REPEATS)
            yield f"samples_crossings_per_s_{spec.kind}_pileup_{pileup}", N_CROSSINGS / taken
