"""The timing diagram of a time-multiplexed design: ``Schedule -> SVG, PDF or PNG``.

A lane for each layer; the axis is clock cycles. A dark bar covers the cycles in which a layer
reads the operands of an event, a light one those until its last result. Below, thin and pale, is
the same of the next event at the full rate: in no lane does a dark bar reach over one of them,
so nothing is needed by two events at the same time.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, NamedTuple

import matplotlib as mpl
import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from trigforge.core.crossing import clocks_per_crossing
from trigforge.core.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from trigforge.core.schedule import LayerSchedule, Schedule

FORMATS = ("svg", "pdf", "png")

_METADATA: dict[str, dict[str, None]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
    "png": {"Software": None},
}
"""No date and no version: equal schedules give equal bytes."""
_STYLE = {
    "svg.hashsalt": "trigforge",
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "font.size": 9,
    "hatch.linewidth": 0.7,
    "axes.spines.right": False,
    "axes.spines.left": False,
}


class _Look(NamedTuple):
    """Colours of a kind of layer: of the cycles that read, of the pipeline behind them."""

    reads: str
    pipeline: str
    hatch: str = ""


class _Stretch(NamedTuple):
    """Cycles of a layer: reads from the first on, is done reading, has its last result."""

    first: int
    read: int
    last: int

    def after(self, n_cycles: int) -> _Stretch:
        """Return the same of an event that is presented so much later."""
        return _Stretch(*(cycle + n_cycles for cycle in self))


_LOOKS = {
    "dsp": _Look("#1b4f8c", "#bcd0e8"),
    "distributed arithmetic": _Look("#e59a1a", "#fbe6c4", "////"),
    "logic": _Look("#6f9c93", "#d9e7e3"),
    "wires": _Look("#ffffff", "#ffffff"),
}
"""Blue, orange with hatches and a greyish green: of different lightness, so that grey and any
colour vision tell them apart."""
_PORTS = _Look("#1c1c1c", "#cfcfcf")
_EDGE, _NOTE, _RULE, _STRIPE, _PALE = "#3a3a3a", "#555555", "#7d7d7d", "#f3f3f3", 0.45
_TOP, _HEIGHT, _NEXT_TOP, _NEXT_HEIGHT = -0.38, 0.46, 0.14, 0.2
"""Of the two bars of a lane, from its middle."""
_LANE_INCHES, _FRAME_INCHES, _WIDTH_INCHES = 0.34, 1.8, 11.0
_MOST_RULES, _MOST_NUMBERS = 60, 16
_DPI = 150


def format_of(path: Path) -> str:
    """Return the picture format that a file name ends with.

    Raises:
        InputError: if it is none that can be drawn.
    """
    ending = path.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        msg = f"a timing diagram is written as .svg, .pdf or .png, not {path.name}"
        raise InputError(msg)
    return ending


def figure_svg(schedule: Schedule) -> str:
    """Return the timing diagram as SVG whose text is text."""
    return draw(schedule, picture_format="svg").decode()


def draw(schedule: Schedule, *, picture_format: str) -> bytes:
    """Return the timing diagram as the bytes of a file; equal schedules, equal bytes.

    Raises:
        InputError: if the format is none of ``FORMATS``.
    """
    if picture_format not in FORMATS:
        msg = f"a timing diagram is one of {', '.join(FORMATS)}, not {picture_format}"
        raise InputError(msg)
    out, metadata = io.BytesIO(), _METADATA[picture_format]
    with mpl.style.context(["default", _STYLE]):
        _figure(schedule).savefig(out, format=picture_format, dpi=_DPI, metadata=metadata)
    return out.getvalue()


def _figure(schedule: Schedule) -> Figure:
    height = _FRAME_INCHES + _LANE_INCHES * (len(schedule.layers) + 2)
    figure = Figure(figsize=(_WIDTH_INCHES, height), layout="constrained")
    axes = figure.add_subplot()
    _draw_rules(axes, schedule)
    interval = schedule.interval_cycles
    for lane, (look, stretch) in enumerate(_lanes(schedule)):
        _draw_bars(axes, lane, look, stretch)
        _draw_bars(axes, lane, look, stretch.after(interval), following=True)
    _label_lanes(axes, schedule)
    _label_time(axes, schedule)
    figure.suptitle(_title(schedule), x=0.01, ha="left", fontsize=11, fontweight="bold").set(
        parse_math=False
    )
    figure.legend(handles=_legend(schedule), loc="outside lower left", ncols=3, frameon=False)
    return figure


def _title(schedule: Schedule) -> str:
    interval = schedule.interval_cycles
    return (
        f"{schedule.name} at {schedule.clock_mhz:g} MHz: a new event every "
        f"{'cycle' if interval == 1 else f'{interval} cycles'}, its result after "
        f"{schedule.latency_cycles}, {schedule.n_dsp:,} DSPs"
    )


def _lanes(schedule: Schedule) -> list[tuple[_Look, _Stretch]]:
    """Return what is drawn for an event: at the input, in each layer, at the output."""
    latency = schedule.latency_cycles
    layers = [(_LOOKS.get(layer.built_as, _PORTS), _stretch(layer)) for layer in schedule.layers]
    return [
        (_PORTS, _Stretch(0, 1, 1 + schedule.interval_cycles)),
        *layers,
        (_PORTS, _Stretch(latency, latency + 1, latency + 1)),
    ]


def _stretch(layer: LayerSchedule) -> _Stretch:
    read = layer.first_cycle + layer.n_slots
    return _Stretch(layer.first_cycle, read, max(read, layer.last_cycle))


def _draw_rules(axes: Axes, schedule: Schedule) -> None:
    """Draw where crossings begin, where the next events are presented, where the result is."""
    end, n_lanes = _end(schedule), len(schedule.layers) + 2
    axes.set_xlim(0, end)
    axes.set_ylim(n_lanes - 0.4, -0.6)
    for lane in range(1, n_lanes, 2):
        axes.axhspan(lane - 0.5, lane + 0.5, color=_STRIPE, lw=0, zorder=0)
    events = _marks(end, schedule.interval_cycles, _MOST_RULES)
    for at in events:
        axes.axvline(at, color=_RULE, lw=0.7, zorder=1)
    for at in _marks(end, clocks_per_crossing(schedule.clock_mhz), _MOST_RULES):
        if at not in events:
            axes.axvline(at, color=_RULE, lw=0.9, ls=":", zorder=1)


def _draw_bars(
    axes: Axes, lane: int, look: _Look, stretch: _Stretch, *, following: bool = False
) -> None:
    """Draw the cycles in which operands are read and those of the pipeline behind."""
    top, height = (_NEXT_TOP, _NEXT_HEIGHT) if following else (_TOP, _HEIGHT)
    for begin, end, colour, hatch in (
        (stretch.read, stretch.last, look.pipeline, ""),
        (stretch.first, stretch.read, look.reads, look.hatch),
    ):
        if end > begin:
            bar = Rectangle((begin, lane + top), end - begin, height, hatch=hatch, zorder=3)
            bar.set(facecolor=colour, edgecolor=_EDGE, lw=0.6, alpha=_PALE if following else 1)
            axes.add_patch(bar)


def _label_lanes(axes: Axes, schedule: Schedule) -> None:
    """Write the names of the lanes left, and right of them what they are built of."""
    lanes = range(len(schedule.layers) + 2)
    axes.set_yticks(lanes, ["event in", *(layer.name for layer in schedule.layers), "result out"])
    right = axes.secondary_yaxis("right")
    notes = [_note(layer, schedule.interval_cycles) for layer in schedule.layers]
    held = f"in_data in cycle 0, then held for {schedule.interval_cycles}"
    result = f"out_data in cycle {schedule.latency_cycles}, after {schedule.latency_ns:.1f} ns"
    right.set_yticks(lanes, [held, *notes, result])
    right.spines["right"].set_visible(False)
    for label in (*axes.get_yticklabels(), *right.get_yticklabels()):
        label.set_parse_math(False)
    for label in right.get_yticklabels():
        label.set_fontsize(8)
        label.set_color(_NOTE)
    axes.tick_params("y", length=0)
    right.tick_params("y", length=0)


def _note(layer: LayerSchedule, interval: int) -> str:
    """Return what stands right of the lane of a layer."""
    if not layer.n_dsp:
        lut = f", about {layer.n_lut_estimated:,} LUT" if layer.n_lut_estimated else ""
        return f"{layer.built_as}{lut}"
    reads = f"reads in {layer.n_slots} of {interval} cycles"
    return f"{layer.n_dsp:,} DSP, {reads}, efficiency {layer.efficiency(interval):.2f}"


def _label_time(axes: Axes, schedule: Schedule) -> None:
    """Write cycles below and nanoseconds above, at each crossing if there is room."""
    end, crossing = _end(schedule), clocks_per_crossing(schedule.clock_mhz)
    axes.set_xticks(_marks(end, schedule.interval_cycles, _MOST_NUMBERS))
    axes.set_xlabel("clock cycles since the event was presented")
    top = axes.secondary_xaxis("top")
    cycles = _marks(end, crossing, _MOST_NUMBERS)
    top.set_xticks(cycles, [f"{1000 * cycle / schedule.clock_mhz:.0f}" for cycle in cycles])
    top.set_xlabel(f"ns (a bunch crossing is {crossing} cycle{'' if crossing == 1 else 's'})")


def _end(schedule: Schedule) -> int:
    """Return where the axis ends: behind the result of the next event."""
    return schedule.latency_cycles + schedule.interval_cycles + 2


def _marks(end: int, step: int, most: int) -> range:
    """Return multiples of a number of cycles, only every n-th if there are too many."""
    return range(0, end + 1, step * math.ceil(end / step / most))


def _legend(schedule: Schedule) -> list[Patch | Line2D]:
    """Explain what there is in this picture, and nothing else."""
    present = {layer.built_as for layer in schedule.layers}
    handles: list[Patch | Line2D] = [
        Patch(fc=look.reads, ec=_EDGE, lw=0.6, hatch=look.hatch, label=f"reads operands ({kind})")
        for kind, look in _LOOKS.items()
        if kind in present
    ]
    handles += [
        Patch(fc=_PORTS.pipeline, ec=_EDGE, lw=0.6, label="pipeline behind, until the last result"),
        Patch(fc=_PORTS.reads, ec=_EDGE, lw=0.6, alpha=_PALE, label="the same for the next event"),
    ]
    interval, crossing = schedule.interval_cycles, clocks_per_crossing(schedule.clock_mhz)
    together = interval == crossing
    lines = [(interval, "-", "crossing, next event" if together else "next event")]
    lines += [] if together else [(crossing, ":", "bunch crossing")]
    for step, style, text in lines:
        skipped = _marks(_end(schedule), step, _MOST_RULES).step // step
        label = text if skipped == 1 else f"{text} (1 in {skipped})"
        handles.append(Line2D([], [], color=_RULE, lw=0.9, ls=style, label=label))
    return handles
