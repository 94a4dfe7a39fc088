"""Look into an HDF5 file before a library reads weights from it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from trigforge.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_ELEMENTS = 1 << 28
MAX_OBJECTS = 100_000


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file to read.

    Raises:
        InputError: if it is none, or breaks while it is read.
    """
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        msg = f"{path} is no readable HDF5 file: {' '.join(str(error).split())[:200]}"
        raise InputError(msg) from error


def count_numbers(path: Path) -> int:
    """Return how many numbers the datasets of a file hold; each must lie in the file itself.

    Raises:
        InputError: if the file is corrupt, a number is not finite, a dataset lies in another
            file, or there are more than a trigger network has.
    """
    with opened(path) as file:
        n_numbers = 0
        for n_objects, (name, entry) in enumerate(_datasets(file, path)):
            if n_objects > MAX_OBJECTS:
                msg = f"{path}: more than {MAX_OBJECTS} datasets"
                raise InputError(msg)
            if entry.external or entry.is_virtual:
                msg = f"{path}: {name} lies in another file; weights must be in this one"
                raise InputError(msg)
            n_numbers += int(np.prod(entry.shape or (), dtype=object))
            if n_numbers > MAX_ELEMENTS:
                msg = f"{path}: {name} makes it {n_numbers} numbers, above {MAX_ELEMENTS}"
                raise InputError(msg)
            if entry.dtype.kind == "f" and not np.isfinite(entry[()]).all():
                msg = f"{path}: {name} holds a number that is not finite; the training diverged"
                raise InputError(msg)
        return n_numbers


def text_attribute(group: Any, name: str) -> str | None:
    """Return an attribute that is a text, or None if there is none."""
    value = group.attrs.get(name)
    return as_text(value) if isinstance(value, (bytes, str)) else None


def as_text(value: Any) -> str:
    """Return a name as HDF5 holds it, bytes or text."""
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def _datasets(group: Any, path: Path, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield all datasets; links out of the file or back up the tree are refused."""
    if prefix.count("/") > 50:
        msg = f"{path}: groups nest deeper than 50 levels"
        raise InputError(msg)
    for name in group:
        where = f"{prefix}/{name}"
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            msg = f"{path}: {where} is a link to elsewhere; weights must be in the file itself"
            raise InputError(msg)
        entry = group[name]
        if isinstance(entry, h5py.Group):
            yield from _datasets(entry, path, where)
        elif isinstance(entry, h5py.Dataset):
            yield where, entry
