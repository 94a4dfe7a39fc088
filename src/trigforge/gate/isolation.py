"""Run work on many tasks, each in a process of its own: ``work, tasks -> Ended, ...``.

A process that crashes, runs out of memory or is killed takes nothing with it but its own
result. Pools cannot do that: they break as a whole.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trigforge.core.records import Progress

Task = TypeVar("Task")
Result = TypeVar("Result")

OUTPUT_LINES = 40
"""Last lines kept of what a process wrote."""
GRACE_SECONDS = 5.0
"""Time a process has to end its own programs when it is interrupted."""

_LOOK_SECONDS = 1.0
_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended(Generic[Result]):
    """How the work on one task ended."""

    result: Result | None
    fault: str
    """Why there is no result."""
    output: str
    """The last lines the process wrote, if there is no result."""
    seconds: float


@dataclass(frozen=True, slots=True)
class _Step:
    """A message of a process about how far it is."""

    what: str
    done: int
    total: int


@dataclass(slots=True)
class _Worker:
    """A running process and the pipe it talks through."""

    index: int
    label: str
    process: SpawnProcess
    connection: Connection
    output: Path
    started: float = field(default_factory=time.monotonic)

    def follow(self, progress: Progress) -> Ended[Any] | None:
        """Pass on what the process says; return how it ended once it has."""
        alive = self.process.is_alive()  # asked first: what it sent before it died is read below
        try:
            while self.connection.poll():
                message = self.connection.recv()
                if not isinstance(message, _Step):
                    return self._ended(message, "", "")
                progress(f"{self.label}: {message.what}", message.done, message.total)
        except (EOFError, OSError):
            alive = False
        if alive:
            return None
        self.process.join(GRACE_SECONDS)
        written = _last_lines(self.output)
        return self._ended(None, _fault(self.process.exitcode, written), written)

    def interrupt(self) -> None:
        """Ask the process to end."""
        if self.process.is_alive() and self.process.pid is not None:
            os.kill(self.process.pid, signal.SIGINT)

    def stop(self) -> None:
        """Wait for the end of a process, not for long."""
        self.process.join(GRACE_SECONDS)
        self.process.kill()
        self.process.join()
        self.connection.close()

    def _ended(self, result: Any, fault: str, written: str) -> Ended[Any]:
        seconds = time.monotonic() - self.started
        self.stop()
        return Ended(result=result, fault=fault, output=written, seconds=seconds)


def run_apart(
    work: Callable[[Task, Progress], Result],
    tasks: Sequence[tuple[str, Task]],
    *,
    n_jobs: int,
    progress: Progress,
) -> tuple[Ended[Result], ...]:
    """Do the work on labelled tasks, ``n_jobs`` at a time; return the results in their order.

    ``work``, tasks and results must be importable and picklable. What the processes write is
    kept off the terminal; the last lines of one that died are in its result. An interrupt
    ends all of them.
    """
    ended: dict[int, Ended[Result]] = {}
    waiting = deque(enumerate(tasks))
    running: list[_Worker] = []
    with tempfile.TemporaryDirectory(prefix="trigforge_") as folder:
        try:
            while waiting or running:
                while waiting and len(running) < n_jobs:
                    index, (label, task) = waiting.popleft()
                    progress(label, 0, 1)
                    output = Path(folder, str(index))
                    try:
                        running.append(_start(work, task, index, label, output))
                    except OSError as error:  # no more processes or memory
                        fault = f"its process could not be started: {error.strerror}"
                        ended[index] = Ended(result=None, fault=fault, output="", seconds=0.0)
                wait([worker.connection for worker in running], timeout=_LOOK_SECONDS)
                for worker in tuple(running):
                    end = worker.follow(progress)
                    if end is not None:
                        running.remove(worker)
                        ended[worker.index] = end
                        progress(worker.label, 1, 1)
        finally:
            for worker in running:
                worker.interrupt()
            for worker in running:
                worker.stop()
    return tuple(ended[index] for index in range(len(tasks)))


def _start(
    work: Callable[[Task, Progress], Result], task: Task, index: int, label: str, output: Path
) -> _Worker:
    ours, theirs = _SPAWN.Pipe(duplex=False)
    process = _SPAWN.Process(target=_run, args=(work, task, theirs, output), name=label)
    process.start()
    theirs.close()  # or the end of the process would not be the end of the pipe
    return _Worker(index=index, label=label, process=process, connection=ours, output=output)


def _run(
    work: Callable[[Task, Progress], Result], task: Task, connection: Connection, output: Path
) -> None:
    """Do the work in the new process; what it raises multiprocessing writes to the output."""
    with output.open("wb") as stream:
        for descriptor in (1, 2):
            os.dup2(stream.fileno(), descriptor)
    faulthandler.enable()
    threading.Thread(target=_end_with_parent, daemon=True).start()

    def tell(what: str, done: int, total: int) -> None:
        connection.send(_Step(what, done, total))

    try:
        connection.send(work(task, tell))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def _end_with_parent() -> None:
    """Interrupt this process when its parent is gone, so that its own programs end too."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(GRACE_SECONDS)
        os._exit(1)  # whoever started us may have had interrupts ignored


def _fault(code: int | None, written: str) -> str:
    """Say how a process without result ended."""
    if code is not None and code < 0:
        name = next((entry.name for entry in signal.Signals if entry == -code), f"signal {-code}")
        hint = "; perhaps for want of memory: fewer at a time" if name == "SIGKILL" else ""
        return f"its process was killed by {name}{hint}"
    last = written.rpartition("\n")[2]
    return f"its process ended with code {code}" + (f": {last}" if last else "")


def _last_lines(path: Path) -> str:
    try:
        text = path.read_bytes().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.strip().splitlines()[-OUTPUT_LINES:])
