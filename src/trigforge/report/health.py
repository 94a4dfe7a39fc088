"""How tensors use their formats, for people: ``TensorHealth -> table and remarks``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from trigforge.core.fixed_point import Overflow
from trigforge.core.health import TensorKind, integer_bits_needed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.core.health import TensorHealth

_N_NAMED = 8
"""Dead elements named one by one; more are an image's rim or a fault of the whole layer."""


class Severity(StrEnum):
    """What a remark means for the results."""

    WRONG = "wrong"
    """A value came out with another sign or size."""
    LIMITED = "limited"
    """A value was held at an end of its range, as the network may have been trained to."""
    SPARE = "spare"
    """Nothing is lost; something could be smaller."""


STYLES = {Severity.WRONG: "bold red", Severity.LIMITED: "yellow", Severity.SPARE: ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing to know of a tensor, in words."""

    severity: Severity
    text: str


def summarise(tensors: Sequence[TensorHealth]) -> RenderableType:
    """Return the table, what is to be said of each tensor, and whether anything wraps."""
    lines = [
        Text(f"{tensor.name}: {remark.text}", style=STYLES[remark.severity])
        for tensor in tensors
        for remark in remarks(tensor)
    ]
    n_wrapping = sum(1 for t in tensors if t.n_wraps or t.n_accumulator_wraps)
    if n_wrapping:
        lines.append(Text(f"values wrap, in {n_wrapping} of {len(tensors)} tensors", "bold red"))
    else:
        lines.append(Text(f"no value wraps, in {len(tensors)} tensors", "green"))
    return Group(health_table(tensors), *lines)


def health_table(tensors: Sequence[TensorHealth]) -> Table:
    """Return a line for each tensor: range used and available, unused bits, overflows, dead.

    Unused bits are those at the top and those at the bottom. Overflows are results that
    wrapped or saturated, as the format says; after a + those of the sums in the accumulator.
    """
    table = Table(title=_title(tensors), title_justify="left")
    table.add_column("tensor", overflow="fold", min_width=12)
    for heading in ("format", "used", "available"):
        table.add_column(heading, no_wrap=True)
    for heading in ("unused", "zero", "overflows", "dead"):
        table.add_column(heading, justify="right", no_wrap=True)
    for tensor in tensors:
        said = {remark.severity for remark in remarks(tensor)}
        style = next((STYLES[severity] for severity in Severity if severity in said), "")
        table.add_row(Text(tensor.name, style=style), *_cells(tensor))
    return table


def remarks(tensor: TensorHealth) -> tuple[Remark, ...]:
    """Return what is to be said of a tensor, the worst first."""
    if not tensor.n_values:
        return (Remark(severity=Severity.SPARE, text="no values were seen"),)
    return (
        *_overflows(tensor),
        *(Remark(severity=Severity.SPARE, text=text) for text in _spare(tensor)),
    )


def short(fmt: FixedPointFormat) -> str:
    """Write a format as specs do: ``ufixed<6,2,RND_CONV,SAT>``."""
    return str(fmt).replace("ap_", "").replace("AP_", "")


def value(raw: float, fmt: FixedPointFormat) -> str:
    """Write the number that a raw integer stands for, in three digits or whole."""
    number = math.ldexp(raw, -fmt.fractional_bits)
    return f"{number:.0f}" if 100 <= abs(number) < 1e6 else f"{number:.3g}"


def _title(tensors: Sequence[TensorHealth]) -> str:
    seen = next((t for t in tensors if not t.constant), None)
    n_events = seen.n_values // seen.n_elements if seen is not None and seen.n_elements else 0
    return f"use of the formats over {n_events:,} events"


def _cells(tensor: TensorHealth) -> Iterator[str]:
    """Yield what stands beside the name."""
    fmt = tensor.format
    mode = "" if fmt.overflow is Overflow.WRAP else f" {fmt.overflow}"
    yield f"{'' if fmt.signed else 'u'}fixed<{fmt.width},{fmt.integer_bits}>{mode}"
    if not tensor.n_values:
        return
    yield f"{value(tensor.minimum, fmt)} .. {value(tensor.maximum, fmt)}"
    yield f"{value(fmt.raw_min, fmt)} .. {value(fmt.raw_max, fmt)}"
    all_zero = tensor.n_zeros == tensor.n_values
    yield "all" if all_zero else f"{tensor.unused_high_bits}+{tensor.unused_low_bits}"
    yield f"{tensor.n_zeros / tensor.n_values:.0%}"
    yield _counts(tensor.n_overflows, tensor.n_accumulator_overflows)
    yield f"{len(tensor.dead)}/{tensor.n_elements}" if tensor.dead else ""


def _counts(results: int, sums: int) -> str:
    """Write two counts, leaving out what is zero."""
    parts = [f"{results:,}"] if results else []
    parts += [f"+{sums:,}"] if sums else []
    return " ".join(parts)


def _overflows(tensor: TensorHealth) -> Iterator[Remark]:
    """Yield what wraps and saturates, and what would hold it."""
    fmt = tensor.format
    if tensor.n_overflows:
        wraps = fmt.overflow is Overflow.WRAP
        yield Remark(
            severity=Severity.WRONG if wraps else Severity.LIMITED,
            text=f"{'wraps' if wraps else 'saturates'} {tensor.n_overflows:,} of "
            f"{tensor.n_values:,}; {_would_hold(fmt, tensor.reach)}",
        )
    fmt = fmt if tensor.accumulator is None else tensor.accumulator
    if tensor.n_accumulator_overflows:
        wraps = fmt.overflow is Overflow.WRAP
        yield Remark(
            severity=Severity.WRONG if wraps else Severity.LIMITED,
            text=f"accumulator {short(fmt)} {'wraps' if wraps else 'saturates'} "
            f"{_accumulated(tensor)}; "
            f"{_would_hold(fmt, tensor.accumulator_reach, 'at least ')}",
        )


def _accumulated(tensor: TensorHealth) -> str:
    """Say how many sums, or entries of a bias, an accumulator does not hold."""
    count = tensor.n_accumulator_overflows
    if tensor.kind is TensorKind.BIAS:
        return f"{count:,} of {tensor.n_values:,} entries"
    return f"{count:,} sum{'' if count == 1 else 's'}"


def _would_hold(fmt: FixedPointFormat, reach: tuple[int, int], least: str = "") -> str:
    """Say how far results reach and how many integer bits hold that.

    What follows a sum that wrapped or saturated is not the sum itself, so for an
    accumulator the number is ``least``.
    """
    low, high = reach
    far = low if fmt.raw_min - low > high - fmt.raw_max else high
    sign = "a sign and " if low < 0 and not fmt.signed else ""
    bits = integer_bits_needed(fmt, reach) - (1 if sign else 0)
    return (
        f"reaches {value(far, fmt)}, for which {least}{sign}{bits} integer bits would do, "
        f"not {fmt.integer_bits}"
    )


def _spare(tensor: TensorHealth) -> Iterator[str]:
    """Yield what could be smaller: bits that tell nothing, outputs that never change."""
    if tensor.n_zeros == tensor.n_values:
        # A layer without a bias has one of zeros in the C++.
        if tensor.kind is not TensorKind.BIAS:
            yield "always zero"
        return
    if not (tensor.n_wraps or tensor.n_accumulator_wraps):
        yield from _spare_at_the_top(tensor)
    if tensor.unused_low_bits:
        yield f"{_bits(tensor.unused_low_bits, 'low')} always zero"
    if tensor.dead:
        yield _dead(tensor)


def _spare_at_the_top(tensor: TensorHealth) -> Iterator[str]:
    if tensor.unused_high_bits:
        yield f"{_bits(tensor.unused_high_bits, 'high')} never used"
    if tensor.format.signed and tensor.minimum >= 0:
        yield "never negative: the sign is never used"


def _bits(count: int, which: str) -> str:
    return f"{count} {which} bit{'' if count == 1 else 's'}"


def _dead(tensor: TensorHealth) -> str:
    """Say how many elements never change and which; whole channels where there are any."""
    what = "inputs" if tensor.kind is TensorKind.INPUT else "outputs"
    text = f"{len(tensor.dead)} of {tensor.n_elements} {what} dead"
    if tensor.dead_channels:
        return f"{text}, all of channel {_listed(tensor.dead_channels)}"
    return f"{text} ({_listed(tensor.dead)})"


def _listed(indices: tuple[int, ...]) -> str:
    """Write indices, a run of them as first-last, and no more than a line takes."""
    runs: list[list[int]] = []
    for index in indices:
        if runs and index == runs[-1][1] + 1:
            runs[-1][1] = index
        else:
            runs.append([index, index])
    texts = [f"{first}" if first == last else f"{first}-{last}" for first, last in runs]
    return ", ".join(texts[:_N_NAMED]) + (", ..." if len(texts) > _N_NAMED else "")
