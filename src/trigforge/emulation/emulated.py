"""What a campaign gave: ``emulated.json``, the record beside the scores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from trigforge.core.files import write_file
from trigforge.core.trigger import Measurement

FORMAT = "trigforge emulated 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """Events that could not be scored, and why."""

    input: str
    row_groups: tuple[int, int] | None
    """First and last; None: the file could not be opened."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredChunk:
    """Row groups of a file and the file of their scores.

    Both row groups are the first and the last. ``output`` is relative to the folder, ``digest``
    its SHA-256.
    """

    input: str
    row_groups: tuple[int, int]
    n_events: int
    output: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputCounts:
    """How many events had which raw score of one output; null: of too many different ones."""

    name: str
    values: tuple[int, ...] | None
    counts: tuple[int, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedAt:
    """What a threshold accepts: of the events, and of what reaches the network."""

    threshold: int
    """Raw: an event is accepted if its score is not below."""
    share: Measurement
    rate_khz: Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """Thresholds on one score, with all events taken as background.

    ``n_lots`` files: where they differ by more than counting explains, the intervals are wider
    than Clopper's and Pearson's, which those of one file are.
    """

    signals: tuple[str, ...]
    discriminant: str
    """In words, what is compared with a threshold."""
    background_rate_khz: float
    working_rate_khz: float
    n_events: int
    n_lots: int
    working: AcceptedAt
    wanted: tuple[AcceptedAt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What was scored, in a few lines."""

    name: str
    graph: str
    """Digest of the network."""
    versions: dict[str, str]
    output_format: str
    """Of the raw scores: fixed-point, as C++ declares it."""
    output_names: tuple[str, ...]
    n_events: int
    n_chunks: int
    missing: tuple[Missing, ...]
    accepted: tuple[Accepted, ...]
    """Without a trigger section: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulated:
    """All that was scored; ``n_found`` of the chunks were there already."""

    file: Path
    n_found: int
    summary: Summary
    chunks: tuple[ScoredChunk, ...]
    outputs: tuple[OutputCounts, ...]

    @property
    def complete(self) -> bool:
        """Nothing is missing."""
        return not self.summary.missing


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    format: str
    summary: Summary
    chunks: tuple[ScoredChunk, ...]
    outputs: tuple[OutputCounts, ...]


def write(emulated: Emulated) -> None:
    """Write the record, the same one however often a campaign was interrupted.

    Raises:
        StoreError: if it cannot be written.
    """
    content = _File(
        format=FORMAT,
        summary=emulated.summary,
        chunks=emulated.chunks,
        outputs=emulated.outputs,
    )
    write_file(emulated.file, TypeAdapter(_File).dump_json(content) + b"\n")
