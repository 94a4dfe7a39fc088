"""Which events are scored, and in which pieces: ``patterns -> Plan``.

A chunk is consecutive row groups of one file. Only footers are read here; a file that cannot
be used is named in the plan, and keeps no other one from being scored.
"""

from __future__ import annotations

import glob
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trigforge.core.errors import InputError, TrigforgeError
from trigforge.core.records import no_progress
from trigforge.emulation import parquet
from trigforge.emulation.emulated import Missing
from trigforge.samples.tables.content import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trigforge.core.records import Progress
    from trigforge.emulation.scorer import Scorer

KINDS = (".parquet", ".pq")
CHUNK_EVENTS = 1 << 20
"""Events of a chunk, at most, where nobody says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which events are to be scored, and what is kept of it where.

    ``patterns`` are files or globs, ``folder`` takes the results. ``columns`` are those of the
    inputs, in their order, where they are not called as the inputs are, or the one that holds
    lists; ``keep`` are copied. Without ``scores`` only their counts are kept.
    """

    patterns: tuple[str, ...]
    folder: Path
    columns: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    chunk_events: int = CHUNK_EVENTS
    scores: bool = True

    def __post_init__(self) -> None:
        if self.chunk_events < 1:
            msg = f"chunk_events is {self.chunk_events}; a chunk has at least one event"
            raise InputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Consecutive row groups of a file, small enough to be told to a worker."""

    path: Path
    stem: str
    """What results of the file are called."""
    size_bytes: int
    modified_ns: int
    columns: tuple[str, ...]
    """That hold the inputs."""
    first_row_group: int
    rows: tuple[int, ...]
    """Of each of its row groups."""
    first_row: int

    @property
    def name(self) -> str:
        """What results of the chunk are called."""
        return f"{self.stem}.{self.first_row_group:06d}"

    @property
    def n_events(self) -> int:
        """Events of all its row groups."""
        return sum(self.rows)

    @property
    def row_groups(self) -> tuple[int, int]:
        """Its first and its last row group."""
        return self.first_row_group, self.first_row_group + len(self.rows) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All chunks, in the order of their files, and the files that cannot be used."""

    chunks: tuple[Chunk, ...]
    missing: tuple[Missing, ...]
    unread_stems: tuple[str, ...]
    """What results of the missing files are called."""

    @property
    def n_events(self) -> int:
        """Events of all chunks."""
        return sum(chunk.n_events for chunk in self.chunks)


def plan(request: Request, scorer: Scorer, progress: Progress = no_progress) -> Plan:
    """Read the footers of all files.

    Raises:
        InputError: if a pattern matches no Parquet file, results of two files would have the
            same name, or no file holds an event.
    """
    for name in request.keep:
        if name in scorer.output_names or request.keep.count(name) > 1:
            msg = f"keep: a column {name!r} of the results is named so already"
            raise InputError(msg)
    paths = found_files(request.patterns)
    chunks: list[Chunk] = []
    missing: dict[str, Missing] = {}
    for done, (path, stem) in enumerate(zip(paths, stems_of(paths), strict=True)):
        progress("files", done, len(paths))
        try:
            chunks += _chunks_of(path, stem, request, scorer)
        except TrigforgeError as error:
            missing[stem] = Missing(input=str(path), row_groups=None, reason=str(error))
    progress("files", len(paths), len(paths))
    if not chunks and not missing:
        msg = f"there are no events in {listed([str(path) for path in paths])}"
        raise InputError(msg)
    return Plan(chunks=tuple(chunks), missing=tuple(missing.values()), unread_stems=tuple(missing))


def found_files(patterns: Iterable[str]) -> tuple[Path, ...]:
    """Return the files that patterns match, each once, as absolute paths.

    Raises:
        InputError: if one matches none, or something that is no Parquet file.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        literal = Path(pattern)
        matches = (
            [literal]
            if literal.exists()
            else [Path(name) for name in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207 - an absolute pattern is one, too
        )
        if not matches:
            msg = f"no file matches {pattern!r}"
            raise InputError(msg)
        for path in matches:
            if path.suffix.lower() not in KINDS or not path.is_file():
                msg = f"{path} is no Parquet file ({', '.join(KINDS)}); name files: 'DIR/*.parquet'"
                raise InputError(msg)
            found[path.absolute()] = None
    return tuple(found)


def stems_of(paths: Sequence[Path]) -> tuple[str, ...]:
    """Name files by their stems, and by folders above them where stems are the same.

    Raises:
        InputError: if that does not tell them apart.
    """
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for path in paths:
        by_stem[path.stem].append(path)
    named = {path: name for same in by_stem.values() for path, name in _told_apart(same)}
    owner: dict[str, Path] = {}
    for path, name in named.items():
        other = owner.setdefault(name, path)
        if other is not path:
            msg = f"results of {other} and {path} would both be called {name}; rename one"
            raise InputError(msg)
    return tuple(named[path] for path in paths)


def _told_apart(paths: Sequence[Path]) -> Iterator[tuple[Path, str]]:
    """Yield paths of one stem with names of as many of their folders as are needed."""
    deepest = max(len(path.parts) for path in paths)
    for n_folders in range(deepest):
        names = [
            ".".join((*path.parts[1:-1][-n_folders or deepest :], path.stem)) for path in paths
        ]
        if len(set(names)) == len(names):
            break
    yield from zip(paths, names, strict=True)


def _chunks_of(path: Path, stem: str, request: Request, scorer: Scorer) -> Iterator[Chunk]:
    """Yield the chunks of a file; row groups without events are left out at their ends.

    Raises:
        InputError: if it cannot be read, or lacks a column.
    """
    footer = parquet.read_footer(path)
    columns = parquet.choose_columns(footer.schema, scorer, request.columns)
    parquet.check_kept(footer.schema, request.keep)
    for first, last in _ranges(footer.rows, request.chunk_events):
        rows = footer.rows[first:last]
        if sum(rows):
            yield Chunk(
                path=path,
                stem=stem,
                size_bytes=footer.size_bytes,
                modified_ns=footer.modified_ns,
                columns=columns,
                first_row_group=first,
                rows=rows,
                first_row=sum(footer.rows[:first]),
            )


def _ranges(rows: Sequence[int], most: int) -> Iterator[tuple[int, int]]:
    """Yield first and end of runs of row groups, of at most so many rows or one row group."""
    first = n_rows = 0
    for index, n_here in enumerate(rows):
        if index > first and n_rows + n_here > most:
            yield first, index
            first, n_rows = index, 0
        n_rows += n_here
    if first < len(rows):
        yield first, len(rows)
