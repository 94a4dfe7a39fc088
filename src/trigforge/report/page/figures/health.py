"""How the tensors use their formats: the box plots of ``report.health_plot`` on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigforge.report import health_plot
from trigforge.report.page.figures.drawing import Drawing, Table

if TYPE_CHECKING:
    from trigforge.report.entries import Report
    from trigforge.report.network_entries import HealthEntry

NAME = "health"
_COLUMNS = (
    "tensor", "kind", "format", "n_values", "n_zeros", "minimum_raw", "maximum_raw",
    "n_overflows", "n_accumulator_overflows", "unused_high_bits", "unused_low_bits", "n_dead",
)  # fmt: skip


def draw(report: Report) -> Drawing | None:
    """Draw a line for each tensor; None if nobody looked at them."""
    if report.health is None or not report.health.tensors:
        return None
    return Drawing(
        name=NAME,
        title="The range of each format and the values it really held",
        description=describe(report.health),
        figure=health_plot.figure([entry.record() for entry in report.health.tensors]),
        table=_table(report.health),
    )


def describe(health: HealthEntry) -> str:
    """Say in words what the picture shows."""
    n_overflowing = sum(
        1 for entry in health.tensors if entry.n_overflows or entry.n_accumulator_overflows
    )
    n_dead = sum(len(entry.dead) for entry in health.tensors)
    return (
        f"Box plots of the magnitudes of {len(health.tensors)} tensors over "
        f"{health.n_events:,} events, to the base of 2, on the range of their formats. "
        f"{n_overflowing} tensors overflow, {n_dead} elements never change."
    )


def _table(health: HealthEntry) -> Table:
    return Table(
        columns=_COLUMNS,
        rows=tuple(
            (
                entry.name,
                entry.kind,
                entry.format,
                entry.n_values,
                entry.n_zeros,
                entry.minimum,
                entry.maximum,
                entry.n_overflows,
                entry.n_accumulator_overflows,
                entry.unused_high_bits,
                entry.unused_low_bits,
                len(entry.dead),
            )
            for entry in health.tensors
        ),
    )
