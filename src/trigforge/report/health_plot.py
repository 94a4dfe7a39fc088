"""The box plots of the field, tensors against their formats: ``TensorHealth -> PNG or SVG``.

As hls4ml's profiling draws them: a line for each tensor, magnitudes on a logarithmic axis
to the base of 2, and behind them a grey bar over what the format can hold. Here the grid is
one cell a bit: the bar is as many cells long as the format has bits without its sign, and a
cell of it that no box or whisker reaches is a bit that is never used.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from trigforge.core.errors import InputError
from trigforge.core.health import TensorKind
from trigforge.report import palette
from trigforge.report.health import short
from trigforge.report.tick_labels import power

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.core.health import TensorHealth

FORMATS = ("png", "svg")

COLOURS = {
    TensorKind.INPUT: palette.BLUE,
    TensorKind.ACTIVATION: palette.BLUE,
    TensorKind.WEIGHTS: palette.ORANGE,
    TensorKind.BIAS: palette.ORANGE,
    TensorKind.TABLE: palette.GREEN,
}
_LABELS = {
    palette.BLUE: "inputs, results",
    palette.ORANGE: "weights, biases",
    palette.GREEN: "tables",
}
_FORMAT, _MEDIAN = palette.TRACK, palette.INK
_WRAP, _SATURATION = palette.VERMILLION, palette.PURPLE
_STYLE = {
    "svg.hashsalt": "trigforge",
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
}
_WIDTH_INCHES, _LINE_INCHES, _FRAME_INCHES = 10.0, 0.25, 1.25
_DPI = 150


def format_of(path: Path) -> str:
    """Return the picture format that a file name ends with.

    Raises:
        InputError: if it is none that can be drawn.
    """
    ending = path.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        msg = f"a picture is written as .png or .svg, not {path.name}"
        raise InputError(msg)
    return ending


def draw(tensors: Sequence[TensorHealth], *, title: str, picture_format: str) -> bytes:
    """Return the picture as the bytes of a PNG or SVG file; equal input, equal bytes.

    Raises:
        InputError: if there is no tensor to draw, or the format is none of ``FORMATS``.
    """
    if picture_format not in FORMATS:
        msg = f"a picture is one of {', '.join(FORMATS)}, not {picture_format}"
        raise InputError(msg)
    if not tensors:
        msg = f"{title}: there is no tensor to draw"
        raise InputError(msg)
    out = io.BytesIO()
    metadata = {"Software": None} if picture_format == "png" else {"Date": None, "Creator": None}
    with mpl.style.context(["default", _STYLE]):
        drawn = figure(tensors)
        drawn.suptitle(title, x=0.01, ha="left", fontsize=11, fontweight="bold", parse_math=False)
        drawn.savefig(out, format=picture_format, dpi=_DPI, metadata=metadata)
    return out.getvalue()


def figure(tensors: Sequence[TensorHealth]) -> Figure:
    """Return the picture without a title, in whatever style is set."""
    height = _FRAME_INCHES + _LINE_INCHES * len(tensors)
    drawn = Figure(figsize=(_WIDTH_INCHES, height), layout="constrained")
    axes = drawn.add_subplot()
    for line, tensor in enumerate(tensors):
        _draw_format(axes, line, tensor.format)
        _draw_box(axes, line, tensor)
        _draw_overflows(axes, line, tensor)
    _label(axes, tensors)
    handles = _legend(tensors)
    n_columns = len(handles) if len(handles) <= 6 else 4
    drawn.legend(handles=handles, loc="outside lower center", ncols=n_columns, frameon=False)
    return drawn


def _draw_format(axes: Axes, line: int, fmt: FixedPointFormat) -> None:
    """Draw the bar from the least significant bit to the end of the range."""
    low, high = -fmt.fractional_bits, fmt.integer_bits - fmt.signed
    # A single sign bit holds 0 and -1 lsb: the cell of that magnitude.
    width = max(high - low, 1)
    axes.add_patch(Rectangle((low, line - 0.42), width, 0.84, color=_FORMAT, lw=0, zorder=1))


def _draw_box(axes: Axes, line: int, tensor: TensorHealth) -> None:
    """Draw whiskers from smallest to largest, a box of the middle half, the median."""
    colour = COLOURS[tensor.kind]
    if not tensor.magnitudes:
        text = "all zero" if tensor.n_values else "no values"
        at = -tensor.format.fractional_bits + 0.15
        axes.text(at, line, text, va="center", fontsize=7.5, color=colour, zorder=4)
        return
    least, lower, middle, upper, most = (
        math.log2(raw) - tensor.format.fractional_bits for raw in tensor.magnitudes
    )
    axes.plot([least, most], [line, line], color=colour, lw=1.2, zorder=3)
    for end in (least, most):
        axes.plot([end, end], [line - 0.15, line + 0.15], color=colour, lw=1.2, zorder=3)
    box = Rectangle(
        (lower, line - 0.26), upper - lower, 0.52, facecolor=colour, edgecolor=colour, zorder=4
    )
    axes.add_patch(box)
    axes.plot([middle, middle], [line - 0.3, line + 0.3], color=_MEDIAN, lw=1.6, zorder=5)


def _draw_overflows(axes: Axes, line: int, tensor: TensorHealth) -> None:
    """Mark what left the range: how far results reached, or that only sums did."""
    fmt = tensor.format
    end = float(fmt.integer_bits - fmt.signed)
    if tensor.n_overflows:
        colour = _WRAP if tensor.n_wraps else _SATURATION
        reach = math.log2(max(1, -tensor.reach[0], tensor.reach[1])) - fmt.fractional_bits
        reach = max(reach, end)
        axes.plot([end, reach], [line, line], color=colour, lw=1.2, ls=(0, (2, 1.5)), zorder=2)
        marker = "X" if tensor.n_wraps else ">"
        axes.plot(
            [reach], [line], marker, color=colour, ms=6, mec=palette.SURFACE, mew=0.6, zorder=6
        )
    if tensor.n_accumulator_overflows:
        colour = _WRAP if tensor.n_accumulator_wraps else _SATURATION
        marker = "X" if tensor.n_accumulator_wraps else ">"
        style: dict[str, Any] = {"mfc": palette.SURFACE, "mec": colour, "mew": 1.0, "ms": 6}
        axes.plot([end + 0.35], [line - 0.2], marker, **style, zorder=6)


def _label(axes: Axes, tensors: Sequence[TensorHealth]) -> None:
    """Write names left, formats and zeros right, powers of two below."""
    axes.set_ylim(len(tensors) - 0.4, -0.6)
    axes.set_yticks(range(len(tensors)), [tensor.name for tensor in tensors])
    right = axes.secondary_yaxis("right")
    right.set_yticks(range(len(tensors)), [_note(tensor) for tensor in tensors])
    right.spines["right"].set_visible(False)
    axes.spines["left"].set_visible(False)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    for label in right.get_yticklabels():
        label.set_fontsize(7.5)
        label.set_color(palette.MUTED)
    axes.tick_params("y", length=0)
    right.tick_params("y", length=0)
    axes.autoscale_view(scaley=False)
    low, high = (int(f(at)) for f, at in zip((math.floor, math.ceil), axes.get_xlim(), strict=True))
    axes.set_xlim(low, high)
    powers = range(low, high + 1, max(1, math.ceil((high - low) / 24)))
    axes.set_xticks(powers, [power(2, exponent) for exponent in powers])
    axes.vlines(
        range(low, high + 1), -0.6, len(tensors) - 0.4, color=palette.SURFACE, lw=0.7, zorder=1.5
    )
    axes.set_facecolor(palette.STRIPE)
    axes.tick_params("x", length=0)
    axes.set_xlabel("magnitude of the values that are not zero (one cell is one bit)")


def _note(tensor: TensorHealth) -> str:
    """Return what stands right of a line."""
    if not tensor.n_values:
        return short(tensor.format)
    dead = f", {len(tensor.dead)}/{tensor.n_elements} dead" if tensor.dead else ""
    return f"{short(tensor.format)}   {tensor.n_zeros / tensor.n_values:.0%} zero{dead}"


def _legend(tensors: Sequence[TensorHealth]) -> list[Patch | Line2D]:
    """Explain what there is in this picture, and nothing else."""
    colours = dict.fromkeys(COLOURS[tensor.kind] for tensor in tensors)
    handles: list[Patch | Line2D] = [Patch(color=_FORMAT, label="range of the format")]
    handles += [Patch(color=colour, label=_LABELS[colour]) for colour in colours]
    marks = (
        ("X", _WRAP, _WRAP, "wraps", any(t.n_wraps for t in tensors)),
        (">", _SATURATION, _SATURATION, "saturates", any(t.n_saturations for t in tensors)),
        ("X", palette.SURFACE, _WRAP, "sum wraps", any(t.n_accumulator_wraps for t in tensors)),
        (
            ">",
            palette.SURFACE,
            _SATURATION,
            "sum saturates",
            any(t.n_accumulator_saturations for t in tensors),
        ),
    )
    handles += [
        Line2D([], [], ls="", marker=marker, mfc=face, mec=edge, ms=6, label=label)
        for marker, face, edge, label, present in marks
        if present
    ]
    return handles
