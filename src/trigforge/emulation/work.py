"""Score a chunk where it is sent: ``Chunk -> Scored``, and a file of scores."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trigforge.emulation import counting, parquet
from trigforge.emulation.counting import Counts
from trigforge.emulation.results import Results
from trigforge.emulation.scorer import Scorer
from trigforge.physics import Discriminant

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from trigforge.emulation.chunks import Chunk
    from trigforge.emulation.parquet import OpenFile

LARGEST_ROW_GROUP = 1 << 20
"""Rows of scores in memory at a time; a row group above it becomes several."""
_NONE: Counts = {}
CODEC = "snappy"
"""Of kept columns; packed differences of raw scores it neither shrinks nor slows down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What came of a chunk: its counts, and the digest of its file."""

    counts: Counts
    digest: str
    found: bool
    """It was done before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How chunks are scored: a function that is sent to workers."""

    scorer: Scorer
    counted: tuple[Discriminant, ...]
    """Outputs and what is made of them."""
    keep: tuple[str, ...]
    results: Results

    def __call__(self, chunk: Chunk) -> Scored:
        """Score the events of a chunk, unless that was done before.

        Raises:
            InputError: if the file was changed or cannot be read, or holds what cannot be on
                the link.
            StoreError: if results cannot be written.
        """
        digest = self.results.find(chunk)
        if digest is not None:
            return Scored(counts=self._counts_of(chunk), digest=digest, found=True)
        write = self._write_scores if self.results.scores else self._write_counts
        counts, digest = self.results.add(chunk, lambda path: write(chunk, path))
        return Scored(counts=counts, digest=digest, found=False)

    def _write_scores(self, chunk: Chunk, path: Path) -> Counts:
        """Write scores and kept columns in the row groups of the input; return the counts."""
        counts = _NONE

        def scored(events: OpenFile, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
            nonlocal counts
            for batch, columns in self._scores(chunk, events):
                counts = counting.added(counts, self._counted(columns))
                kept = (batch.column(name) for name in self.keep)
                yield pa.record_batch([*columns, *kept], schema=schema)

        with (
            parquet.opened(chunk.path, chunk.size_bytes, chunk.modified_ns) as events,
            pq.ParquetWriter(
                path,
                schema := self._schema(chunk, events.schema),
                compression=CODEC,
                use_dictionary=list(self.keep),
                column_encoding=dict.fromkeys(self.scorer.output_names, "DELTA_BINARY_PACKED"),
            ) as writer,
        ):
            for table in _in_row_groups(scored(events, schema), chunk.rows):
                writer.write_table(table, row_group_size=len(table))
        return counts

    def _write_counts(self, chunk: Chunk, path: Path) -> Counts:
        """Write the counts alone."""
        counts = _NONE
        with parquet.opened(chunk.path, chunk.size_bytes, chunk.modified_ns) as events:
            for _, columns in self._scores(chunk, events):
                counts = counting.added(counts, self._counted(columns))
        pq.write_table(counting.to_table(counts), path, compression=CODEC)
        return counts

    def _scores(
        self, chunk: Chunk, events: OpenFile
    ) -> Iterator[tuple[pa.RecordBatch, NDArray[Any]]]:
        """Yield batches of events and their scores, ``(n_outputs, n_events)``."""
        wanted = tuple(dict.fromkeys((*chunk.columns, *self.keep)))
        first, last = chunk.row_groups
        row = chunk.first_row
        for batch in events.batches(range(first, last + 1), wanted, chunk.n_events):
            columns = parquet.columns_of(batch, chunk.columns, self.scorer, row)
            yield batch, np.ascontiguousarray(self.scorer.score(columns).T)
            row += len(batch)

    def _counted(self, columns: NDArray[Any]) -> Counts:
        return counting.count_columns(columns.astype(np.int64, copy=False), self.counted)

    def _counts_of(self, chunk: Chunk) -> Counts:
        """Return the counts of a result that is there."""
        path, counts = self.results.path_of(chunk), _NONE
        if not self.results.scores:
            return counting.of_table(pq.read_table(path), self.counted)
        names = list(self.scorer.output_names)
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(parquet.BATCH_EVENTS, columns=names, use_threads=False):
                columns = np.stack([batch.column(name).to_numpy() for name in names])
                counts = counting.added(counts, self._counted(columns))
        return counts

    def _schema(self, chunk: Chunk, events: pa.Schema) -> pa.Schema:
        """Return the columns of a result, and what a reader of it should know."""
        scorer = self.scorer
        about = {
            "network": scorer.name,
            "graph": scorer.graph,
            "score_format": str(scorer.output.format),
            "input": str(chunk.path),
            "row_groups": list(chunk.row_groups),
        }
        scores = [pa.field(name, scorer.dtype, nullable=False) for name in scorer.output_names]
        kept = [events.field(name) for name in self.keep]
        return pa.schema([*scores, *kept], metadata={"trigforge": json.dumps(about)})


def _in_row_groups(batches: Iterator[pa.RecordBatch], rows: Sequence[int]) -> Iterator[pa.Table]:
    """Yield batches cut anew: so many rows each, a larger number in parts."""
    waiting: list[pa.RecordBatch] = []
    for size in (
        min(LARGEST_ROW_GROUP, n_rows - first)
        for n_rows in rows
        for first in range(0, n_rows, LARGEST_ROW_GROUP)
    ):
        while sum(map(len, waiting)) < size:
            waiting.append(next(batches))
        table = pa.Table.from_batches(waiting)
        yield table.slice(0, size)
        waiting = table.slice(size).to_batches()
    deque(batches, maxlen=0)  # it says so if the rows were not as many as promised
