"""``report.json``: the contract other tools read, versioned, with a JSON schema.

What was not measured says so: latency and resources then have ``source`` "not measured" and
no numbers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

from trigforge.core.files import write_file
from trigforge.report import network_entries, trigger_entries
from trigforge.report.entries import (
    AgreementEntry,
    CheckEntry,
    ClassEntry,
    EstimateEntry,
    FirmwareEntry,
    FirstDifference,
    LatencyEntry,
    LayerScheduleEntry,
    LogicDelayEntry,
    MetricsEntry,
    OriginalEntry,
    Physics,
    ProjectEntry,
    Report,
    ResourcesEntry,
    ScheduleEntry,
    Shares,
    StageEntry,
)
from trigforge.report.entry import Entry
from trigforge.vendor import devices

if TYPE_CHECKING:
    from trigforge.core.config import AnySpec, Hardware
    from trigforge.core.costs import Latency, Resources
    from trigforge.core.records import Agreement, Metrics, RunSummary
    from trigforge.core.schedule import Schedule

REPORT_VERSION = 3
SCHEMA = Path(__file__).parent / "report.schema.json"
"""The schema as it is shipped."""


EntryKind = TypeVar("EntryKind", bound=Entry)


def make(summary: RunSummary, spec: AnySpec) -> Report:
    """Make the report of a run."""
    return Report(
        report_version=REPORT_VERSION,
        name=summary.name,
        met=summary.met,
        spec_file=None if summary.spec_file is None else str(summary.spec_file),
        target=network_entries.target(spec.hardware, spec.budget),
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
        trigger=trigger_entries.trigger(summary.trigger),
        original=_entry(OriginalEntry, summary.distance),
        network=network_entries.network(summary.network),
        health=network_entries.health(summary.health),
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
