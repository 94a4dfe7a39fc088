"""Run one spec and reduce what it found to a verdict: ``Candidate -> SpecVerdict``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trigforge.core.config import AnySpec
from trigforge.core.errors import SimulationFault, TrigforgeError
from trigforge.core.records import Check
from trigforge.core.verdict import SpecVerdict
from trigforge.core.workspace import Workspace
from trigforge.gate.figures import figures_of

if TYPE_CHECKING:
    from trigforge.core.records import Progress, RunSummary

UNKNOWN = "unknown: "
"""How a run begins the warnings about what the budget could not judge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A spec that can be run, and where its things lie."""

    path: Path
    spec: AnySpec
    workspace: Workspace


def judge(candidate: Candidate, progress: Progress) -> SpecVerdict:
    """Run a spec; its errors are a verdict too."""
    from trigforge import pipeline  # noqa: PLC0415 - TensorFlow loads where it is needed

    name, path = candidate.spec.name, candidate.path
    try:
        summary = pipeline.run(candidate.spec, candidate.workspace, progress=progress)
    except SimulationFault as fault:
        check = Check(
            name="RTL simulation", used=str(fault), allowed="a result for each event", met=False
        )
        return SpecVerdict(name=name, spec=path, checks=(check,))
    except (TrigforgeError, OSError, MemoryError) as error:
        return SpecVerdict(name=name, spec=path, error=str(error) or type(error).__name__)
    return verdict_of(summary, path)


def verdict_of(summary: RunSummary, path: Path) -> SpecVerdict:
    """Return what a gate needs of a run."""
    nothing = Check(name="checks", used="none", allowed="at least one", met=False)
    unknown = [line for line in summary.warnings if line.startswith(UNKNOWN)]
    return SpecVerdict(
        name=summary.name,
        spec=path,
        checks=summary.checks or (nothing,),
        budget=summary.budget,
        figures=figures_of(summary),
        unknown=tuple(line.removeprefix(UNKNOWN) for line in unknown),
        notes=tuple(line for line in summary.warnings if not line.startswith(UNKNOWN)),
    )
