"""When events enter a design: ``Traffic, number of events -> Schedule``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trigforge.core.errors import InputError
from trigforge.core.records import freeze_arrays

RESET_CYCLES = 8
"""The reset before the first event; what comes out until its end is not looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The cycles in which events are presented and in which reset is high.

    ``event_cycles`` is int64 ``(n_events,)``, rising; so is ``reset_cycles``.
    """

    event_cycles: NDArray[np.int64]
    reset_cycles: NDArray[np.int64]

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def n_cycles(self) -> int:
        """Cycles up to the last event or reset."""
        return int(np.concatenate([self.event_cycles, self.reset_cycles]).max(initial=-1)) + 1

    @property
    def interval_cycles(self) -> int:
        """The shortest distance between two events; 0 if there are not two."""
        distances = np.diff(self.event_cycles)
        return int(distances.min()) if len(distances) else 0

    def flags(self) -> NDArray[np.uint8]:
        """Return a byte a cycle: bit 0 an event is presented, bit 1 reset is high."""
        flags = np.zeros(self.n_cycles, dtype=np.uint8)
        flags[self.event_cycles] |= 1
        flags[self.reset_cycles] |= 2
        return flags

    def surviving(self, latency_cycles: int) -> NDArray[np.int64]:
        """Return the numbers of the events whose results must come out.

        A reset in cycle ``r`` takes the events that are in flight at its end: those
        presented in ``r`` or before, whose result would leave after ``r``.
        """
        first_reset = np.searchsorted(self.reset_cycles, self.event_cycles)
        resets = np.append(self.reset_cycles, np.iinfo(np.int64).max)
        lost = resets[first_reset] < self.event_cycles + latency_cycles
        return np.flatnonzero(~lost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """How events follow each other; the same seed gives the same cycles.

    Raises:
        InputError: if a figure is impossible.
    """

    interval_cycles: int | None = None
    """From one event to the next; the design's own interval if None."""
    idle_share: float = 0.0
    """Share of cycles, beyond the interval, in which no event is presented."""
    n_resets: int = 0
    """Resets of one cycle each, while events are in flight."""
    seed: int = 1

    def __post_init__(self) -> None:
        if self.interval_cycles is not None and self.interval_cycles < 1:
            msg = f"an event every {self.interval_cycles} cycles is impossible; at least 1"
            raise InputError(msg)
        if not 0 <= self.idle_share < 1 or self.n_resets < 0:
            msg = (
                f"traffic with idle share {self.idle_share} and {self.n_resets} resets: "
                "the share is at least 0 and below 1, resets cannot be negative"
            )
            raise InputError(msg)

    def schedule(self, n_events: int, interval_cycles: int) -> Schedule:
        """Return the cycles of ``n_events`` events for a design's initiation interval.

        Raises:
            InputError: if events were to follow faster than the design takes them.
        """
        interval = self.interval_cycles or interval_cycles
        if interval < interval_cycles:
            msg = (
                f"an event every {interval} cycles is too fast: the design takes one every "
                f"{interval_cycles}"
            )
            raise InputError(msg)
        random = np.random.default_rng(self.seed)
        waits = random.geometric(1 - self.idle_share, n_events) - 1
        events = RESET_CYCLES - interval + np.cumsum(interval + waits)
        resets = np.arange(RESET_CYCLES)
        if self.n_resets and n_events:
            between = np.arange(events[0], events[-1] + 1)
            chosen = random.choice(between, min(self.n_resets, len(between)), replace=False)
            resets = np.concatenate([resets, np.sort(chosen)])
        return Schedule(event_cycles=events, reset_cycles=resets)


def back_to_back(interval_cycles: int | None = None) -> Traffic:
    """Return traffic of an event every interval."""
    return Traffic(interval_cycles=interval_cycles)


def random_gaps(*, idle_share: float = 0.4, seed: int = 1) -> Traffic:
    """Return traffic with random gaps between events."""
    return Traffic(idle_share=idle_share, seed=seed)


def with_resets(n_resets: int, *, idle_share: float = 0.2, seed: int = 1) -> Traffic:
    """Return traffic with resets in mid-stream, some of them where an event is presented."""
    return Traffic(idle_share=idle_share, n_resets=n_resets, seed=seed)
