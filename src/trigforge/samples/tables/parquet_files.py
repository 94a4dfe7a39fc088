"""Read Parquet files: columns of numbers, lists of one length, and labels.

Only plain types are taken; extension types, which may name classes of Python, stay what
they are stored as.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trigforge.core.errors import InputError
from trigforge.samples.tables.content import (
    Selection,
    TableContent,
    check_believable,
    feature_names,
    label_name,
    n_bytes_of,
    stacked,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

BATCH_EVENTS = 65_536
LONGEST_STRING_BYTES = 2**26
MOST_THRIFT_ELEMENTS = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Where an array stands in a file: its column and the first of its rows."""

    column: str
    first: int


def read(path: Path, shape: tuple[int, ...], selection: Selection) -> TableContent:
    """Read columns as features, one column of lists as events.

    Raises:
        InputError: naming column and row of a null, or of a list of another length.
    """
    if selection.tree:
        msg = f"a Parquet file has no trees, so no {selection.tree!r}"
        raise InputError(msg)
    with path.open("rb") as stream:
        file = pq.ParquetFile(
            stream,
            memory_map=False,
            pre_buffer=False,
            thrift_string_size_limit=LONGEST_STRING_BYTES,
            thrift_container_size_limit=MOST_THRIFT_ELEMENTS,
            page_checksum_verification=True,
            arrow_extensions_enabled=False,
        )
        names = tuple(file.schema_arrow.names)
        label = label_name(names, selection)
        features = feature_names(names, label, selection)
        wanted = list(dict.fromkeys((*features, label) if label else features))
        for name in wanted:
            _check_type(name, file.schema_arrow.field(name).type, is_label=name == label)
        # Metadata of columns are not asked for: in pyarrow 26.0.1 corrupt ones end the process.
        n_rows = file.metadata.num_rows
        n_bytes, file_bytes = n_bytes_of((n_rows, *shape), 8), os.fstat(stream.fileno()).st_size
        check_believable(n_bytes, file_bytes, f"the footer ({n_rows} rows)")
        columns = _columns(file, wanted, selection)
    return TableContent(
        x=stacked({name: columns[name] for name in features}),
        y=columns[label] if label else None,
        feature_names=features if len(features) > 1 else (),
    )


def _check_type(name: str, found: pa.DataType, *, is_label: bool) -> None:
    """Refuse a column of anything but numbers, lists of numbers, and names as labels."""
    inner = found
    while pa.types.is_list(inner) or pa.types.is_large_list(inner) or _is_fixed_list(inner):
        inner = inner.value_type
    if _is_number(inner) or (is_label and inner is found and _is_name(inner)):
        return
    msg = f"column {name!r} is of type {found}; features are numbers or lists of numbers"
    raise InputError(msg)


def _is_number(found: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(found) or pa.types.is_floating(found) or pa.types.is_boolean(found)
    )


def _is_name(found: pa.DataType) -> bool:
    inner = found.value_type if pa.types.is_dictionary(found) else found
    return bool(pa.types.is_string(inner) or pa.types.is_large_string(inner))


def _is_fixed_list(found: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_list(found))


def _columns(
    file: pq.ParquetFile, names: list[str], selection: Selection
) -> dict[str, NDArray[Any]]:
    """Return the first events of columns, read a batch at a time."""
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in names}
    n_read, n_events = 0, selection.first(file.metadata.num_rows)
    for batch in file.iter_batches(BATCH_EVENTS, columns=names, use_threads=False):
        if n_read >= n_events:
            break
        kept = batch.slice(0, n_events - n_read)
        for name in names:
            rows = Rows(column=name, first=n_read)
            parts[name].append(_array(kept.column(kept.schema.names.index(name)), rows))
        n_read += len(kept)
    if n_read != n_events:
        msg = f"its footer says {n_events} rows, but {n_read} could be read"
        raise InputError(msg)
    if not n_read:
        msg = "it holds no events"
        raise InputError(msg)
    return {name: _joined(name, arrays) for name, arrays in parts.items()}


def _joined(name: str, arrays: list[NDArray[Any]]) -> NDArray[Any]:
    """Return the batches of a column as one array."""
    n_read = 0
    for array in arrays:
        if array.shape[1:] != arrays[0].shape[1:]:
            msg = f"column {name!r}: row {n_read} is {array.shape[1:]}, row 0 {arrays[0].shape[1:]}"
            raise InputError(msg)
        n_read += len(array)
    return np.concatenate(arrays)


def _array(array: pa.Array, rows: Rows) -> NDArray[Any]:
    """Return a column of numbers ``(n,)``, of lists ``(n, length, ...)``, or of names."""
    array.validate(full=True)
    if array.null_count:
        row = rows.first + pc.index(pc.is_null(array), value=True).as_py()
        msg = f"column {rows.column!r}: row {row} is null; every value must be there"
        raise InputError(msg)
    if pa.types.is_dictionary(array.type):
        return np.asarray(array.dictionary_decode().to_numpy(zero_copy_only=False), dtype=object)
    if _is_number(array.type) or _is_name(array.type):
        return np.asarray(array.to_numpy(zero_copy_only=False))
    length = _length_of_lists(array, rows)
    flat = array.flatten()
    _check_lists_filled(flat, length, rows)
    inner = _array(flat, Rows(column=rows.column, first=rows.first))
    return inner.reshape(len(array), length, *inner.shape[1:])


def _length_of_lists(array: pa.Array, rows: Rows) -> int:
    """Return the one length of the lists of a column."""
    lengths = pc.list_value_length(array).to_numpy(zero_copy_only=False)
    differing = np.flatnonzero(lengths != lengths[0])
    if len(differing):
        row = int(differing[0])
        msg = (
            f"column {rows.column!r}: row {rows.first + row} holds {lengths[row]} values, "
            f"row {rows.first} {lengths[0]}; all must hold as many"
        )
        raise InputError(msg)
    return int(lengths[0])


def _check_lists_filled(flat: pa.Array, length: int, rows: Rows) -> None:
    """Refuse a null inside a list, by the row of the list."""
    if flat.null_count:
        index = pc.index(pc.is_null(flat), value=True).as_py()
        msg = (
            f"column {rows.column!r}: row {rows.first + index // length} has a null at place "
            f"{index % length}; every value must be there"
        )
        raise InputError(msg)
