"""What a generator of RTL returns: sources in memory, and how they behave in time."""

from __future__ import annotations

from dataclasses import dataclass

from trigforge.core.files import FileSet
from trigforge.core.records import Port
from trigforge.core.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """RTL of one network with the firmware interface; nothing is on disk yet."""

    name: str
    language: str
    sources: FileSet
    order: tuple[str, ...]
    """The paths of ``sources`` in an order in which they can be compiled."""
    input: Port
    output: Port
    latency_cycles: int
    interval_cycles: int
    method: str
    """How the arithmetic is done: ``distributed arithmetic, fully unrolled``."""
    generator: str
    """Program and version that wrote the arithmetic."""
    licences: FileSet
    """Licences of sources that are not ours: name -> text."""
    lut_estimated: float | None = None
    """LUTs as the generator counts them, before any synthesis."""
    schedule: Schedule | None = None
    """Of a time-multiplexed design: what happens in which cycle."""
