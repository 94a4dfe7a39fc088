"""Open trained models of others: ``path -> ImportedModel``. No file executes code.

Read ``opening`` first. What a file may hold is written down (layers, quantisers, operators)
and checked before a library sees it; everything else is refused by name.
"""

from trigforge.frontends.model import ImportedModel
from trigforge.frontends.opening import KINDS, open_model

__all__ = ["KINDS", "ImportedModel", "open_model"]
