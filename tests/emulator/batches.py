"""Compile many emulators into one library: a compiler starts slowly."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from trigforge.core.errors import InputError
from trigforge.core.files import write_folder
from trigforge.emulator import Emulator, EmulatorSources, load
from trigforge.emulator.library import Library
from trigforge.emulator.package import UNITS
from trigforge.emulator.targets import LINK_FLAGS, TARGETS, unit_flags
from trigforge.vendor import toolchain

QUICK_FLAGS = ("-std=c++17", "-O1", "-fPIC", "-fvisibility=hidden", "-w")


def build_together(
    sources: Sequence[EmulatorSources],
    folder: Path,
    flags: Sequence[str] = QUICK_FLAGS,
    machine: str = "x86_64-linux-gnu",
) -> list[Emulator]:
    """Return emulators that share one library; every instruction set is one unit."""
    compiler = toolchain.compiler()
    for each in sources:
        write_folder(folder / each.symbol, each.files)
    exported = [line for each in sources for line in _exports(each)]
    (folder / "exports.map").write_text(f"{{ global: {'; '.join(exported)}; local: *; }};")

    def compile_unit(unit: str) -> None:
        text = "".join(f'#include "{each.symbol}/{unit}.cpp"\n' for each in sources)
        (folder / f"{unit}.cpp").write_text(text)
        subprocess.run(
            [compiler, *flags, *unit_flags(unit, machine), "-c", f"{unit}.cpp", "-o", f"{unit}.o"],
            cwd=folder,
            check=True,
        )

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(compile_unit, UNITS))
    objects = [f"{unit}.o" for unit in UNITS]
    subprocess.run(
        [compiler, *LINK_FLAGS, "-Wl,--version-script=exports.map", "-o", "all.so", *objects],
        cwd=folder,
        check=True,
    )
    return [load(Library(path=folder / "all.so", sources=each)) for each in sources]


def _exports(sources: EmulatorSources) -> list[str]:
    return re.findall(rf"{sources.symbol}_\w+(?=;)", sources.files["exports.map"].decode())


def usable_paths(emulator: Emulator) -> list[str]:
    """Return the instruction sets this CPU and the library have."""
    usable = []
    for name in TARGETS:
        try:
            emulator.set_path(name)
        except InputError:
            continue
        usable.append(name)
    return usable
