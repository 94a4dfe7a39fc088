"""Events for a C simulation, read from files: ``path, Port -> RawTensor``.

Integers are raw; decimal numbers must lie on the grid of the port's format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.errors import InputError
from trigforge.core.fixed_point import to_raw
from trigforge.core.records import Port, RawTensor

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

DECIMALS = ".dat"
"""What hls4ml calls its text files of decimal numbers (``tb_data/tb_input_features.dat``)."""


def read(path: Path, port: Port) -> RawTensor:
    """Read ``(n_events, ...)`` values of a port.

    A ``.npy`` file holds integers (raw) or floats, a ``.dat`` file decimal numbers, any
    other a line of raw integers for each event.

    Raises:
        InputError: if the file is missing, empty or holds something else, an event has
            another number of elements, or a value is not one of the port's format.
    """
    table = _read_array(path) if path.suffix == ".npy" else _read_text(path)
    n_elements = table[:1].size
    if table.ndim < 2 or n_elements != port.n_elements:
        msg = f"{path} holds {table.shape}; an event of {port.name} has {port.n_elements} elements"
        raise InputError(msg)
    rows = table.reshape(len(table), n_elements)
    if rows.dtype.kind == "f":
        try:
            raw = to_raw(rows, port.format, where=str(path))
        except InputError as error:
            msg = f"{error}; quantise the values first, or give raw integers"
            raise InputError(msg) from error
        return RawTensor(format=port.format, raw=raw)
    outside = (rows < port.format.raw_min) | (rows > port.format.raw_max)
    if outside.any():
        event, element = (int(i) for i in np.argwhere(outside)[0])
        msg = (
            f"{path}: raw integer {rows[event, element]} of event {event}, element {element} is "
            f"not between {port.format.raw_min} and {port.format.raw_max} ({port.format})"
        )
        raise InputError(msg)
    return RawTensor(format=port.format, raw=rows.astype(port.format.dtype))


def _read_array(path: Path) -> NDArray[Any]:
    try:
        with path.open("rb") as stream:
            table = np.lib.format.read_array(stream, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        msg = f"{path} is no .npy file of events: {error}"
        raise InputError(msg) from error
    if table.dtype.kind not in "iuf" or table.size == 0:
        msg = (
            f"{path} holds {table.dtype} {table.shape}; expected integers or floats, "
            "(n_events, n_elements)"
        )
        raise InputError(msg)
    return np.asarray(table)


def _read_text(path: Path) -> NDArray[Any]:
    """Read one event a line, its numbers separated by spaces."""
    decimal = path.suffix == DECIMALS
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, ValueError) as error:
        msg = f"{path} is no text file of events: {error}"
        raise InputError(msg) from error
    rows = [_read_line(line, decimal, f"{path}, line {i}") for i, line in enumerate(lines, start=1)]
    if not rows:
        msg = f"{path} holds no event"
        raise InputError(msg)
    for i, row in enumerate(rows, start=1):
        if len(row) != len(rows[0]) or not row:
            msg = f"{path}, line {i}: {len(row)} numbers; the first line has {len(rows[0])}"
            raise InputError(msg)
    return np.array(rows, dtype=np.float64 if decimal else np.int64)


def _read_line(line: str, decimal: bool, where: str) -> list[float] | list[int]:
    words = line.split()
    try:
        if decimal:
            return [float(word) for word in words]
        numbers = [int(word) for word in words]
        return [int(np.int64(number)) for number in numbers]
    except (ValueError, OverflowError):
        kind = "decimal numbers" if decimal else "raw integers of at most 64 bits"
        msg = f"{where}: {line[:60]!r} are no {kind} separated by spaces"
        raise InputError(msg) from None
