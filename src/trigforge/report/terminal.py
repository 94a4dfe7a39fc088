"""What a run looks like on a terminal: ``RunSummary -> rich renderables``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from trigforge.report import trigger_tables

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from trigforge.core.costs import LogicDelay, Resources
    from trigforge.core.records import Agreement, Check, Distance, Metrics, Outcome, RunSummary


def summarise(summary: RunSummary) -> RenderableType:
    """Return the whole result: physics, agreement, verdict, and where things are."""
    parts: list[RenderableType] = [_physics(summary)]
    if summary.distance is not None:
        parts.append(Text(describe_distance(summary.distance)))
    if summary.trigger is not None:
        parts.append(trigger_tables.efficiencies(summary.trigger))
    parts.append(agreements_table(_shown(summary.agreements)))
    parts += [Text(f"warning: {line}", style="yellow") for line in summary.warnings]
    parts += [verdict(summary.checks, "verdict")]
    if summary.budget:
        parts.append(verdict(summary.budget, "budget"))
    if summary.logic_delay is not None:
        parts.append(Text(_delay(summary.logic_delay)))
    parts += [Text(line) for line in summary.deviations]
    parts += [Text(f"project: {entry.folder}") for entry in summary.projects]
    if summary.firmware is not None:
        parts.append(Text(f"firmware: {summary.firmware.folder}"))
    if summary.report is not None:
        parts.append(Text(f"report:  {summary.report}"))
    if summary.page is not None:
        parts.append(Text(f"page:    {summary.page}"))
    failed = [check.name for check in (*summary.checks, *summary.budget) if not check.met]
    if failed:
        parts.append(Text(f"{summary.name}: FAILED: {'; '.join(failed)}", style="bold red"))
    else:
        parts.append(Text(f"{summary.name}: all checks met", style="bold green"))
    return Group(*parts)


def _shown(agreements: tuple[Agreement, ...]) -> tuple[Agreement, ...]:
    """Leave out pairs of implementations that both agree with the network.

    The network is the first referee; without one, the first implementation of each io type.
    """
    candidates = {entry.candidate for entry in agreements}
    first = {entry.reference for entry in agreements} - candidates
    return tuple(entry for entry in agreements if entry.reference in first or not entry.met)


def _physics(summary: RunSummary) -> RenderableType:
    """Return float and quantised figures side by side, with the size of the sample."""
    baseline, quantised = summary.float_metrics, summary.quantised_metrics
    if baseline is None or quantised is None:
        return Text(f"{summary.name}: {summary.n_test} events, {summary.sample_origin}")
    trained = f" (trained on {summary.n_train})" if summary.n_train else ""
    table = Table(
        title=f"{summary.name}: {summary.n_test} held-out events{trained}",
        caption=summary.sample_origin,
        title_justify="left",
        caption_justify="left",
    )
    for heading in ("", "float", "quantised", "loss"):
        table.add_column(heading, justify="left" if not heading else "right")
    for name, before, after in _figures(baseline, quantised):
        table.add_row(name, f"{before:.4f}", f"{after:.4f}", f"{before - after:+.4f}")
    for before_class, after_class in zip(baseline.classes, quantised.classes, strict=True):
        table.add_row(
            f"1/background at {before_class.signal_efficiency:.0%} {before_class.name}",
            f"{before_class.background_rejection:.1f}",
            f"{after_class.background_rejection:.1f}",
            "",
        )
    return table


def _figures(baseline: Metrics, quantised: Metrics) -> list[tuple[str, float, float]]:
    rows = []
    if baseline.accuracy is not None and quantised.accuracy is not None:
        rows.append(("accuracy", baseline.accuracy, quantised.accuracy))
    if len(baseline.classes) > 1:
        rows.append(("mean AUC", baseline.mean_auc, quantised.mean_auc))
    rows += [
        (f"AUC {before.name}", before.auc, after.auc)
        for before, after in zip(baseline.classes, quantised.classes, strict=True)
    ]
    return rows


def agreements_table(agreements: tuple[Agreement, ...]) -> RenderableType:
    """Return how many values were compared and how many differ, and the first that does."""
    table = Table(title="agreement on raw integers", title_justify="left")
    for heading in ("reference", "candidate"):
        table.add_column(heading)
    for heading in ("events", "values compared", "values different"):
        table.add_column(heading, justify="right")
    for entry in agreements:
        table.add_row(
            entry.reference,
            entry.candidate,
            str(entry.n_events),
            str(entry.n_values),
            Text(str(entry.n_different), style="green" if entry.met else "bold red"),
        )
    lines: list[RenderableType] = [table]
    lines += [Text(describe(entry), style="red") for entry in agreements if not entry.met]
    return Group(*lines)


def describe(agreement: Agreement) -> str:
    """Say in one line where two implementations first differ."""
    first = agreement.first_difference
    if first is None:
        return f"{agreement.candidate}: nothing was compared"
    return (
        f"{agreement.candidate}: first difference in event {first.event} ({first.origin}), "
        f"output {first.output} ({first.output_name}): {agreement.reference} {first.reference}, "
        f"{agreement.candidate} {first.candidate}; {agreement.n_different_events} of "
        f"{agreement.n_events} events differ"
    )


def describe_distance(distance: Distance) -> str:
    """Say in one line how far firmware is from the original."""
    changed = (
        ""
        if distance.n_decisions_changed is None
        else f"; {distance.n_decisions_changed} of {distance.n_events} decisions changed"
    )
    return (
        f"distance from {distance.original} over {distance.n_events} events: largest "
        f"{distance.largest:.3g}, mean {distance.mean:.3g} of outputs that span "
        f"{distance.output_range:.3g}; {distance.n_equal} of {distance.n_values} values "
        f"equal{changed}"
    )


def outcomes_table(outcomes: Iterable[Outcome]) -> Table:
    """Return what each scenario of a simulation gave."""
    table = Table(title="RTL, simulated", title_justify="left")
    for heading in ("scenario", "events", "latency", "cycles/s", "result"):
        table.add_column(heading)
    for outcome in outcomes:
        result = Text("as expected", style="green")
        if outcome.fault is not None:
            result = Text(outcome.fault, style="bold red")
        latency = "" if outcome.latency_cycles is None else f"{outcome.latency_cycles[1]} cycles"
        speed = f"{outcome.n_cycles / outcome.seconds:,.0f}" if outcome.seconds else ""
        table.add_row(outcome.name, f"{outcome.n_events}", latency, speed, result)
    return table


def resources_table(resources: Resources, delay: LogicDelay | None) -> Table:
    """Return what a design takes, and who says so at which stage."""
    title = f"{resources.part}: {resources.origin}"
    caption = None if delay is None else _delay(delay)
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    for heading in ("LUT", "FF", "DSP", "BRAM18", "URAM", "carry cells"):
        table.add_column(heading, justify="right")
    counts = (resources.lut, resources.ff, resources.dsp, resources.bram_18k, resources.uram)
    carry = "" if resources.carry is None else f"{resources.carry:,}"
    table.add_row(*(f"{count:,}" for count in counts), carry)
    return table


def _delay(delay: LogicDelay) -> str:
    return f"slowest path: {delay.ns:.2f} ns ({delay.method}; {delay.tool})"


def verdict(checks: tuple[Check, ...], title: str) -> Table:
    """Return checks, a line each: used, allowed, met."""
    table = Table(title=title, title_justify="left")
    for heading in ("check", "used", "allowed", "met"):
        table.add_column(heading)
    for check in checks:
        met = Text("yes", style="green") if check.met else Text("NO", style="bold red")
        table.add_row(check.name, check.used, check.allowed, met)
    return table
