"""Events as text, one a line: raw integers, or exact decimal values as hls4ml's benches read.

``RawTensor <-> text``. Values always have a point; so a file tells which of both it holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.errors import InputError
from trigforge.core.records import Port, RawTensor
from trigforge.vectors.lines import Lines, shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_EVENTS = 1_000_000
"""A line each; as many as a spec may ask for."""
_BLANKS = re.compile(r"[ \t]+")
_INTEGER = re.compile(r"-?[0-9]{1,20}")
_VALUE = re.compile(
    r"[-+]?(?:[0-9]{1,700}(?:\.[0-9]{0,700})?|\.[0-9]{1,700})(?:[eE][-+]?[0-9]{1,3})?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Numbers in a file, exactly: ``rows[event][element]``, all of one length."""

    raw: bool
    """Integers only; else values."""
    rows: tuple[tuple[Fraction, ...], ...]

    @property
    def n_elements(self) -> int:
        """Numbers a line."""
        return len(self.rows[0])


def write_raw(tensor: RawTensor) -> str:
    """Return raw integers, an event a line."""
    return _text(tensor.raw, [str(value) for value in np.unique(tensor.raw).tolist()])


def write_values(tensor: RawTensor) -> str:
    """Return the numbers that raw integers stand for, an event a line, every digit of them."""
    n_fraction = tensor.format.fractional_bits
    return _text(
        tensor.raw, [decimal(value, n_fraction) for value in np.unique(tensor.raw).tolist()]
    )


def decimal(raw: int, fractional_bits: int) -> str:
    """Return ``raw * 2**-fractional_bits`` as a decimal number, exactly.

    ``2**-n`` is ``5**n / 10**n``: it has ``n`` decimal places.
    """
    if fractional_bits <= 0:
        return f"{raw << -fractional_bits}.0"
    digits = f"{abs(raw) * 5**fractional_bits:0{fractional_bits + 1}d}"
    whole, places = digits[:-fractional_bits], digits[-fractional_bits:].rstrip("0")
    return f"{'-' if raw < 0 else ''}{whole}.{places or '0'}"


def read(lines: Lines) -> Table:
    """Read events of either kind.

    Raises:
        InputError: naming the line that is not as it must be.
    """
    known: dict[str, Fraction] = {}
    rows: list[tuple[Fraction, ...]] = []
    raw = True
    for line in lines:
        tokens = _BLANKS.split(line.lstrip(" \t"))
        for token in tokens:
            if token not in known:
                known[token] = _number(lines, token)
                raw = raw and _INTEGER.fullmatch(token) is not None
        if rows and len(tokens) != len(rows[0]):
            lines.refuse(f"{len(tokens)} numbers, {len(rows[0])} in the lines before")
        if len(rows) == MAX_EVENTS:
            lines.refuse(f"more than {MAX_EVENTS} events")
        rows.append(tuple(known[token] for token in tokens))
    if not rows:
        lines.refuse("no events")
    return Table(raw=raw, rows=tuple(rows))


def to_events(table: Table, port: Port) -> RawTensor:
    """Return what was read as raw integers of a port.

    Raises:
        InputError: naming the event and element that the port does not have.
    """
    if table.n_elements != port.n_elements:
        msg = f"{table.n_elements} numbers an event; {port.name} has {port.n_elements} elements"
        raise InputError(msg)
    fmt, scale = port.format, Fraction(1)
    if not table.raw:
        scale = Fraction(2) ** fmt.fractional_bits
    known: dict[Fraction, int] = {}
    for event, row in enumerate(table.rows):
        for element, number in enumerate(row):
            if number not in known:
                scaled = number * scale
                if scaled.denominator != 1 or not fmt.raw_min <= scaled <= fmt.raw_max:
                    msg = (
                        f"event {event}, element {element}: {shown(str(plain(number)))} is not "
                        f"a {'raw integer' if table.raw else 'value'} of {fmt}"
                    )
                    raise InputError(msg)
                known[number] = int(scaled)
    raw = [[known[number] for number in row] for row in table.rows]
    return RawTensor(format=fmt, raw=np.array(raw, dtype=fmt.dtype))


def plain(number: object) -> int | str:
    """Return a number of a table as people write it: whole ones as integers."""
    if isinstance(number, int):
        return number
    exact = Fraction(str(number))
    if exact.denominator == 1 and abs(exact) < 1 << 64:
        return int(exact)
    try:
        return repr(float(exact))
    except OverflowError:
        return str(exact)


def _text(raw: NDArray[np.int64], texts: list[str]) -> str:
    """Return an event a line; ``texts`` are those of the unique values, in rising order."""
    _, index = np.unique(raw, return_inverse=True)
    rows = np.array(texts, dtype=object)[index.reshape(raw.shape)].tolist()
    return "".join(f"{' '.join(row)}\n" for row in rows)


def _number(lines: Lines, token: str) -> Fraction:
    if _VALUE.fullmatch(token) is None:
        lines.refuse(f"{shown(token)} is no number")
    return Fraction(token)
