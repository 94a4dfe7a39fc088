"""Read a text file strictly: bounded, whole, and with a number for each line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NoReturn

from trigforge.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_BYTES = 256 << 20
"""A whole buffer of a thousand links takes 28 MB; event files are the larger ones."""
MAX_LINE_CHARACTERS = 1 << 20
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def read_bytes(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        InputError: if it cannot be read or is too large.
    """
    try:
        if not path.is_file():
            msg = f"{path}: no such file"
            raise InputError(msg)
        too_large = path.stat().st_size > MAX_BYTES
        with path.open("rb") as stream:
            content = b"" if too_large else stream.read(MAX_BYTES + 1)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputError(msg) from error
    if too_large or len(content) > MAX_BYTES:
        msg = f"{path}: larger than {MAX_BYTES >> 20} MiB, too large for vectors"
        raise InputError(msg)
    return content


def decode(content: bytes, path: Path) -> str:
    """Return bytes as text.

    Raises:
        InputError: if there is nothing, or no text, or the last line is cut short.
    """
    if not content:
        msg = f"{path}: empty"
        raise InputError(msg)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        at = content.count(b"\n", 0, error.start) + 1
        raise InputError(_where(path, at, "no text in UTF-8")) from error
    control = _CONTROL.search(text)
    if control is not None:
        at = text.count("\n", 0, control.start()) + 1
        raise InputError(_where(path, at, f"a control character, {control[0]!r}"))
    if not text.endswith("\n"):
        raise InputError(_where(path, text.count("\n") + 1, "cut short: no end of line"))
    return text


class Lines:
    """The lines of a file, one after the other; knows which one is being read.

    The text ends with an end of line, as ``decode`` makes sure.
    """

    def __init__(self, text: str, path: Path) -> None:
        self._text = text
        self._at = 0
        self._path = path
        self._number = 0

    def refuse(self, problem: str) -> NoReturn:
        """Refuse the line that was read last.

        Raises:
            InputError: always, with path and line number.
        """
        raise InputError(_where(self._path, self._number, problem))

    def peek(self) -> str:
        """Return the next line as ``header`` would, and stay before it; empty at the end."""
        at, number = self._at, self._number
        line = next(iter(self), "")
        self._at, self._number = at, number
        return line

    def header(self, wanted: str) -> str:
        """Return the next line that is neither blank nor a comment.

        Raises:
            InputError: if the file ends before it.
        """
        line = next(iter(self), "")
        if not line:
            self.refuse(f"the file ends before {wanted}")
        return line

    def __iter__(self) -> Iterator[str]:
        """Yield the lines to come, without blanks at their ends; skip empty ones and comments."""
        while self._at < len(self._text):
            end = self._text.index("\n", self._at)
            line = self._text[self._at : end]
            self._at = end + 1
            self._number += 1
            if len(line) > MAX_LINE_CHARACTERS:
                self.refuse(f"a line of {len(line)} characters; at most {MAX_LINE_CHARACTERS}")
            line = line.rstrip(" \t\r")
            if line and not self.is_comment(line):
                yield line

    def is_comment(self, line: str) -> bool:
        """Tell whether a line is there for people only."""
        return line.startswith("#")


def shown(text: str) -> str:
    """Return a piece of a file for a message: short, and printable."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def _where(path: Path, line: int, problem: str) -> str:
    return f"{path}, line {line}: {problem}"
