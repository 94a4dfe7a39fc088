"""Compare captured vectors with expected ones: ``Frames, Frames -> VectorComparison``.

Frames are aligned on the first one that carries data on any of the expected links, so that
the latency of firmware is no difference. From there on every frame must be the same: idle where
idle is expected, valid where valid is, with the same word and the same flags of packet. Idle
frames after the last valid one do not count. There is no tolerance.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from trigforge.core.errors import ComparisonError, InputError
from trigforge.vectors import index, text
from trigforge.vectors.alignment import Aligned, Decoded, align
from trigforge.vectors.formats import CARRIED, read
from trigforge.vectors.frames import Flag, Frames
from trigforge.vectors.text import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from trigforge.vectors.formats import Captured
    from trigforge.vectors.index import Described
    from trigforge.vectors.packets import Layout

MAX_LISTED = 100
"""Differences that are listed; all are counted."""

Kind = Literal["word", "filling", "missing", "surplus", "flags", "value"]
"""Filling: a word that differs only in bits beyond those of the event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputDifference:
    """An output that differs: raw integers, or exact values where the format is not known."""

    index: int
    name: str
    expected: int | str | None
    captured: int | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorDifference:
    """One frame of one link that differs, or one event of a file of events.

    ``event`` counts from 0 in the file, or over all files if there is an index beside it; None
    where nothing tells it.
    """

    kind: Kind
    event: int | None
    link: int | None = None
    expected_frame: int | None = None
    captured_frame: int | None = None
    expected: str | None = None
    """The word in hexadecimal digits, and after it the flags where these differ."""
    captured: str | None = None
    outputs: tuple[OutputDifference, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkCount:
    """How many frames of a link were compared, and how many differ."""

    link: int
    n_compared: int
    n_different: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorComparison:
    """What was compared and what differs."""

    expected_format: str
    captured_format: str
    n_compared: int
    """Valid frames of all links that both have, or events."""
    n_different: int
    n_missing: int
    """Expected to be valid, captured idle or not at all."""
    n_surplus: int
    n_different_events: int | None
    """None where nothing tells which event a frame belongs to."""
    shift_frames: int | None = None
    """How much later the first valid frame was captured than it is in the expected file."""
    links: tuple[LinkCount, ...] = ()
    links_ignored: tuple[int, ...] = ()
    """Captured links that nothing is expected of."""
    differences: tuple[VectorDifference, ...] = ()
    """The first ones."""
    met: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "met", self.n_different == 0 and self.n_compared > 0)


def compare(
    expected: Captured,
    captured: Captured,
    described: Described | None = None,
    *,
    words_only: bool = False,
) -> VectorComparison:
    """Compare what was captured with what was expected.

    ``described`` says which outputs differ; ``words_only`` leaves the flags of packets out.

    Raises:
        ComparisonError: if one holds frames and the other events, a link is missing, or
            ``described`` is not of them.
        InputError: if nothing is expected.
        SpecError: if ``described`` has no links where they are needed.
    """
    if isinstance(expected.content, Frames) and isinstance(captured.content, Frames):
        names = _format_names(expected, captured)
        flags = _compared_flags(expected, captured, words_only=words_only)
        return _compare_frames(names, (expected.content, captured.content), flags, described)
    if isinstance(expected.content, Table) and isinstance(captured.content, Table):
        return _compare_tables(expected, captured, described)
    msg = (
        f"{expected.format} and {captured.format} cannot be compared: one holds frames of links, "
        "the other events; write the expected vectors in the format of the capture"
    )
    raise ComparisonError(msg)


def compare_files(
    expected: Path,
    captured: Path,
    described: Described | None = None,
    *,
    words_only: bool = False,
) -> VectorComparison:
    """Read and compare two files, each in whatever format it is.

    Raises:
        InputError: if one of them cannot be used, or nothing is expected.
        ComparisonError: if they cannot be compared.
        SpecError: if ``described`` has no links where they are needed.
    """
    files = read(expected), read(captured)
    beside = index.describe(expected)
    known = described or beside
    if known is not None and beside is not None:
        known = replace(known, first_event=beside.first_event)
    try:
        return compare(*files, known, words_only=words_only)
    except (InputError, ComparisonError) as error:
        msg = f"{captured} against {expected}: {error}"
        raise type(error)(msg) from error


def _format_names(expected: Captured, captured: Captured) -> tuple[str, str]:
    return expected.format.value, captured.format.value


def _compared_flags(expected: Captured, captured: Captured, *, words_only: bool) -> Flag:
    """Return the flags to compare: where a packet starts and ends if both say so, and errors.

    Where an orbit starts is a matter of latency.
    """
    packet = Flag.START_OF_PACKET | Flag.END_OF_PACKET
    both = CARRIED[expected.format] & CARRIED[captured.format] & packet
    return Flag.ERROR | (Flag(0) if words_only else both)


