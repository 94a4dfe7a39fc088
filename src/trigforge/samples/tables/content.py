"""What a file of events may be, what was found in it, and how it is refused."""

from __future__ import annotations

import math
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigforge.core.errors import InputError
from trigforge.core.records import freeze_arrays

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

LABEL_NAMES = ("y", "Y", "label", "labels", "target", "targets", "class")
"""What labels are called where the user does not say."""
LARGEST_BYTES = 2**34
"""Arrays above 16 GiB are not a sample to profile on: take a part of it."""
ALWAYS_BELIEVED_BYTES = 2**28
LARGEST_COMPRESSION = 4096
"""Above 256 MiB, a file that promises more than this many times its size is not believed."""
LONGEST_REASON = 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which part of a file is wanted.

    ``columns`` are columns of Parquet, branches of ROOT, or the one array of an ``.npz``;
    none named: all but the labels. ``label`` names the labels; None: whatever is there
    under one of ``LABEL_NAMES``; empty: none. ``tree`` names the tree of a ROOT file.
    ``max_events`` takes the first events only.
    """

    columns: tuple[str, ...] = ()
    label: str | None = None
    tree: str | None = None
    max_events: int | None = None

    def __post_init__(self) -> None:
        if self.max_events is not None and self.max_events < 1:
            msg = f"max_events is {self.max_events}; at least one event is needed"
            raise InputError(msg)

    def first(self, n_events: int) -> int:
        """Return how many of the events of a file are wanted."""
        return n_events if self.max_events is None else min(n_events, self.max_events)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableContent:
    """What a file holds, before it is held against a model: one row an event in each."""

    x: NDArray[Any]
    y: NDArray[Any] | None
    class_names: tuple[str, ...] = ()
    feature_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTable:
    """Events for a model, with labels if there are any.

    ``x`` is ``(n_events, *shape)``, float64 or the integers of the file; all finite.
    ``y`` holds class indices, int64 ``(n_events,)``. ``source`` is the file.
    """

    x: NDArray[Any]
    y: NDArray[np.int64] | None
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...]
    source: str

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def n_classes(self) -> int:
        """Classes that are named or occur; 0 without labels."""
        highest = -1 if self.y is None else int(self.y.max())
        return max(len(self.class_names), highest + 1)


@contextmanager
def refusing(path: Path) -> Iterator[None]:
    """Turn whatever a library says of a corrupt file into one line that names the file.

    Warnings of the libraries are dropped: a file is taken as a whole or refused.

    Raises:
        InputError: in place of every error of the block.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except InputError as error:
        msg = one_line(f"{path}: {error}", limit=None)
        raise InputError(msg) from error
    except MemoryError as error:
        msg = one_line(f"{path} announces more than memory holds; take fewer events", limit=None)
        raise InputError(msg) from error
    except Exception as error:  # parsers of foreign bytes raise whatever they like
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        suffix = path.suffix or "data"
        msg = f"{one_line(str(path), limit=None)} is no {suffix} file that can be read"
        msg = f"{msg}: {one_line(reason)}"
        raise InputError(msg) from error


def one_line(text: str, limit: int | None = LONGEST_REASON) -> str:
    """Return a text without line breaks and control characters, cut at a length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if limit is None or len(line) <= limit else f"{line[:limit]}..."


def check_believable(n_bytes: int, file_bytes: int, what: str) -> None:
    """Refuse a size that a header announces and no real file of that length would hold.

    Raises:
        InputError: above ``LARGEST_BYTES``, or if the file is far too short for it.
    """
    compressed = max(ALWAYS_BELIEVED_BYTES, LARGEST_COMPRESSION * file_bytes)
    allowed = min(LARGEST_BYTES, compressed)
    if not 0 <= n_bytes <= allowed:
        msg = (
            f"{what} announces {n_bytes} bytes in a file of {file_bytes}; at most {allowed} "
            "are read"
        )
        raise InputError(msg)


def label_name(names: Sequence[str], selection: Selection) -> str | None:
    """Return the column that holds the labels, or None.

    Raises:
        InputError: if the one named is not there, or several could be meant.
    """
    if selection.label is not None:
        return known_name("label column", selection.label, names) if selection.label else None
    found = [name for name in names if name in LABEL_NAMES and name not in selection.columns]
    if len(found) > 1:
        msg = f"labels may be {listed(found)}; name one with --label (or '' for none)"
        raise InputError(msg)
    return found[0] if found else None


def feature_names(names: Sequence[str], label: str | None, selection: Selection) -> tuple[str, ...]:
    """Return the columns of features: those that were named, or all but the labels.

    Raises:
        InputError: if one named is not there, or none is left.
    """
    for name in selection.columns:
        known_name("column", name, names)
    found = selection.columns or tuple(name for name in names if name != label)
    if not found:
        msg = f"it has no columns of features, only {listed(names) or 'nothing'}"
        raise InputError(msg)
    if len(set(found)) != len(found) or len(set(names)) != len(names):
        msg = f"a column occurs twice in {listed(found if selection.columns else names)}"
        raise InputError(msg)
    return found


def known_name(what: str, name: str, names: Sequence[str]) -> str:
    """Return a name that is one of the names.

    Raises:
        InputError: listing them, if it is not.
    """
    if name not in names:
        msg = f"there is no {what} {name!r}; there is {listed(names) or 'nothing'}"
        raise InputError(msg)
    return name


def listed(names: Sequence[str], most: int = 20) -> str:
    """Return names in one line, so many of them that it can be read."""
    shown = ", ".join(repr(name) for name in names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def stacked(columns: dict[str, NDArray[Any]]) -> NDArray[Any]:
    """Return columns of numbers side by side ``(n, n_columns)``; a single one as it is.

    Raises:
        InputError: if columns of lists stand beside others, or integers would be rounded.
    """
    if len(columns) == 1:
        return next(iter(columns.values()))
    columns = {
        name: array[:, 0] if array.shape[1:] == (1,) else array for name, array in columns.items()
    }
    shaped = [f"{name} {array.shape[1:]}" for name, array in columns.items() if array.ndim != 1]
    if shaped:
        msg = f"lists cannot stand beside other columns: {listed(shaped)}; name one with --columns"
        raise InputError(msg)
    common = np.result_type(*columns.values())
    for name, array in columns.items():
        if common.kind == "f" and array.dtype.kind in "iu" and beyond_float64(array):
            msg = f"column {name!r} holds integers above 2^53 that cannot stand beside the others"
            raise InputError(msg)
    return np.stack([array.astype(common, copy=False) for array in columns.values()], axis=1)


def beyond_float64(integers: NDArray[Any]) -> bool:
    """Say whether there are integers of more than 53 bits."""
    return bool(len(integers)) and max(abs(int(integers.min())), int(integers.max())) > 2**53


def n_bytes_of(shape: tuple[int, ...], item_bytes: int) -> int:
    """Return the size of an array in Python's integers, which do not overflow."""
    return math.prod(shape) * item_bytes
