"""Read events of a user for a model: ``(path, shape, Selection) -> EventTable``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigforge.core.errors import InputError
from trigforge.samples.tables import checks, numpy_files
from trigforge.samples.tables.content import (
    EventTable,
    Selection,
    TableContent,
    one_line,
    refusing,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KINDS = (".npy", ".npz", ".parquet", ".pq", ".root")


def read(path: Path, shape: tuple[int, ...], selection: Selection | None = None) -> EventTable:
    """Read events of the shape a model takes.

    Events may be stored in that shape, flat, or without axes of length one.

    Raises:
        InputError: if the file is missing, of an unknown kind, corrupt, empty, or holds
            anything but finite numbers of the shape, with one line that names the file.
    """
    wanted = selection or Selection()
    if path.suffix.lower() not in KINDS:
        msg = f"{one_line(str(path))}: kind {path.suffix!r} is not known; known: {', '.join(KINDS)}"
        raise InputError(msg)
    if not path.is_file():
        msg = f"{one_line(str(path))} is not a file"
        raise InputError(msg)
    with refusing(path):
        content = _reader_of(path)(path, shape, wanted)
        x = checks.events_of(content.x, shape)
        y, class_names = checks.labels_of(content, len(x))
        return EventTable(
            x=x,
            y=y,
            class_names=class_names,
            feature_names=content.feature_names,
            source=str(path),
        )


def _reader_of(path: Path) -> Callable[[Path, tuple[int, ...], Selection], TableContent]:
    """Return the reader of a kind; the libraries are loaded when they are needed."""
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return numpy_files.read_npy
    if suffix == ".npz":
        return numpy_files.read_npz
    if suffix == ".root":
        from trigforge.samples.tables import root_files  # noqa: PLC0415 - takes a second

        return root_files.read
    from trigforge.samples.tables import parquet_files  # noqa: PLC0415 - takes a second

    return parquet_files.read
