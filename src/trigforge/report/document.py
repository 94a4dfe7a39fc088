"""``report.json``: the contract other tools read, versioned, with a JSON schema.

What was not measured says so: latency and resources then have ``source`` "not measured" and
no numbers.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, TypeAdapter

from trigforge.core.files import write_file
from trigforge.vendor import devices

if TYPE_CHECKING:
    from trigforge.core.config import AnySpec, Hardware
    from trigforge.core.costs import Latency, Resources
    from trigforge.core.records import Agreement, Metrics, RunSummary
    from trigforge.core.schedule import Schedule

REPORT_VERSION = 2
SCHEMA = Path(__file__).parent / "report.schema.json"
"""The schema as it is shipped."""


def _finite_or_null(number: float | None) -> float | None:
    """JSON has no infinity."""
    return number if number is not None and math.isfinite(number) else None


EntryKind = TypeVar("EntryKind", bound="Entry")
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


class LatencyEntry(Entry):
    """From the cycle an event is presented to the cycle its result is there."""

    source: Literal["not measured", "measured", "estimated"]
    tool: str | None = Field(default=None, description="program and version that says so")
    clock_mhz: float
    cycles: int | None = None
    interval_cycles: int | None = None
    ns: float | None = None
    crossings: float | None = Field(default=None, description="bunch crossings of 24.95 ns")


class LogicDelayEntry(Entry):
    """The slowest path between two registers, as far as it is known without placement."""

    ns: float
    tool: str
    method: str = Field(description="what is in the figure and what is not")


class Shares(Entry):
    """Shares of what the part has."""

    lut: float
    ff: float
    dsp: float
    bram_18k: float
    uram: float | None = Field(description="null: the part has none")


class ResourcesEntry(Entry):
    """What the design takes of the part, as one tool counts it at one stage of its flow."""

    source: Literal["not measured", "measured", "estimated"]
    part: str
    lut: int | None = None
    ff: int | None = None
    dsp: int | None = None
    bram_18k: int | None = Field(default=None, description="block RAM in units of 18 kb")
    uram: int | None = None
    carry: int | None = Field(default=None, description="carry cells, as long as the tool's are")
    shares: Shares | None = None
    tool: str | None = None
    stage: str | None = None


class EstimateEntry(Entry):
    """A range for one resource before any synthesis."""

    resource: str
    low: float
    likely: float
    high: float
    method: str
    measured: int | None = Field(description="what a tool then counted, see resources")


class LayerScheduleEntry(Entry):
    """A layer in time, in cycles since the event was presented, and in area."""

    name: str
    kind: str = Field(description="of the node: Dense, Conv, Pool, ...")
    built_as: str = Field(description="dsp, distributed arithmetic, logic or wires")
    folding: str = Field(description="how the layer is folded into the interval, in words")
    first_cycle: Count = Field(description="reads its first operands")
    n_slots: Count = Field(description="cycles of the interval in which it reads operands")
    last_cycle: Count = Field(description="has its last result")
    pipeline_cycles: Count = Field(description="registers from operands to result")
    n_multiplications: Count = Field(description="an event; zeros and padding left out")
    n_products: Count = Field(description="all products, those with zeros among them")
    n_dsp: Count
    n_slots_used: Count = Field(description="of an interval, over all its DSPs")
    n_slots_idle: Count
    n_lut_estimated: Count
    reason: str = Field(description="why it is built so, where that is not the usual way")
    efficiency: float = Field(description="multiplications an event, per DSP and cycle")


class ScheduleEntry(Entry):
    """What time-multiplexed RTL does in which cycle."""

    interval_cycles: Count
    latency_cycles: Count
    latency_bound_cycles: Count = Field(description="registers alone on the longest way")
    buffer_bits: Count = Field(description="registers and delay lines that keep elements")
    n_dsp: Count
    efficiency: float = Field(description="of the layers that use DSPs")
    layers: tuple[LayerScheduleEntry, ...]


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
    """The original network beside the quantised one, on the same events; null: no labels."""

    n_train: Count
    n_test: Count
    sample: str
    float_network: MetricsEntry | None
    quantised_network: MetricsEntry | None


class OriginalEntry(Entry):
    """How far the firmware is from the model it was imported from, in the outputs' units."""

    original: str = Field(description="what the model is and what computed it")
    n_events: Count
    largest: float
    mean: float
    root_mean_square: float
    output_range: float = Field(description="largest minus smallest output of the original")
    n_equal: Count = Field(description="values equal to the original's, bit for bit")
    n_values: Count
    n_decisions_changed: Count | None = Field(
        description="events whose largest output is another one; null: one output"
    )


class FirmwareEntry(Entry):
    """RTL on disk."""

    folder: str
    language: str
    modified: tuple[str, ...] = Field(description="files changed since they were written")


