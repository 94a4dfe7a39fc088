"""What a design costs in time and in area: records that say who found it out, and how."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from trigforge.core.crossing import crossings


class Source(StrEnum):
    """Where a figure comes from."""

    MEASURED = "measured"
    ESTIMATED = "estimated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """From the cycle an event is presented to the cycle its result is there."""

    cycles: int
    interval_cycles: int
    clock_mhz: float
    source: Source
    tool: str
    """Who says so: ``Verilator 5.048``, ``Vitis HLS 2023.2, C synthesis``."""

    @property
    def ns(self) -> float:
        """The latency in nanoseconds at the clock."""
        return self.cycles / self.clock_mhz * 1000

    @property
    def interval_ns(self) -> float:
        """The time between two events in nanoseconds."""
        return self.interval_cycles / self.clock_mhz * 1000

    @property
    def crossings(self) -> float:
        """The latency in bunch crossings."""
        return crossings(self.ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """What a design takes of a part, as one tool counts it at one stage of its flow.

    Counts of different stages are different things: logic synthesis knows no placement,
    HLS C synthesis does not even know the logic. ``None``: the tool does not say.
    """

    part: str
    lut: int
    ff: int
    dsp: int
    bram_18k: int
    """Block RAM in units of 18 kb."""
    uram: int
    carry: int | None = None
    """Carry chain cells, of whatever length the tool counts in."""
    source: Source
    tool: str
    """Program and version: ``Yosys 0.70``."""
    stage: str
    """``logic synthesis, Yosys``, ``HLS C synthesis``, ``post-route, Vivado`` ..."""

    @property
    def origin(self) -> str:
        """Stage, program and version in a few words: ``logic synthesis, Yosys 0.70``."""
        program = self.tool.partition(" ")[0]
        return f"{self.stage}, {self.tool}".replace(f"{program}, {program}", program)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicDelay:
    """The slowest path between two registers, as far as a tool without placement knows it."""

    ns: float
    tool: str
    method: str
    """What is in it and what is not: ``7-series cell delays, no routing``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A range for one resource before any synthesis, and where it comes from."""

    resource: str
    """A field of ``Resources``."""
    low: float
    likely: float
    high: float
    method: str
    """What it was computed from and calibrated on."""
