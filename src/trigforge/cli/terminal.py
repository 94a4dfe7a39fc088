"""Show progress and results: bars and tables on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from rich.console import RenderableType

    from trigforge.core import records

PLAIN_WIDTH = 110


@contextmanager
def quiet_imports() -> Iterator[None]:
    """Keep what TensorFlow's libraries write to standard error on loading off the screen.

    They write before any of their settings is read, straight to the file descriptor.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


class Terminal:
    """Results go to standard output, progress to standard error."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        terminal = sys.stdout.isatty()
        self._out = Console(
            width=None if terminal else PLAIN_WIDTH,
            soft_wrap=not terminal,
            markup=False,  # a path may hold what rich takes for markup
            emoji=False,
            highlight=False,
        )
        self._err = Console(stderr=True, soft_wrap=True, markup=False, emoji=False, highlight=False)

    def show(self, result: RenderableType) -> None:
        """Print a result."""
        self._out.print(result)

    @contextmanager
    def progress(self) -> Iterator[records.Progress]:
        """Yield what a stage calls to say how far it is."""
        if self._quiet:
            yield _silent
        elif self._err.is_terminal:
            with Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self._err,
            ) as bars:
                yield _Bars(bars)
        else:
            yield _Lines(self._err)


def _silent(what: str, done: int, total: int) -> None:
    """Say nothing."""


class _Bars:
    """One bar for each piece of work."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, total: int) -> None:
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=total)
        self._bars.update(self._tasks[what], completed=done, total=total)


class _Lines:
    """One line when a piece of work begins and one when it ends, for logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun: set[str] = set()

    def __call__(self, what: str, done: int, total: int) -> None:
        if what not in self._begun and done < total:
            self._begun.add(what)
            self._console.print(f"{what} ({total}) ...")
        elif what in self._begun and done >= total:
            self._begun.discard(what)
            self._console.print(f"{what}: done")
