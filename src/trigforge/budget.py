"""Hold figures against the budget of the trigger: ``Latency, Resources -> Verdict``.

What was measured is checked as measured; a resource that only was estimated is met if the
upper end of its range is allowed, not met if not even the lower end is. What lies between, and
what nobody said, is no check but listed as unknown, and a verdict with unknowns is not met: it
is never green by ignorance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from trigforge.core.costs import Source
from trigforge.core.crossing import CROSSING_MHZ, clocks_per_crossing
from trigforge.core.records import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trigforge.core.config import Budget
    from trigforge.core.costs import Estimate, Latency, Resources
    from trigforge.vendor.devices import Device

CLOCKS_MHZ = (240, 280, 320, 360, 480)
"""Clocks in use, multiples of the crossing rate."""

UNITS: Mapping[str, str] = {
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram_18k": "BRAM18",
    "uram": "URAM",
}
"""Fields of ``Resources`` and of a device, and how they are called."""

TIMING_CLOSES: Mapping[str, float] = {
    "lut": 0.7,
    "ff": 0.5,
    "dsp": 0.8,
    "bram_18k": 0.8,
    "uram": 0.8,
}
"""Share of a super logic region (SLR) up to which designs meet timing: the limits to which
FINN fills one when it places a design."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The checks, what could not be checked, and what would help."""

    checks: tuple[Check, ...]
    unknown: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()

    @property
    def met(self) -> bool:
        """There were checks, all were met, and nothing is unknown."""
        return bool(self.checks) and not self.unknown and all(check.met for check in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Amount:
    """How much of a resource is used: a count, or a range."""

    resource: str
    low: float
    likely: float
    high: float
    origin: str
    estimated: bool

    @property
    def label(self) -> str:
        unit = UNITS[self.resource]
        return f"{unit} (estimated)" if self.estimated else unit

    @property
    def is_range(self) -> bool:
        return self.low != self.high

    def share(self, total: Fraction) -> str:
        """Say which part of a total it is."""
        ends = [self.low, self.high] if self.is_range else [self.high]
        return " to ".join(_percent(Fraction(end) / total) for end in ends)


def check(
    budget: Budget,
    device: Device,
    latency: Latency | None,
    resources: Resources | None,
    estimates: tuple[Estimate, ...] = (),
) -> Verdict:
    """Compare latency, interval and resources with what the budget allows.

    A limit that lies within an estimated range is not decided: unknown, neither met nor not.

    ``estimates`` stand in where ``resources`` is missing. Limits are inclusive. URAM has
    no limit of its own: it is memory, and held to ``bram_share`` of the part's URAM.
    """
    amounts = _amounts(resources, estimates)
    timing = () if latency is None else (_interval(budget, latency), _latency(budget, latency))
    lines = [
        (_resource(amount, limit, total), amount.low <= limit * total < amount.high)
        for amount in amounts
        if amount.resource != "uram" or amount.high > 0
        for limit, total in [(_limit(budget, amount.resource), _total(device, amount))]
    ]
    if amounts:
        region = _region(amounts, device)
        closes = all(amount.low <= _timing_limit(amount, device) for amount in amounts)
        lines.append((region, closes and not region.met))
    undecided = (
        f"{line.name}: {line.used}; allowed {line.allowed}" for line, open_ in lines if open_
    )
    return Verdict(
        checks=(*timing, *(line for line, open_ in lines if not open_)),
        unknown=(*_unknown(latency, amounts), *undecided),
        advice=(*_timing_advice(budget, latency), *_resource_advice(budget, device, amounts)),
    )


def largest_reuse_factor(budget: Budget, clock_mhz: float) -> int:
    """Return the largest reuse factor that still keeps up; 0 if the clock is too slow.

    Dense layers of hls4ml in parallel take an event every reuse factor cycles.
    """
    return clocks_per_crossing(clock_mhz) * budget.interval_crossings


def parts_that_hold(
    budget: Budget,
    parts: Mapping[str, Device],
    resources: Resources | None,
    estimates: tuple[Estimate, ...] = (),
) -> tuple[str, ...]:
    """Name the parts of which a design takes no more than the budget's shares."""
    amounts = _amounts(resources, estimates)
    return tuple(
        name
        for name, part in parts.items()
        if all(
            entry.high <= _limit(budget, entry.resource) * _total(part, entry) for entry in amounts
        )
    )


def _amounts(resources: Resources | None, estimates: Iterable[Estimate]) -> list[_Amount]:
    if resources is None:
        return [
            _Amount(
                resource=entry.resource,
                low=entry.low,
                likely=entry.likely,
                high=entry.high,
                origin="no synthesis",
                estimated=True,
            )
            for entry in sorted(estimates, key=lambda entry: list(UNITS).index(entry.resource))
        ]
    origin = resources.origin
    estimated = resources.source is Source.ESTIMATED
    counts = {name: getattr(resources, name) for name in UNITS}
    return [
        _Amount(resource=name, low=n, likely=n, high=n, origin=origin, estimated=estimated)
        for name, n in counts.items()
    ]


def _interval(budget: Budget, latency: Latency) -> Check:
    clock, used = latency.clock_mhz, latency.interval_cycles
    allowed, clocks = largest_reuse_factor(budget, clock), clocks_per_crossing(clock)
    crossing = _plural(budget.interval_crossings, "crossing")
    return Check(
        name=_label("initiation interval", latency),
        used=f"{_plural(used, 'cycle')} at {clock:g} MHz = {latency.interval_ns:.2f} ns",
        allowed=(
            f"{_plural(allowed, 'cycle')} = {allowed / clock * 1000:.2f} ns "
            f"({crossing} of {_plural(clocks, 'clock')})"
        ),
        met=used <= allowed,
    )


def _latency(budget: Budget, latency: Latency) -> Check:
    clock = Fraction(latency.clock_mhz)
    allowed = math.floor(Fraction(str(budget.latency_ns)) * clock / 1000)
    in_crossings = budget.latency_ns * CROSSING_MHZ / 1000
    return Check(
        name=_label("latency", latency),
        used=(
            f"{_plural(latency.cycles, 'cycle')} at {latency.clock_mhz:g} MHz = "
            f"{latency.ns:.1f} ns = {latency.crossings:.2f} crossings"
        ),
        allowed=(
            f"{budget.latency_ns:g} ns = {_plural(allowed, 'cycle')} = {in_crossings:.2f} crossings"
        ),
        met=latency.cycles <= allowed,
    )


def _label(name: str, latency: Latency) -> str:
    return f"{name} (estimated)" if latency.source is Source.ESTIMATED else name


def _limit(budget: Budget, resource: str) -> Fraction:
    shares = {
        "lut": budget.lut_share,
        "ff": budget.ff_share,
        "dsp": budget.dsp_share,
        "bram_18k": budget.bram_share,
        "uram": budget.bram_share,
    }
    return Fraction(str(shares[resource]))  # the decimal number that was written


def _resource(amount: _Amount, limit: Fraction, total: int) -> Check:
    unit, allowed = UNITS[amount.resource], math.floor(limit * total)
    ends = [amount.low, amount.high] if amount.is_range else [amount.high]
    used = " to ".join(f"{end:,.0f}" for end in ends) + f" {unit}"
    if total:
        used += f" = {amount.share(Fraction(total))}"
    if amount.is_range:
        used += f", likely {amount.likely:,.0f}"
    used += f" ({amount.origin})"
    met = amount.high <= limit * total
    if not met and amount.low <= limit * total:
        used += "; the limit lies within the range, only synthesis tells"
    return Check(
        name=amount.label,
        used=used,
        allowed=f"{allowed:,} {unit} = {_percent(limit)} of {total:,}",
        met=met,
    )


def _region(amounts: list[_Amount], device: Device) -> Check:
    """Check that the design fits into one SLR, so filled that timing still closes."""
    used, allowed = [], []
    for amount in (entry for entry in amounts if entry.high > 0):
        unit, inside = UNITS[amount.resource], _total(device, amount)
        share = amount.share(Fraction(inside, device.n_slrs)) if inside else "none there"
        used.append(f"{unit} {share}")
        allowed.append(f"{unit} {_percent(Fraction(str(TIMING_CLOSES[amount.resource])))}")
    estimated = " (estimated)" if any(amount.estimated for amount in amounts) else ""
    where = "the part's one SLR" if device.n_slrs == 1 else f"one of {device.n_slrs} SLRs"
    return Check(
        name=f"fits {where}{estimated}",
        used=", ".join(used) or "nothing",
        allowed=", ".join(allowed) or "anything",
        met=all(amount.high <= _timing_limit(amount, device) for amount in amounts),
    )


def _unknown(latency: Latency | None, amounts: list[_Amount]) -> tuple[str, ...]:
    unknown = []
    if latency is None:
        unknown.append("initiation interval and latency: neither simulated nor reported by a tool")
    known = {amount.resource for amount in amounts}
    missing = [unit for name, unit in UNITS.items() if name not in known]
    if missing:
        unknown.append(f"{', '.join(missing)}: neither synthesised nor estimated")
    return tuple(unknown)


def _timing_advice(budget: Budget, latency: Latency | None) -> list[str]:
    return (
        []
        if latency is None
        else [
            *_interval_advice(budget, latency),
            *_latency_advice(budget, latency),
        ]
    )


def _interval_advice(budget: Budget, latency: Latency) -> list[str]:
    clock, used = latency.clock_mhz, latency.interval_cycles
    allowed = largest_reuse_factor(budget, clock)
    if used <= allowed:
        return []
    advice = []
    if allowed:
        advice.append(
            f"an interval of at most {_plural(allowed, 'cycle')} keeps up at {clock:g} MHz "
            f"(hls4ml: reuse factor {allowed} or less)"
        )
    fast = [mhz for mhz in CLOCKS_MHZ if largest_reuse_factor(budget, mhz) >= used]
    if fast:
        advice.append(f"an interval of {_plural(used, 'cycle')} keeps up at {fast[0]} MHz")
    else:
        crossings = math.ceil(used / max(clocks_per_crossing(CLOCKS_MHZ[-1]), 1))
        advice.append(
            f"no clock up to {CLOCKS_MHZ[-1]} MHz keeps up with {_plural(used, 'cycle')}: one "
            f"event every {crossings} crossings there, or parallel copies"
        )
    return advice


def _latency_advice(budget: Budget, latency: Latency) -> list[str]:
    limit = Fraction(str(budget.latency_ns))
    if latency.cycles * 1000 <= limit * Fraction(latency.clock_mhz):
        return []
    fast = [mhz for mhz in CLOCKS_MHZ if latency.cycles * 1000 <= limit * mhz]
    cycles = _plural(latency.cycles, "cycle")
    if not fast:
        needed = float(latency.cycles * 1000 / limit)
        within = f"{cycles} within {budget.latency_ns:g} ns"
        return [f"latency: {within} would need {needed:,.0f} MHz: fewer stages are needed"]
    taken = f"{cycles} take {latency.cycles / fast[0] * 1000:.1f} ns at {fast[0]} MHz"
    return [f"latency: {taken}, if timing closes there without more stages"]


def _resource_advice(budget: Budget, device: Device, amounts: list[_Amount]) -> list[str]:
    advice = []
    for amount in amounts:
        allowed = _limit(budget, amount.resource) * _total(device, amount)
        if amount.high > allowed:
            reach = "up to " if amount.is_range else ""
            factor = f"{float(amount.high / allowed):.3g} times" if allowed else "more than"
            advice.append(f"{amount.label}: {reach}{factor} what is allowed")
    crowded = [amount for amount in amounts if amount.high > _timing_limit(amount, device)]
    if crowded and device.n_slrs > 1:
        units = ", ".join(UNITS[amount.resource] for amount in crowded)
        advice.append(f"{units}: cut the design at SLR crossings, each a register stage more")
    return advice


def _total(device: Device, amount: _Amount) -> int:
    return int(getattr(device, amount.resource))


def _timing_limit(amount: _Amount, device: Device) -> Fraction:
    """Return how much of a resource one SLR gives before timing suffers."""
    limit = Fraction(str(TIMING_CLOSES[amount.resource]))
    return limit * _total(device, amount) / device.n_slrs


def _percent(share: Fraction) -> str:
    return f"{float(100 * share):.3g} %"


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
