"""Store a FixedPointGraph: ``FixedPointGraph -> FileSet -> FixedPointGraph``.

``graph.json`` holds the format version, the name and every node with its scalar fields;
``graph.npz`` holds the arrays, each named ``<node>/<field>``. The digest in ``graph.json``
covers both. Formats are written as C++ would declare them.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import MISSING, fields
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias, get_args, get_origin, get_type_hints

import numpy as np

from trigforge.core.errors import InputError, StoreError, unknown_name
from trigforge.core.files import FileSet, digest_of, read_folder, write_folder
from trigforge.core.fixed_point import FixedPointFormat, parse_format
from trigforge.core.graph import NODE_TYPES, FixedPointGraph, Node

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

FORMAT_VERSION = 1
GRAPH_JSON = "graph.json"
GRAPH_NPZ = "graph.npz"

Document: TypeAlias = "dict[str, Any]"
Migration: TypeAlias = "Callable[[Document], Document]"

MIGRATIONS: Mapping[int, Migration] = {}
"""Format version -> how its document is brought to the next version."""

_TYPE, _ARRAY = "type", "array"
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)


def digest(graph: FixedPointGraph) -> str:
    """Return the SHA-256 of everything that decides what a graph computes, and its names."""
    document, arrays = _write(graph)
    return _digest(document, arrays)


def to_files(graph: FixedPointGraph) -> FileSet:
    """Return the files of a graph; equal graphs give equal bytes."""
    document, arrays = _write(graph)
    document["digest"] = _digest(document, arrays)
    text = json.dumps(document, indent=1) + "\n"
    return FileSet({GRAPH_JSON: text, GRAPH_NPZ: _pack(arrays)})


def from_files(files: Mapping[str, bytes], *, where: str = "graph") -> FixedPointGraph:
    """Return the graph that files hold, whatever version wrote them.

    Raises:
        StoreError: if a file is missing or unreadable, if a newer version wrote it, or if
            the content is not what was written.
        InputError: if the content is no graph.
    """
    for name in (GRAPH_JSON, GRAPH_NPZ):
        if name not in files:
            msg = f"{where}: {name} is missing"
            raise StoreError(msg)
    document = _read_json(files[GRAPH_JSON], where)
    version = document.get("format_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        msg = f"{where}: {GRAPH_JSON} has no format_version"
        raise StoreError(msg)
    if version > FORMAT_VERSION:
        msg = (
            f"{where}: format version {version} was written by a newer trigforge; this one reads "
            f"up to {FORMAT_VERSION}"
        )
        raise StoreError(msg)
    arrays = _unpack(files[GRAPH_NPZ], where)
    written = document.pop("digest", None)
    if written != _digest(document, arrays):
        msg = f"{where}: its content is not what was written (digest {str(written)[:12]})"
        raise StoreError(msg)
    for older in range(version, FORMAT_VERSION):
        document = MIGRATIONS[older](document)
    return _read(document, arrays, where)


def save(graph: FixedPointGraph, folder: Path) -> None:
    """Write a graph as a folder, replacing what was there as a whole."""
    write_folder(folder, to_files(graph))


def load(folder: Path) -> FixedPointGraph:
    """Read a graph from a folder.

    Raises:
        StoreError: if it is missing, of a newer version, or not what was written.
        InputError: if the content is no graph.
    """
    return from_files(read_folder(folder), where=str(folder))


def _write(graph: FixedPointGraph) -> tuple[Document, dict[str, NDArray[Any]]]:
    """Return the document without its digest, and the arrays."""
    arrays: dict[str, NDArray[Any]] = {}
    nodes = []
    for node in graph:
        entry: Document = {_TYPE: type(node).__name__}
        for field in fields(node):
            value = getattr(node, field.name)
            if isinstance(value, np.ndarray):
                key = f"{node.name}/{field.name}"
                arrays[key] = np.ascontiguousarray(value, dtype="<i8")
                value = {_ARRAY: key, "shape": list(value.shape)}
            elif isinstance(value, FixedPointFormat):
                value = str(value)
            entry[field.name] = value
        nodes.append(entry)
    document = {"format_version": FORMAT_VERSION, "name": graph.name, "nodes": nodes}
    # Through JSON and back: tuples become lists, as they are when read.
    return json.loads(json.dumps(document)), arrays


def _digest(document: Document, arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the digest of a document and its arrays, however they are packed."""
    parts = [json.dumps(document, sort_keys=True, separators=(",", ":"))]
    content = [(key, str(arrays[key].dtype), str(arrays[key].shape)) for key in sorted(arrays)]
    blocks = [arrays[key].tobytes() for key in sorted(arrays)]
    return digest_of(*parts, *("|".join(entry) for entry in content), *blocks)


def _pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return an npz file whose bytes depend on nothing but the arrays."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for key in sorted(arrays):
            content = io.BytesIO()
            np.lib.format.write_array(content, arrays[key], allow_pickle=False)
            info = zipfile.ZipInfo(f"{key}.npy", date_time=_FIXED_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content.getvalue())
    return stream.getvalue()


