"""Between a port's bits and alkaid's: which bits an element keeps, and what fills the others.

alkaid carries of each element only the bits that can vary; a port carries every element in
the width of its format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trigforge.core.records import Port


class Bits(NamedTuple):
    """The bits of a raw integer that alkaid carries."""

    signed: bool
    integers: int
    """Bits left of the point, the sign not among them."""
    fraction: int
    """Bits right of the point: zero or below, as raw integers have none."""

    @property
    def width(self) -> int:
        """The number of bits; none if the element is a constant zero."""
        return max(0, int(self.signed) + self.integers + self.fraction)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Bits ``high`` to ``low`` of a vector take the value of an expression."""

    high: int
    low: int
    value: str


class Language(NamedTuple):
    """How a hardware language writes slices, repetitions and concatenations."""

    slice: str
    repeat: str
    zeros: str
    join: str
    group: str


LANGUAGES = {
    "verilog": Language(
        slice="{name}[{high}:{low}]",
        repeat="{{{n}{{{name}[{bit}]}}}}",
        zeros="{n}'b0",
        join=", ",
        group="{{{parts}}}",
    ),
    "vhdl": Language(
        slice="{name}({high} downto {low})",
        repeat="({n} - 1 downto 0 => {name}({bit}))",
        zeros="({n} - 1 downto 0 => '0')",
        join=" & ",
        group="{parts}",
    ),
}


def to_logic(port: Port, carried: Sequence[Bits], language: str) -> tuple[Assignment, ...]:
    """Assign alkaid's packed input from the port ``in_data``."""
    written, width = LANGUAGES[language], port.format.width
    assignments, low = [], 0
    for element, bits in enumerate(carried):
        if bits.width == 0:
            continue
        first = element * width - bits.fraction
        value = written.slice.format(name="in_data", high=first + bits.width - 1, low=first)
        assignments.append(Assignment(high=low + bits.width - 1, low=low, value=value))
        low += bits.width
    return tuple(assignments)


def from_logic(port: Port, carried: Sequence[Bits], language: str) -> tuple[Assignment, ...]:
    """Assign the port ``out_data`` from alkaid's packed output."""
    assignments, low = [], 0
    for element, bits in enumerate(carried):
        first, width = element * port.format.width, port.format.width
        value = _widened(bits, low, width, LANGUAGES[language])
        assignments.append(Assignment(high=first + width - 1, low=first, value=value))
        low += bits.width
    return tuple(assignments)


def _widened(bits: Bits, low: int, width: int, written: Language) -> str:
    """Return an expression of ``width`` bits: sign or zeros, the bits carried, zeros."""
    n_carried = min(bits.width, width + bits.fraction)
    if n_carried <= 0:
        return written.zeros.format(n=width)
    parts = [written.slice.format(name="logic_out", high=low + n_carried - 1, low=low)]
    n_above = width - n_carried + bits.fraction
    if n_above > 0 and bits.signed:
        sign = low + bits.width - 1
        parts.insert(0, written.repeat.format(n=n_above, name="logic_out", bit=sign))
    elif n_above > 0:
        parts.insert(0, written.zeros.format(n=n_above))
    if bits.fraction < 0:
        parts.append(written.zeros.format(n=-bits.fraction))
    joined = written.join.join(parts)
    return written.group.format(parts=joined) if len(parts) > 1 else joined
