"""Find external programs and run them: the only place that starts processes.

A program runs in a process group of its own, so that whatever it started ends with it
when it runs past its limit or the user interrupts.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trigforge.core.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PROGRAM_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")
_LINES_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What a program that has ended left behind, and how long it took (wall clock)."""

    returncode: int
    stdout: bytes
    stderr: str
    seconds: float

    @property
    def text(self) -> str:
        """The standard output as text."""
        return self.stdout.decode(errors="replace")


def require_tool(name: str, *, purpose: str, hint: str) -> Path:
    """Return the path of a program, given by name (searched in PATH) or absolute path.

    ``purpose`` completes "... is needed to"; ``hint`` says how to get the program.

    Raises:
        ToolError: if there is no such program: where it was looked for and what to do.
    """
    if _PROGRAM_NAME.fullmatch(Path(name).name) is None or name not in (
        Path(name).name,
        str(Path("/", name)),
    ):
        msg = f"{name!r} is not the name or the absolute path of one program"
        raise ToolError(msg)
    found = shutil.which(name)
    if found is None:
        where = "there" if Path(name).is_absolute() else f"in PATH ({os.environ.get('PATH', '')})"
        msg = f"{name} is needed to {purpose}, but no such program is {where}; {hint}"
        raise ToolError(msg)
    return Path(found).absolute()


def search_path(first: Path) -> str:
    """Return PATH with a folder before all others."""
    return os.pathsep.join([str(first), os.environ.get("PATH", os.defpath)])


def compiler() -> Path:
    """Return the C++ compiler: the program that CXX names, otherwise g++.

    Raises:
        ToolError: if it is missing.
    """
    chosen = os.environ.get("CXX", "").strip()
    hint = "set CXX to one" if chosen else "install it (Debian: apt install g++) or set CXX"
    return require_tool(chosen or "g++", purpose="compile C++", hint=hint)


def compiler_version() -> str:
    """Return the first line of what the C++ compiler says about its version.

    Raises:
        ToolError: if it is missing or does not answer.
    """
    completed = run(
        [compiler(), "--version"], folder=Path("/"), timeout_s=30, what="asking for the version"
    )
    return completed.text.partition("\n")[0].strip()


def run(  # noqa: PLR0913 - keyword-only, each a fact about one process; a record would only wrap them
    arguments: Sequence[str | Path],
    *,
    folder: Path,
    timeout_s: float,
    what: str,
    stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
    accepted: tuple[int, ...] = (0,),
) -> Completed:
    """Run a program in ``folder`` and wait for it; no shell reads the arguments.

    ``what`` names the work in errors. Without ``stdin`` the program reads an empty input.
    ``environment`` is added to that of this process. ``accepted`` are the return codes
    that are no failure. An interrupt kills the program and what it started, and goes on.

    Raises:
        ToolError: if the program cannot be started, runs past ``timeout_s`` seconds, or
            ends with another return code; the last lines it wrote are shown.
    """
    command = [str(argument) for argument in arguments]
    started = time.monotonic()
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError, IndexError) as error:
        msg = f"{what}: cannot start {command[:1]} in {folder}: {error}"
        raise ToolError(msg) from error
    with process:
        try:
            stdout, stderr = _outputs(process, stdin, timeout_s)
        except subprocess.TimeoutExpired as error:
            lines = _last_lines((error.stderr or b"").decode(errors="replace"))
            msg = f"{what}: {Path(command[0]).name} was stopped after {timeout_s:g} s{lines}"
            raise ToolError(msg) from error
    completed = Completed(
        returncode=process.returncode,
        stdout=stdout,
        stderr=stderr.decode(errors="replace"),
        seconds=time.monotonic() - started,
    )
    if completed.returncode not in accepted:
        msg = f"{what}: {Path(command[0]).name} {_ending(completed)}"
        raise ToolError(msg)
    return completed


def _outputs(
    process: subprocess.Popen[bytes], stdin: bytes | None, timeout_s: float
) -> tuple[bytes, bytes]:
    """Wait for the outputs; on a timeout or an interrupt kill all that was started."""
    try:
        return process.communicate(stdin, timeout=timeout_s)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the group has the number of its first process
        process.wait()
        raise


def _ending(completed: Completed) -> str:
    """Say how a program ended, with the last lines of stderr, or of stdout if there are none."""
    code = completed.returncode
    how = f"was killed by {_signal_name(-code)}" if code < 0 else f"failed with code {code}"
    return f"{how}{_last_lines(completed.stderr.strip() or completed.text)}"


def _signal_name(number: int) -> str:
    known = {entry.value: entry.name for entry in signal.Signals}
    return known.get(number, f"signal {number}")


def _last_lines(text: str) -> str:
    lines = text.strip().splitlines()[-_LINES_SHOWN:]
    return ":\n  " + "\n  ".join(lines) if lines else ", and wrote nothing"
