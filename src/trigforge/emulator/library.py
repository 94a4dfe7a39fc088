"""Compile an emulator: ``EmulatorSources, Store -> Library``, kept by what it is made from."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trigforge.core.files import digest_of, fill_folder
from trigforge.emulator.generation import EmulatorSources
from trigforge.emulator.package import UNITS
from trigforge.emulator.targets import FLAGS, LINK_FLAGS, unit_flags
from trigforge.vendor import toolchain

if TYPE_CHECKING:
    from trigforge.core.store import Store

COMPILE_TIMEOUT_S = 1800


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A compiled emulator on disk."""

    path: Path
    sources: EmulatorSources


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recipe:
    """What a library is linked from."""

    name: str
    units: tuple[str, ...]
    exports: str


def build(sources: EmulatorSources, store: Store) -> Library:
    """Return the library of C functions, compiled if it is not in the store.

    Raises:
        ToolError: if g++ is missing or the sources do not compile.
        StoreError: if the stored library is corrupt or the disk is full.
    """
    return _built(sources, _plain_recipe(sources), store)


def is_built(sources: EmulatorSources, store: Store) -> bool:
    """Tell whether the library of C functions can be had without compiling."""
    return store.find("emulator", _digest(sources, _plain_recipe(sources), _machine())) is not None


def build_cmssw(sources: EmulatorSources, store: Store) -> Library:
    """Return the library ``NAME_vN.so`` that CMSSW loads: a factory of one-event models.

    Raises:
        ToolError: if g++ is missing or the sources do not compile.
        StoreError: if the stored library is corrupt or the disk is full.
    """
    recipe = _Recipe(
        name=f"{sources.symbol}.so", units=(*UNITS, "cmssw"), exports="cmssw_exports.map"
    )
    return _built(sources, recipe, store)


def _plain_recipe(sources: EmulatorSources) -> _Recipe:
    return _Recipe(name=f"lib{sources.symbol}.so", units=UNITS, exports="exports.map")


def _digest(sources: EmulatorSources, recipe: _Recipe, machine: str) -> str:
    """Name everything a library is compiled from."""
    made_from = (recipe.name, machine, *FLAGS, *LINK_FLAGS, toolchain.compiler_version())
    return digest_of(sources.files.digest, *made_from)


def _built(sources: EmulatorSources, recipe: _Recipe, store: Store) -> Library:
    machine = _machine()
    digest = _digest(sources, recipe, machine)
    folder = store.find("emulator", digest)
    if folder is None:
        with store.adding("emulator", digest) as new:
            _compile(sources, recipe, machine, new)
        folder = store.folder("emulator", digest)
    return Library(path=folder / recipe.name, sources=sources)


def _machine() -> str:
    """Return the compiler's target."""
    completed = toolchain.run(
        [toolchain.compiler(), "-dumpmachine"],
        folder=Path("/"),
        timeout_s=30,
        what="asking for the compiler's target",
    )
    return completed.text.strip()


def _compile(sources: EmulatorSources, recipe: _Recipe, machine: str, folder: Path) -> None:
    """Compile the translation units side by side in ``folder`` and link them."""
    fill_folder(folder, sources.files)
    compiler = toolchain.compiler()

    def compile_unit(unit: str) -> None:
        toolchain.run(
            [compiler, *FLAGS, *unit_flags(unit, machine), "-c", f"{unit}.cpp", "-o", f"{unit}.o"],
            folder=folder,
            timeout_s=COMPILE_TIMEOUT_S,
            what=f"compiling {unit}.cpp of the emulator {sources.symbol}",
        )

    with ThreadPoolExecutor() as pool:
        list(pool.map(compile_unit, reversed(recipe.units)))
    objects = [f"{unit}.o" for unit in recipe.units]
    exports = f"-Wl,--version-script={recipe.exports}"
    toolchain.run(
        [compiler, *LINK_FLAGS, exports, "-o", recipe.name, *objects],
        folder=folder,
        timeout_s=COMPILE_TIMEOUT_S,
        what=f"linking the emulator {sources.symbol}",
    )
    for unit in objects:
        (folder / unit).unlink()
