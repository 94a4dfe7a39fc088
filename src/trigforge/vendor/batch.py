"""Run a vendor's program in batch mode: it failed if its code, or one line, says so.

These programs can end with code 0 after an error, so every line is looked at.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trigforge.core.errors import ToolError
from trigforge.vendor import toolchain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CONSOLE = "console.log"
"""What the program wrote on its outputs, kept beside its own logs."""

_CODES = tuple(range(256))
_ERRORS_SHOWN = 5
_LINES_SHOWN = 20


def run(arguments: Sequence[str | Path], *, folder: Path, timeout_s: float, what: str) -> None:
    """Run a program in ``folder`` and keep what it wrote in ``console.log`` there.

    Raises:
        ToolError: if it cannot be started, runs past ``timeout_s`` seconds, ends with a code
            but 0, or writes a line ``ERROR: ...``; the first errors and last lines are shown.
    """
    completed = toolchain.run(
        arguments, folder=folder, timeout_s=timeout_s, what=what, accepted=_CODES
    )
    text = completed.text + completed.stderr
    (folder / CONSOLE).write_text(text, encoding="utf-8")
    errors = [line for line in text.splitlines() if line.startswith("ERROR:")]
    if completed.returncode == 0 and not errors:
        return
    how = f"failed with code {completed.returncode}" if completed.returncode else "says it failed"
    last = text.strip().splitlines()[-_LINES_SHOWN:]
    first = [line for line in errors[:_ERRORS_SHOWN] if line not in last]
    shown = "\n  ".join([*first, *last]) or "(it wrote nothing)"
    msg = f"{what}: {_program(arguments)} {how}:\n  {shown}"
    raise ToolError(msg)


def require_file(folder: Path, path: str, what: str) -> Path:
    """Return a file that a program was to write.

    Raises:
        ToolError: if it is not there; the last lines of the console are shown.
    """
    if (folder / path).is_file():
        return folder / path
    last = (folder / CONSOLE).read_text(encoding="utf-8").strip().splitlines()[-_LINES_SHOWN:]
    shown = "\n  ".join(last) or "(it wrote nothing)"
    msg = f"{what}: the program ended well but did not write {path}; it ended with:\n  {shown}"
    raise ToolError(msg)


def version(program: Path, argument: str, *, folder: Path) -> str:
    """Ask a program for its version: ``2023.2``.

    Raises:
        ToolError: if it fails or names none.
    """
    what = f"asking {program.name} for its version"
    completed = toolchain.run([program, argument], folder=folder, timeout_s=120, what=what)
    match = re.search(r"\bv(\d{4}\.\d+(?:\.\d+)*)", completed.text)
    if match is None:
        msg = f"{what}: expected one such as v2023.2, found {completed.text[:200]!r}"
        raise ToolError(msg)
    return match[1]


def _program(arguments: Sequence[str | Path]) -> str:
    return str(arguments[0]).rpartition("/")[2]