def _compare_frames(
    formats: tuple[str, str],
    files: tuple[Frames, Frames],
    flags: Flag,
    described: Described | None,
) -> VectorComparison:
    """Compare frames, once they are aligned."""
    expected, captured = files
    layout = None if described is None else described.layout()
    links = _links_to_compare(expected, captured, layout)
    aligned = align(expected.of_links(links), captured.of_links(links), flags)
    decoded = None if layout is None else Decoded.of(layout, aligned)
    events = aligned.events(None if layout is None else layout.links.window_frames)
    different = aligned.different
    rows = different.any(axis=1)
    listed = [
        _frame_difference(aligned, decoded, described, (row, column, event))
        for row, column, event in aligned.first_different(MAX_LISTED, events)
    ]
    compared = aligned.compared
    return VectorComparison(
        expected_format=formats[0],
        captured_format=formats[1],
        n_compared=int(compared.sum()),
        n_different=int(different.sum()),
        n_missing=int(aligned.missing.sum()),
        n_surplus=int(aligned.surplus.sum()),
        n_different_events=None if events is None else len(set(events[rows].tolist())),
        shift_frames=aligned.shift_frames,
        links=tuple(
            LinkCount(link=link, n_compared=int(n_compared), n_different=int(n_different))
            for link, n_compared, n_different in zip(
                links, compared.sum(axis=0), different.sum(axis=0), strict=True
            )
        ),
        links_ignored=tuple(link for link in captured.links if link not in links),
        differences=tuple(listed),
    )


def _links_to_compare(expected: Frames, captured: Frames, layout: Layout | None) -> tuple[int, ...]:
    """Return the expected links, in the order in which events fill them.

    Raises:
        ComparisonError: if they are not those of the layout, or one was not captured.
    """
    if layout is not None and set(expected.links) != set(layout.numbers):
        msg = f"the expected links are {expected.links}, {layout.port.name} has {layout.numbers}"
        raise ComparisonError(msg)
    links = expected.links if layout is None else layout.numbers
    absent = [link for link in links if link not in captured.links]
    if absent:
        msg = f"link {absent[0]} is expected but not among the captured: {captured.links}"
        raise ComparisonError(msg)
    return links


def _frame_difference(
    aligned: Aligned,
    decoded: Decoded | None,
    described: Described | None,
    where: tuple[int, int, int | None],
) -> VectorDifference:
    """Describe one frame of one link, ``where`` in the aligned rows."""
    row, column, event = where
    kind: Kind = aligned.kind(row, column)
    found: tuple[OutputDifference, ...] = ()
    if decoded is not None and described is not None and kind in {"word", "missing"}:
        found = tuple(
            OutputDifference(
                index=element, name=described.name_of(element), expected=before, captured=after
            )
            for element, before, after in decoded.differing(row, column)
        )
        if kind == "word" and not found:
            kind = "filling"
    expected, captured = aligned.shown(row, column)
    return VectorDifference(
        kind=kind,
        event=_numbered(event, described),
        link=aligned.links[column],
        expected_frame=aligned.first_expected + row,
        captured_frame=aligned.first_captured + row if aligned.captured_anything else None,
        expected=expected,
        captured=captured,
        outputs=found,
    )


def _compare_tables(
    expected: Captured, captured: Captured, described: Described | None
) -> VectorComparison:
    """Compare files of events, line by line."""
    wanted, found = _rows(expected, described), _rows(captured, described)
    if described is None and expected.format != captured.format:
        msg = (
            f"{expected.format} and {captured.format} cannot be compared without a spec, "
            "which says what number a raw integer stands for"
        )
        raise ComparisonError(msg)
    if len(wanted[0]) != len(found[0]):
        msg = f"{len(wanted[0])} numbers an event are expected, {len(found[0])} captured"
        raise ComparisonError(msg)
    n_shared = min(len(wanted), len(found))
    different = [event for event in range(n_shared) if wanted[event] != found[event]]
    n_missing, n_surplus = len(wanted) - n_shared, len(found) - n_shared
    listed = [
        VectorDifference(
            kind="value",
            event=_numbered(event, described),
            outputs=tuple(_value_differences(wanted[event], found[event], described)),
        )
        for event in different[:MAX_LISTED]
    ]
    rest = range(n_shared, max(len(wanted), len(found)))
    kind: Kind = "missing" if n_missing else "surplus"
    listed += [
        VectorDifference(kind=kind, event=_numbered(event, described))
        for event in rest[:MAX_LISTED]
    ]
    n_different = len(different) + n_missing + n_surplus
    return VectorComparison(
        expected_format=expected.format.value,
        captured_format=captured.format.value,
        n_compared=n_shared,
        n_different=n_different,
        n_missing=n_missing,
        n_surplus=n_surplus,
        n_different_events=n_different,
        differences=tuple(listed[:MAX_LISTED]),
    )


def _numbered(event: int | None, described: Described | None) -> int | None:
    """Count an event over all files if it is known where this one begins."""
    return event if event is None or described is None else event + described.first_event


def _rows(captured: Captured, described: Described | None) -> Sequence[Sequence[object]]:
    """Return the events of a table, as raw integers if the port is known."""
    table = captured.content
    if not isinstance(table, Table):
        msg = f"{captured.format} holds no events"
        raise ComparisonError(msg)
    if described is None:
        return table.rows
    rows: list[list[int]] = text.to_events(table, described.port).raw.tolist()
    return rows


def _value_differences(
    expected: Sequence[object], captured: Sequence[object], described: Described | None
) -> Iterator[OutputDifference]:
    for element, (before, after) in enumerate(zip(expected, captured, strict=True)):
        if before != after:
            yield OutputDifference(
                index=element,
                name=f"output {element}" if described is None else described.name_of(element),
                expected=text.plain(before),
                captured=text.plain(after),
            )
