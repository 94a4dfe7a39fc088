"""Places for pooling: windows whose cells come together, or one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.graph import PoolKind, window_indices
from trigforge.rtl.timemux import casting
from trigforge.rtl.timemux.casting import Number
from trigforge.rtl.timemux.placements import Placement, Pooling
from trigforge.rtl.timemux.streams import ANYTHING, PADDING, Stream, Table, earliest, results

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.graph import Pool
    from trigforge.rtl.timemux.placements import Site


def pool(node: Pool, site: Site) -> list[Placement] | str:
    """Return places for pooling, or why there is none."""
    windows = window_indices(node.input_shape, node.window, node.strides, node.padding)
    # Outputs run over positions, then channels: (outputs, cells).
    cells = windows.transpose(0, 2, 1).reshape(-1, windows.shape[1])
    if node.kind is PoolKind.AVERAGE:
        return _average(node, site, cells)
    padded = np.where(cells < 0, PADDING, cells)
    source = site.sources[0]
    following = _in_turn(padded, source, site.timing.interval_cycles)
    tables = [_together(padded, source)]
    if following is not None and following[1].shape[0] > 1:
        tables.append(following)
    return [_maximum(node, site, table) for table in tables]


Tables = tuple[Table, "NDArray[np.bool_]"]


def _together(cells: NDArray[np.int64], source: Stream) -> Tables:
    """Read all windows in one cycle, a unit for each."""
    elements = cells[None]
    n_outputs = len(cells)
    table = Table(
        elements=elements,
        unit=np.arange(n_outputs),
        slot=np.zeros(n_outputs, np.int64),
        start=earliest(elements, source),
    )
    return table, np.ones((1, n_outputs), dtype=bool)


def _in_turn(cells: NDArray[np.int64], source: Stream, interval: int) -> Tables | None:
    """Read cells as they come: windows whose cells are on the same lanes share a unit.

    None if elements come over more than an interval, or if windows that share a unit would
    need it at the same time.
    """
    if (cells < 0).any() or (source.net[cells] < 0).any():
        return None
    arrival = source.first[cells]
    begin, n_slots = int(arrival.min()), int(np.ptp(arrival)) + 1
    if n_slots > interval:
        return None
    windows = [_Window(row, arrival[i] - begin, source) for i, row in enumerate(cells)]
    units: dict[tuple[tuple[int, int], ...], list[int]] = {}
    for output, window in enumerate(windows):
        units.setdefault(window.lanes, []).append(output)
    width = max(window.width for window in windows)
    elements = np.full((n_slots, len(units), width), ANYTHING)
    begins = np.zeros((n_slots, len(units)), dtype=bool)
    unit, slot = np.zeros(len(cells), np.int64), np.zeros(len(cells), np.int64)
    for number, outputs in enumerate(units.values()):
        for output in outputs:
            window = windows[output]
            span = slice(window.first, window.last + 1)
            if not window.gapless or (elements[span, number] != ANYTHING).any():
                return None
            for time in range(window.first, window.last + 1):
                now = window.cells_at(time)
                elements[time, number] = [*now, *[now[0]] * width][:width]
            begins[window.first, number] = True
            unit[output], slot[output] = number, window.last
    return Table(elements=elements, unit=unit, slot=slot, start=begin), begins


class _Window:
    """The cells of an output and the slots in which they come."""

    def __init__(self, cells: NDArray[np.int64], slots: NDArray[np.int64], source: Stream) -> None:
        self.cells, self.slots = cells, slots
        self.lanes = tuple(
            sorted({(int(source.net[cell]), int(source.lane[cell])) for cell in cells})
        )
        self.first, self.last = int(slots.min()), int(slots.max())
        counts = np.bincount(slots - self.first)
        self.gapless = bool(counts.all())
        self.width = int(counts.max())

    def cells_at(self, slot: int) -> list[int]:
        """Return the cells that come in a slot, in the order of their lanes."""
        return [int(cell) for cell in self.cells[self.slots == slot]]


def _maximum(node: Pool, site: Site, tables: Tables) -> Placement:
    fmt, timing = site.formats[0], site.timing
    table, begins = tables
    n_cells = table.elements.shape[2]
    accumulate = table.n_slots > 1
    # A comparison and a multiplexer take as long as an adder and a half.
    levels = max(1, timing.adder_levels * 2 // 3)
    depth = (n_cells - 1).bit_length()
    n_cycles = max(1, -(-(depth + accumulate) // levels))
    casts = (
        ()
        if fmt == node.accumulator == node.format
        else casting.chain(Number.of(fmt), (node.accumulator, node.format), timing)
    )
    build = Pooling(
        module="tm_maximum",
        parameters={
            "N_CELLS": n_cells,
            "WIDTH": fmt.width,
            "IS_SIGNED": int(fmt.signed),
            "ACCUMULATE": int(accumulate),
            "LEVELS": levels,
        },
        cell_bits=fmt.width,
        out_bits=fmt.width,
        out_signed=fmt.signed,
        module_cycles=n_cycles,
        begins=tuple(tuple(row.tolist()) for row in begins) if accumulate else (),
        casts=casts,
    )
    return _placed(node, site, table, build)


def _placed(node: Pool, site: Site, table: Table, build: Pooling) -> Placement:
    latency = build.module_cycles + casting.cycles(build.casts)
    n_cells = table.elements.shape[2]
    return Placement(
        node=node,
        source=site.sources[0],
        table=table,
        build=build,
        result=results(table, site.net, site.sources[0], latency),
        lut=1.5 * table.n_units * n_cells * build.cell_bits,
    )


def _average(node: Pool, site: Site, cells: NDArray[np.int64]) -> list[Placement] | str:
    fmt, timing = site.formats[0], site.timing
    counts = np.full(len(cells), cells.shape[1]) if node.count_padding else (cells >= 0).sum(axis=1)
    if len(set(counts.tolist())) > 1:
        return "its windows hold different numbers of cells, each with a division of its own"
    accumulator = node.accumulator
    number = Number.of(fmt)
    if not casting.holds(number, accumulator):
        return f"its cells are rounded one by one to {accumulator}"
    gained = accumulator.fractional_bits - fmt.fractional_bits
    n_cells, divisor = cells.shape[1], int(counts[0])
    low, high = (end * n_cells << gained for end in (fmt.raw_min, fmt.raw_max))
    limits = accumulator.saturation_limits
    if low < limits[0] or high > limits[1]:
        return f"its sum can overflow {accumulator}, in an order that matters"
    if gained:
        return f"its cells gain {gained} bits before the division"
    elements, _ = _together(np.where(cells < 0, PADDING, cells), site.sources[0])
    sum_bits = fmt.width + (n_cells - 1).bit_length()
    quotient = Number(
        sum_bits, fmt.signed, fmt.fractional_bits, min(0, low) // divisor, high // divisor
    )
    targets = (node.format,) if node.divide_last else (accumulator, node.format)
    depth = (n_cells - 1).bit_length()
    build = Pooling(
        module="tm_average",
        parameters={
            "N_CELLS": n_cells,
            "WIDTH": fmt.width,
            "IS_SIGNED": int(fmt.signed),
            "DIVISOR": divisor,
            "LEVELS": timing.adder_levels,
        },
        cell_bits=fmt.width,
        out_bits=sum_bits,
        out_signed=fmt.signed,
        module_cycles=-(-depth // timing.adder_levels) + 1,
        casts=casting.chain(quotient, targets, timing),
    )
    return [_placed(node, site, elements, build)]
