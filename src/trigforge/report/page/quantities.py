"""The figures of a report by which two runs are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trigforge.report.page.figures.curves import in_hardware
from trigforge.report.page.figures.resources import rows
from trigforge.report.page.notation import measured, number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trigforge.report.entries import Report
    from trigforge.report.trigger_entries import MeasurementEntry, SignalEntry

Better = Literal["lower", "higher"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """One figure: its text, its value if it has one, and which direction is better."""

    group: str
    name: str
    text: str
    value: float | None
    better: Better = None
    low: float | None = None
    high: float | None = None
    decimals: int | None = None
    silent: bool = False
    """A difference of two such values is no number to show."""

    def written(self, step: float) -> str:
        """Write a difference of two such figures."""
        text = number(abs(step)) if self.decimals is None else f"{abs(step):.{self.decimals}f}"
        return f"{'+' if step > 0 else chr(0x2212)}{text}"


def quantities(report: Report) -> Iterator[Quantity]:
    """Yield what two runs can be compared by, in the order of the page."""
    yield from _verdict(report)
    yield from _agreement(report)
    yield from _timing(report)
    yield from _resources(report)
    yield from _physics(report)
    yield from _network(report)
    yield from _provenance(report)


def _verdict(report: Report) -> Iterator[Quantity]:
    checks = (*report.checks, *report.budget)
    n_failed = sum(not check.met for check in checks)
    verdict = "met" if report.met else "not met"
    yield Quantity(
        group="Verdict",
        name="all checks",
        text=verdict,
        value=float(not report.met),
        better="lower",
        silent=True,
    )
    yield _count("Verdict", "checks", len(checks))
    yield _count("Verdict", "checks not met", n_failed, "lower")


def _agreement(report: Report) -> Iterator[Quantity]:
    group = "Agreement"
    yield _count(group, "comparisons", len(report.agreements))
    n_different = sum(entry.n_different for entry in report.agreements)
    yield _count(group, "values that differ, all comparisons", n_different, "lower")
    n_events = max((entry.n_events for entry in report.agreements), default=0)
    yield _count(group, "events compared", n_events, "higher")


def _timing(report: Report) -> Iterator[Quantity]:
    group, latency = "Timing", report.latency
    yield _number(group, "clock, MHz", report.target.clock_mhz)
    if latency.cycles is not None and latency.ns is not None:
        yield _count(group, "latency, cycles", latency.cycles, "lower")
        yield _number(group, "latency, ns", latency.ns, "lower")
    if latency.interval_cycles is not None:
        yield _count(group, "interval, cycles", latency.interval_cycles, "lower")
    if report.logic_delay is not None:
        yield _number(group, "slowest path without routing, ns", report.logic_delay.ns, "lower")


def _resources(report: Report) -> Iterator[Quantity]:
    group = "Resources"
    yield _text(group, "part", report.target.part)
    yield _text(group, "implementation", report.target.implementation)
    for row in rows(report):
        if row.used is not None:
            yield _count(group, f"{row.label}, counted", row.used, "lower")
        elif row.likely is not None:
            text = f"{row.low or 0:,.0f} to {row.high or 0:,.0f}"
            yield Quantity(
                group=group,
                name=f"{row.label}, estimated",
                text=text,
                value=row.likely,
                better="lower",
                low=row.low,
                high=row.high,
            )


def _physics(report: Report) -> Iterator[Quantity]:
    group = "Physics"
    for name, metrics in (
        ("float", report.physics.float_network),
        ("quantised", report.physics.quantised_network),
    ):
        if metrics is None:
            continue
        if metrics.accuracy is not None:
            yield _decimal(group, f"accuracy, {name}", metrics.accuracy)
        for entry in metrics.classes:
            yield _decimal(group, f"AUC of {entry.name}, {name}", entry.auc)
    if report.trigger is not None:
        yield _number(
            group, "trigger rate of the working point, kHz", report.trigger.working_rate_khz
        )
        for signal in report.trigger.signals:
            yield from _signal(signal)
    if report.original is not None:
        yield _number(group, "largest distance from the original", report.original.largest, "lower")


def _signal(signal: SignalEntry) -> Iterator[Quantity]:
    kept = in_hardware(signal)
    name = f"{signal.name}, {kept.implementation}"
    yield _measured(f"efficiency in % of {name}", kept.efficiency, "higher", 100)
    yield _measured(f"AUC at the trigger of {name}", kept.auc, "higher")
    yield _number("Physics", f"threshold of {name}", kept.threshold)
    yield _measured(f"rate in kHz of {name}", kept.rate_khz, "lower")
    for loss in signal.losses:
        if loss.implementation == kept.implementation:
            lost = f"efficiency lost in points of {name}"
            yield _measured(lost, loss.efficiency, "lower", 100)


def _network(report: Report) -> Iterator[Quantity]:
    group = "Network"
    if report.network is not None:
        nodes = report.network.nodes
        yield _count(group, "nodes", len(nodes))
        yield _count(group, "weights", sum(node.n_weights for node in nodes))
        yield _count(group, "weights of zero", sum(node.n_zero_weights for node in nodes))
        n_products = sum(node.n_multiplications for node in nodes)
        yield _count(group, "multiplications an event", n_products, "lower")
        for node in nodes:
            yield _text(group, f"format of {node.name}", node.format)
    if report.health is not None:
        tensors = report.health.tensors
        wrapping = sum(
            any(remark.severity == "wrong" for remark in tensor.remarks) for tensor in tensors
        )
        yield _count(group, "tensors with values that wrap", wrapping, "lower")
        yield _count(
            group, "elements that never change", sum(len(t.dead) for t in tensors), "lower"
        )


def _provenance(report: Report) -> Iterator[Quantity]:
    for name, text in report.provenance.items():
        yield _text("Provenance", name, text)


def _count(group: str, name: str, value: int, better: Better = None) -> Quantity:
    text = f"{value:,}"
    return Quantity(group=group, name=name, text=text, value=value, better=better)


def _number(group: str, name: str, value: float, better: Better = None) -> Quantity:
    return Quantity(group=group, name=name, text=number(value, 4), value=value, better=better)


def _decimal(group: str, name: str, value: float) -> Quantity:
    text = f"{value:.4f}"
    return Quantity(group=group, name=name, text=text, value=value, better="higher", decimals=4)


def _measured(name: str, entry: MeasurementEntry, better: Better, scale: float = 1) -> Quantity:
    return Quantity(
        group="Physics",
        name=name,
        text=measured(entry, scale),
        value=scale * entry.value,
        better=better,
        low=scale * entry.low,
        high=scale * entry.high,
    )


def _text(group: str, name: str, text: str) -> Quantity:
    return Quantity(group=group, name=name, text=text, value=None)
