"""Processes that make chunks beside each other, and end when their parent does."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trigforge.core.errors import InputError, ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def check_number(n_processes: int) -> None:
    """Refuse a number of processes that can make nothing.

    Raises:
        InputError: if it is less than one.
    """
    if n_processes < 1:
        msg = f"n_processes is {n_processes}; at least 1 is needed"
        raise InputError(msg)


@contextmanager
def working(n_processes: int, unit: str, kept_in: Path) -> Iterator[ProcessPoolExecutor]:
    """Yield processes for the time of a block; what is not begun when it ends is dropped.

    Raises:
        ToolError: if one dies.
    """
    pool = ProcessPoolExecutor(
        n_processes,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_prepare_worker,
    )
    try:
        yield pool
    except BrokenProcessPool as error:
        msg = (
            f"a process that made {unit} died, perhaps for want of memory; what is finished is "
            f"kept in {kept_in}: run again, with fewer processes than {n_processes}"
        )
        raise ToolError(msg) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare_worker() -> None:
    """Leave interrupts to the parent, which waits for running chunks; never outlive it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
