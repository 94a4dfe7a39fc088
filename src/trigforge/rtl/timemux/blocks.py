"""Places for nodes by distributed arithmetic: unrolled logic that alkaid writes.

Convolutions are built for a part of the positions only and used in several slots of an
interval, on another part of the image each time; the weights are the same, so they are constants.
Everything else is built whole and used once an event.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.graph import FixedPointGraph, Input
from trigforge.rtl import da
from trigforge.rtl.timemux.placements import Block, Placement
from trigforge.rtl.timemux.streams import PADDING, Table, earliest, results

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.config import Hardware
    from trigforge.core.graph import Conv, Node
    from trigforge.rtl.timemux.placements import Site


class Blocks:
    """Writes unrolled logic for single nodes, each piece once."""

    def __init__(self, name: str, hardware: Hardware) -> None:
        self.name = name
        self.hardware = hardware
        self._written: dict[tuple[str, tuple[int, ...]], Block] = {}

    def whole(self, node: Node, site: Site, reason: str) -> Placement:
        """Place a node of one input as logic that takes all of its elements in one cycle.

        Raises:
            ConversionError: naming the node, if it cannot be expressed exactly.
        """
        source = site.sources[0]
        build = self._block(node, site, len(source.net))
        read = np.arange(len(source.net)).reshape(1, 1, -1)
        lanes = np.arange(node.n_elements)
        table = Table(
            elements=read,
            unit=lanes,
            slot=np.zeros_like(lanes),
            start=earliest(read, source),
        )
        return _placed(node, site, table, build, reason)

    def folded(self, node: Conv, site: Site, reason: str) -> Placement:
        """Place a convolution as logic for a part of its positions, used in several slots.

        Raises:
            ConversionError: naming the node, if it cannot be expressed exactly.
        """
        rows, columns, n_channels = node.output_shape
        groups = _most_groups(rows, columns, site.timing.interval_cycles)
        part = (-(-rows // groups[0]), -(-columns // groups[1]))
        kernel = node.weights.shape[:2]
        patch = tuple(
            (count - 1) * stride + size
            for count, stride, size in zip(part, node.strides, kernel, strict=True)
        )
        piece = replace(
            node,
            input_shape=(patch[0], patch[1], node.input_shape[2]),
            shape=(*part, n_channels),
            padding=(0, 0, 0, 0),
        )
        read, unit, slot = [], np.zeros(node.n_elements, int), np.zeros(node.n_elements, int)
        for number, (i, j) in enumerate(np.ndindex(*groups)):
            corner = (i * part[0], j * part[1])
            read.append(_patch(node, corner, patch))
            for r, c in np.ndindex(*part):
                row, column = corner[0] + r, corner[1] + c
                if row < rows and column < columns:
                    first = (row * columns + column) * n_channels
                    lanes = (r * part[1] + c) * n_channels + np.arange(n_channels)
                    unit[first : first + n_channels] = lanes
                    slot[first : first + n_channels] = number
        n_operands = int(np.prod(piece.input_shape))
        build = self._block(piece, site, n_operands)
        elements = np.stack(read)[:, None]
        start = earliest(elements, site.sources[0])
        table = Table(elements=elements, unit=unit, slot=slot, start=start)
        return _placed(node, site, table, build, reason)

    def _block(self, node: Node, site: Site, n_operands: int) -> Block:
        fmt, key = site.formats[0], (site.net, node.shape)
        if key not in self._written:
            source = Input(name="x", inputs=(), shape=(n_operands,), format=fmt)
            alone: Node = replace(node, inputs=("x",))
            graph = FixedPointGraph(name=f"{self.name}_{site.net}", nodes=(source, alone))
            design = da.generate(graph, self.hardware)
            self._written[key] = Block(
                design=design,
                n_operands=n_operands,
                operand_bits=fmt.width,
                result_bits=node.format.width,
            )
        return self._written[key]


def _most_groups(rows: int, columns: int, interval: int) -> tuple[int, int]:
    """Return the cut into groups of rows and columns that leaves the smallest part."""
    options = [
        (-(-rows // i) * -(-columns // j), i * j, (i, j))
        for i in range(1, min(rows, interval) + 1)
        for j in range(1, min(columns, interval // i) + 1)
    ]
    return min(options)[2]


def _patch(node: Conv, corner: tuple[int, int], patch: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the elements that the positions from a corner on read."""
    height, width, channels = node.input_shape
    rows = corner[0] * node.strides[0] - node.padding[0] + np.arange(patch[0])
    columns = corner[1] * node.strides[1] - node.padding[2] + np.arange(patch[1])
    row, column = rows[:, None], columns[None]
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    pixel = (row * width + column)[..., None] * channels + np.arange(channels)
    return np.where(inside[..., None], pixel, PADDING).reshape(-1)


def _placed(node: Node, site: Site, table: Table, build: Block, reason: str) -> Placement:
    source, latency = site.sources[0], build.design.latency_cycles
    result = results(table, site.net, source, latency, brief=True)
    return Placement(
        node=node,
        source=source,
        table=table,
        build=build,
        result=result,
        lut=build.design.lut_estimated or 0.0,
        reason=reason,
    )
