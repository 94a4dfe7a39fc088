"""``report.json``: the contract other tools read, versioned, with a JSON schema.

What was not measured says so: latency and resources have ``source`` "not measured" and no
numbers until something measures them.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from trigforge.core.files import write_file

if TYPE_CHECKING:
    from trigforge.core.config import Spec
    from trigforge.core.records import Agreement, Metrics, RunSummary

REPORT_VERSION = 1
SCHEMA = Path(__file__).parent / "report.schema.json"
"""The schema as it is shipped."""


def _finite_or_null(number: float | None) -> float | None:
    """JSON has no infinity."""
    return number if number is not None and math.isfinite(number) else None


Count = Annotated[int, Field(ge=0)]
Measured = Annotated[float | None, PlainSerializer(_finite_or_null)]


class Entry(BaseModel):
    """A part of the report: nothing unknown, nothing changed later."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_serialization_defaults_required=True
    )


class FirstDifference(Entry):
    """Where two implementations first differ."""

    event: Count
    origin: str = Field(description="block of the stimulus and index there: held_out[17]")
    output: Count
    output_name: str
    reference: int = Field(description="raw integer")
    candidate: int = Field(description="raw integer")


class AgreementEntry(Entry):
    """Two implementations compared on raw integers."""

    reference: str
    candidate: str
    n_events: Count
    n_values: Count
    n_different: Count
    n_different_events: Count
    first_difference: FirstDifference | None


class Latency(Entry):
    """From the first input bit to the last output bit."""

    source: Literal["not measured", "measured", "estimated"]
    clock_mhz: float
    cycles: int | None = None
    interval_cycles: int | None = None
    ns: float | None = None
    crossings: float | None = None


class Resources(Entry):
    """What the design takes of the part."""

    source: Literal["not measured", "measured", "estimated"]
    part: str
    lut: int | None = None
    ff: int | None = None
    dsp: int | None = None
    bram_18k: int | None = None
    uram: int | None = None
    tool: str | None = None
    stage: str | None = None


class CheckEntry(Entry):
    """One line of the verdict."""

    name: str
    used: str
    allowed: str
    met: bool


class ClassEntry(Entry):
    """How well one class is told from the rest; no rejection: no background passed."""

    name: str
    auc: float
    signal_efficiency: float
    background_rejection: Measured


class MetricsEntry(Entry):
    """One network on the held-out events."""

    n_events: Count
    accuracy: float
    mean_auc: float
    classes: tuple[ClassEntry, ...]


class Physics(Entry):
    """The float baseline beside the quantised network, on the same events."""

    n_train: Count
    n_test: Count
    sample: str
    float_network: MetricsEntry
    quantised_network: MetricsEntry


class ProjectEntry(Entry):
    """A project on disk."""

    folder: str
    backend: str
    io_type: str
    modified: tuple[str, ...] = Field(description="files changed since they were written")


class StageEntry(Entry):
    """How long a stage took, wall clock."""

    stage: str
    seconds: float
    cached: bool


class Report(Entry):
    """A run of trigforge."""

    report_version: Literal[1]
    name: str
    met: bool = Field(description="all checks were met")
    agreements: tuple[AgreementEntry, ...]
    latency: Latency
    resources: Resources
    budget: tuple[CheckEntry, ...] = Field(
        description="empty until latency and resources are known"
    )
    checks: tuple[CheckEntry, ...]
    physics: Physics
    projects: tuple[ProjectEntry, ...]
    stages: tuple[StageEntry, ...]
    warnings: tuple[str, ...]
    provenance: dict[str, str]


def make(summary: RunSummary, spec: Spec) -> Report:
    """Make the report of a run."""
    return Report(
        report_version=REPORT_VERSION,
        name=summary.name,
        met=summary.met,
        agreements=tuple(_agreement(entry) for entry in summary.agreements),
        latency=Latency(source="not measured", clock_mhz=spec.hardware.clock_mhz),
        resources=Resources(source="not measured", part=spec.hardware.part),
        budget=(),
        checks=tuple(
            CheckEntry(name=c.name, used=c.used, allowed=c.allowed, met=c.met)
            for c in summary.checks
        ),
        physics=Physics(
            n_train=summary.n_train,
            n_test=summary.n_test,
            sample=summary.sample_origin,
            float_network=_metrics(summary.float_metrics),
            quantised_network=_metrics(summary.quantised_metrics),
        ),
        projects=tuple(
            ProjectEntry(
                folder=str(p.folder), backend=p.backend, io_type=p.io_type, modified=p.modified
            )
            for p in summary.projects
        ),
        stages=tuple(
            StageEntry(stage=s.stage, seconds=s.seconds, cached=s.cached) for s in summary.stages
        ),
        warnings=summary.warnings,
        provenance=dict(summary.provenance),
    )


def write(summary: RunSummary, spec: Spec) -> None:
    """Write the report where the summary says.

    Raises:
        StoreError: if it cannot be written.
    """
    if summary.report is not None:
        write_file(summary.report, make(summary, spec).model_dump_json(indent=1) + "\n")


def schema() -> str:
    """Return the JSON schema of what ``write`` writes; ``SCHEMA`` holds it."""
    content = Report.model_json_schema(mode="serialization")
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _agreement(entry: Agreement) -> AgreementEntry:
    first = entry.first_difference
    return AgreementEntry(
        reference=entry.reference,
        candidate=entry.candidate,
        n_events=entry.n_events,
        n_values=entry.n_values,
        n_different=entry.n_different,
        n_different_events=entry.n_different_events,
        first_difference=None if first is None else FirstDifference(**_fields(first)),
    )


def _metrics(metrics: Metrics) -> MetricsEntry:
    return MetricsEntry(
        n_events=metrics.n_events,
        accuracy=metrics.accuracy,
        mean_auc=metrics.mean_auc,
        classes=tuple(ClassEntry(**_fields(entry)) for entry in metrics.classes),
    )


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}
