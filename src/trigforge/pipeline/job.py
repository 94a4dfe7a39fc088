"""What a run is asked for and what it starts from."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trigforge.core.config import AnySpec
from trigforge.core.records import Progress, StageTime, Stimulus, no_progress
from trigforge.core.workspace import Workspace
from trigforge.pipeline.source import Source

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(slots=True)
class Stage:
    """What a running stage may say of itself."""

    cached: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is asked for, where things lie, who is told how far it is, and how long it took."""

    spec: AnySpec
    workspace: Workspace
    progress: Progress = no_progress
    times: list[StageTime] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Time a block as one stage."""
        started = time.perf_counter()
        stage = Stage()
        yield stage
        seconds = round(time.perf_counter() - started, 3)
        self.times.append(StageTime(stage=name, seconds=seconds, cached=stage.cached))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A network and the stimulus for it: what every later stage starts from."""

    source: Source
    stimulus: Stimulus
