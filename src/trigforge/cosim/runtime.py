"""Verilator's runtime, compiled once for all designs, and how its units are compiled."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from trigforge.core.files import digest_of
from trigforge.vendor import toolchain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from trigforge.core.store import Store
    from trigforge.vendor.verilator import Verilator

FLAGS = ("-O2",)
COMPILE_TIMEOUT_S = 3600
N_PARALLEL = 2


def compiler_flags(tool: Verilator, traces: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the flags under which runtime and model fit together.

    ``traces`` holds what is traced into: ``vcd`` or ``fst``.
    """
    return (
        "-std=c++17",
        "-w",
        f"-I{tool.include}",
        f"-I{tool.include / 'vltstd'}",
        "-I.",
        f"-DVM_TRACE={int(bool(traces))}",
        f"-DVM_TRACE_FST={int('fst' in traces)}",
        f"-DVM_TRACE_VCD={int('vcd' in traces)}",
        "-DVM_TRACE_SAIF=0",
        "-DVM_COVERAGE=0",
        "-DVM_SC=0",
        "-DVM_TIMING=0",
    )


def objects(tool: Verilator, units: Sequence[str], flags: Sequence[str], store: Store) -> Path:
    """Return the folder with the objects of some of the runtime's units.

    Raises:
        ToolError: if the compiler is missing or fails.
        StoreError: if a stored object is corrupt or the disk is full.
    """
    digest = digest_of(tool.version, toolchain.compiler_version(), *units, *flags, *FLAGS)
    if store.find("verilator-runtime", digest) is None:
        with store.adding("verilator-runtime", digest) as folder:
            sources = [(tool.include / f"{unit}.cpp", FLAGS) for unit in units]
            compile_units(sources, flags, folder, "Verilator's runtime")
    return store.folder("verilator-runtime", digest).absolute()


def compile_units(
    units: Sequence[tuple[Path, tuple[str, ...]]], flags: Sequence[str], folder: Path, what: str
) -> None:
    """Compile files, each with flags of its own, into objects in ``folder``.

    Raises:
        ToolError: if the compiler is missing or fails.
    """
    compiler = toolchain.compiler()

    def compile_unit(unit: tuple[Path, tuple[str, ...]]) -> None:
        path, own_flags = unit
        toolchain.run(
            [compiler, *flags, *own_flags, "-c", path, "-o", f"{path.stem}.o"],
            folder=folder,
            timeout_s=COMPILE_TIMEOUT_S,
            what=f"compiling {path.name} of {what}",
        )

    with ThreadPoolExecutor(N_PARALLEL) as pool:
        list(pool.map(compile_unit, units))
