"""How all benchmarks take the time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def seconds(function: Callable[[], Any], *, repeats: int = 1) -> float:
    """Return the shortest wall time of some calls: the one that was disturbed least."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return min(times)
