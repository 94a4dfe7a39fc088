"""What the trigger physics shows: ROC, rate against threshold, turn-on; a row for each signal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from trigforge.report import palette
from trigforge.report.page.figures.drawing import Drawing, Readout, Series, Table
from trigforge.report.tick_labels import decade

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from matplotlib.axes import Axes

    from trigforge.report.entries import Report
    from trigforge.report.trigger_entries import (
        CurveEntry,
        SignalEntry,
        TriggerEntry,
        TriggerResultEntry,
    )

_WIDTH_INCHES, _ROW_INCHES, _GAP_INCHES = 4.6, 2.05, 0.5
_LEFT_INCHES, _RIGHT_INCHES, _TOP_INCHES, _BOTTOM_INCHES = 0.68, 0.14, 0.3, 1.0
_BAND = 0.18


class Look(NamedTuple):
    """How the curve of an implementation is drawn: colour, line, width, marker, size."""

    colour: str
    line: str | tuple[float, tuple[float, ...]]
    width: float
    marker: str
    size: float
    filled: bool = True


LOOKS = {
    "float network": Look(palette.GREEN, (0, (6, 1.5, 1.2, 1.5)), 1.3, "D", 8.5, filled=False),
    "quantised network": Look(palette.BLUE, "-", 4.4, "s", 6),
    "firmware": Look(palette.VERMILLION, (0, (4, 2.5)), 1.3, "o", 3.4),
}
"""Firmware that is the quantised network lies on it, dashed: both are seen."""
_OTHER = Look(palette.PURPLE, ":", 1.4, "^", 4.5)
_STREAMED = Look(palette.PURPLE, "-.", 1.6, "v", 4.5)


def roc(report: Report) -> Drawing | None:
    """Draw signal efficiency against background efficiency; None without trigger physics."""
    trigger = report.trigger
    if trigger is None or not trigger.signals:
        return None
    figure, panels = _panels(trigger)
    share = trigger.working_rate_khz / trigger.background_rate_khz
    for axes, signal in panels:
        for result in signal.results:
            _draw_curve(axes, result.roc, _look(result), result.implementation)
            point = result.efficiency.value
            axes.plot([share], [point], _look(result).marker, **_marker(_look(result)))
        _by_decades(axes, "x")
        axes.set_xlim(*_decades(x for result in signal.results for x in result.roc.x))
        axes.set_ylim(0, 1.02)
        axes.set_ylabel(f"efficiency of {signal.name}", parse_math=False)
        axes.grid(visible=True)
    panels[-1][0].set_xlabel(f"efficiency of {trigger.background}", parse_math=False)
    _legend(figure, panels)
    return Drawing(
        name="roc",
        title="What is kept of the signal, and what of the background",
        description=_describe_roc(trigger),
        figure=figure,
        table=_table(trigger, "roc", ("background_efficiency", "signal_efficiency")),
        arranged=True,
        readouts=_readouts(panels, "roc", ("background efficiency", "signal efficiency")),
    )


def rate(report: Report) -> Drawing | None:
    """Draw the rate against the threshold that the firmware compares with."""
    trigger = report.trigger
    if trigger is None or not trigger.signals:
        return None
    figure, panels = _panels(trigger)
    for axes, signal in panels:
        result = in_hardware(signal)
        _draw_curve(axes, result.rates, _look(result), result.implementation)
        if signal.streamed is not None:
            name = f"streamed, {signal.streamed.n_events:,} events"
            _draw_curve(axes, signal.streamed.rates, _STREAMED, name)
        axes.axhline(trigger.working_rate_khz, color=palette.MUTED, lw=0.9, ls=":")
        axes.axvline(result.threshold, color=palette.MUTED, lw=0.9, ls=":")
        axes.plot([result.threshold], [result.rate_khz.value], "o", **_marker(_look(result)))
        _by_decades(axes, "y")
        axes.set_ylabel("rate in kHz")
        axes.grid(visible=True)
    panels[-1][0].set_xlabel("threshold, raw integer of the firmware")
    _legend(figure, panels)
    return Drawing(
        name="rate",
        title="Trigger rate against the threshold",
        description=_describe_rate(trigger),
        figure=figure,
        table=_rate_table(trigger),
        arranged=True,
        readouts=tuple(_rate_readout(axes, signal) for axes, signal in panels),
    )


def turn_on(report: Report) -> Drawing | None:
    """Draw the efficiency at the working point against a variable; None where there is none."""
    trigger = report.trigger
    if trigger is None or not any(r.turn_on for s in trigger.signals for r in s.results):
        return None
    figure, panels = _panels(trigger)
    for axes, signal in panels:
        for result in signal.results:
            if result.turn_on is not None:
                _draw_points(axes, result.turn_on, _look(result), result.implementation)
        axes.set_ylim(0, 1.05)
        axes.set_ylabel(f"efficiency of {signal.name}", parse_math=False)
        axes.grid(visible=True)
    variable = trigger.variable or "variable"
    panels[-1][0].set_xlabel(variable, parse_math=False)
    _legend(figure, panels)
    return Drawing(
        name="turn_on",
        title=f"Turn-on: what is kept, against {variable}",
        description=f"Efficiency at {trigger.working_rate_khz:g} kHz in bins of {variable}, with "
        f"uncertainties, for {_names(trigger)}.",
        figure=figure,
        table=_table(trigger, "turn_on", (variable, "efficiency")),
        arranged=True,
        readouts=_readouts(panels, "turn_on", (variable, "efficiency")),
    )


def in_hardware(signal: SignalEntry) -> TriggerResultEntry:
    """Return the result of the firmware, or else of what comes closest to it."""
    by_name = {result.implementation: result for result in signal.results}
    return by_name.get("firmware", signal.results[-1])


def _panels(trigger: TriggerEntry) -> tuple[Figure, list[tuple[Axes, SignalEntry]]]:
    """Return axes for each signal; their places are given, to find them takes long."""
    n_rows = len(trigger.signals)
    rows = n_rows * _ROW_INCHES + (n_rows - 1) * _GAP_INCHES
    height = _TOP_INCHES + rows + _BOTTOM_INCHES
    figure = Figure(figsize=(_WIDTH_INCHES, height))
    grid = figure.subplots(n_rows, squeeze=False)
    figure.subplots_adjust(
        left=_LEFT_INCHES / _WIDTH_INCHES,
        right=1 - _RIGHT_INCHES / _WIDTH_INCHES,
        top=1 - _TOP_INCHES / height,
        bottom=_BOTTOM_INCHES / height,
        hspace=_GAP_INCHES / _ROW_INCHES,
    )
    for axes, signal in zip(grid[:, 0], trigger.signals, strict=True):
        axes.set_title(signal.name, parse_math=False)
    return figure, list(zip(grid[:, 0], trigger.signals, strict=True))


def _look(result: TriggerResultEntry) -> Look:
    return LOOKS.get(result.implementation, _OTHER)


def _marker(look: Look) -> dict[str, Any]:
    """Return the style of a marker; an open one shows what it lies on."""
    return {
        "color": look.colour,
        "ms": look.size,
        "mfc": look.colour if look.filled else "none",
        "mec": palette.SURFACE if look.filled else look.colour,
        "mew": 0.6 if look.filled else 1.2,
        "zorder": 5,
        "ls": "",
    }


def _draw_curve(axes: Axes, curve: CurveEntry, look: Look, name: str) -> None:
    axes.fill_between(
        curve.x, curve.low, curve.high, color=look.colour, alpha=_BAND, lw=0, zorder=2
    )
    axes.plot(
        curve.x, curve.y, color=look.colour, ls=look.line, lw=look.width, label=name, zorder=3
    )


def _draw_points(axes: Axes, curve: CurveEntry, look: Look, name: str) -> None:
    below = [max(0.0, y - low) for y, low in zip(curve.y, curve.low, strict=True)]
    above = [max(0.0, high - y) for y, high in zip(curve.y, curve.high, strict=True)]
    style = {**_marker(look), "elinewidth": 1.0, "fmt": look.marker}
    axes.errorbar(curve.x, curve.y, yerr=(below, above), label=name, **style)


def _by_decades(axes: Axes, which: Literal["x", "y"]) -> None:
    """Make an axis logarithmic, with a label a decade."""
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_formatter(FuncFormatter(decade))
    axis.set_minor_locator(NullLocator())


def _decades(values: Iterator[float]) -> tuple[float, float]:
    """Return the decades that hold what is above zero; a logarithm has no zero."""
    least = min((x for x in values if x > 0), default=0.1)
    return max(10.0 ** math.floor(math.log10(least)), 1e-7), 1.0


def _legend(figure: Figure, panels: Sequence[tuple[Axes, SignalEntry]]) -> None:
    """Name every curve once, whatever panel it is in."""
    found: dict[str, Any] = {}
    for axes, _ in panels:
        handles, names = axes.get_legend_handles_labels()
        found |= dict(zip(names, handles, strict=True))
    figure.legend(list(found.values()), list(found), loc="lower left", ncols=2)


def _names(trigger: TriggerEntry) -> str:
    names = dict.fromkeys(r.implementation for s in trigger.signals for r in s.results)
    return ", ".join(names)


def _describe_roc(trigger: TriggerEntry) -> str:
    found = "; ".join(
        f"{signal.name}: {result.implementation} AUC {result.auc.value:.4f}"
        for signal in trigger.signals
        for result in signal.results
    )
    return (
        f"Signal efficiency against the efficiency of {trigger.background}, logarithmic, with "
        f"bands of 68 %. {found}. Markers: the working point of {trigger.working_rate_khz:g} kHz."
    )


def _describe_rate(trigger: TriggerEntry) -> str:
    points = "; ".join(
        f"{signal.name}: threshold {in_hardware(signal).threshold:g} gives "
        f"{in_hardware(signal).rate_khz.value:.3g} kHz"
        for signal in trigger.signals
    )
    return f"Rate of {trigger.background} in kHz, logarithmic, against the threshold. {points}."


def _curves(
    trigger: TriggerEntry, field: str
) -> Iterator[tuple[SignalEntry, TriggerResultEntry, CurveEntry]]:
    for signal in trigger.signals:
        for result in signal.results:
            curve = getattr(result, field)
            if curve is not None:
                yield signal, result, curve


def _rows(curve: CurveEntry, *names: str) -> Iterator[tuple[str | float, ...]]:
    for point in zip(curve.x, curve.y, curve.low, curve.high, strict=True):
        yield (*names, *point)


def _table(trigger: TriggerEntry, field: str, names: tuple[str, str]) -> Table:
    x, y = names
    return Table(
        columns=("signal", "implementation", x, y, f"{y}_low", f"{y}_high"),
        rows=tuple(
            row
            for signal, result, curve in _curves(trigger, field)
            for row in _rows(curve, signal.name, result.implementation)
        ),
    )


def _rate_table(trigger: TriggerEntry) -> Table:
    """Return the rates of every implementation, each with thresholds of its own kind."""
    table = _table(trigger, "rates", ("threshold", "rate_khz"))
    streamed = tuple(
        row
        for signal in trigger.signals
        if signal.streamed is not None
        for row in _rows(signal.streamed.rates, signal.name, "streamed")
    )
    columns = (*table.columns[:4], "rate_low_khz", "rate_high_khz")
    return Table(columns=columns, rows=(*table.rows, *streamed))


def _series(name: str, curve: CurveEntry) -> Series:
    return Series(name=name, x=curve.x, y=curve.y, low=curve.low, high=curve.high)


def _readouts(
    panels: Sequence[tuple[Axes, SignalEntry]], field: str, names: tuple[str, str]
) -> tuple[Readout, ...]:
    def of(axes: Axes, signal: SignalEntry) -> Readout:
        curves = [(r.implementation, getattr(r, field)) for r in signal.results]
        series = tuple(_series(name, curve) for name, curve in curves if curve is not None)
        x, y = names
        return Readout(axes=axes, title=signal.name, x_name=x, y_name=y, series=series)

    read: Callable[[Axes, SignalEntry], Readout] = of
    return tuple(read(axes, signal) for axes, signal in panels)


def _rate_readout(axes: Axes, signal: SignalEntry) -> Readout:
    result = in_hardware(signal)
    series = [_series(result.implementation, result.rates)]
    if signal.streamed is not None:
        series.append(_series("streamed", signal.streamed.rates))
    return Readout(
        axes=axes, title=signal.name, x_name="threshold", y_name="kHz", series=tuple(series)
    )
