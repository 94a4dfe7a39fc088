"""Pattern files of the EMP framework, version 2 (from 0.7.0) and version 1 (to 0.6).

A row is a clock frame, a column a link. Version 2 separates columns by two spaces or more and
has all flags; version 1 has valid and strobe only. Where every frame of a link is strobed its
strobe is not written. Source: CMSSW, L1Trigger/DemonstratorTools, which reads both.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.config.links import MAX_FRAMES
from trigforge.vectors.frames import MAX_LINKS, Flag, Frames, hex_words, refuse_where
from trigforge.vectors.lines import Lines, shown

if TYPE_CHECKING:
    from collections.abc import Callable

METADATA = "Metadata: (strobe,) start of orbit, start of packet, end of packet, valid"
_ORDER = (Flag.START_OF_ORBIT, Flag.START_OF_PACKET, Flag.END_OF_PACKET, Flag.VALID)
_STROBED_ORDER = (Flag.STROBE, *_ORDER)
_TOKEN_2 = re.compile(r"([01]{4,5}) ([0-9a-fA-F]{16})")
_TOKEN_1 = re.compile(r"(?:([01])s)?([01])v([0-9a-fA-F]{16})")
_COLUMNS = re.compile(r"[ \t]{2,}")
_FRAME_2 = re.compile(r"Frame ([0-9]{4,5})")
_FRAME_1 = re.compile(r"Frame ([0-9]{4,5}) :(.*)")
_LINK = re.compile(r"[0-9]{1,3}")
_QUAD = re.compile(r"q[0-9]{1,3}c[0-9]")

Cell = tuple[int, int]
"""Word and flags."""


def write_v2(frames: Frames) -> str:
    """Return frames as the text of an EMPv2 file.

    Raises:
        InputError: if a frame has an error flag, for which there is no place.
    """
    refuse_where(frames, frames.has(Flag.ERROR), "EMPv2 has no error flag")
    strobed = _strobed(frames)
    names = "".join(
        f"{' ' if strobe else ''}{'':12}{link:03d}{'':8}"
        for link, strobe in zip(frames.links, strobed, strict=True)
    )
    texts = [_flag_texts(_STROBED_ORDER if strobe else _ORDER) for strobe in strobed]
    rows = [
        f"Frame {number:04d}  "
        + "".join(
            f"  {text[flag]} {word}" for text, flag, word in zip(texts, flags, words, strict=True)
        )
        for number, (flags, words) in enumerate(
            zip(frames.flags.tolist(), hex_words(frames.words), strict=True)
        )
    ]
    return "\n".join([f"ID: {frames.board}", METADATA, "", f"      Link  {names}", *rows, ""])


def write_v1(frames: Frames) -> str:
    """Return frames as the text of an EMPv1 file; of the flags, valid and strobe.

    Raises:
        InputError: if a frame has an error flag, for which there is no place.
    """
    refuse_where(frames, frames.has(Flag.ERROR), "EMPv1 has no error flag")
    strobed = _strobed(frames)
    widths = [20 if strobe else 18 for strobe in strobed]
    pairs = list(zip(frames.links, widths, strict=True))
    quads = "".join(f" {f'q{link // 4:02d}c{link % 4}':^{width}}" for link, width in pairs)
    names = "".join(f" {f'{link:03d}':^{width}}" for link, width in pairs)
    texts = [
        [
            (f"{int(bool(flag & Flag.STROBE))}s" if strobe else "") + f"{flag & Flag.VALID}v"
            for flag in range(256)
        ]
        for strobe in strobed
    ]
    rows = [
        f"Frame {number:04d} :"
        + "".join(
            f" {text[flag]}{word}" for text, flag, word in zip(texts, flags, words, strict=True)
        )
        for number, (flags, words) in enumerate(
            zip(frames.flags.tolist(), hex_words(frames.words), strict=True)
        )
    ]
    heads = [
        f"Board {frames.board}",
        f" Quad/Chan :{quads}".rstrip(),
        f"      Link :{names}".rstrip(),
    ]
    return "\n".join([*heads, *rows, ""])


def read_v2(lines: Lines) -> Frames:
    """Read an EMPv2 file.

    Raises:
        InputError: naming the line that is not as it must be.
    """
    board = _after(lines, "ID:")
    if lines.header("the Metadata line") != METADATA:
        lines.refuse(f"the line {METADATA!r} must follow the ID")
    columns = _COLUMNS.split(lines.header("the Link line"))
    if columns[:2] != ["", "Link"]:
        lines.refuse("the line '      Link  ' with the numbers of the links must come here")
    links = _links(lines, columns[2:])
    n_flags: list[int] = [0] * len(links)

    def cell(column: int, token: str) -> Cell:
        match = _TOKEN_2.fullmatch(token)
        if match is None:
            lines.refuse(
                f"link {links[column]}: {shown(token)} is no word: 4 or 5 flags of 0 and 1, "
                "a space, 16 hexadecimal digits"
            )
        text = match[1]
        if n_flags[column] not in {0, len(text)}:
            lines.refuse(f"link {links[column]}: {len(text)} flags, {n_flags[column]} before")
        n_flags[column] = len(text)
        return int(match[2], 16), _READ_FLAGS[text]

    def tokens(line: str) -> tuple[str, list[str]] | None:
        first, *rest = _COLUMNS.split(line)
        match = _FRAME_2.fullmatch(first)
        return None if match is None else (match[1], rest)

    return _rows(lines, board, links, (tokens, cell))


def read_v1(lines: Lines) -> Frames:
    """Read an EMPv1 file.

    Raises:
        InputError: naming the line that is not as it must be.
    """
    board = _after(lines, "Board ")
    quads = _named(lines, "Quad/Chan :")
    if not all(_QUAD.fullmatch(quad) for quad in quads):
        lines.refuse("quads and channels are written q00c0 q00c1 ...")
    links = _links(lines, _named(lines, "Link :"))
    if len(links) != len(quads):
        lines.refuse(f"{len(links)} links, but {len(quads)} quads and channels")

    def cell(column: int, token: str) -> Cell:
        match = _TOKEN_1.fullmatch(token)
        if match is None:
            lines.refuse(
                f"link {links[column]}: {shown(token)} is no word: 0v or 1v, before it perhaps "
                "0s or 1s, then 16 hexadecimal digits"
            )
        flags = (Flag.STROBE if match[1] != "0" else 0) | (Flag.VALID if match[2] == "1" else 0)
        return int(match[3], 16), int(flags)

    def tokens(line: str) -> tuple[str, list[str]] | None:
        match = _FRAME_1.fullmatch(line)
        return None if match is None else (match[1], match[2].split())

    return _rows(lines, board, links, (tokens, cell))


def _rows(
    lines: Lines,
    board: str,
    links: tuple[int, ...],
    read: tuple[
        Callable[[str], tuple[str, list[str]] | None],
        Callable[[int, str], Cell],
    ],
) -> Frames:
    """Read all frames; ``read`` splits a line into number and words, and reads a word."""
    split, cell = read
    words: list[list[int]] = []
    flags: list[list[int]] = []
    for line in lines:
        parts = split(line)
        if parts is None:
            lines.refuse(f"{shown(line)}: a frame begins with 'Frame' and a number of four digits")
        check_frame(lines, len(words), int(parts[0]))
        if len(parts[1]) != len(links):
            lines.refuse(f"{len(parts[1])} words for {len(links)} links")
        row = [cell(column, token) for column, token in enumerate(parts[1])]
        words.append([word for word, _ in row])
        flags.append([flag for _, flag in row])
    return made(lines, board, links, (words, flags))


def check_frame(lines: Lines, expected: int, found: int) -> None:
    """Refuse a frame out of sequence, or one too many."""
    if found != expected:
        lines.refuse(f"frame {expected} must come here, not {found}")
    if expected >= MAX_FRAMES:
        lines.refuse(f"more than {MAX_FRAMES} frames")


def made(
    lines: Lines,
    board: str,
    links: tuple[int, ...],
    rows: tuple[list[list[int]], list[list[int]]],
) -> Frames:
    """Return what was read as frames.

    Raises:
        InputError: if there are none.
    """
    words, flags = rows
    if not words:
        lines.refuse("no frames")
    return Frames(
        board=board,
        links=links,
        words=np.array(words, dtype=np.uint64),
        flags=np.array(flags, dtype=np.uint8),
    )


def check_links(lines: Lines, links: tuple[int, ...]) -> tuple[int, ...]:
    """Refuse no links, or one that is named twice."""
    if not links:
        lines.refuse("no links")
    if len(set(links)) != len(links) or len(links) > MAX_LINKS:
        twice = next(link for link in links if links.count(link) > 1)
        lines.refuse(f"link {twice} is named twice")
    return links


def _links(lines: Lines, names: list[str]) -> tuple[int, ...]:
    for name in names:
        if _LINK.fullmatch(name) is None:
            lines.refuse(f"{shown(name)} is no number of a link")
    return check_links(lines, tuple(int(name) for name in names))


def _after(lines: Lines, head: str) -> str:
    """Return what the next line says after its head."""
    line = lines.header(f"the line {head!r}")
    if not line.startswith(head):
        lines.refuse(f"the line {head!r} must come here, not {shown(line)}")
    return line.removeprefix(head).strip()


def _named(lines: Lines, head: str) -> list[str]:
    """Return the columns of a header line of version 1."""
    line = lines.header(f"the line {head!r}").strip()
    if not line.startswith(head):
        lines.refuse(f"the line {head!r} must come here, not {shown(line)}")
    return line.removeprefix(head).split()


def _strobed(frames: Frames) -> list[bool]:
    """Tell for each link whether its strobe must be written: it is 0 somewhere."""
    unstrobed: list[bool] = (~frames.has(Flag.STROBE)).sum(axis=0, dtype=bool).tolist()
    return unstrobed


def _flag_texts(order: tuple[Flag, ...]) -> list[str]:
    return ["".join("1" if flags & flag else "0" for flag in order) for flags in range(256)]


def _read_flags() -> dict[str, int]:
    """Return the flags that each text of four or five characters stands for."""
    table = {}
    for flags in range(64):
        for order in (_ORDER, _STROBED_ORDER):
            held = sum(flag for flag in order if flags & flag)
            text = "".join("1" if flags & flag else "0" for flag in order)
            table[text] = held | (Flag.STROBE if order is _ORDER else 0)
    return {text: int(flags) for text, flags in table.items()}


_READ_FLAGS = _read_flags()
