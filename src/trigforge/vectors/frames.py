"""What is on links, frame by frame: the value that every pattern file holds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from trigforge.core.config.links import MAX_FRAMES
from trigforge.core.errors import InputError
from trigforge.core.records import freeze_arrays

MAX_LINKS = 1000
"""Link numbers have three digits."""


class Flag(IntFlag):
    """What a frame says beside its word; the first five as in APx' sideband."""

    VALID = 1
    START_OF_PACKET = 2
    START_OF_ORBIT = 4
    END_OF_PACKET = 8
    ERROR = 16
    STROBE = 32
    """The word is new in this clock cycle; 0 where the link is slower than the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """Words and flags of some links over some clock cycles, ``(n_frames, n_links)`` each.

    Raises:
        InputError: if shapes do not fit together, there are too many frames, or a link number
            is used twice.
    """

    board: str
    links: tuple[int, ...]
    """The number of each link, in the order of the columns."""
    words: NDArray[np.uint64]
    flags: NDArray[np.uint8]

    def __post_init__(self) -> None:
        shape = self.words.shape
        if self.flags.shape != shape or len(shape) != 2 or shape[1] != len(self.links):
            msg = f"{len(self.links)} links, but words {shape} and flags {self.flags.shape}"
            raise InputError(msg)
        if shape[0] > MAX_FRAMES:
            msg = f"{shape[0]} frames; a file holds at most {MAX_FRAMES}"
            raise InputError(msg)
        if not self.links or len(set(self.links)) != len(self.links):
            msg = f"links {self.links} must be some numbers, each once"
            raise InputError(msg)
        freeze_arrays(self)

    def has(self, flag: Flag) -> NDArray[np.bool_]:
        """Tell for each frame and link whether a flag is set."""
        found: NDArray[np.bool_] = (self.flags & np.uint8(flag)) != 0
        return found

    @property
    def carrying(self) -> NDArray[np.bool_]:
        """Where a frame carries data: valid, and strobed."""
        return self.has(Flag.VALID) & self.has(Flag.STROBE)

    def of_links(self, links: tuple[int, ...]) -> Frames:
        """Return some of the links, in another order."""
        columns = [self.links.index(link) for link in links]
        return Frames(
            board=self.board,
            links=links,
            words=self.words[:, columns],
            flags=self.flags[:, columns],
        )


def refuse_where(frames: Frames, wrong: NDArray[np.bool_], problem: str) -> None:
    """Refuse frames that a format has no place for.

    Raises:
        InputError: naming the first frame and link that is ``wrong``.
    """
    if wrong.any():
        frame, column = (int(i) for i in np.argwhere(wrong)[0])
        msg = f"frame {frame} of link {frames.links[column]} cannot be written: {problem}"
        raise InputError(msg)


def hex_words(words: NDArray[np.uint64]) -> list[list[str]]:
    """Return words ``(n_frames, n_links)`` as 16 lower-case hexadecimal digits each."""
    digits = np.ascontiguousarray(words, dtype=">u8").tobytes().hex()
    texts = [digits[first : first + 16] for first in range(0, len(digits), 16)]
    n_links = words.shape[1]
    return [texts[first : first + n_links] for first in range(0, len(texts), n_links)]
