"""What is simulated: Verilog with the ports of our firmware, whoever wrote it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trigforge.core.errors import ToolError
from trigforge.core.files import FileSet, digest_of, refusing_os_errors
from trigforge.core.records import Firmware, Port

MEMORY_SUFFIXES = (".dat", ".hex", ".mem")
"""Files beside the sources that ``$readmemh`` reads while it is simulated."""

SETTLING_CYCLES = 32
"""How long after the last result a surplus one is waited for."""

UNKNOWN_LATENCY_CYCLES = 4000
"""How long a result is waited for if nobody says how long it takes (10 us at 400 MHz)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A module ``top`` with the ports clk, rst, in_valid, in_data, out_valid and out_data."""

    title: str
    """What errors call it."""
    top: str
    sources: FileSet
    """Verilog, in an order in which it can be compiled."""
    order: tuple[str, ...]
    """The paths of ``sources`` that are compiled, in order; others are read by them."""
    input: Port
    output: Port
    latency_cycles: int | None
    """None: it is measured."""
    interval_cycles: int

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides what is built."""
        return digest_of(self.top, *self.order, self.sources.digest)

    @property
    def drain_cycles(self) -> int:
        """Cycles to play after the last event."""
        known = self.latency_cycles
        return SETTLING_CYCLES + (UNKNOWN_LATENCY_CYCLES if known is None else known)

    @property
    def memories(self) -> FileSet:
        """Contents of memories, which the simulation reads where it runs."""
        return FileSet(
            {
                Path(path).name: content
                for path, content in self.sources.items()
                if path.endswith(MEMORY_SUFFIXES)
            }
        )


def of_firmware(firmware: Firmware) -> Design:
    """Return the design of a firmware folder, read now.

    Raises:
        ToolError: if it is not in Verilog.
        StoreError: if a source is missing or cannot be read.
    """
    if firmware.language != "verilog":
        msg = (
            f"firmware {firmware.name} is written in {firmware.language}; "
            "Verilator simulates Verilog: generate it with language verilog"
        )
        raise ToolError(msg)
    beside = {(firmware.folder / source).parent for source in firmware.sources}
    memories = tuple(
        path.relative_to(firmware.folder).as_posix()
        for folder in sorted(beside)
        for path in sorted(folder.iterdir())
        if path.suffix in MEMORY_SUFFIXES
    )
    return Design(
        title=f"firmware {firmware.name}",
        top=firmware.name,
        sources=read_sources(firmware.folder, (*firmware.sources, *memories)),
        order=firmware.sources,
        input=firmware.input,
        output=firmware.output,
        latency_cycles=firmware.latency_cycles,
        interval_cycles=firmware.interval_cycles,
    )


def read_sources(folder: Path, paths: tuple[str, ...]) -> FileSet:
    """Read the named files of a folder.

    Raises:
        StoreError: if one cannot be read.
    """
    with refusing_os_errors(f"reading the sources in {folder}"):
        return FileSet({path: (folder / path).read_bytes() for path in paths})
