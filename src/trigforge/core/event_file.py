"""Files of many events, read and written piece by piece: NumPy's ``.npy``.

An array ``(n_events, ...)`` is mapped, not loaded, so that files larger than memory can be
read; results appear under their name only when they are complete.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.errors import InputError
from trigforge.core.files import refusing_os_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import DTypeLike, NDArray


def open_events(path: Path, n_elements: int) -> NDArray[Any]:
    """Map the events of a ``.npy`` file, ``(n_events, n_elements)`` after flattening.

    Raises:
        InputError: if the file is missing, no plain array of numbers, truncated, empty, or
            its events have another number of elements.
    """
    try:
        events = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        msg = f"{path} is no .npy file of events: {error}"
        raise InputError(msg) from error
    if not isinstance(events, np.ndarray) or events.dtype.kind not in "iuf" or events.ndim < 2:
        found = f"{events.dtype} {events.shape}" if isinstance(events, np.ndarray) else "an archive"
        msg = f"{path} holds {found}; expected integers or floats, (n_events, {n_elements})"
        raise InputError(msg)
    if len(events) == 0 or events[0].size != n_elements:
        msg = f"{path} holds {events.shape}; an event here has {n_elements} elements"
        raise InputError(msg)
    return np.asarray(events.reshape(len(events), n_elements))


@contextmanager
def writing_events(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> Iterator[NDArray[Any]]:
    """Yield a mapped array that becomes a ``.npy`` file when the block ends well.

    Raises:
        StoreError: if the disk is full or the folder cannot be written.
    """
    with refusing_os_errors(f"writing {path}"):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        temporary = Path(name)
        try:
            array = np.lib.format.open_memmap(temporary, mode="w+", dtype=dtype, shape=shape)
            # A mapped file on a full disk ends in a signal, not an error: claim the room first.
            with temporary.open("r+b") as stream:
                os.posix_fallocate(stream.fileno(), 0, temporary.stat().st_size)
            yield array
            array.flush()
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
