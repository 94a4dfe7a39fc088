"""What travels between a scan and its workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trigforge.core.config import AnySpec
from trigforge.core.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A design, where its things lie, and which figures are wanted of it."""

    number: int
    """Of the trial; -1: the base."""
    spec: AnySpec
    workspace: Workspace
    wanted: tuple[str, ...]
    sample_file: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """Figures of a design, or why there are none."""

    figures: Mapping[str, float] = field(default_factory=dict)
    not_met: tuple[str, ...] = ()
    """Which losses of physics are more than the spec's acceptance allows."""
    stages: Mapping[str, float] = field(default_factory=dict)
    """Seconds of each stage."""
    seconds: float
    error: str = ""