def _unpack(content: bytes, where: str) -> dict[str, NDArray[Any]]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        msg = f"{where}: {GRAPH_NPZ} is unreadable: {error}"
        raise StoreError(msg) from error


def _read_json(content: bytes, where: str) -> Document:
    try:
        document = json.loads(content)
    except ValueError as error:
        msg = f"{where}: {GRAPH_JSON} is no JSON: {error}"
        raise StoreError(msg) from error
    if not isinstance(document, dict):
        msg = f"{where}: {GRAPH_JSON} holds no object"
        raise StoreError(msg)
    return document


def _read(document: Document, arrays: Mapping[str, NDArray[Any]], where: str) -> FixedPointGraph:
    name, entries = document.get("name"), document.get("nodes")
    if not isinstance(name, str) or not isinstance(entries, list):
        msg = f"{where}: {GRAPH_JSON} needs a name and a list of nodes"
        raise InputError(msg)
    return FixedPointGraph(
        name=name, nodes=tuple(_read_node(entry, arrays, where) for entry in entries)
    )


def _read_node(entry: Any, arrays: Mapping[str, NDArray[Any]], where: str) -> Node:
    """Return a node; every field must be there unless it has a default, and no other."""
    if not isinstance(entry, dict) or not isinstance(entry.get(_TYPE), str):
        msg = f"{where}: a node without a type"
        raise InputError(msg)
    label = f"{where}, node {entry.get('name')!r}"
    node_type = NODE_TYPES.get(entry[_TYPE])
    if node_type is None:
        msg = f"{label}: " + unknown_name("type of node", entry[_TYPE], NODE_TYPES)
        raise InputError(msg)
    known = {field.name: field for field in fields(node_type)}
    unknown = entry.keys() - known.keys() - {_TYPE}
    absent = {
        key
        for key, field in known.items()
        if key not in entry and field.default is MISSING and field.default_factory is MISSING
    }
    if unknown or absent:
        msg = f"{label}: unknown fields {sorted(unknown)}, missing fields {sorted(absent)}"
        raise InputError(msg)
    hints = _hints(entry[_TYPE])
    values = {
        key: _read_value(value, hints[key], arrays, f"{label}, {key}")
        for key, value in entry.items()
        if key != _TYPE
    }
    return node_type(**values)


@cache
def _hints(kind: str) -> dict[str, Any]:
    """Return the types of the fields of a kind of node, resolved."""
    return get_type_hints(NODE_TYPES[kind])


def _read_value(value: Any, hint: Any, arrays: Mapping[str, NDArray[Any]], label: str) -> Any:
    """Return one field as its annotation wants it.

    Raises:
        InputError: if the value is of another type.
    """
    options = get_args(hint) if type(None) in get_args(hint) else (hint,)
    if value is None and type(None) in options:
        return None
    wanted = next(option for option in options if option is not type(None))
    origin = get_origin(wanted) or wanted
    if origin is np.ndarray:
        return _read_array(value, arrays, label)
    if origin is tuple:
        return _read_tuple(value, wanted, label)
    if wanted is FixedPointFormat and isinstance(value, str):
        return parse_format(value)
    if isinstance(wanted, type) and issubclass(wanted, Enum) and isinstance(value, str):
        known = {member.value: member for member in wanted}
        if value not in known:
            msg = f"{label}: " + unknown_name(wanted.__name__, value, known)
            raise InputError(msg)
        return known[value]
    if type(value) is not wanted:
        msg = f"{label}: {value!r} is no {getattr(wanted, '__name__', wanted)}"
        raise InputError(msg)
    return value


def _read_tuple(value: Any, hint: Any, label: str) -> tuple[Any, ...]:
    kinds = get_args(hint)
    element = kinds[0]
    n_expected = None if kinds[-1] is Ellipsis else len(kinds)
    if (
        not isinstance(value, list)
        or any(type(item) is not element for item in value)
        or n_expected not in {None, len(value)}
    ):
        msg = f"{label}: {value!r} is no list of {n_expected or 'any number of'} {element.__name__}"
        raise InputError(msg)
    return tuple(value)


def _read_array(value: Any, arrays: Mapping[str, NDArray[Any]], label: str) -> NDArray[np.int64]:
    key = value.get(_ARRAY) if isinstance(value, dict) else None
    if not isinstance(key, str) or key not in arrays:
        msg = f"{label}: no array {key!r} in {GRAPH_NPZ}"
        raise InputError(msg)
    array = arrays[key]
    if array.dtype != np.int64 or list(array.shape) != value.get("shape"):
        msg = (
            f"{label}: array {key} is {array.dtype} of shape {list(array.shape)}, not int64 of "
            f"{value.get('shape')}"
        )
        raise InputError(msg)
    return array.copy()
