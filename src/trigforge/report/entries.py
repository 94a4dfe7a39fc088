"""What ``report.json`` is made of: ``Report`` and its parts. What is not known has no numbers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from trigforge.report.entry import Count, Entry, Measured
from trigforge.report.network_entries import HealthEntry, NetworkEntry, TargetEntry
from trigforge.report.trigger_entries import TriggerEntry


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
    accuracy: float | None = Field(description="null: an anomaly score decides nothing itself")
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

    report_version: Literal[3]
    name: str
    met: bool = Field(description="all checks were met")
    spec_file: str | None = Field(description="as it was named; null: nobody knows")
    target: TargetEntry
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
    trigger: TriggerEntry | None = Field(description="null: the spec asks for no rates")
    original: OriginalEntry | None = Field(description="null: the network was trained here")
    network: NetworkEntry | None
    health: HealthEntry | None = Field(description="null: not looked at")
    projects: tuple[ProjectEntry, ...]
    firmware: FirmwareEntry | None = Field(description="null: the HLS project becomes firmware")
    stages: tuple[StageEntry, ...]
    warnings: tuple[str, ...]
    provenance: dict[str, str]
