"""What a gate says about one spec: small enough to pass between processes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from trigforge.core.records import Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number of a design that must not get worse, and how it came about."""

    name: str
    """``latency_cycles``, ``interval_cycles``, a field of ``Resources``, ``mean_auc`` ..."""
    value: int | float
    origin: str
    """Who measured what, without versions; figures of two origins cannot be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecVerdict:
    """The verdict on one spec, or why there is none."""

    name: str
    """The model's name; the path where the spec cannot be read."""
    spec: Path
    checks: tuple[Check, ...] = ()
    """Bit accuracy, simulation, physics."""
    budget: tuple[Check, ...] = ()
    baseline: tuple[Check, ...] = ()
    """Figures held against those that were stored."""
    figures: tuple[Figure, ...] = ()
    unknown: tuple[str, ...] = ()
    """What could not be judged and is no failure."""
    notes: tuple[str, ...] = ()
    """What got better, and warnings of the run."""
    seconds: float = 0.0
    error: str | None = None
    """Why the spec could not be judged; None if it was."""
    output: str = ""
    """The last lines a run wrote that died."""

    @property
    def lines(self) -> tuple[Check, ...]:
        """All checks, each under a name of its own."""
        return (
            *self.checks,
            *(replace(check, name=f"budget: {check.name}") for check in self.budget),
            *(replace(check, name=f"baseline: {check.name}") for check in self.baseline),
        )

    @property
    def failed(self) -> tuple[Check, ...]:
        """The checks that were not met."""
        return tuple(check for check in self.lines if not check.met)

    @property
    def met(self) -> bool:
        """The spec was judged, there were checks, and all were met."""
        return self.error is None and bool(self.checks) and not self.failed
