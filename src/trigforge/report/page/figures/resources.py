"""What the design takes of the part, and what it may take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from trigforge.report import palette
from trigforge.report.page.figures.drawing import Drawing, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from trigforge.report.entries import Report
    from trigforge.report.network_entries import TargetEntry

NAME = "resources"
LABELS = {"lut": "LUT", "ff": "FF", "dsp": "DSP", "bram_18k": "BRAM 18k", "uram": "URAM"}
_WIDTH_INCHES, _ROW_INCHES, _FRAME_INCHES = 7.6, 0.42, 1.15


class Row(NamedTuple):
    """One resource: counts, None where nobody knows, what the part holds, what is allowed."""

    resource: str
    used: int | None
    low: float | None
    likely: float | None
    high: float | None
    holds: int
    allowed_share: float

    @property
    def label(self) -> str:
        """How people call it."""
        return LABELS[self.resource]

    def share(self, count: float | None) -> float | None:
        """Return which share of the part a count is."""
        return None if count is None or not self.holds else count / self.holds

    @property
    def over(self) -> bool:
        """More is used than allowed, or even the least estimate is more."""
        least = self.used if self.used is not None else self.low
        return least is not None and least > self.allowed_share * self.holds


def rows(report: Report) -> list[Row]:
    """Return the resources that the part has, counted, estimated and allowed."""
    estimates = {entry.resource: entry for entry in report.estimates}
    found = []
    for resource in LABELS:
        estimate = estimates.get(resource)
        holds = getattr(report.target.holds, resource)
        used = getattr(report.resources, resource)
        if holds or used:
            low, likely, high = (
                (None, None, None)
                if estimate is None
                else (estimate.low, estimate.likely, estimate.high)
            )
            share = allowed(report.target, resource)
            found.append(Row(resource, used, low, likely, high, holds, share))
    return found


def allowed(target: TargetEntry, resource: str) -> float:
    """Return the share of a resource that the budget allows."""
    shares = {
        "lut": target.lut_share,
        "ff": target.ff_share,
        "dsp": target.dsp_share,
        "bram_18k": target.bram_share,
        "uram": target.bram_share,
    }
    return shares[resource]


def draw(report: Report) -> Drawing | None:
    """Draw a bar for each resource; None if nothing is counted or estimated."""
    shown = [row for row in rows(report) if row.used is not None or row.high is not None]
    if not shown:
        return None
    figure = Figure(figsize=(_WIDTH_INCHES, _FRAME_INCHES + _ROW_INCHES * len(shown)))
    axes = figure.add_subplot()
    for line, row in enumerate(shown):
        _draw_row(axes, line, row)
    _label(axes, shown)
    figure.legend(handles=_legend(shown), loc="outside lower left", ncols=4)
    return Drawing(
        name=NAME,
        title=f"Shares of the {report.target.part}",
        description=describe(report),
        figure=figure,
        table=_table(shown),
    )


def describe(report: Report) -> str:
    """Say in words what the picture shows."""
    parts = []
    for row in rows(report):
        share = row.share(row.used if row.used is not None else row.likely)
        if share is not None:
            kind = "counted" if row.used is not None else "estimated"
            parts.append(f"{row.label} {share:.2%} {kind}, {row.allowed_share:.0%} allowed")
    return f"Bars: shares of what the {report.target.part} holds. {'; '.join(parts)}."


def _draw_row(axes: Axes, line: int, row: Row) -> None:
    """Draw what is used as a bar, an estimate as a range, and the mark of the budget."""
    used, low, likely, high = (
        None if share is None else 100 * share
        for share in map(row.share, (row.used, row.low, row.likely, row.high))
    )
    limit = 100 * row.allowed_share
    axes.barh(line, limit, 0.72, color=palette.STRIPE, zorder=1)
    if used is not None:
        colour, hatch = (palette.VERMILLION, "////") if row.over else (palette.BLUE, "")
        axes.barh(line - 0.08, used, 0.42, color=colour, hatch=hatch, ec=palette.SURFACE, lw=0.3)
    if low is not None and high is not None and high > 0:
        at = line + (0.26 if used is not None else 0)
        axes.plot([low, high], [at, at], color=palette.ORANGE, lw=3.5, zorder=3)
        axes.plot([0 if likely is None else likely], [at], "D", color=palette.INK, ms=3.5, zorder=4)
    axes.plot([limit, limit], [line - 0.4, line + 0.4], color=palette.VERMILLION, lw=1.8, zorder=5)


def _label(axes: Axes, shown: Sequence[Row]) -> None:
    axes.set_yticks(range(len(shown)), [row.label for row in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(len(shown)), [_note(row) for row in shown])
    right.spines["right"].set_visible(False)
    for label in right.get_yticklabels():
        label.set_fontsize(8)
        label.set_color(palette.MUTED)
    axes.spines["left"].set_visible(False)
    axes.tick_params("y", length=0)
    right.tick_params("y", length=0)
    furthest = max(
        share
        for row in shown
        for share in (row.allowed_share, row.share(row.used), row.share(row.high))
        if share is not None
    )
    axes.set_xlim(0, 108 * furthest)
    axes.set_xlabel("% of the part")


def _note(row: Row) -> str:
    if row.used is not None:
        share = row.share(row.used)
        return f"{row.used:,}" if share is None else f"{row.used:,} = {share:.2%}"
    return f"{row.low or 0:,.0f} to {row.high or 0:,.0f}"


def _legend(shown: Sequence[Row]) -> list[Patch | Line2D]:
    """Explain what there is in this picture, and nothing else."""
    handles: list[Patch | Line2D] = []
    counted = [row for row in shown if row.used is not None]
    if any(not row.over for row in counted):
        handles.append(Patch(fc=palette.BLUE, label="counted"))
    if any(row.over for row in counted):
        label = "counted, more than allowed"
        handles.append(Patch(fc=palette.VERMILLION, ec=palette.SURFACE, hatch="////", label=label))
    if any(row.high for row in shown):
        style: dict[str, Any] = {"marker": "D", "mfc": palette.INK, "mec": palette.INK, "ms": 3.5}
        label = "estimate, from least to most"
        handles.append(Line2D([], [], color=palette.ORANGE, lw=3.5, label=label, **style))
    handles.append(Line2D([], [], color=palette.VERMILLION, lw=1.8, label="allowed"))
    return handles


def _table(shown: Sequence[Row]) -> Table:
    columns = ("resource", "used", "low", "likely", "high", "part_holds", "allowed_share")
    return Table(columns=columns, rows=tuple(tuple(row) for row in shown))
