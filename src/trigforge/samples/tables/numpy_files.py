"""Read ``.npy`` and ``.npz``: sizes are checked before anything is read, pickles never are.

The format is that of numpy.lib.format, of which version 1.0 is enough for plain arrays.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from trigforge.core.errors import InputError
from trigforge.samples import archive
from trigforge.samples.tables.checks import fits, is_number
from trigforge.samples.tables.content import (
    LABEL_NAMES,
    LARGEST_BYTES,
    Selection,
    TableContent,
    known_name,
    listed,
    n_bytes_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

EVENT_NAMES = ("x", "X", "inputs", "data", "x_test", "X_test")
TEST_LABELS = "y_test"
LARGEST_DEFLATION = 1032
"""Deflate cannot compress better (zlib's technical details: 1032 to 1)."""
SMALLEST_MEMBER_BYTES = 1 << 16
"""Below it a member's ratio says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What an array says of itself before its numbers."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype[Any]

    @property
    def n_bytes(self) -> int:
        """Bytes of the numbers that follow."""
        return n_bytes_of(self.shape, self.dtype.itemsize)


def read_npy(path: Path, shape: tuple[int, ...], selection: Selection) -> TableContent:  # noqa: ARG001 - the shape is checked by the caller; a reader of every kind takes it
    """Read the one array of a file; it has no labels.

    Raises:
        InputError: if it is not an array of real numbers, or not as long as it says.
    """
    if selection.columns or selection.label or selection.tree:
        msg = "an .npy file has no columns, labels or trees to choose; use .npz, Parquet or ROOT"
        raise InputError(msg)
    with path.open("rb") as stream:
        array = _array(stream, os.fstat(stream.fileno()).st_size, "the array")
    return TableContent(x=_first(array, selection), y=None)


def read_npz(path: Path, shape: tuple[int, ...], selection: Selection) -> TableContent:
    """Read the events and labels of an archive, or the held-out part of a sample.

    Raises:
        InputError: if a member is not an array, its size cannot be right, or it is not
            clear which is meant.
    """
    with zipfile.ZipFile(path) as opened:
        members = _members(opened)
        headers = {name: _header_of(opened, member) for name, member in members.items()}
        if {archive.HEADER, *archive.ARRAYS} == set(headers) and not selection.columns:
            return _sample(path, selection)
        events = _event_name(headers, shape, selection)
        labels = _label_name(headers, events, selection)
        x = _member_array(opened, members[events])
        y = _member_array(opened, members[labels], labels=True) if labels else None
    if y is not None and y.ndim and len(y) != len(x):
        msg = f"{events!r} holds {len(x)} events but {labels!r} {len(y)} labels"
        raise InputError(msg)
    y = None if y is None else _first(y, selection)
    return TableContent(x=_first(x, selection), y=y)


def _first(array: NDArray[Any], selection: Selection) -> NDArray[Any]:
    """Return the first events; a single number, which is refused later, as it is."""
    return array[: selection.max_events] if array.ndim else array


def _sample(path: Path, selection: Selection) -> TableContent:
    """Return the held-out events of a sample that ``trigforge samples`` wrote."""
    sample, first = archive.load(path), selection.max_events
    return TableContent(
        x=sample.x_test[:first],
        y=None if selection.label == "" else sample.y_test[:first],
        class_names=sample.class_names,
        feature_names=sample.feature_names if sample.x_test.ndim == 2 else (),
    )


def _members(opened: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the arrays of an archive by name, their sizes checked from its directory."""
    members: dict[str, zipfile.ZipInfo] = {}
    for member in opened.infolist():
        name = member.filename.removesuffix(".npy")
        if name in members or name == member.filename:
            reason = "occurs twice" if name in members else "is not an array"
            msg = f"member {member.filename!r} {reason}; an .npz file holds arrays by name"
            raise InputError(msg)
        _check_size(member)
        members[name] = member
    return members


def _check_size(member: zipfile.ZipInfo) -> None:
    what, size = f"member {member.filename!r}", member.file_size
    largest = max(SMALLEST_MEMBER_BYTES, LARGEST_DEFLATION * member.compress_size)
    if member.compress_type == zipfile.ZIP_STORED:
        largest = member.compress_size
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        msg = f"{what} is compressed by method {member.compress_type}; NumPy stores or deflates"
    elif member.flag_bits & 1:
        msg = f"{what} is encrypted"
    elif size > LARGEST_BYTES:
        msg = f"{what} announces {size} bytes; at most {LARGEST_BYTES} are read"
    elif size > largest:
        msg = f"{what} announces {size} bytes in {member.compress_size}; {largest} can be right"
    else:
        return
    raise InputError(msg)


def _event_name(headers: dict[str, Header], shape: tuple[int, ...], selection: Selection) -> str:
    """Return the array that holds the events."""
    if len(selection.columns) > 1:
        msg = f"an .npz file has its events in one array; --columns names {len(selection.columns)}"
        raise InputError(msg)
    if selection.columns:
        return known_name("array", selection.columns[0], tuple(headers))
    fitting = [name for name, header in headers.items() if _may_be_events(header, shape)]
    usual = [name for name in fitting if name in EVENT_NAMES]
    labels = (*LABEL_NAMES, TEST_LABELS, selection.label)
    found = usual or [name for name in fitting if name not in labels]
    if len(found) == 1:
        return found[0]
    arrays = [f"{name} {header.dtype} {header.shape}" for name, header in headers.items()]
    if found:
        msg = f"events may be {listed(found)}; name one with --columns"
    else:
        wanted = ", ".join(("n", *map(str, shape)))
        msg = f"no array is of shape ({wanted}): {listed(arrays) or 'it is empty'}"
    raise InputError(msg)


def _may_be_events(header: Header, shape: tuple[int, ...]) -> bool:
    return is_number(header.dtype) and fits(header.shape, shape)


def _label_name(headers: dict[str, Header], events: str, selection: Selection) -> str | None:
    """Return the array that holds the labels of the events, or None."""
    if selection.label is not None:
        names = tuple(headers)
        return known_name("label array", selection.label, names) if selection.label else None
    if events.lower() == "x_test":
        candidates: Sequence[str] = (TEST_LABELS, "Y_test")
    else:
        candidates = LABEL_NAMES
    n_events = headers[events].shape[:1]
    present = [name for name in candidates if name in headers and name != events]
    found = [name for name in present if headers[name].shape[:1] == n_events] or present
    if len(found) > 1:
        msg = f"labels may be {listed(found)}; name one with --label (or '' for none)"
        raise InputError(msg)
    return found[0] if found else None


def _header_of(opened: zipfile.ZipFile, member: zipfile.ZipInfo) -> Header:
    with opened.open(member) as stream:
        header = _header(stream, f"array {member.filename!r}")
    if header.n_bytes > member.file_size:
        msg = f"array {member.filename!r} says it is {header.dtype} {header.shape}, which takes "
        msg += f"{header.n_bytes} bytes, but the member has {member.file_size}"
        raise InputError(msg)
    return header


def _member_array(
    opened: zipfile.ZipFile, member: zipfile.ZipInfo, *, labels: bool = False
) -> NDArray[Any]:
    with opened.open(member) as stream:
        array = _array(stream, member.file_size, f"array {member.filename!r}", labels=labels)
        stream.read(1)  # at the end the checksum is compared
    return array


def _header(stream: IO[bytes], what: str) -> Header:
    version = np.lib.format.read_magic(stream)
    if version != (1, 0):
        msg = f"{what} is of format {version[0]}.{version[1]}; plain arrays are of 1.0"
        raise InputError(msg)
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
    if any(length < 0 for length in shape):
        msg = f"{what} says its shape is {shape}; no length can be negative"
        raise InputError(msg)
    return Header(shape=shape, fortran_order=fortran_order, dtype=dtype)


def _array(stream: IO[bytes], total_bytes: int, what: str, *, labels: bool = False) -> NDArray[Any]:
    """Read an array of numbers (or names, as labels) that fills its file to the last byte."""
    header = _header(stream, what)
    if not is_number(header.dtype) and not (labels and header.dtype.kind == "U"):
        allowed = "bool, integers or floats of at most 64 bits"
        msg = f"{what} holds {header.dtype} values; they must be {allowed}"
        raise InputError(msg)
    present = total_bytes - stream.tell()
    if header.n_bytes != present:
        msg = f"{what} says it is {header.dtype} {header.shape}, which takes {header.n_bytes} "
        msg += f"bytes, but {present} follow"
        raise InputError(msg)
    content = stream.read(header.n_bytes)
    if len(content) != header.n_bytes:
        msg = f"{what} ends after {len(content)} of {header.n_bytes} bytes"
        raise InputError(msg)
    flat = np.frombuffer(content, header.dtype)
    return flat.reshape(header.shape, order="F" if header.fortran_order else "C")
