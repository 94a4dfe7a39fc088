"""Latency and interval on a time axis in bunch crossings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from trigforge.core.crossing import CROSSING_MHZ, crossings
from trigforge.report import palette
from trigforge.report.page.figures.drawing import Drawing, Table, shortened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

    from trigforge.report.entries import LatencyEntry, LayerScheduleEntry, Report

NAME = "latency"
_WIDTH_INCHES, _LANE_INCHES, _FRAME_INCHES = 7.6, 0.27, 1.5
_N_EVENTS = 3
"""Shown one below the other, where there is no schedule of layers."""
_MOST_RULES, _MOST_LETTERS = 40, 28
_FAR = 2.5
"""A limit so many times beyond everything else is named at the edge, not drawn to scale."""
_LOOKS = {
    "dsp": (palette.BLUE, ""),
    "distributed arithmetic": (palette.ORANGE, "////"),
    "logic": (palette.GREEN, "...."),
    "wires": (palette.TRACK, ""),
}
_PIPELINE = palette.SKY
_TOP, _HEIGHT, _NEXT_TOP, _NEXT_HEIGHT = -0.36, 0.44, 0.14, 0.2


class _Lane(NamedTuple):
    """One line of the picture: name, note, and bars (first, end, colour, hatch) in cycles."""

    name: str
    note: str
    bars: tuple[tuple[int, int, str, str], ...]
    following: int | None
    """Cycles after which the next event has the same bars, drawn below; None: not drawn."""


def draw(report: Report) -> Drawing | None:
    """Draw when a result is there and when the next event may enter; None if nobody knows."""
    latency = report.latency
    if latency.cycles is None or latency.interval_cycles is None:
        return None
    lanes = _layers(report) if report.schedule else _events(latency)
    figure = Figure(figsize=(_WIDTH_INCHES, _FRAME_INCHES + _LANE_INCHES * len(lanes)))
    axes = figure.add_subplot()
    shown = max(latency.cycles, *(end for lane in lanes for end in _ends(lane)))
    allowed = report.target.latency_ns
    far = allowed > _FAR * _ns(shown, latency)
    end = _crossings(shown, latency) * 1.04 if far else crossings(allowed) * 1.06
    end = max(end, _crossings(shown, latency) * 1.04)
    axes.set_xlim(0, end)
    axes.set_ylim(len(lanes) - 0.4, -1.2 if far else -0.6)
    _draw_rules(axes, end)
    for line, lane in enumerate(lanes):
        _draw_lane(axes, line, lane, latency)
    _draw_limit(axes, allowed, end, far=far)
    _label(axes, lanes)
    figure.legend(handles=_legend(report, end, far=far), loc="outside lower left", ncols=3)
    return Drawing(
        name=NAME,
        title="When an event enters and when its result is there",
        description=describe(report),
        figure=figure,
        table=_table(report),
    )


def describe(report: Report) -> str:
    """Say in words what the picture shows."""
    latency = report.latency
    if latency.cycles is None or latency.interval_cycles is None:
        return "Latency and interval were not measured."
    layers = "" if report.schedule is None else f" through {len(report.schedule.layers)} layers"
    return (
        f"A time axis in bunch crossings of {1000 / CROSSING_MHZ:.2f} ns. An event enters at 0"
        f"{layers}; its result is there after {latency.cycles} cycles, {latency.ns:.1f} ns, "
        f"{latency.crossings:.2f} crossings. A new event may enter every "
        f"{latency.interval_cycles} cycles. Allowed are {report.target.latency_ns:g} ns."
    )


def _ns(cycles: float, latency: LatencyEntry) -> float:
    return cycles * 1000 / latency.clock_mhz


def _crossings(cycles: float, latency: LatencyEntry) -> float:
    return crossings(_ns(cycles, latency))


def _ends(lane: _Lane) -> Iterator[int]:
    for _, end, _, _ in lane.bars:
        yield end + (lane.following or 0)


def _events(latency: LatencyEntry) -> list[_Lane]:
    """Return one bar for each of a few events, each an interval after the one before."""
    cycles, interval = latency.cycles or 0, latency.interval_cycles or 0
    return [
        _Lane(
            name="an event" if not index else "the next" if index == 1 else "the one after",
            note=f"cycles {index * interval} to {index * interval + cycles}",
            bars=((index * interval, index * interval + cycles, palette.BLUE, ""),),
            following=None,
        )
        for index in range(_N_EVENTS)
    ]


def _layers(report: Report) -> list[_Lane]:
    """Return one lane for each layer: cycles that read operands, and the pipeline behind."""
    schedule = report.schedule
    if schedule is None:
        return []
    return [
        _Lane(
            name=shortened(layer.name, _MOST_LETTERS),
            note=_note(layer),
            bars=_bars(layer),
            following=schedule.interval_cycles,
        )
        for layer in schedule.layers
    ]


def _bars(layer: LayerScheduleEntry) -> tuple[tuple[int, int, str, str], ...]:
    colour, hatch = _LOOKS.get(layer.built_as, (palette.TRACK, ""))
    read = layer.first_cycle + layer.n_slots
    last = max(read, layer.last_cycle)
    bars = [(layer.first_cycle, read, colour, hatch), (read, last, _PIPELINE, "")]
    return tuple(bar for bar in bars if bar[1] > bar[0])


def _note(layer: LayerScheduleEntry) -> str:
    cycles = f"{layer.first_cycle} to {layer.last_cycle}"
    built = f"{layer.n_dsp:,} DSP" if layer.n_dsp else shortened(layer.built_as, _MOST_LETTERS)
    return f"{built}, {cycles}"


def _draw_rules(axes: Axes, end: float) -> None:
    """Draw where bunch crossings are, not more of them than can be told apart."""
    for at in range(0, math.floor(end) + 1, math.ceil(end / _MOST_RULES)):
        axes.axvline(at, color=palette.MUTED, lw=0.9, ls=":", zorder=2)


def _draw_lane(axes: Axes, line: int, lane: _Lane, latency: LatencyEntry) -> None:
    if line % 2:
        axes.axhspan(line - 0.5, line + 0.5, color=palette.STRIPE, lw=0, zorder=0)
    shifts = [(0, _TOP, _HEIGHT if lane.following is not None else 2 * -_TOP)]
    if lane.following is not None:
        shifts.append((lane.following, _NEXT_TOP, _NEXT_HEIGHT))
    for later, top, height in shifts:
        for first, end, colour, hatch in lane.bars:
            left, right = (_crossings(cycle + later, latency) for cycle in (first, end))
            bar = Rectangle((left, line + top), right - left, height, hatch=hatch, zorder=3)
            bar.set(facecolor=colour, edgecolor=palette.SURFACE if hatch else "none", lw=0.4)
            axes.add_patch(bar)


def _draw_limit(axes: Axes, allowed_ns: float, end: float, *, far: bool) -> None:
    """Draw the latency that is allowed, or say how far beyond the picture it lies."""
    if far:
        limit = f"{allowed_ns:g} ns = {crossings(allowed_ns):.1f} crossings"
        text = f"allowed: {limit} \N{RIGHTWARDS ARROW}"
        axes.text(end, -0.85, text, color=palette.VERMILLION, ha="right", va="center", fontsize=8.5)
        return
    axes.axvline(crossings(allowed_ns), color=palette.VERMILLION, lw=1.6, ls="--", zorder=4)


def _label(axes: Axes, lanes: list[_Lane]) -> None:
    """Write names left, cycles right, crossings below and nanoseconds above."""
    axes.set_yticks(range(len(lanes)), [lane.name for lane in lanes])
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(len(lanes)), [lane.note for lane in lanes])
    right.spines["right"].set_visible(False)
    for label in (*axes.get_yticklabels(), *right.get_yticklabels()):
        label.set_parse_math(False)
    for label in right.get_yticklabels():
        label.set_fontsize(8)
        label.set_color(palette.MUTED)
    axes.spines["left"].set_visible(False)
    axes.tick_params("y", length=0)
    right.tick_params("y", length=0)
    axes.set_xlabel("bunch crossings of 24.95 ns since the event was presented")
    top = axes.secondary_xaxis("top", functions=(_to_ns, _to_crossings))
    top.set_xlabel("ns")


def _to_ns(n_crossings: Any) -> Any:
    return n_crossings * 1000 / CROSSING_MHZ


def _to_crossings(duration_ns: Any) -> Any:
    return duration_ns * CROSSING_MHZ / 1000


def _legend(report: Report, end: float, *, far: bool) -> list[Patch | Line2D]:
    """Explain what there is in this picture, and nothing else."""
    handles: list[Patch | Line2D] = []
    if report.schedule is None:
        handles.append(Patch(fc=palette.BLUE, label="from the event to its result"))
    else:
        present = {layer.built_as for layer in report.schedule.layers}
        handles += [
            Patch(fc=colour, ec=palette.SURFACE, hatch=hatch, label=f"reads operands ({kind})")
            for kind, (colour, hatch) in _LOOKS.items()
            if kind in present
        ]
        handles.append(Patch(fc=_PIPELINE, label="pipeline behind; thin: the next event"))
    skipped = math.ceil(end / _MOST_RULES)
    text = "a bunch crossing" if skipped == 1 else f"a bunch crossing (1 in {skipped})"
    handles.append(Line2D([], [], color=palette.MUTED, lw=0.9, ls=":", label=text))
    if not far:
        text = f"latency allowed, {report.target.latency_ns:g} ns"
        handles.append(Line2D([], [], color=palette.VERMILLION, lw=1.6, ls="--", label=text))
    return handles


def _table(report: Report) -> Table:
    """Return a line for the whole, and one for each layer."""
    latency, schedule = report.latency, report.schedule
    layers = () if schedule is None else schedule.layers
    spans = [("latency", 0, latency.cycles or 0)]
    spans += [(layer.name, layer.first_cycle, layer.last_cycle) for layer in layers]
    return Table(
        columns=("what", "first_cycle", "last_cycle", "first_ns", "last_ns", "interval_cycles"),
        rows=tuple(
            (name, first, last, _ns(first, latency), _ns(last, latency), latency.interval_cycles)
            for name, first, last in spans
        ),
    )
