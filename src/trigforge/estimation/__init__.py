"""Estimate resources before any synthesis: ``FixedPointGraph -> Ebops -> Estimate``.

All figures follow from the effective bit operations of ``estimation.operations``. Every
range says in ``method`` what it was calibrated on. ``estimation.hls`` has the ranges for a
project of high-level synthesis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigforge.core.costs import Estimate
from trigforge.estimation.operations import Ebops, LayerEbops, ebops

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trigforge.core.costs import Resources

__all__ = ["Deviation", "Ebops", "LayerEbops", "deviation", "distributed_arithmetic", "ebops"]

_LUT_PER_EBOP = 0.66, 0.91
_LUT_SCALE, _LUT_POWER = 0.911, 0.988
_FF_PER_LUT = 0.46, 0.52, 0.58
"""Of twenty designs of JEDI-linear by distributed arithmetic, routed for the XCVU13P: range
of LUT/EBOPs, fit of LUT = 0.911 EBOPs^0.988, range of FF/LUT and its middle."""

_CALIBRATION = "20 routed distributed-arithmetic designs of JEDI-linear on XCVU13P"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """An estimate beside what a tool counted, at whatever stage of its flow that was."""

    resource: str
    low: float
    likely: float
    high: float
    measured: int
    measured_by: str
    """Program, version and stage: ``logic synthesis, Yosys 0.70``."""

    @property
    def ratio(self) -> float | None:
        """Measured over likely; None if nothing was expected."""
        return self.measured / self.likely if self.likely else None

    @property
    def inside(self) -> bool:
        """The count lies in the estimated range."""
        return self.low <= self.measured <= self.high

    def __str__(self) -> str:
        ratio = "" if self.ratio is None else f", {self.ratio:.2f} of the likely {self.likely:,.0f}"
        where = "inside" if self.inside else "outside"
        return (
            f"{self.resource}: {self.measured:,} ({self.measured_by}){ratio}, {where} the "
            f"estimate of {self.low:,.0f} to {self.high:,.0f}"
        )


def distributed_arithmetic(operations: Ebops) -> tuple[Estimate, ...]:
    """Return the ranges for RTL of adders alone, fully unrolled, one event each cycle.

    LUT is 0.66 to 0.91 of the EBOPs, likely 0.911 EBOPs^0.988; FF is 0.46 to 0.58 of LUT;
    there are no DSPs and no memories. The counts are those after routing.
    """
    total = operations.total
    low, high = (share * total for share in _LUT_PER_EBOP)
    likely = min(max(_LUT_SCALE * total**_LUT_POWER, low), high)
    method = f"{total:,} EBOPs; LUT = 0.66 to 0.91 EBOPs, likely 0.911 EBOPs^0.988: {_CALIBRATION}"
    if operations.not_counted:
        method += f"; not counted: the logic of {', '.join(operations.not_counted)}"
    ff = [share * lut for share, lut in zip(_FF_PER_LUT, (low, likely, high), strict=True)]
    return (
        Estimate(resource="lut", low=low, likely=likely, high=high, method=method),
        Estimate(
            resource="ff",
            low=ff[0],
            likely=ff[1],
            high=ff[2],
            method=f"FF = 0.46 to 0.58 of the estimated LUT: {_CALIBRATION}; more with more stages",
        ),
        *(none(resource, "adders alone") for resource in ("dsp", "bram_18k", "uram")),
    )


def none(resource: str, method: str) -> Estimate:
    """Return the estimate that nothing of a resource is used."""
    return Estimate(resource=resource, low=0, likely=0, high=0, method=method)


def deviation(estimates: Iterable[Estimate], resources: Resources) -> tuple[Deviation, ...]:
    """Compare estimates with what a tool counted.

    The stages differ: the ranges are calibrated on routed designs, and a tool that only
    does logic synthesis counts before placement merges or copies anything.
    """
    return tuple(
        Deviation(
            resource=estimate.resource,
            low=estimate.low,
            likely=estimate.likely,
            high=estimate.high,
            measured=getattr(resources, estimate.resource),
            measured_by=resources.origin,
        )
        for estimate in estimates
    )
