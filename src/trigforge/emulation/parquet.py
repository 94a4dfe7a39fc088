"""Read inputs from Parquet and write scores, never more than a batch of inputs in memory."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trigforge.core.errors import InputError
from trigforge.emulation.columns import Columns
from trigforge.samples.tables.content import known_name, listed, refusing

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from trigforge.emulation.scorer import Scorer

BATCH_EVENTS = 1 << 18
"""Events of inputs in memory at a time."""
BUFFER_BYTES = 1 << 20
"""Of a column in memory before it is decoded: a row group may be larger than memory."""
_LIMITS = {"thrift_string_size_limit": 2**26, "thrift_container_size_limit": 10**6}
"""Of what a footer may announce."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Footer:
    """What a file says of itself, and which state of it said so."""

    schema: pa.Schema
    rows: tuple[int, ...]
    """Of each row group."""
    size_bytes: int
    modified_ns: int


def read_footer(path: Path) -> Footer:
    """Read what columns and row groups a file has.

    Raises:
        InputError: if it is none of Parquet.
    """
    with refusing(path):
        state = path.stat()
        metadata = _metadata(path, state.st_size, state.st_mtime_ns)
        rows = tuple(metadata.row_group(index).num_rows for index in range(metadata.num_row_groups))
        if min(rows, default=0) < 0 or sum(rows) != metadata.num_rows:
            msg = f"its row groups hold {sum(rows)} rows, its footer says {metadata.num_rows}"
            raise InputError(msg)
        with _opened(path, metadata) as file:
            schema = file.schema_arrow
        if len(set(schema.names)) != len(schema.names):
            msg = f"a column occurs twice in {listed(schema.names)}"
            raise InputError(msg)
        return Footer(
            schema=schema, rows=rows, size_bytes=state.st_size, modified_ns=state.st_mtime_ns
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFile:
    """A file of events that is being read."""

    path: Path
    file: pq.ParquetFile

    @property
    def schema(self) -> pa.Schema:
        """Its columns."""
        return self.file.schema_arrow

    def batches(
        self, row_groups: Sequence[int], columns: Sequence[str], n_rows: int
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of row groups, a batch at a time; a batch may reach over their ends.

        Raises:
            InputError: if they cannot be read, or are not ``n_rows``.
        """
        n_read = 0
        with refusing(self.path):
            batches = self.file.iter_batches(
                BATCH_EVENTS, row_groups=list(row_groups), columns=list(columns), use_threads=False
            )
        while True:
            with refusing(self.path):
                batch = next(batches, None)
                if batch is None:
                    break
                batch.validate()
                n_read += len(batch)
            yield batch
        if n_read != n_rows:
            msg = f"{self.path}: the footer says {n_rows} rows where {n_read} could be read"
            raise InputError(msg)


@contextmanager
def opened(path: Path, size_bytes: int, modified_ns: int) -> Iterator[OpenFile]:
    """Yield a file of events for reading, of which no more than a batch is in memory.

    Raises:
        InputError: if it cannot be opened, or is another one before or after it was read.
    """
    _check_unchanged(path, size_bytes, modified_ns)
    with refusing(path):
        file = _opened(path, _metadata(path, size_bytes, modified_ns))
    with file:
        yield OpenFile(path=path, file=file)
    _check_unchanged(path, size_bytes, modified_ns)


def _check_unchanged(path: Path, size_bytes: int, modified_ns: int) -> None:
    with refusing(path):
        state = path.stat()
    if (state.st_size, state.st_mtime_ns) != (size_bytes, modified_ns):
        msg = f"{path} was changed since the campaign began; run again"
        raise InputError(msg)


def choose_columns(schema: pa.Schema, scorer: Scorer, wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the columns that hold the inputs: one for each, or a single one of lists.

    ``wanted`` names them; otherwise they are called as the inputs, or there is one of lists.

    Raises:
        InputError: if they are not there, or not of numbers.
    """
    names, n_elements = tuple(wanted or scorer.input_names), scorer.input.n_elements
    lists = [field.name for field in schema if _is_list(field.type, n_elements)]
    if wanted:
        for name in names:
            known_name("column", name, schema.names)
        if len(names) == 1 and names[0] in lists:
            return names
    elif not names or not set(names) <= set(schema.names):
        if len(lists) == 1:
            return (lists[0],)
        raise InputError(_not_found(schema, scorer, lists))
    if len(names) != n_elements:
        msg = f"{len(names)} columns are named, but {scorer.name} takes {n_elements} numbers"
        raise InputError(msg)
    for name in names:
        if not _is_number(schema.field(name).type):
            msg = f"column {name!r} is of type {schema.field(name).type}; inputs are numbers"
            raise InputError(msg)
    return names


def _not_found(schema: pa.Schema, scorer: Scorer, lists: Sequence[str]) -> str:
    """Say why no inputs were found."""
    if lists:
        return f"the inputs may be any of the lists {listed(lists)}; name one with --columns"
    there = listed(schema.names) or "nothing"
    missing = [name for name in scorer.input_names if name not in schema.names]
    wanted = f"column {listed(missing, most=4)}" if missing else "column of lists"
    return (
        f"there is no {wanted}; there is {there}. Inputs are columns named as those of "
        f"{scorer.name}, or one of lists of {scorer.input.n_elements}; --columns names others"
    )


def check_kept(schema: pa.Schema, keep: Sequence[str]) -> None:
    """Refuse to copy a column that is not there.

    Raises:
        InputError: naming it.
    """
    for name in keep:
        known_name("column", name, schema.names)


def columns_of(batch: pa.RecordBatch, names: Sequence[str], scorer: Scorer, first: int) -> Columns:
    """Return the inputs of a batch; its first row is row ``first`` of the file.

    Raises:
        InputError: if a value is missing, or a list is of another length.
    """
    if len(names) == 1 and not _is_number(batch.schema.field(names[0]).type):
        flat = _elements(batch.column(names[0]), scorer.input.n_elements, names[0], first)
        return Columns(names=scorer.element_names, arrays=tuple(flat.T), first=first)
    arrays = tuple(_numbers(batch.column(name), name, first) for name in names)
    return Columns(names=names, arrays=arrays, first=first)


def _numbers(array: pa.Array, name: str, first: int) -> NDArray[Any]:
    if array.null_count:
        row = first + pc.index(pc.is_null(array), value=True).as_py()
        msg = f"column {name!r}: row {row} is null; every value must be there"
        raise InputError(msg)
    return np.asarray(array.to_numpy(zero_copy_only=False))


def _elements(array: pa.Array, n_elements: int, name: str, first: int) -> NDArray[Any]:
    """Return the numbers of lists, ``(n_events, n_elements)``; lists of lists are flattened."""
    n_events = len(array)
    array.validate(full=True)
    while not _is_number(array.type):
        lengths = pc.list_value_length(array)
        shortest = pc.min_max(lengths)
        if array.null_count or shortest["min"] != shortest["max"]:
            msg = f"column {name!r}: rows from {first} on hold lists that are missing or of "
            msg += f"{shortest['min']} to {shortest['max']} values; all must hold as many"
            raise InputError(msg)
        array = array.flatten()
    if array.null_count or len(array) != n_events * n_elements:
        held = "a null" if array.null_count else f"{len(array) / n_events:g} numbers each"
        msg = f"column {name!r}: rows from {first} on hold {held}; {n_elements} numbers are needed"
        raise InputError(msg)
    numbers: NDArray[Any] = array.to_numpy(zero_copy_only=False).reshape(n_events, n_elements)
    return numbers


@lru_cache(maxsize=4)
def _metadata(path: Path, size_bytes: int, modified_ns: int) -> pq.FileMetaData:
    """Return the footer of a file in one of its states; it is long where row groups are many."""
    del size_bytes, modified_ns
    with pq.ParquetFile(path, **_LIMITS) as file:
        return file.metadata


def _opened(path: Path, metadata: pq.FileMetaData) -> pq.ParquetFile:
    return pq.ParquetFile(
        path,
        metadata=metadata,
        buffer_size=BUFFER_BYTES,
        pre_buffer=False,
        page_checksum_verification=True,
        arrow_extensions_enabled=False,
        **_LIMITS,
    )


def _is_number(found: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(found) or pa.types.is_floating(found) or pa.types.is_boolean(found)
    )


def _is_list(found: pa.DataType, n_elements: int) -> bool:
    """Say whether a type may be that of lists, or of lists of lists, of so many numbers."""
    inner, n_held, known = found, 1, True
    while not _is_number(inner):
        if pa.types.is_fixed_size_list(inner):
            n_held *= inner.list_size
        elif pa.types.is_list(inner) or pa.types.is_large_list(inner):
            known = False
        else:
            return False
        inner = inner.value_type
    return inner is not found and (n_held == n_elements or not known)
