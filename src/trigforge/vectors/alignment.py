"""Lay captured frames over expected ones, from the first valid frame of each on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from trigforge.core.errors import InputError
from trigforge.core.records import RawTensor
from trigforge.vectors import packets
from trigforge.vectors.frames import Flag, Frames
from trigforge.vectors.packets import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of two files, from its first valid frame on: ``(n_rows, n_links)`` each."""

    words: NDArray[np.uint64]
    carrying: NDArray[np.bool_]
    flags: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligned:
    """Two files over each other; row 0 is the first valid frame of both.

    ``first_*`` is the number of that frame in its file; ``flags`` are those to compare.
    """

    links: tuple[int, ...]
    expected: Side
    captured: Side
    first_expected: int
    first_captured: int
    captured_anything: bool
    flags: Flag

    @property
    def shift_frames(self) -> int | None:
        """How many frames later it was captured than expected."""
        return self.first_captured - self.first_expected if self.captured_anything else None

    @property
    def compared(self) -> NDArray[np.bool_]:
        """Frames that carry data in both."""
        return self.expected.carrying & self.captured.carrying

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Frames that should carry data and do not."""
        return self.expected.carrying & ~self.captured.carrying

    @property
    def surplus(self) -> NDArray[np.bool_]:
        """Frames that carry data and should not."""
        return ~self.expected.carrying & self.captured.carrying

    @property
    def other_words(self) -> NDArray[np.bool_]:
        """Frames of which both carry data, but not the same."""
        changed: NDArray[np.bool_] = self.expected.words != self.captured.words
        return self.compared & changed

    @property
    def other_flags(self) -> NDArray[np.bool_]:
        """Frames of which both carry data, but with other flags."""
        changed = (self.expected.flags ^ self.captured.flags) & np.uint8(self.flags)
        other: NDArray[np.bool_] = changed != 0
        return self.compared & other

    @property
    def different(self) -> NDArray[np.bool_]:
        """All frames that are not as expected."""
        return self.missing | self.surplus | self.other_words | self.other_flags

    def kind(self, row: int, column: int) -> Literal["word", "flags", "missing", "surplus"]:
        """Say how a frame differs; if by its word, the flags may differ as well."""
        if not self.captured.carrying[row, column]:
            return "missing"
        if not self.expected.carrying[row, column]:
            return "surplus"
        return "word" if self.other_words[row, column] else "flags"

    def shown(self, row: int, column: int) -> tuple[str | None, str | None]:
        """Return both words in hexadecimal digits, with the flags if those differ."""
        other_flags = bool(self.other_flags[row, column])
        texts = []
        for side in (self.expected, self.captured):
            text = f"{int(side.words[row, column]):016x}"
            if other_flags:
                flags = Flag(int(side.flags[row, column])) & self.flags
                names = [flag.name.lower().replace("_", " ") for flag in flags if flag.name]
                text += f" ({', '.join(names) or 'no flag'})"
            texts.append(text if side.carrying[row, column] else None)
        return texts[0], texts[1]

    def events(self, window_frames: int | None) -> NDArray[np.int64] | None:
        """Return the event of each row; by starts of packets where the window is not known."""
        n_rows = len(self.expected.words)
        if window_frames is not None:
            return np.arange(n_rows) // window_frames
        set_anywhere = np.bitwise_or.reduce(self.expected.flags, axis=1)
        starts = (set_anywhere & np.uint8(Flag.START_OF_PACKET)) != 0
        if not starts[0]:
            return None
        events: NDArray[np.int64] = np.cumsum(starts) - 1
        return events

    def first_different(
        self, n_at_most: int, events: NDArray[np.int64] | None
    ) -> Iterator[tuple[int, int, int | None]]:
        """Yield row, column and event of the first frames that differ."""
        for row, column in np.argwhere(self.different)[:n_at_most].tolist():
            yield row, column, None if events is None else int(events[row])


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The outputs of both sides, event by event, and which words of them were captured."""

    layout: Layout
    expected: RawTensor
    captured: RawTensor
    carried: NDArray[np.bool_]
    """``(n_events, n_words)``."""

    @classmethod
    def of(cls, layout: Layout, aligned: Aligned) -> Decoded:
        """Unpack both sides."""
        n_events = -(-len(aligned.expected.words) // layout.links.window_frames)

        def in_order(rows: NDArray[Any]) -> NDArray[Any]:
            return packets.words_of(layout, packets.windows_of(layout, rows, 0, n_events))

        return cls(
            layout=layout,
            expected=packets.unpack(layout, in_order(aligned.expected.words)),
            captured=packets.unpack(layout, in_order(aligned.captured.words)),
            carried=in_order(aligned.captured.carrying),
        )

    def differing(self, row: int, column: int) -> Iterator[tuple[int, int, int | None]]:
        """Yield the outputs with bits in a frame that differ: index, expected, captured.

        An output of which a word is missing was not captured: None.
        """
        event, frame = divmod(row, self.layout.links.window_frames)
        if frame >= self.layout.packet_frames:
            return
        for element in self.layout.elements_of(self.layout.word_at(frame, column)):
            before = int(self.expected.raw[event, element])
            after = int(self.captured.raw[event, element])
            if not self.carried[event, list(self.layout.words_of_element(element))].all():
                yield element, before, None
            elif before != after:
                yield element, before, after


def align(expected: Frames, captured: Frames, flags: Flag) -> Aligned:
    """Lay one over the other; both have the same links in the same order.

    Raises:
        InputError: if nothing is expected.
    """
    if not expected.carrying.any():
        msg = "nothing is expected: no frame of the expected file is valid"
        raise InputError(msg)
    first_expected, last_expected = packets.extent(expected)
    captured_anything = bool(captured.carrying.any())
    first_captured, last_captured = packets.extent(captured) if captured_anything else (0, -1)
    n_rows = max(last_expected - first_expected, last_captured - first_captured) + 1
    return Aligned(
        links=expected.links,
        expected=_side(expected, first_expected, n_rows),
        captured=_side(captured, first_captured, n_rows),
        first_expected=first_expected,
        first_captured=first_captured,
        captured_anything=captured_anything,
        flags=flags,
    )


def _side(frames: Frames, first: int, n_rows: int) -> Side:
    """Return some frames, idle ones where the file has ended."""

    def rows(values: NDArray[Any]) -> NDArray[Any]:
        part = values[first : first + n_rows]
        return np.pad(part, ((0, n_rows - len(part)), (0, 0)))

    return Side(words=rows(frames.words), carrying=rows(frames.carrying), flags=rows(frames.flags))
