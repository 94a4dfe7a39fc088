"""Files of many events, read and written piece by piece: NumPy's ``.npy``.

No more than a piece is in memory, so that files larger than it can be worked through;
results appear under their name only when they are complete.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.errors import InputError, StoreError
from trigforge.core.files import refusing_os_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import DTypeLike, NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFile:
    """Events in a file: ``n_events`` of ``n_elements`` numbers each."""

    path: Path
    n_events: int
    n_elements: int
    dtype: np.dtype[Any]
    offset_bytes: int

    def read(self, first: int, n_wanted: int) -> NDArray[Any]:
        """Return some events, ``(n, n_elements)``; fewer than wanted at the end.

        Raises:
            InputError: if the file has become shorter than it was.
        """
        n_read = min(n_wanted, self.n_events - first)
        n_bytes_an_event = self.n_elements * self.dtype.itemsize
        numbers = np.fromfile(
            self.path,
            dtype=self.dtype,
            count=n_read * self.n_elements,
            offset=self.offset_bytes + first * n_bytes_an_event,
        )
        if len(numbers) != n_read * self.n_elements:
            msg = f"{self.path} was cut short while it was read"
            raise InputError(msg)
        return numbers.reshape(n_read, self.n_elements)


def open_events(path: Path, n_elements: int) -> EventFile:
    """Open a ``.npy`` file of events ``(n_events, ...)`` of ``n_elements`` numbers each.

    Raises:
        InputError: if the file is missing, no plain array of numbers in C order, truncated,
            empty, or its events have another number of elements.
    """
    try:
        events = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        msg = f"{path} is no .npy file of events: {error}"
        raise InputError(msg) from error
    if not isinstance(events, np.memmap) or events.dtype.kind not in "iuf" or events.ndim < 2:
        found = f"{events.dtype} {events.shape}" if isinstance(events, np.ndarray) else "an archive"
        msg = f"{path} holds {found}; expected integers or floats, (n_events, {n_elements})"
        raise InputError(msg)
    if len(events) == 0 or events[0].size != n_elements:
        msg = f"{path} holds {events.shape}; an event here has {n_elements} elements"
        raise InputError(msg)
    if not events.flags.c_contiguous:
        msg = f"{path} is in Fortran order; write it in C order (numpy.ascontiguousarray)"
        raise InputError(msg)
    return EventFile(
        path=path,
        n_events=len(events),
        n_elements=n_elements,
        dtype=events.dtype,
        offset_bytes=int(events.offset),
    )


@contextmanager
def writing_events(
    path: Path, shape: tuple[int, int], dtype: DTypeLike
) -> Iterator[Callable[[NDArray[Any]], None]]:
    """Yield a function that appends events ``(n, n_elements)`` to a new ``.npy`` file.

    The file appears when the block ends well and ``shape`` is filled.

    Raises:
        StoreError: if the disk is full, the folder cannot be written, or the events
            appended are not as many as ``shape`` says.
    """
    expected = np.dtype(dtype)
    n_written = 0
    with refusing_os_errors(f"writing {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                header = {"descr": expected.str, "fortran_order": False, "shape": shape}
                np.lib.format.write_array_header_2_0(stream, header)

                def append(events: NDArray[Any]) -> None:
                    nonlocal n_written
                    stream.write(np.ascontiguousarray(events, dtype=expected).data)
                    n_written += len(events)

                yield append
            if n_written != shape[0]:
                msg = f"{path}: {n_written} events were written, not {shape[0]}"
                raise StoreError(msg)
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
