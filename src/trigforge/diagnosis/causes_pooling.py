"""Causes in pooling: padded cells, and the truncated division of an average."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.diagnosis import Cause, precision
from trigforge.core.graph import Pool, PoolKind, window_indices
from trigforge.diagnosis.changes import Change
from trigforge.diagnosis.formats import WIDE_BITS, fits, resized
from trigforge.diagnosis.local import values_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.core.traces import Values
    from trigforge.diagnosis.changes import Grade
    from trigforge.diagnosis.local import Local

DIVISION_BITS = 16
"""Fractional bits beyond the input's with which a quotient counts as exact."""


def changes(local: Local) -> list[Change]:
    """Return the limits of a pooling, the result's apart."""
    node = local.node
    if not isinstance(node, Pool):
        return []
    if node.kind is PoolKind.MAXIMUM:
        found = [_padding(local)] if any(node.padding) else []
        return [*found, _truncation(local), _overflow(local)]
    found = [_truncation(local), _overflow(local)]
    return [_counted(local), *found] if node.count_padding else found


def average_fraction(local: Local) -> int:
    """Return the fractional bits of an average that is not truncated."""
    return local.sources[0].fractional_bits + DIVISION_BITS


def _padding(local: Local) -> Change:
    source = local.sources[0]

    def mended(node: Pool) -> Pool:
        return replace(node, padding_raw=source.raw_min)

    def grades(node: Pool) -> Iterator[Grade]:
        signed = resized(replace(source, signed=True), integer=1)
        yield mended(node), (precision(node.inputs[0], "result", signed),)

    def evidence(node: Pool, event: int, element: int) -> str:
        cells = _window(node, element)
        window = values_of(local.source()[event][cells[cells >= 0]], source)
        return (
            f"{int((cells < 0).sum())} of the {len(cells)} cells of this window are padding, which "
            f"hls4ml fills with {source.lsb * node.padding_raw:g}, half the range of the unsigned "
            f"{source}; the largest real cell is {window.max(initial=0):g}"
        )

    return Change(
        cause=Cause.MAXIMUM_PADDING,
        mended=mended,
        grades=grades,
        evidence=evidence,
        advice="or pool with padding='valid'",
    )


def _window(node: Pool, element: int) -> Any:
    indices = window_indices(node.input_shape, node.window, node.strides, node.padding)
    position, channel = divmod(element, node.input_shape[2])
    return indices[position, :, channel]


def _cells(local: Local, node: Pool, event: int, element: int) -> Values:
    """Return the numbers in a window that are no padding."""
    chosen = _window(node, element)
    return values_of(local.source()[event][chosen[chosen >= 0]], local.sources[0])


def _accumulator(local: Local, node: Pool) -> FixedPointFormat:
    """Return the accumulator as it is, not as a change has made it."""
    return local.node.accumulator if isinstance(local.node, Pool) else node.accumulator


def _counted(local: Local) -> Change:
    del local

    def mended(node: Pool) -> Pool:
        return replace(node, count_padding=False)

    def grades(node: Pool) -> Iterator[Grade]:
        yield mended(node), ()

    def evidence(node: Pool, event: int, element: int) -> str:
        del event
        cells = _window(node, element)
        return (
            f"{int((cells < 0).sum())} of the {len(cells)} cells of this window are padding, and "
            "the sum is divided by all of them"
        )

    return Change(
        cause=Cause.AVERAGE_PADDING,
        mended=mended,
        grades=grades,
        evidence=evidence,
        advice="pool with padding='valid', or leave padding out of the average (count_include_pad)",
    )


def _overflow(local: Local) -> Change:
    def mended(node: Pool) -> Pool:
        return replace(node, accumulator=resized(
            replace(node.accumulator, signed=True),
            integer=max(WIDE_BITS - node.accumulator.width, 0),
        ))  # fmt: skip

    def grades(node: Pool) -> Iterator[Grade]:
        for more in range(1, WIDE_BITS - node.accumulator.width + 1):
            wider = resized(node.accumulator, integer=more)
            yield replace(node, accumulator=wider), (precision(node.name, "accum", wider),)

    def evidence(node: Pool, event: int, element: int) -> str:
        cells = _cells(local, node, event, element)
        reached = f"sum of the {len(cells)} cells of this window is {cells.sum():.10g}"
        if node.kind is PoolKind.MAXIMUM:
            reached = f"largest cell of this window is {local.expected[event, element]:.10g}"
        fmt = _accumulator(local, node)
        return (
            f"the {reached}, the accumulator {fmt} goes from {fmt.raw_min * fmt.lsb:g} to "
            f"{fmt.raw_max * fmt.lsb:g}"
        )

    return Change(cause=Cause.ACCUMULATOR_OVERFLOW, mended=mended, grades=grades, evidence=evidence)


def _truncation(local: Local) -> Change:
    fraction = average_fraction(local)

    def mended(node: Pool) -> Pool:
        fmt = node.accumulator
        more = min(max(fraction - fmt.fractional_bits, 0), WIDE_BITS - fmt.width)
        return replace(node, accumulator=resized(fmt, fraction=max(more, 0)))

    def grades(node: Pool) -> Iterator[Grade]:
        for more in range(1, fraction - node.accumulator.fractional_bits + 1):
            if fits(node.accumulator, fraction=more):
                wider = resized(node.accumulator, fraction=more)
                yield replace(node, accumulator=wider), (precision(node.name, "accum", wider),)

    def evidence(node: Pool, event: int, element: int) -> str:
        fmt = _accumulator(local, node)
        if maximum:
            return f"the accumulator {fmt} has steps of {fmt.lsb:g}, coarser than the cells"
        numbers = _cells(local, node, event, element)
        n_cells = node.window[0] * node.window[1] if node.count_padding else len(numbers)
        mean = float(np.sum(numbers)) / n_cells
        return (
            f"the mean of {n_cells} cells is {numbers.sum():.10g} / {n_cells} = {mean:.10g}; "
            f"hls4ml divides in the accumulator {fmt}, whose step is {fmt.lsb:g}, and drops the "
            "rest"
        )

    maximum = isinstance(local.node, Pool) and local.node.kind is PoolKind.MAXIMUM
    cause = Cause.ACCUMULATOR_ROUNDING if maximum else Cause.AVERAGE_TRUNCATION
    return Change(cause=cause, mended=mended, grades=grades, evidence=evidence)
