"""Estimates for time-multiplexed RTL: ``Schedule -> Estimates``; its DSPs are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigforge.core.costs import Estimate
from trigforge.estimation import none

if TYPE_CHECKING:
    from trigforge.core.schedule import Schedule

_LUT_RANGE = 0.5, 2.0
_FF_PER_BUFFER_BIT = 0.8, 1.2, 2.0
"""Registers of results and adders come on top of the buffers that the schedule counts."""


def estimates(schedule: Schedule) -> tuple[Estimate, ...]:
    """Return the resources of a schedule before any synthesis.

    DSPs are what the schedule says; LUTs and registers are rough, within a factor of two.
    """
    lut = sum(layer.n_lut_estimated for layer in schedule.layers)
    low, likely, high = (share * schedule.buffer_bits for share in _FF_PER_BUFFER_BIT)
    dsp = schedule.n_dsp
    return (
        Estimate(
            resource="lut",
            low=lut * _LUT_RANGE[0],
            likely=lut,
            high=lut * _LUT_RANGE[1],
            method="multiplexers, weights, adders and casts of the schedule, within a factor of 2",
        ),
        Estimate(
            resource="ff",
            low=low,
            likely=likely,
            high=high,
            method=f"0.8 to 2 of the schedule's {schedule.buffer_bits:,} buffer bits",
        ),
        Estimate(resource="dsp", low=dsp, likely=dsp, high=dsp, method="the schedule's DSPs"),
        *(none(resource, "weights are LUTs") for resource in ("bram_18k", "uram")),
    )
