"""Work spread over Dask's workers: on the cores of this machine, or wherever a scheduler is.

Scheduling, data transport, and what happens when a worker dies are Dask's. Here is only how
trigforge's work reaches it: few tasks at a time, drawn when a worker is free for them.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import dask
from distributed import (
    Client,
    Future,
    KilledWorker,
    LocalCluster,
    WorkerPlugin,
    get_worker,
    wait,
)

from trigforge import __version__
from trigforge.core.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

ANSWER_S = 20
WAKE_S = 2.0
"""Longest wait before workers that joined meanwhile are given work."""

_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "CUDA_VISIBLE_DEVICES": "-1",
    "MPLBACKEND": "Agg",
}
"""Of a worker's environment: every core has a worker, none needs more than its own."""

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Generic[Item, Result]):
    """A task that has ended: with its result, or with an error."""

    item: Item
    result: Result | None
    error: BaseException | None
    worker: str
    """Address of the worker, empty if none lived to tell."""


class QuietImport(WorkerPlugin):
    """Import a module where nobody sees what TensorFlow writes on loading."""

    name = "trigforge"

    def __init__(self, module: str) -> None:
        self.module = module

    def setup(self, worker: Any) -> None:
        """Import it; called in every worker, those that join later among them."""
        del worker
        sys.stderr.flush()
        kept = os.dup(2)
        try:
            with Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), 2)
            importlib.import_module(self.module)
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def connect(
    scheduler: str | None, *, n_workers: int | None = None, module: str | None = None
) -> Iterator[Client]:
    """Yield a client of a scheduler, given by address, or of workers started here.

    Those are one process of one thread a core, or ``n_workers``; they end with the block.
    ``module`` is imported by every worker before its first task.

    Raises:
        ToolError: if no scheduler answers at the address, or the workers do not start.
    """
    if scheduler is not None:
        with _client_of(scheduler) as client:
            _prepare(client, module)
            yield client
        return
    settings = {
        "distributed.worker.daemon": False,  # a worker starts compilers and generators
        "distributed.scheduler.allowed-failures": 2,
        "distributed.nanny.pre-spawn-environ": _ONE_THREAD,
    }
    n_processes = n_workers or len(os.sched_getaffinity(0))
    with (
        dask.config.set(settings),
        LocalCluster(
            n_workers=n_processes,
            threads_per_worker=1,
            processes=True,
            dashboard_address="127.0.0.1:0",  # None takes a fixed port, which others may have
            host="127.0.0.1",
            silence_logs=logging.CRITICAL,
        ) as local,
        Client(local) as client,
    ):
        _prepare(client, module)
        yield client


def _prepare(client: Client, module: str | None) -> None:
    if module is not None:
        client.register_plugin(QuietImport(module))


def _client_of(scheduler: str) -> Client:
    try:
        return Client(scheduler, timeout=ANSWER_S)
    except (OSError, TimeoutError, ValueError) as error:
        msg = (
            f"no Dask scheduler answers at {scheduler!r} ({error}); give the address that "
            "`dask scheduler` prints, as tcp://host:8786"
        )
        raise ToolError(msg) from error


def n_threads(client: Client) -> int:
    """Return how many tasks the workers run at once now."""
    return int(sum(client.nthreads().values()))


def stream(
    client: Client,
    work: Callable[[Item], Result],
    items: Iterator[Item],
    *,
    per_thread: float = 1.0,
    watch: Callable[[], None] = lambda: None,
) -> Generator[Done[Item, Result]]:
    """Yield tasks as they end; an item is drawn only when it can start.

    No more than ``per_thread`` tasks a thread are under way, counted anew as workers come and
    go. ``watch`` is called at least every few seconds. A worker that dies costs nothing: its
    task runs again elsewhere, until Dask's ``allowed-failures`` are used up. When the caller
    stops early the tasks under way are cancelled.
    """
    under_way: dict[Future[Any], Item] = {}
    exhausted = False
    try:
        while True:
            watch()
            room = int(n_threads(client) * per_thread) - len(under_way)
            while room > 0 and not exhausted:
                try:
                    item = next(items)
                except StopIteration:
                    exhausted = True
                    break
                under_way[client.submit(_on_worker, __version__, work, item, pure=False)] = item
                room -= 1
            if not under_way and exhausted:
                return
            for future in _ended(list(under_way)):
                yield _done(future, under_way.pop(future))
    finally:
        client.cancel(list(under_way))


def _ended(futures: list[Future[Any]]) -> list[Future[Any]]:
    """Return what has ended; wait a while if nothing has."""
    if not futures:
        _pause()
        return []
    try:
        wait(futures, timeout=WAKE_S, return_when="FIRST_COMPLETED")
    except TimeoutError:
        return []
    return [future for future in futures if future.done()]


def _pause() -> None:
    """Wait for workers, or for others to finish what the caller waits for."""
    time.sleep(WAKE_S / 4)


def _done(future: Future[Any], item: Item) -> Done[Item, Any]:
    """Say how a task ended."""
    if future.status == "finished":
        worker, result = future.result()
        return Done(item=item, result=result, error=None, worker=worker)
    error = future.exception() if future.status == "error" else None
    if isinstance(error, KilledWorker):
        where = getattr(error.last_worker, "address", "an unknown address")
        msg = f"every worker that tried it died, the last at {where}: out of memory, or killed"
        error = ToolError(msg)
    if error is None:
        msg = f"the scheduler lost the task ({future.status})"
        error = ToolError(msg)
    return Done(item=item, result=None, error=error, worker="")


def _on_worker(version: str, work: Callable[[Item], Result], item: Item) -> tuple[str, Result]:
    """Run a task where it was sent; what runs there must be what sent it."""
    if version != __version__:
        msg = f"the worker has trigforge {__version__}, the client {version}; install the same"
        raise ToolError(msg)
    return get_worker().address, work(item)
