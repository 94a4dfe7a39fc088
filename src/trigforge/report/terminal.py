"""What a run looks like on a terminal: ``RunSummary -> rich renderables``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from trigforge.core.records import Agreement, Check, Metrics, RunSummary

NOT_MEASURED = "not measured"


def summarise(summary: RunSummary) -> RenderableType:
    """Return the whole result: physics, agreement, verdict, and where things are."""
    parts: list[RenderableType] = [_physics(summary), agreements_table(_shown(summary.agreements))]
    parts += [Text(f"warning: {line}", style="yellow") for line in summary.warnings]
    parts += [verdict(summary.checks), Text(f"latency: {NOT_MEASURED}; resources: {NOT_MEASURED}")]
    parts += [Text(f"project: {entry.folder}") for entry in summary.projects]
    if summary.report is not None:
        parts.append(Text(f"report:  {summary.report}"))
    failed = [check.name for check in summary.checks if not check.met]
    if failed:
        parts.append(Text(f"{summary.name}: FAILED: {'; '.join(failed)}", style="bold red"))
    else:
        parts.append(Text(f"{summary.name}: all checks met", style="bold green"))
    return Group(*parts)


def _shown(agreements: tuple[Agreement, ...]) -> tuple[Agreement, ...]:
    """Leave out pairs of implementations that both agree with the network."""
    network = agreements[0].reference if agreements else ""
    return tuple(entry for entry in agreements if entry.reference == network or not entry.met)


def _physics(summary: RunSummary) -> Table:
    """Return float and quantised figures side by side, with the size of the sample."""
    table = Table(
        title=f"{summary.name}: {summary.n_test} held-out events (trained on {summary.n_train})",
        caption=summary.sample_origin,
        title_justify="left",
        caption_justify="left",
    )
    for heading in ("", "float", "quantised", "loss"):
        table.add_column(heading, justify="left" if not heading else "right")
    baseline, quantised = summary.float_metrics, summary.quantised_metrics
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
    rows = [("accuracy", baseline.accuracy, quantised.accuracy)]
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


def verdict(checks: tuple[Check, ...]) -> Table:
    """Return the verdict, a line a check: used, allowed, met."""
    table = Table(title="verdict", title_justify="left")
    for heading in ("check", "used", "allowed", "met"):
        table.add_column(heading)
    for check in checks:
        met = Text("yes", style="green") if check.met else Text("NO", style="bold red")
        table.add_row(check.name, check.used, check.allowed, met)
    return table
