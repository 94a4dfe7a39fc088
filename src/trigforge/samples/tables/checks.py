"""Hold what a file gave against the shape of a model and the rules of labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.errors import InputError
from trigforge.samples.tables.content import listed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.samples.tables.content import TableContent

MOST_CLASSES = 65_536


def is_number(dtype: np.dtype[Any]) -> bool:
    """Say whether a type is one of real numbers that fit 64 bits."""
    return dtype.kind in "biuf" and dtype.itemsize <= 8


def fits(stored: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    """Say whether an array ``(n, ...)`` holds events of a shape, each in the same order."""
    event = tuple(length for length in stored[1:] if length != 1)
    return bool(stored) and event in (
        tuple(length for length in shape if length != 1),
        tuple(length for length in (math.prod(shape),) if length != 1),
    )


def events_of(x: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return finite numbers ``(n, *shape)``, float64 or integers as they were stored."""
    if not is_number(x.dtype):
        msg = f"the events are {x.dtype}; they must be integers or floats of at most 64 bits"
        raise InputError(msg)
    if not fits(x.shape, shape):
        msg = f"the events are {x.shape}; the model takes {('n', *shape)}".replace("'n'", "n")
        raise InputError(msg)
    if not len(x):
        msg = "it holds no events"
        raise InputError(msg)
    stored_as: dict[str, np.dtype[Any]] = {"f": np.dtype(np.float64), "b": np.dtype(np.uint8)}
    dtype = stored_as.get(x.dtype.kind, x.dtype.newbyteorder("="))
    events: NDArray[Any] = x.astype(dtype, order="C").reshape(len(x), *shape)
    _check_finite(events)
    return events


def _check_finite(events: NDArray[Any]) -> None:
    finite = np.isfinite(events).reshape(len(events), -1)
    if not finite.all():
        event, element = (int(index) for index in np.argwhere(~finite)[0])
        value = events.reshape(len(events), -1)[event, element]
        n_events = int((~finite.all(axis=1)).sum())
        msg = (
            f"event {event}, element {element} is {value}; all must be finite "
            f"({n_events} of {len(events)} events are not)"
        )
        raise InputError(msg)


def labels_of(
    content: TableContent, n_events: int
) -> tuple[NDArray[np.int64] | None, tuple[str, ...]]:
    """Return class indices ``(n,)`` and the names of the classes."""
    if content.y is None:
        return None, content.class_names
    y, names = content.y, content.class_names
    if y.ndim and len(y) != n_events:
        msg = f"there are {n_events} events but {len(y)} labels"
        raise InputError(msg)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 1 and y.dtype.kind in "UO":
        unique, indices = np.unique(y, return_inverse=True)
        names, y = tuple(str(name) for name in unique), indices
    indices = _one_hot(y) if y.ndim == 2 else _indices(y)
    highest = len(names) - 1 if names else MOST_CLASSES - 1
    outside = (indices < 0) | (indices > highest)
    if outside.any() or len(names) > MOST_CLASSES:
        event = int(np.argmax(outside))
        msg = f"the label of event {event} is {indices[event]}; labels are 0 to {highest}"
        raise InputError(msg)
    return indices.astype(np.int64), names


def _indices(y: NDArray[Any]) -> NDArray[Any]:
    """Return labels that are whole numbers, whatever they are stored as."""
    if y.ndim != 1 or not is_number(y.dtype):
        msg = f"the labels are {y.dtype} {y.shape}; they must be class indices (n,) or one-hot"
        raise InputError(msg)
    whole = np.isfinite(y)
    whole &= np.where(whole, y, 0) == np.floor(np.where(whole, y, 0))
    if not whole.all():
        event = int(np.argmin(whole))
        msg = f"the label of event {event} is {y[event]}, no class index (--label '' reads none)"
        raise InputError(msg)
    return y.astype(np.int64) if y.dtype.kind == "b" else y


def _one_hot(y: NDArray[Any]) -> NDArray[Any]:
    """Return the place of the single 1 in each row."""
    if not is_number(y.dtype):
        msg = f"the labels are {y.dtype} {y.shape}; they must be class indices (n,) or one-hot"
        raise InputError(msg)
    right = ((y == 0) | (y == 1)).all(axis=1) & ((y == 1).sum(axis=1) == 1)
    if not right.all():
        event = int(np.argmin(right))
        row = listed([str(value) for value in y[event]], most=8).replace("'", "")
        msg = f"the labels of event {event} are ({row}), not one 1 among 0 (--label '' reads none)"
        raise InputError(msg)
    indices: NDArray[Any] = y.argmax(axis=1)
    return indices
