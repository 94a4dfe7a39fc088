"""How much logic fits between two registers: the clock as the scheduler sees it."""

from __future__ import annotations

from dataclasses import dataclass

from trigforge.core.crossing import clocks_per_crossing
from trigforge.core.errors import InputError
from trigforge.rtl.da import stage_delay_units
from trigforge.rtl.da.generation import ADDER_UNITS

CAST_UNITS = 2.2
"""Rounding (an adder), then saturation (a look at the high bits and a multiplexer)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The interval between two events, and what one cycle can do."""

    clock_mhz: float
    interval_cycles: int
    adder_levels: int
    """Adders in a row between two registers."""
    cast_stages: int
    """Registers that a cast with rounding and saturation needs."""


def timing(clock_mhz: float, interval_crossings: int) -> Timing:
    """Return the interval of a clock and what its cycles can do.

    Raises:
        InputError: if a crossing has no whole cycle, or a cycle no time for an adder.
    """
    units = stage_delay_units(clock_mhz)
    interval = clocks_per_crossing(clock_mhz) * interval_crossings
    if interval < 1:
        msg = (
            f"hardware.clock_mhz: at {clock_mhz:g} MHz an event enters every "
            f"{interval_crossings} crossing(s), which is less than one cycle; the interval of a "
            "time-multiplexed design is at least 1 cycle: use a clock of 40 MHz or more"
        )
        raise InputError(msg)
    return Timing(
        clock_mhz=clock_mhz,
        interval_cycles=interval,
        adder_levels=max(1, int(units / ADDER_UNITS)),
        cast_stages=1 if units >= CAST_UNITS else 2,
    )
