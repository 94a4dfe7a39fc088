"""Which recipe makes a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigforge.core.config import CalorimeterRegions, TriggerObjects
from trigforge.samples.crossing_recipe import CrossingRecipe
from trigforge.samples.jet_recipe import JetRecipe

if TYPE_CHECKING:
    from trigforge.core.config import SampleSpec
    from trigforge.samples.chunks import Recipe


def recipe_of(spec: SampleSpec) -> Recipe:
    """Return the recipe for a kind of sample."""
    if isinstance(spec, CalorimeterRegions | TriggerObjects):
        return CrossingRecipe(spec)
    return JetRecipe(spec)
