"""Read the text reports of vendor programs strictly: what is not as expected is an error.

The reports are tables drawn with ``+``, ``-`` and ``|`` below headings. A report that was cut
off, or whose labels changed, is refused with its file and line: a figure is never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from trigforge.core.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a table: its cells without the blanks around them, and its line (from 1)."""

    cells: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The lines of a report and where they come from."""

    path: Path
    lines: tuple[str, ...]

    def wrong(self, line: int, expected: str) -> InputError:
        """Return the error for what stands in a line (from 1) instead of what is expected."""
        found = repr(self.lines[line - 1].strip()) if line <= len(self.lines) else "its end"
        return InputError(f"{self.path}, line {line}: expected {expected}, found {found}")

    def find(self, pattern: str, expected: str, *, after: int = 0) -> tuple[int, re.Match[str]]:
        """Return the first line (from 1) below line ``after`` that holds a pattern, and the match.

        Raises:
            InputError: if there is none, saying what was expected.
        """
        compiled = re.compile(pattern)
        for line in range(after + 1, len(self.lines) + 1):
            match = compiled.search(self.lines[line - 1])
            if match is not None:
                return line, match
        where = f"below line {after}" if after else "anywhere"
        msg = (
            f"{self.path}: expected {expected}, found none {where} of {len(self.lines)} lines; "
            "is the report truncated?"
        )
        raise InputError(msg)

    def table(self, after: int) -> tuple[Row, ...]:
        """Return the rows, headings included, of the first table below line ``after`` (from 1).

        Raises:
            InputError: if there is no table, or it breaks off before its closing border.
        """
        line, _ = self.find(r"^\s*\+[-+]+\+\s*$", "a table", after=after)
        rows = []
        while line <= len(self.lines) and self.lines[line - 1].lstrip()[:1] in ("+", "|"):
            text = self.lines[line - 1].strip()
            if text.startswith("|"):
                cells = text.removeprefix("|").removesuffix("|").split("|")
                rows.append(Row(cells=tuple(cell.strip() for cell in cells), line=line))
            line += 1
        if not self.lines[line - 2].lstrip().startswith("+") or not rows:
            raise self.wrong(line, "a row or the end of a table")
        return tuple(rows)

    def integer(self, text: str, line: int, what: str) -> int:
        """Return a count.

        Raises:
            InputError: if the text is no count, naming it ``what``.
        """
        if re.fullmatch(r"\d+", text) is None:
            raise self.wrong(line, f"a whole number for {what}, not {text!r}")
        return int(text)


def read(path: Path) -> Report:
    """Read the lines of a report.

    Raises:
        InputError: if it is missing, unreadable or empty.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        msg = f"{path}: cannot read the report: {error.strerror}"
        raise InputError(msg) from error
    if not lines:
        msg = f"{path}: expected a report, found an empty file"
        raise InputError(msg)
    return Report(path=path, lines=tuple(lines))
