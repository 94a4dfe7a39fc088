"""What rates and efficiencies look like on a terminal: ``TriggerPhysics -> rich tables``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from trigforge.core.trigger import (
        CountedRates,
        Curve,
        Measurement,
        SignalPhysics,
        Streamed,
        TriggerPhysics,
    )

MOST_RATES = 16
"""Lines of a table of thresholds; all of them are in the record."""
FIRMWARE = "firmware"


def efficiencies(physics: TriggerPhysics) -> Table:
    """Return what each implementation accepts of each signal at the working rate."""
    table = Table(
        title=f"trigger: signal accepted at {physics.working_rate_khz:g} kHz of "
        f"{physics.background}",
        caption=f"{physics.background_rate_khz:,.5g} kHz of {physics.background} reach the "
        f"network, {physics.n_background} held-out events; intervals of 68.3 %",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("signal")
    names = list(dict.fromkeys(r.implementation for s in physics.signals for r in s.results))
    for heading in (*names, "loss", "threshold", "rate in kHz"):
        table.add_column(heading, justify="right")
    for signal in physics.signals:
        table.add_row(*_row(signal, names))
        if signal.streamed is not None:
            table.add_row(*_counted_row(signal.streamed, names))
    return table


def counted_rates(rates: CountedRates) -> RenderableType:
    """Return thresholds and rates for each signal; once where they are the same."""
    by_discriminant: dict[str, list[str]] = {}
    for signal in rates.signals:
        by_discriminant.setdefault(signal.discriminant, []).append(signal.name)
    counted = {signal.discriminant: signal.counted for signal in rates.signals}
    parts: list[RenderableType] = [
        thresholds(
            counted[discriminant],
            f"{rates.name}: {rates.background} accepted as {', '.join(names)} ({discriminant})",
        )
        for discriminant, names in by_discriminant.items()
    ]
    parts += [
        Text(
            f"{signal.name}: {written(signal.counted.efficiency)} accepted at "
            f"{rates.working_rate_khz:g} kHz, threshold {signal.counted.threshold:.0f}"
        )
        for signal in rates.signals
        if signal.counted.efficiency is not None
    ]
    return Group(*parts, Text(f"counts: {rates.file}"))


def thresholds(counted: Streamed, title: str) -> Table:
    """Return the rate that each threshold gives, the working point among them."""
    table = Table(
        title=title,
        caption=f"{counted.n_events:,} events in {counted.n_chunks} lots; intervals of 68.3 %",
        title_justify="left",
        caption_justify="left",
    )
    for heading in ("threshold", "rate in kHz", ""):
        table.add_column(heading, justify="right")
    rates = counted.rates
    rows = {rates.x[index]: (_interval(rates, index), "") for index in _shown(rates)}
    rows[counted.threshold] = (_rate(counted.rate_khz), "working point")
    for threshold in sorted(rows):
        table.add_row(f"{threshold:.0f}", *rows[threshold])
    return table


def written(measurement: Measurement, digits: int = 4, sign: str = "") -> str:
    """Return a number with its uncertainty upwards and downwards."""
    above, below = measurement.high - measurement.value, measurement.value - measurement.low
    return f"{measurement.value:{sign}.{digits}f} +{above:.{digits}f} -{below:.{digits}f}"


def _row(signal: SignalPhysics, names: list[str]) -> Iterator[str]:
    results = {result.implementation: result for result in signal.results}
    yield signal.name
    for name in names:
        yield written(results[name].efficiency) if name in results else ""
    yield written(signal.losses[-1].efficiency, sign="+") if signal.losses else ""
    last = signal.results[-1]
    raw = last.implementation == FIRMWARE
    yield f"{last.threshold:.0f}" if raw else f"{last.threshold:.4g}"
    yield _rate(last.rate_khz)


def _counted_row(counted: Streamed, names: list[str]) -> Iterator[str]:
    yield f"  by {counted.n_events:,} counted events"
    for name in names:
        known = name == names[-1] and counted.efficiency is not None
        yield written(counted.efficiency) if known and counted.efficiency is not None else ""
    yield ""
    yield f"{counted.threshold:.0f}"
    yield _rate(counted.rate_khz)


def _rate(rate: Measurement) -> str:
    if rate.value == 0:
        return f"below {rate.high:.3g}"
    return f"{rate.value:.4g} +{rate.high - rate.value:.2g} -{rate.value - rate.low:.2g}"


def _interval(rates: Curve, index: int) -> str:
    y, low, high = rates.y[index], rates.low[index], rates.high[index]
    return f"below {high:.3g}" if y == 0 else f"{y:.4g} +{high - y:.2g} -{y - low:.2g}"


def _shown(rates: Curve) -> list[int]:
    """Choose points of falling rates, evenly over their decades."""
    if len(rates.x) <= MOST_RATES:
        return list(range(len(rates.x)))
    logarithms = -np.log(np.maximum(rates.y, 0.5 * min(y for y in rates.y if y > 0)))
    even = np.linspace(logarithms[0], logarithms[-1], MOST_RATES)
    chosen = np.searchsorted(logarithms, even).clip(max=len(rates.x) - 1)
    return sorted({int(index) for index in chosen})
