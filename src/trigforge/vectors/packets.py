"""Events to packets on links, and back: ``RawTensor <-> Frames``.

The bits of an event (element 0 in the lowest ones, see ``core.packing``) are cut into words of
64: word ``k`` holds bits ``64 k`` to ``64 k + 63``. In a packet of ``F`` frames on ``L`` links,
word ``k`` is on link ``k % L`` in frame ``k // L`` (``frame_major``), or on link ``k // F`` in
frame ``k % F`` (``link_major``), links counted as the spec lists them. What is left of the last
word, and words beyond it, are zero; they are valid, so that all links carry equal packets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from trigforge.core import packing
from trigforge.core.config.links import Links
from trigforge.core.errors import InputError, SpecError
from trigforge.core.records import Port, RawTensor
from trigforge.vectors.frames import Flag, Frames

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORD_BITS = 64
PACKING = (
    "word k of an event holds bits 64k to 64k+63; frame_major: on link k % n_links in frame "
    "k // n_links of the packet, link_major: on link k // packet_frames in frame k % packet_frames"
)
Number = TypeVar("Number", bound=np.generic)
EXAMPLE = """links:
  inputs: [0, 1]          # numbers of the links, in the order they are filled
  outputs: [0]
  frames_per_crossing: 8  # clocks of the link a crossing: 8 at 320 MHz
  crossings_per_event: 1  # time multiplexing
  gap_frames: 1           # idle frames after a packet, at least
  order: frame_major      # the next word of an event goes to the next link"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the events of one port lie on its links."""

    port: Port
    numbers: tuple[int, ...]
    """The links, in the order in which they are filled."""
    links: Links
    packet_frames: int

    @property
    def events_per_file(self) -> int:
        """Whole windows that fit into a file."""
        return (self.links.frames_per_file - self.links.lead_frames) // self.links.window_frames

    def word_at(self, frame: int, column: int) -> int:
        """Return which word of an event a frame of a packet carries on a link."""
        if self.links.order == "frame_major":
            return frame * len(self.numbers) + column
        return column * self.packet_frames + frame

    def elements_of(self, word: int) -> range:
        """Return the elements of which a word carries bits; none if it only fills."""
        width, n_bits = self.port.format.width, packing.n_bits(self.port)
        first, last = word * WORD_BITS, min((word + 1) * WORD_BITS, n_bits) - 1
        return range(first // width, last // width + 1) if first <= last else range(0)

    def words_of_element(self, element: int) -> range:
        """Return the words that carry bits of an element: one, or two."""
        first = element * self.port.format.width
        last = first + self.port.format.width - 1
        return range(first // WORD_BITS, last // WORD_BITS + 1)


def require_section(links: Links | None) -> Links:
    """Return the ``links`` section of a spec.

    Raises:
        SpecError: if it has none; the message shows one.
    """
    if links is None:
        msg = f"links: the spec needs this section to put events on links; for example\n{EXAMPLE}"
        raise SpecError(msg)
    return links


def plan(links: Links | None, port: Port, side: Literal["inputs", "outputs"]) -> Layout:
    """Decide how a port's events lie on the links of one side.

    Raises:
        SpecError: if the spec has no ``links`` section, or an event does not fit into its
            window; the message says how many links would do.
    """
    links = require_section(links)
    numbers: tuple[int, ...] = getattr(links, side)
    n_words = -(-packing.n_bits(port) // WORD_BITS)
    layout = Layout(
        port=port, numbers=numbers, links=links, packet_frames=-(-n_words // len(numbers))
    )
    allowed = links.window_frames - links.gap_frames
    if layout.packet_frames > allowed:
        msg = (
            f"links.{side}: an event of {port.name} has {packing.n_bits(port)} bits, "
            f"{layout.packet_frames} frames on {len(numbers)} link(s), but its window has "
            f"{links.window_frames} frames with {links.gap_frames} of them idle: "
            f"{-(-n_words // allowed)} links would do"
        )
        raise SpecError(msg)
    return layout


def to_frames(layout: Layout, tensor: RawTensor, board: str) -> tuple[Frames, ...]:
    """Return events as frames, those of one file each; every file begins with a whole event.

    Raises:
        InputError: if the events are not those of the port.
    """
    windows = _windows(layout, packing.pack(tensor.raw, layout.port))
    step = layout.events_per_file
    return tuple(
        _file(layout, windows[first : first + step], board)
        for first in range(0, len(windows), step)
    )


def to_events(layout: Layout, frames: Frames) -> RawTensor:
    """Return the events in frames that are exactly as ``to_frames`` makes them.

    What flags a format carries is not asked; packets begin with the first valid frame.

    Raises:
        InputError: if a link is missing, a packet is not whole, or a filling bit is set.
    """
    require_links(layout, frames)
    own = frames.of_links(layout.numbers)
    first, last = extent(own)
    n_events = -(-(last + 1 - first) // layout.links.window_frames)
    carrying = windows_of(layout, own.carrying, first, n_events)
    expected = np.zeros_like(carrying)
    expected[:, : layout.packet_frames] = True
    if not np.array_equal(carrying, expected):
        event, frame, column = (int(i) for i in np.argwhere(carrying != expected)[0])
        what = "idle within" if expected[event, frame, column] else "valid after"
        at = first + event * layout.links.window_frames + frame
        msg = f"frame {at}, link {layout.numbers[column]}: {what} the packet of event {event}"
        raise InputError(msg)
    words = words_of(layout, windows_of(layout, own.words, first, n_events))
    if (_masked(layout, words) != words).any():
        event = int(np.argwhere(_masked(layout, words) != words)[0][0])
        msg = f"event {event}: a bit beyond those of {layout.port.name} is set"
        raise InputError(msg)
    return unpack(layout, words)


def require_links(layout: Layout, frames: Frames) -> None:
    """Refuse frames without a link of the layout.

    Raises:
        InputError: naming the first one that is missing.
    """
    missing = [link for link in layout.numbers if link not in frames.links]
    if missing:
        msg = f"no link {missing[0]}, which carries {layout.port.name}; there are {frames.links}"
        raise InputError(msg)


def extent(frames: Frames) -> tuple[int, int]:
    """Return the first and the last frame that carries data on any link.

    Raises:
        InputError: if there is none.
    """
    (rows,) = np.nonzero(frames.carrying.any(axis=1))
    if not len(rows):
        msg = "no valid frame"
        raise InputError(msg)
    return int(rows[0]), int(rows[-1])


def windows_of(
    layout: Layout, column_data: NDArray[Number], first: int, n_events: int
) -> NDArray[Number]:
    """Cut frames ``(n_frames, n_links)`` into ``(n_events, window, n_links)``; pad with zeros."""
    length, n_links = layout.links.window_frames, column_data.shape[1]
    windows = np.zeros((n_events * length, n_links), dtype=column_data.dtype)
    part = column_data[first : first + n_events * length]
    windows[: len(part)] = part
    return windows.reshape(n_events, length, n_links)


def words_of(layout: Layout, windows: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the words of events, ``(n_events, n_words)``, in the order of their bits."""
    packets = windows[:, : layout.packet_frames]
    if layout.links.order == "link_major":
        packets = packets.swapaxes(1, 2)
    return np.ascontiguousarray(packets).reshape(len(windows), -1)


def unpack(layout: Layout, words: NDArray[np.uint64]) -> RawTensor:
    """Return the raw integers in the words of events; filling bits are not looked at."""
    halves = np.ascontiguousarray(words, dtype="<u8").view("<u4")
    return packing.unpack(halves[:, : packing.n_words(layout.port)], layout.port)


def _masked(layout: Layout, words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Clear the bits that only fill."""
    n_left = [packing.n_bits(layout.port) - WORD_BITS * word for word in range(words.shape[1])]
    masks = [(1 << min(max(n_bits, 0), WORD_BITS)) - 1 for n_bits in n_left]
    return words & np.array(masks, dtype=np.uint64)


def _windows(layout: Layout, halves: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Return packed events as windows of words, ``(n_events, window, n_links)``."""
    n_events, n_links = len(halves), len(layout.numbers)
    padded = np.zeros((n_events, 2 * layout.packet_frames * n_links), dtype="<u4")
    padded[:, : halves.shape[1]] = halves
    words = padded.view("<u8")
    if layout.links.order == "frame_major":
        packets = words.reshape(n_events, layout.packet_frames, n_links)
    else:
        packets = words.reshape(n_events, n_links, layout.packet_frames).swapaxes(1, 2)
    windows = np.zeros((n_events, layout.links.window_frames, n_links), dtype=np.uint64)
    windows[:, : layout.packet_frames] = packets
    return windows


def _file(layout: Layout, windows: NDArray[np.uint64], board: str) -> Frames:
    """Return the frames of one file: idle ones first, then a window for each event."""
    links, last = layout.links, layout.packet_frames - 1
    flags = np.zeros(windows.shape, dtype=np.uint8)
    flags[:, : last + 1] |= np.uint8(Flag.VALID)
    flags[:, 0] |= np.uint8(Flag.START_OF_PACKET)
    flags[:, last] |= np.uint8(Flag.END_OF_PACKET)
    flags[_begin_orbit(links, len(windows)), 0] |= np.uint8(Flag.START_OF_ORBIT)
    n_links = windows.shape[2]
    idle = np.zeros((links.lead_frames, n_links))
    return Frames(
        board=board,
        links=layout.numbers,
        words=np.concatenate([idle.astype(np.uint64), windows.reshape(-1, n_links)]),
        flags=np.concatenate([idle.astype(np.uint8), flags.reshape(-1, n_links)])
        | np.uint8(Flag.STROBE),
    )


def _begin_orbit(links: Links, n_events: int) -> NDArray[np.bool_]:
    """Tell which packets of a file are the first ones of an orbit."""
    crossings = links.first_crossing + np.arange(n_events) * links.crossings_per_event
    begin: NDArray[np.bool_] = crossings % links.orbit_crossings == 0
    return begin
