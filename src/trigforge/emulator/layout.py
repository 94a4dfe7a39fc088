"""Where tensors lie while a block of events is computed."""

from __future__ import annotations

from dataclasses import dataclass, field

from trigforge.core.errors import ConversionError
from trigforge.core.fixed_point import FixedPointFormat
from trigforge.emulator.ranges import Interval

SIZES = {"int32_t": 4, "int64_t": 8, "Wide": 16}
"""Bytes of the integers of the generated code."""

MAX_BYTES_PER_LANE = 1 << 20
"""64 lanes of it: a work space of 64 MiB a thread."""


@dataclass(slots=True, kw_only=True)
class Tensor:
    """A tensor of a block: planes of one element each, or quads of four unsigned bytes.

    Planes have one more, spare plane at their end, which readers fill with what padded
    cells hold; quads one more word. A byte of a quad is the raw integer less ``zero``.
    ``padding`` bounds what readers put into the spare plane. ``offset`` is in bytes per lane.
    """

    name: str
    n_elements: int
    range: Interval
    format: FixedPointFormat
    quads: bool = False
    zero: int = 0
    padding: Interval = field(default_factory=lambda: Interval(0, 0))
    offset: int = -1

    @property
    def fraction(self) -> int:
        """Fractional bits of the raw integers."""
        return self.format.fractional_bits

    @property
    def c_type(self) -> str:
        """The type of a plane's elements, or of a quad."""
        return "int32_t" if self.quads else (self.range | self.padding).c_type

    @property
    def bytes_per_lane(self) -> int:
        """The room it takes."""
        if self.quads:
            return 4 * (self.n_quads + 1)
        return SIZES[self.c_type] * (self.n_elements + 1)

    @property
    def n_quads(self) -> int:
        """Words that hold the tensor as quads."""
        return -(-self.n_elements // 4)

    @property
    def byte_zero(self) -> int:
        """What to subtract for unsigned bytes."""
        return byte_zero(self.range) or 0

    @property
    def fits_bytes(self) -> bool:
        """The values, and the zero of padded cells, take at most 256 consecutive integers."""
        return byte_zero(self.range) is not None


def byte_zero(interval: Interval) -> int | None:
    """Return what to subtract so that an interval and zero are unsigned bytes, if one can."""
    return _offset(interval, 256, 0)


def half_zero(interval: Interval) -> int | None:
    """Return what to subtract so that an interval and zero are signed 16-bit integers."""
    return _offset(interval, 65536, -32768)


def _offset(interval: Interval, n_values: int, lowest: int) -> int | None:
    both = interval | Interval(0, 0)
    if both in Interval(lowest, lowest + n_values - 1):
        return 0
    return both.low - lowest if both.high - both.low < n_values else None


@dataclass(slots=True)
class Memory:
    """A work space in which room that is no longer read is used again."""

    taken: list[tuple[int, int]] = field(default_factory=list)
    bytes_per_lane: int = 0

    def take(self, n_bytes: int) -> int:
        """Return the offset of free room, first fit, in multiples of 16 bytes a lane.

        Raises:
            ConversionError: if a block of events does not fit into a sensible work space.
        """
        size = -(-n_bytes // 16) * 16
        offset = 0
        for start, stop in sorted(self.taken):
            if offset + size <= start:
                break
            offset = max(offset, stop)
        self.taken.append((offset, offset + size))
        self.bytes_per_lane = max(self.bytes_per_lane, offset + size)
        if self.bytes_per_lane > MAX_BYTES_PER_LANE:
            msg = (
                f"the tensors need {self.bytes_per_lane} bytes an event at once; the emulator "
                f"has {MAX_BYTES_PER_LANE}"
            )
            raise ConversionError(msg)
        return offset

    def give_back(self, offset: int) -> None:
        """Free the room that begins at an offset."""
        self.taken = [part for part in self.taken if part[0] != offset]
