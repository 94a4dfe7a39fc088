"""The formats of vectors: which there are, and which one a file is in."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from trigforge.core.errors import InputError
from trigforge.vectors import apx, emp, text
from trigforge.vectors.frames import Flag, Frames
from trigforge.vectors.lines import Lines, decode, read_bytes, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trigforge.core.records import RawTensor
    from trigforge.vectors.text import Table


class VectorFormat(StrEnum):
    """How vectors are written."""

    EMP2 = "emp2"
    EMP1 = "emp1"
    APX = "apx"
    TB_DATA = "tb_data"
    RAW = "raw"


PACKET_FLAGS = Flag.START_OF_PACKET | Flag.START_OF_ORBIT | Flag.END_OF_PACKET
FRAME_WRITERS: dict[VectorFormat, Callable[[Frames], str]] = {
    VectorFormat.EMP2: emp.write_v2,
    VectorFormat.EMP1: emp.write_v1,
    VectorFormat.APX: apx.write,
}
EVENT_WRITERS: dict[VectorFormat, Callable[[RawTensor], str]] = {
    VectorFormat.TB_DATA: text.write_values,
    VectorFormat.RAW: text.write_raw,
}
CARRIED = {
    VectorFormat.EMP2: Flag.VALID | Flag.STROBE | PACKET_FLAGS,
    VectorFormat.EMP1: Flag.VALID | Flag.STROBE,
    VectorFormat.APX: Flag.VALID | Flag.ERROR | PACKET_FLAGS,
}
"""The flags that a format of frames has a place for."""


class Captured(NamedTuple):
    """What a file holds, and in which format it was."""

    format: VectorFormat
    content: Frames | Table


def read(path: Path) -> Captured:
    """Read vectors in whatever format they are.

    Raises:
        InputError: if the file cannot be read or is not exactly as its format wants it; the
            message has the number of the line.
    """
    return parse(read_bytes(path), path)


def parse(content: bytes, path: Path) -> Captured:
    """Read vectors from the content of a file; its first line says the format.

    Raises:
        InputError: as ``read``.
    """
    written = decode(content, path)
    rows = apx.ApxLines(written, path)
    if rows.peek().startswith(("#Sideband", apx.LABELS)):
        return Captured(VectorFormat.APX, apx.read(rows))
    lines = Lines(written, path)
    head = lines.peek()
    if head.startswith("ID:"):
        return Captured(VectorFormat.EMP2, emp.read_v2(lines))
    if head.startswith("Board "):
        return Captured(VectorFormat.EMP1, emp.read_v1(lines))
    if not head:
        msg = f"{path}: nothing but blank lines and comments"
        raise InputError(msg)
    if head.lstrip(" \t")[:1] not in "+-.0123456789":
        msg = (
            f"{path}: begins with {shown(head)}; EMPv2 begins with 'ID: ', EMPv1 with 'Board ', "
            "APx with '#Sideband ON', events with a number"
        )
        raise InputError(msg)
    table = text.read(lines)
    return Captured(VectorFormat.RAW if table.raw else VectorFormat.TB_DATA, table)
