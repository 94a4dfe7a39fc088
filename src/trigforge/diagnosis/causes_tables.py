"""Causes in functions read from tables: their range, their size, the format of an entry."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.diagnosis import Cause, Mend, hls_format, precision
from trigforge.core.fixed_point import FixedPointFormat, Rounding, quantise
from trigforge.core.graph import Table
from trigforge.diagnosis.changes import Change
from trigforge.diagnosis.formats import fits, resized
from trigforge.diagnosis.functions import FUNCTIONS
from trigforge.diagnosis.local import values_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trigforge.diagnosis.changes import Grade
    from trigforge.diagnosis.local import Local

FINE_FORMAT = FixedPointFormat(signed=True, width=48, integer_bits=20)
"""Entries in it count as exact."""
_MOST_ENTRIES = 1 << 20
_MOST_TABLE_BITS = 16
"""The largest table that is proposed: 65,536 entries."""


def changes(local: Local) -> list[Change]:
    """Return the limits of a table, the result's apart."""
    node = local.node
    if not isinstance(node, Table) or node.function not in FUNCTIONS:
        return []
    return [_entries(local), _size(local), _range(local)]


def _filled(node: Table, local: Local) -> Table:
    """Return a table whose entries are the function at its positions."""
    steps = np.arange(len(node.table)) - node.offset
    step = node.divisor / node.multiplier * local.sources[0].lsb
    values = FUNCTIONS[node.function](np.asarray(steps * step, dtype=np.float64))
    table = quantise(values, node.table_format).astype(np.int64)
    return replace(node, table=table)


def _ends(node: Table, local: Local) -> tuple[float, float]:
    """Return the inputs at which the table begins and ends."""
    step = node.divisor / node.multiplier * local.sources[0].lsb
    ends = sorted((-node.offset * step, (len(node.table) - node.offset) * step))
    return ends[0], ends[1]


def _entries(local: Local) -> Change:
    def mended(node: Table) -> Table:
        return _filled(replace(node, table_format=FINE_FORMAT), local)

    def grades(node: Table) -> Iterator[Grade]:
        for more in range(1, FINE_FORMAT.fractional_bits - node.table_format.fractional_bits + 1):
            if fits(node.table_format, fraction=more):
                finer = resized(node.table_format, fraction=more)
                mend = Mend(path=f"LayerName.{node.name}.table_t", value=hls_format(finer))
                yield _filled(replace(node, table_format=finer), local), (mend,)

    def evidence(node: Table, event: int, element: int) -> str:
        x = float(values_of(local.source()[event, element], local.sources[0]))
        return (
            f"{node.function}({x:.10g}) is {local.expected[event, element]:.10g}; entries of the "
            f"table have steps of {node.table_format.lsb:g} ({node.table_format})"
        )

    return Change(cause=Cause.TABLE_FORMAT, mended=mended, grades=grades, evidence=evidence)


def _finer(node: Table, local: Local, factor: Fraction) -> Table:
    """Return a table with so many times as many entries over the same range."""
    return _filled(
        replace(
            node,
            table=np.zeros(int(len(node.table) * factor), dtype=np.int64),
            offset=int(node.offset * factor),
            multiplier=int(node.multiplier * factor.numerator),
            divisor=int(node.divisor * factor.denominator),
        ),
        local,
    )


def _rounded(node: Table) -> Iterator[tuple[Table, tuple[Mend, ...]]]:
    """Yield the table as it is, with rounded entries, and with a rounded result too.

    A truncated entry is almost a step off by itself, and leaves nothing to the table's size.
    """
    yield node, ()
    entries = replace(node.table_format, rounding=Rounding.RND)
    mends = (Mend(path=f"LayerName.{node.name}.table_t", value=hls_format(entries)),)
    yield replace(node, table_format=entries), mends
    result = replace(node.format, rounding=Rounding.RND)
    yield (
        replace(node, table_format=entries, format=result),
        (*mends, precision(node.name, "result", result)),
    )


def _size(local: Local) -> Change:
    def mended(node: Table) -> Table:
        """Give every input of the range an entry, up to a million."""
        per_input = Fraction(abs(node.divisor), abs(node.multiplier))
        factor = max(Fraction(math.ceil(per_input)), Fraction(1))
        most = max(_MOST_ENTRIES // len(node.table), 1)
        return _finer(node, local, min(factor, Fraction(most)))

    def grades(node: Table) -> Iterator[Grade]:
        largest = min((1 << _MOST_TABLE_BITS) // len(node.table), _MOST_ENTRIES)
        for rounded, mends in _rounded(node):
            for power in range(1, max(largest, 1).bit_length()):
                size = str(len(node.table) << power)
                mend = Mend(path=f"LayerName.{node.name}.TableSize", value=size)
                yield _finer(rounded, local, Fraction(1 << power)), (mend, *mends)

    def evidence(node: Table, event: int, element: int) -> str:
        x = float(values_of(local.source()[event, element], local.sources[0]))
        low, high = _ends(node, local)
        return (
            f"{node.function}({x:.10g}) is {local.expected[event, element]:.10g}; the table has "
            f"{len(node.table)} entries from {low:g} to {high:g}, one each "
            f"{(high - low) / len(node.table):g}, and gives the entry towards zero"
        )

    return Change(cause=Cause.TABLE_SIZE, mended=mended, grades=grades, evidence=evidence)


def _range(local: Local) -> Change:
    raw = local.source()
    before = local.node

    def mended(node: Table) -> Table:
        """Let the table go on, with the steps it has, over all inputs seen."""
        step = Fraction(node.multiplier, node.divisor)
        reached = sorted((int(raw.min()) * step, int(raw.max()) * step))
        below = max(math.ceil(-reached[0]) + 1 - node.offset, 0)
        above = max(math.ceil(reached[1]) + 2 + node.offset - len(node.table), 0)
        below, above = min(below, _MOST_ENTRIES), min(above, _MOST_ENTRIES)
        table = np.zeros(below + len(node.table) + above, dtype=np.int64)
        return _filled(replace(node, table=table, offset=node.offset + below), local)

    def grades(node: Table) -> Iterator[Grade]:
        coarser = _coarse_enough(local, node)
        if coarser is not None:
            yield mended(node), (precision(node.name, "result", coarser),)

    def evidence(node: Table, event: int, element: int) -> str:
        x = values_of(raw, local.sources[0])
        low, high = _ends(before if isinstance(before, Table) else node, local)
        beyond = int(((x < low) | (x >= high)).sum())
        return (
            f"input {x[event, element]:.10g} lies beyond the table, which goes from {low:g} to "
            f"{high:g}; {beyond} of {x.size} inputs do, up to {x.min():.10g} and {x.max():.10g}; "
            f"{node.function} is still {local.expected[event, element]:.10g} there"
        )

    return Change(
        cause=Cause.TABLE_RANGE,
        mended=mended,
        grades=grades,
        evidence=evidence,
        advice=(
            "the range of hls4ml's tables is fixed: a result as coarse as what the table leaves "
            "out hides it, a narrower range of the layer's input avoids it"
        ),
    )


def _coarse_enough(local: Local, node: Table) -> FixedPointFormat | None:
    """Return a result whose step is as large as what the table leaves out."""
    found = values_of(local.recompute(node), node.format)
    distance = float(np.abs(found - local.expected)[local.comparable].max(initial=0.0))
    if distance <= 0:
        return None
    fraction = math.floor(-math.log2(distance))
    less = local.node.format.fractional_bits - fraction
    if less <= 0 or not fits(local.node.format, fraction=-less):
        return None
    return resized(local.node.format, fraction=-less)
