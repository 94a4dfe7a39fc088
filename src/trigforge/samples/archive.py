"""Samples on disk: one ``.npz`` file, checked when it is read.

``Sample <-> path``. The file holds four arrays and a JSON header, and a fifth array if more is
known of the held-out events than their examples say; the same sample always gives the same
bytes, and nothing in it is executed when it is read.
"""

from __future__ import annotations

import hashlib
import io
import json
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.errors import InputError, TrigforgeError
from trigforge.core.files import write_file
from trigforge.core.records import Sample

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
VARIABLES = "variables_test"
HEADER = "header"
FORMAT = "trigforge sample 1"
_UNREADABLE = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    EOFError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
)


def save(sample: Sample, path: Path) -> None:
    """Write a sample, the whole of it or nothing.

    Raises:
        StoreError: if the disk is full or the folder cannot be written.
    """
    arrays: dict[str, NDArray[Any]] = {name: getattr(sample, name) for name in ARRAYS}
    names = {}
    if sample.variables_test is not None:
        arrays[VARIABLES] = sample.variables_test
        names = {"variable_names": sample.variable_names}
    header = {
        **names,
        "format": FORMAT,
        "kind": sample.kind,
        "digest": sample.digest,
        "feature_names": sample.feature_names,
        "class_names": sample.class_names,
        "provenance": sample.provenance,
        "arrays_sha256": arrays_digest(arrays),
    }
    arrays[HEADER] = np.frombuffer(json.dumps(header, sort_keys=True).encode(), np.uint8)
    write_file(path, _packed(arrays))


def load(path: Path) -> Sample:
    """Read and check a sample.

    Raises:
        InputError: if the file is missing, cut off, changed, or not one of ``save``.
    """
    try:
        header, arrays = _read(path)
        _check(header, arrays)
        return Sample(
            kind=str(header["kind"]),
            digest=str(header["digest"]),
            feature_names=tuple(header["feature_names"]),
            class_names=tuple(header["class_names"]),
            provenance=str(header["provenance"]),
            variable_names=tuple(header.get("variable_names", ())),
            x_train=arrays["x_train"],
            y_train=arrays["y_train"],
            x_test=arrays["x_test"],
            y_test=arrays["y_test"],
            variables_test=arrays.get(VARIABLES),
        )
    except (*_UNREADABLE, TrigforgeError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        msg = f"{path} is not a sample file that can be trusted: {reason}; make it again"
        raise InputError(msg) from error


def arrays_digest(arrays: dict[str, NDArray[Any]]) -> str:
    """Return one SHA-256 over names, types, shapes and values of the arrays."""
    total = hashlib.sha256()
    for name in (name for name in (*ARRAYS, VARIABLES) if name in arrays):
        array = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        total.update(array.data)
    return total.hexdigest()


def _packed(arrays: dict[str, NDArray[Any]]) -> bytes:
    """Return an ``.npz`` archive; its members carry no time of writing."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
    return buffer.getvalue()


def _read(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        found = set(archive.files)
        if found - {VARIABLES} != {HEADER, *ARRAYS}:
            msg = f"it holds {', '.join(archive.files)} instead of {', '.join((HEADER, *ARRAYS))}"
            raise InputError(msg)
        header = json.loads(archive[HEADER].tobytes())
        return header, {name: archive[name] for name in found - {HEADER}}


def _check(header: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
    if header["format"] != FORMAT:
        msg = f"its format is {header['format']!r}, not {FORMAT!r}"
        raise InputError(msg)
    if arrays_digest(arrays) != header["arrays_sha256"]:
        msg = "its arrays are not those that were written"
        raise InputError(msg)
    for side in ("train", "test"):
        _check_side(header, arrays[f"x_{side}"], arrays[f"y_{side}"], side)
    variables = arrays.get(VARIABLES)
    if variables is not None and variables.dtype != np.float32:
        msg = f"{VARIABLES} is {variables.dtype}, not float32"
        raise InputError(msg)


def _check_side(header: dict[str, Any], x: NDArray[Any], y: NDArray[Any], side: str) -> None:
    n_classes = len(header["class_names"])
    if y.dtype != np.int64 or y.ndim != 1 or ((y < 0) | (y >= n_classes)).any():
        msg = f"y_{side} must be int64 labels from 0 to {n_classes - 1}"
    elif x.ndim == 2 and (
        x.dtype not in (np.float32, np.int16) or x.shape[1] != len(header["feature_names"])
    ):
        msg = f"x_{side} is {x.dtype} {x.shape}; features are float32 or int16, one column a name"
    elif x.ndim != 2 and (x.ndim != 4 or x.shape[3] != 1 or x.dtype not in (np.uint8, np.uint16)):
        msg = f"x_{side} is {x.dtype} {x.shape}; images are uint8 or uint16 (n, height, width, 1)"
    else:
        return
    raise InputError(msg)