class ProjectEntry(Entry):
    """An HLS project on disk."""

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

    report_version: Literal[2]
    name: str
    met: bool = Field(description="all checks were met")
    agreements: tuple[AgreementEntry, ...]
    latency: LatencyEntry
    resources: ResourcesEntry
    logic_delay: LogicDelayEntry | None = Field(description="null: no netlist")
    estimates: tuple[EstimateEntry, ...] = Field(
        description="of resources, from the arithmetic alone"
    )
    schedule: ScheduleEntry | None = Field(description="null: the RTL is not time-multiplexed")
    budget: tuple[CheckEntry, ...] = Field(
        description="what could be checked; the warnings name what is unknown"
    )
    checks: tuple[CheckEntry, ...]
    physics: Physics
    original: OriginalEntry | None = Field(description="null: the network was trained here")
    projects: tuple[ProjectEntry, ...]
    firmware: FirmwareEntry | None = Field(description="null: the HLS project becomes firmware")
    stages: tuple[StageEntry, ...]
    warnings: tuple[str, ...]
    provenance: dict[str, str]


def make(summary: RunSummary, spec: AnySpec) -> Report:
    """Make the report of a run."""
    return Report(
        report_version=REPORT_VERSION,
        name=summary.name,
        met=summary.met,
        agreements=tuple(_agreement(entry) for entry in summary.agreements),
        latency=_latency(summary.latency, spec.hardware),
        resources=_resources(summary.resources, spec.hardware),
        logic_delay=_entry(LogicDelayEntry, summary.logic_delay),
        estimates=tuple(
            EstimateEntry(
                **_fields(entry), measured=getattr(summary.resources, entry.resource, None)
            )
            for entry in summary.estimates
        ),
        schedule=_schedule(summary.schedule),
        budget=tuple(CheckEntry(**_fields(entry)) for entry in summary.budget),
        checks=tuple(CheckEntry(**_fields(entry)) for entry in summary.checks),
        physics=Physics(
            n_train=summary.n_train,
            n_test=summary.n_test,
            sample=summary.sample_origin,
            float_network=_metrics(summary.float_metrics),
            quantised_network=_metrics(summary.quantised_metrics),
        ),
        original=_entry(OriginalEntry, summary.distance),
        projects=tuple(
            ProjectEntry(
                folder=str(p.folder), backend=p.backend, io_type=p.io_type, modified=p.modified
            )
            for p in summary.projects
        ),
        firmware=None
        if summary.firmware is None
        else FirmwareEntry(
            folder=str(summary.firmware.folder),
            language=summary.firmware.language,
            modified=summary.firmware.modified,
        ),
        stages=tuple(StageEntry(**_fields(entry)) for entry in summary.stages),
        warnings=summary.warnings,
        provenance=dict(summary.provenance),
    )


def write(summary: RunSummary, spec: AnySpec) -> None:
    """Write the report where the summary says.

    Raises:
        StoreError: if it cannot be written.
    """
    if summary.report is not None:
        write_file(summary.report, make(summary, spec).model_dump_json(indent=1) + "\n")


def dump(record: Any) -> str:
    """Return any record, or a tuple of them, as one line of JSON."""
    return TypeAdapter(Any).dump_json(record, fallback=str).decode()


def schema() -> str:
    """Return the JSON schema of what ``write`` writes; ``SCHEMA`` holds it."""
    content = Report.model_json_schema(mode="serialization")
    return json.dumps(content, indent=1, sort_keys=True) + "\n"


def _latency(latency: Latency | None, hardware: Hardware) -> LatencyEntry:
    if latency is None:
        return LatencyEntry(source="not measured", clock_mhz=hardware.clock_mhz)
    return LatencyEntry(**_fields(latency), ns=latency.ns, crossings=latency.crossings)


def _resources(resources: Resources | None, hardware: Hardware) -> ResourcesEntry:
    if resources is None:
        return ResourcesEntry(source="not measured", part=hardware.part)
    device = devices.find(resources.part)
    shares = Shares(
        lut=resources.lut / device.lut,
        ff=resources.ff / device.ff,
        dsp=resources.dsp / device.dsp,
        bram_18k=resources.bram_18k / device.bram_18k,
        uram=resources.uram / device.uram if device.uram else None,
    )
    return ResourcesEntry(**_fields(resources), shares=shares)


def _schedule(schedule: Schedule | None) -> ScheduleEntry | None:
    if schedule is None:
        return None
    interval = schedule.interval_cycles
    return ScheduleEntry(
        interval_cycles=interval,
        latency_cycles=schedule.latency_cycles,
        latency_bound_cycles=schedule.latency_bound_cycles,
        buffer_bits=schedule.buffer_bits,
        n_dsp=schedule.n_dsp,
        efficiency=schedule.efficiency,
        layers=tuple(
            LayerScheduleEntry(**_fields(layer), efficiency=layer.efficiency(interval))
            for layer in schedule.layers
        ),
    )


def _agreement(entry: Agreement) -> AgreementEntry:
    return AgreementEntry(
        reference=entry.reference,
        candidate=entry.candidate,
        n_events=entry.n_events,
        n_values=entry.n_values,
        n_different=entry.n_different,
        n_different_events=entry.n_different_events,
        first_difference=_entry(FirstDifference, entry.first_difference),
    )


def _metrics(metrics: Metrics | None) -> MetricsEntry | None:
    if metrics is None:
        return None
    return MetricsEntry(
        n_events=metrics.n_events,
        accuracy=metrics.accuracy,
        mean_auc=metrics.mean_auc,
        classes=tuple(ClassEntry(**_fields(entry)) for entry in metrics.classes),
    )


def _entry(kind: type[EntryKind], record: Any) -> EntryKind | None:
    return None if record is None else kind(**_fields(record))


def _fields(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}
