"""The fast exact C++ emulator of a graph: ``FixedPointGraph -> Emulator``."""

from __future__ import annotations

from trigforge.emulator.generation import EmulatorSources, generate
from trigforge.emulator.library import Library, build, build_cmssw, is_built
from trigforge.emulator.runner import Emulator, load

__all__ = [
    "Emulator",
    "EmulatorSources",
    "Library",
    "build",
    "build_cmssw",
    "generate",
    "is_built",
    "load",
]
