"""The network, node by node, with the format of every tensor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.path import Path

from trigforge.report import palette
from trigforge.report.page.figures.drawing import Drawing, Table, shortened

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from trigforge.report.entries import Report
    from trigforge.report.network_entries import NodeEntry

NAME = "network"
_WIDTH_INCHES, _ROW_INCHES, _BOX_INCHES = 7.6, 0.5, 0.38
_LEFT, _SHAPE, _FORMAT, _COST, _RIGHT = 0.1, 2.8, 4.1, 6.1, 7.5
"""Where boxes and columns begin, and where boxes end, in inches."""
_BAR_INCHES, _SKIP_INCHES = 1.3, 0.12
_MOST_LETTERS = 40


class _Skip(NamedTuple):
    """An edge past other nodes: rows of its ends, and how far left it runs."""

    first: int
    last: int
    lane: int


def draw(report: Report) -> Drawing | None:
    """Draw the nodes in their order, with what each reads; None if the report has none."""
    if report.network is None or not report.network.nodes:
        return None
    nodes = report.network.nodes
    height = _ROW_INCHES * (len(nodes) + 0.6)
    figure = Figure(figsize=(_WIDTH_INCHES, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    skips = _skips(nodes)
    lanes = _SKIP_INCHES * (1 + max((skip.lane + 1 for skip in skips), default=0))
    axes.set_xlim(_LEFT - lanes, _WIDTH_INCHES)
    axes.set_ylim(len(nodes) - 0.4, -1)
    _write_headings(axes)
    most = max(node.n_multiplications for node in nodes)
    for row, node in enumerate(nodes):
        _draw_box(axes, row, node, most)
    _draw_edges(axes, skips, nodes)
    return Drawing(
        name=NAME,
        title="The network and the formats of its tensors",
        description=describe(nodes),
        figure=figure,
        table=_table(nodes),
        arranged=True,
    )


def describe(nodes: Sequence[NodeEntry]) -> str:
    """Say in words what the picture shows."""
    chain = ", ".join(f"{node.name} ({node.kind}, {node.format})" for node in nodes)
    n_weights = sum(node.n_weights for node in nodes)
    n_products = sum(node.n_multiplications for node in nodes)
    return (
        f"{len(nodes)} nodes from input to output: {chain}. {n_weights:,} weights, "
        f"{n_products:,} multiplications an event."
    )


def shape(node: NodeEntry) -> str:
    """Write a shape as people do: 14 x 14 x 4."""
    return " \N{MULTIPLICATION SIGN} ".join(map(str, node.shape)) or "1"


def _write_headings(axes: Axes) -> None:
    places = ((_LEFT + 0.12, "node"), (_SHAPE, "shape"), (_FORMAT, "format of each element"))
    for x, text in (*places, (_COST, "multiplications an event")):
        axes.text(x, -0.75, text, fontsize=8, color=palette.MUTED, va="center")


def _draw_box(axes: Axes, row: int, node: NodeEntry, most: int) -> None:
    half = _BOX_INCHES / _ROW_INCHES / 2
    box = FancyBboxPatch(
        (_LEFT, row - half), _RIGHT - _LEFT, 2 * half, boxstyle="round,pad=0,rounding_size=0.05"
    )
    box.set(facecolor=palette.STRIPE, edgecolor=palette.RULE, lw=0.8, zorder=2)
    axes.add_patch(box)
    multiplies = node.n_products > 0
    colour = palette.BLUE if multiplies else palette.GREEN
    axes.add_patch(Rectangle((_LEFT, row - half), 0.05, 2 * half, color=colour, lw=0, zorder=3))
    style: dict[str, Any] = {"va": "center", "zorder": 4, "parse_math": False}
    name = axes.text(_LEFT + 0.12, row - 0.13, shortened(node.name, 26), fontsize=9, **style)
    name.set_fontweight("bold")
    kind: dict[str, Any] = {"fontsize": 7.5, "color": palette.MUTED}
    axes.text(_LEFT + 0.12, row + 0.2, shortened(_note(node), _MOST_LETTERS), **kind, **style)
    axes.text(_SHAPE, row, shape(node), fontsize=8.5, **style)
    axes.text(_FORMAT, row, node.format, fontsize=8, **style)
    if multiplies:
        width = _BAR_INCHES * node.n_multiplications / max(1, most)
        axes.add_patch(
            Rectangle((_COST, row + 0.12), max(width, 0.01), 0.13, color=palette.BLUE, zorder=4)
        )
        axes.text(_COST, row - 0.12, f"{node.n_multiplications:,}", fontsize=8.5, **style)


def _note(node: NodeEntry) -> str:
    if not node.n_weights:
        return node.kind
    zeros = node.n_zero_weights / node.n_weights
    return f"{node.kind}, {node.n_weights:,} weights, {zeros:.0%} zero"


def _draw_edges(axes: Axes, skips: Sequence[_Skip], nodes: Sequence[NodeEntry]) -> None:
    """Draw arrows down to the next node, and past others at the left."""
    half = _BOX_INCHES / _ROW_INCHES / 2
    for row, node in enumerate(nodes):
        if row and nodes[row - 1].name in node.inputs:
            x = _LEFT + 0.35
            _draw_arrow(axes, [(x, row - 1 + half), (x, row - half)])
    for skip in skips:
        x = _LEFT - _SKIP_INCHES * (skip.lane + 1)
        _draw_arrow(
            axes, [(_LEFT, skip.first), (x, skip.first), (x, skip.last), (_LEFT, skip.last)]
        )


def _draw_arrow(axes: Axes, points: list[tuple[float, float]]) -> None:
    arrow = FancyArrowPatch(path=Path(points), arrowstyle="-|>", mutation_scale=7)
    arrow.set(facecolor=palette.MUTED, edgecolor=palette.MUTED, lw=0.9, zorder=1)
    axes.add_patch(arrow)


def _skips(nodes: Sequence[NodeEntry]) -> list[_Skip]:
    """Return the edges that pass other nodes, each in a lane where it meets no other."""
    rows = {node.name: row for row, node in enumerate(nodes)}
    found: list[_Skip] = []
    for row, node in enumerate(nodes):
        for source in dict.fromkeys(node.inputs):
            first = rows.get(source, row)
            if first < row - 1:
                taken = {other.lane for other in found if other.last > first}
                lane = next(lane for lane in range(len(nodes)) if lane not in taken)
                found.append(_Skip(first, row, lane))
    return found


def _table(nodes: Sequence[NodeEntry]) -> Table:
    columns = (
        "node", "kind", "inputs", "shape", "format",
        "n_weights", "n_zero_weights", "n_multiplications", "n_products",
    )  # fmt: skip
    return Table(
        columns=columns,
        rows=tuple(
            (
                node.name,
                node.kind,
                " ".join(node.inputs),
                "x".join(map(str, node.shape)),
                node.format,
                node.n_weights,
                node.n_zero_weights,
                node.n_multiplications,
                node.n_products,
            )
            for node in nodes
        ),
    )
