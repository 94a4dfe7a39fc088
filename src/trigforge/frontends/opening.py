"""Choose the reader of a model file by what it is called, and check what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigforge.core.errors import InputError
from trigforge.frontends import keras_files, onnx_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from trigforge.frontends.model import ImportedModel

KINDS: Mapping[str, str] = {
    ".keras": "Keras 3",
    ".h5": "Keras 2 or 3, architecture and weights in one HDF5 file",
    ".hdf5": "the same",
    ".json": "architecture of Keras 2 or 3; its weights are a .h5 of their own",
    ".onnx": "ONNX or QONNX",
}
MAX_BYTES = 1 << 30
"""Trigger networks have thousands of weights; a file of more is another thing."""


def open_model(path: Path, weights: Path | None = None) -> ImportedModel:
    """Read a trained model; ``weights`` is the HDF5 file that belongs to a ``.json``.

    Raises:
        InputError: if a file is missing, of an unknown kind, corrupt, or holds what is not
            a network of known layers.
    """
    suffix = path.suffix.lower()
    if suffix not in KINDS:
        known = "; ".join(f"{name} ({what})" for name, what in KINDS.items())
        msg = f"{path}: {suffix or 'no ending'} is no kind of model that is read; known: {known}"
        raise InputError(msg)
    for file in (path, weights):
        if file is not None:
            _check_file(file)
    if suffix == ".json":
        if weights is None:
            msg = f"{path} holds the architecture alone; name its weights (--weights FILE.h5)"
            raise InputError(msg)
        return keras_files.read_json(path, weights)
    if weights is not None:
        msg = f"{weights}: a {suffix} file has its weights inside; leave --weights out"
        raise InputError(msg)
    return READERS[suffix](path)


READERS: Mapping[str, Callable[[Path], ImportedModel]] = {
    ".keras": keras_files.read_archive,
    ".h5": keras_files.read_hdf5,
    ".hdf5": keras_files.read_hdf5,
    ".onnx": onnx_files.read,
}


def _check_file(path: Path) -> None:
    if not path.is_file():
        msg = f"{path}: {'is a folder' if path.is_dir() else 'there is no such file'}"
        raise InputError(msg)
    size = path.stat().st_size
    if size == 0:
        msg = f"{path} is empty"
        raise InputError(msg)
    if size > MAX_BYTES:
        msg = f"{path}: {size} bytes are above {MAX_BYTES}; a trigger network is smaller"
        raise InputError(msg)
