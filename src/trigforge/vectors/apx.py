"""Pattern files of the APx framework: a sideband byte and a word for each frame and link.

The bits of the sideband: 0 valid, 1 start of packet, 2 first frame of an orbit, 3 end of packet,
4 error. Source: CMSSW, L1Trigger/DemonstratorTools.
"""

from __future__ import annotations

import re

from trigforge.vectors.emp import check_frame, check_links, made
from trigforge.vectors.frames import Flag, Frames, hex_words, refuse_where
from trigforge.vectors.lines import Lines, shown

SIDEBAND = "#Sideband ON"
LABELS = "#LinkLabel"
BEGIN = "#BeginData"
_LABEL = re.compile(r"LINK_([0-9]{2,3})")
_BLANKS = re.compile(r"[ \t]+")
_NUMBER = re.compile(r"0x[0-9a-fA-F]{4}")
_FLAGS = re.compile(r"0x[0-9a-fA-F]{2}")
_WORD = re.compile(r"0x[0-9a-fA-F]{16}")


class ApxLines(Lines):
    """Lines in which a number sign begins a header."""

    def is_comment(self, line: str) -> bool:
        """There are no comments."""
        del line
        return False


def write(frames: Frames) -> str:
    """Return frames as the text of an APx file.

    Raises:
        InputError: if a frame is not strobed: there is no place for a strobe.
    """
    refuse_where(frames, ~frames.has(Flag.STROBE), "APx has no strobe")
    labels = "".join(f"{'':16}LINK_{link:02d}{'':4}" for link in frames.links)
    rows = [
        f"0x{number:04x}"
        + "".join(
            f"    0x{flag & 31:02x} 0x{word}" for flag, word in zip(flags, words, strict=True)
        )
        for number, (flags, words) in enumerate(
            zip(frames.flags.tolist(), hex_words(frames.words), strict=True)
        )
    ]
    return "\n".join([SIDEBAND, f"{LABELS}{labels}".rstrip(), BEGIN, *rows, ""])


def read(lines: Lines) -> Frames:
    """Read an APx file.

    Raises:
        InputError: naming the line that is not as it must be.
    """
    if lines.header(SIDEBAND) != SIDEBAND:
        lines.refuse(f"the line {SIDEBAND!r} must come here: it says which frames are valid")
    head, *labels = _BLANKS.split(lines.header(LABELS))
    if head != LABELS:
        lines.refuse(f"the line {LABELS!r} must come here")
    links = _links(lines, labels)
    if lines.header(BEGIN) != BEGIN:
        lines.refuse(f"the line {BEGIN!r} must come here")
    words: list[list[int]] = []
    flags: list[list[int]] = []
    for line in lines:
        number, *row = _BLANKS.split(line)
        if _NUMBER.fullmatch(number) is None:
            lines.refuse(f"{shown(number)}: a row begins with 0x and four hexadecimal digits")
        check_frame(lines, len(words), int(number, 16))
        if len(row) != 2 * len(links):
            lines.refuse(f"{len(row)} columns for {len(links)} links; sideband and word for each")
        flags.append([_flags(lines, text) for text in row[::2]])
        words.append([_word(lines, text) for text in row[1::2]])
    return made(lines, "", links, (words, flags))


def _links(lines: Lines, labels: list[str]) -> tuple[int, ...]:
    matches = [_LABEL.fullmatch(label) for label in labels]
    for label, match in zip(labels, matches, strict=True):
        if match is None:
            lines.refuse(f"{shown(label)} is no label of a link; write LINK_00")
    return check_links(lines, tuple(int(match[1]) for match in matches if match))


def _flags(lines: Lines, text: str) -> int:
    if _FLAGS.fullmatch(text) is None:
        lines.refuse(f"{shown(text)} is no sideband: 0x and two hexadecimal digits")
    value = int(text, 16)
    if value > 31:
        lines.refuse(f"sideband {text}: the bits from 5 on are reserved")
    return value | Flag.STROBE


def _word(lines: Lines, text: str) -> int:
    if _WORD.fullmatch(text) is None:
        lines.refuse(f"{shown(text)} is no word: 0x and 16 hexadecimal digits")
    return int(text, 16)
