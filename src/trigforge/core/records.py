"""The records that stages hand to each other. Read this first.

A stage is a function from records to a record. Records are frozen; arrays appear only
where the record is the data, and are read-only.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trigforge.core.costs import Estimate, Latency, LogicDelay, Resources
from trigforge.core.errors import InputError
from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.health import TensorHealth
from trigforge.core.schedule import Schedule
from trigforge.core.sketch import Sketch
from trigforge.core.trigger import TriggerPhysics


class Progress(Protocol):
    """How a stage tells how far it is; the command line draws a bar from it."""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` steps of ``what`` are finished."""


def no_progress(what: str, done: int, total: int) -> None:
    """Ignore progress."""


def freeze_arrays(record: Any) -> None:
    """Make every array field of a record read-only (call in ``__post_init__``)."""
    for entry in fields(record):
        value = getattr(record, entry.name)
        if isinstance(value, np.ndarray):
            value.flags.writeable = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Labelled events, split by collision event into train and test.

    ``x_*`` holds one row an example: the physical features (float32, ``(n, features)``)
    or the integers a trigger link carries (``(n, height, width, 1)``). ``y_*`` holds class
    indices (int64, ``(n,)``). ``digest`` names what the sample is: its spec, generators
    and seed. ``provenance`` is JSON; its ``n_generated`` is the size of the full sample this
    one is a part of. ``variables_test`` (float32, ``(n, variables)``) is what is known of each
    held-out event beyond what the link carries, for turn-on curves.
    """

    kind: str
    digest: str
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    x_train: NDArray[Any]
    y_train: NDArray[np.int64]
    x_test: NDArray[Any]
    y_test: NDArray[np.int64]
    provenance: str
    variable_names: tuple[str, ...] = ()
    variables_test: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            x, y = getattr(self, f"x_{part}"), getattr(self, f"y_{part}")
            if len(x) != len(y):
                msg = f"sample {self.kind}: {len(x)} {part} examples but {len(y)} labels"
                raise InputError(msg)
        self._check_variables()
        self.read_provenance()
        freeze_arrays(self)

    def _check_variables(self) -> None:
        shape = (len(self.y_test), len(self.variable_names)) if self.variable_names else None
        found = None if self.variables_test is None else self.variables_test.shape
        if found != shape:
            msg = f"sample {self.kind}: variables_test is {found}, its names ask for {shape}"
            raise InputError(msg)

    def read_provenance(self) -> dict[str, Any]:
        """Return the provenance as a mapping.

        Raises:
            InputError: if it is no JSON object.
        """
        try:
            provenance = json.loads(self.provenance)
        except ValueError:
            provenance = None
        if not isinstance(provenance, dict):
            msg = f"sample {self.kind}: its provenance is no JSON object: {self.provenance[:60]!r}"
            raise InputError(msg)
        return provenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """One tensor at the edge of the firmware: element 0 in the lowest bits."""

    name: str
    shape: tuple[int, ...]
    format: FixedPointFormat

    @property
    def n_elements(self) -> int:
        """Elements an event carries."""
        return int(np.prod(self.shape, dtype=np.int64))


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTensor:
    """Raw integers of many events in one fixed-point format: ``(n_events, n_elements)``."""

    format: FixedPointFormat
    raw: NDArray[np.int64]

    def __post_init__(self) -> None:
        if not self.format.contains(self.raw):
            msg = f"raw integers outside {self.format}: {self.raw.min()} to {self.raw.max()}"
            raise InputError(msg)
        freeze_arrays(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stimulus:
    """Simulator input: raw integers and, for each block of events, where it came from."""

    inputs: RawTensor
    blocks: tuple[tuple[str, int], ...]

    def block_of(self, event: int) -> str:
        """Name the block an event belongs to and its index there: ``held_out[17]``."""
        first = 0
        for name, n_events in self.blocks:
            if event < first + n_events:
                return f"{name}[{event - first}]"
            first += n_events
        msg = f"event {event} is not one of the {first} events of the stimulus"
        raise InputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class HlsProject:
    """A C++ project of high-level synthesis on disk."""

    name: str
    folder: Path
    backend: str
    io_type: str
    input: Port
    output: Port
    deviations: tuple[str, ...] = ()
    """Where the C++ is known to differ from Keras by more than rounding."""
    modified: tuple[str, ...] = ()
    """Files that are not what was written (changed, missing or added by hand)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firmware:
    """RTL on disk with the interface ``clk, rst, in_valid, in_data, out_valid, out_data``.

    ``in_data`` and ``out_data`` carry one event each, element 0 in the lowest bits. An event
    may enter every ``interval_cycles``; its result leaves ``latency_cycles`` later, always.
    """

    name: str
    """The top module."""
    folder: Path
    language: str
    """``verilog`` or ``vhdl``."""
    sources: tuple[str, ...]
    """Source files, relative to ``folder``, in an order in which they can be compiled."""
    part: str
    clock_mhz: float
    input: Port
    output: Port
    latency_cycles: int
    interval_cycles: int
    modified: tuple[str, ...] = ()
    """Files that are not what was written (changed, missing or added by hand)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """What cycle-accurate simulation of firmware gave: an output for each input, in order."""

    outputs: RawTensor
    latency_cycles: tuple[int, int]
    """The shortest and the longest time from an event to its result."""
    interval_cycles: int
    """The shortest distance between two events that were presented."""
    n_cycles: int
    seconds: float
    """Wall clock of the simulation alone, without the build."""
    simulator: str
    """Program and version: ``Verilator 5.048``."""
    waves: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first value in which two results differ."""

    event: int
    origin: str
    output: int
    output_name: str
    reference: int
    candidate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The comparison of two implementations on raw integers."""

    reference: str
    candidate: str
    n_events: int
    n_values: int
    n_different: int
    n_different_events: int = 0
    first_difference: Difference | None = None

    @property
    def met(self) -> bool:
        """Every value was equal, and there were values."""
        return self.n_different == 0 and self.n_values > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMetrics:
    """How well one class is told from the rest.

    ``background_rejection`` is ``1 / false-positive rate`` at ``signal_efficiency``.
    """

    name: str
    auc: float
    signal_efficiency: float
    background_rejection: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """The physics figures of one network on one held-out set.

    Of an anomaly score the classes are the signals, each told from the background, and there
    is no accuracy: the score decides nothing by itself.
    """

    n_events: int
    accuracy: float | None
    classes: tuple[ClassMetrics, ...]

    @property
    def mean_auc(self) -> float:
        """Mean of the areas of all classes."""
        return sum(entry.auc for entry in self.classes) / len(self.classes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Distance:
    """How far firmware is from the model it was made of, in the outputs' own units.

    The original computes in floating point (or with other roundings): no tolerance is meant,
    these are facts. ``n_decisions_changed`` counts the events whose largest output is another
    one; None where there is one output.
    """

    original: str
    n_events: int
    largest: float
    mean: float
    root_mean_square: float
    output_range: float
    """Largest minus smallest output of the original over the events."""
    n_equal: int
    """Values that are equal to the original's, bit for bit."""
    n_values: int
    n_decisions_changed: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageTime:
    """Wall-clock seconds of a stage and whether its result was there already."""

    stage: str
    seconds: float
    cached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The verdict on one scenario of a simulation: the RTL against what must come out."""

    name: str
    simulator: str
    n_events: int
    """Events whose results must come out."""
    n_values: int
    n_different: int
    first_difference: Difference | None
    latency_cycles: tuple[int, int] | None
    """Shortest and longest; None if results and events cannot be paired."""
    n_cycles: int
    seconds: float
    fault: str | None
    """What is wrong, with cycle, event and values; None if nothing is."""

    @property
    def met(self) -> bool:
        """Every result was right, at the right time, and there were results."""
        return self.fault is None and self.n_values > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the verdict: what was used, what was allowed, was it met."""

    name: str
    used: str
    allowed: str
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """Everything a run found out; ``report.json`` is made from it."""

    name: str
    n_train: int
    n_test: int
    sample_origin: str
    float_metrics: Metrics | None
    """None: the events have no labels."""
    quantised_metrics: Metrics | None
    agreements: tuple[Agreement, ...]
    checks: tuple[Check, ...]
    projects: tuple[HlsProject, ...]
    stages: tuple[StageTime, ...]
    provenance: tuple[tuple[str, str], ...]
    budget: tuple[Check, ...] = ()
    """What the trigger allows, as far as it could be checked."""
    firmware: Firmware | None = None
    latency: Latency | None = None
    resources: Resources | None = None
    logic_delay: LogicDelay | None = None
    estimates: tuple[Estimate, ...] = ()
    deviations: tuple[str, ...] = ()
    """How far each estimate was from what was counted, in words."""
    schedule: Schedule | None = None
    """What happens in which cycle; None: the firmware is not time-multiplexed."""
    spec_file: Path | None = None
    """What to name to get the same run again, if anybody knows."""
    report: Path | None = None
    warnings: tuple[str, ...] = ()
    distance: Distance | None = None
    """From the original of an imported model; None: the firmware is the network itself."""
    network: Sketch | None = None
    health: tuple[TensorHealth, ...] = ()
    """How every tensor used its format, over the first held-out events."""
    trigger: TriggerPhysics | None = None
    """Rates and efficiencies; None: the spec has no ``trigger``, or the events no labels."""

    @property
    def page(self) -> Path | None:
        """Where the page for people is written: beside ``report.json``."""
        return None if self.report is None else self.report.with_suffix(".html")

    @property
    def met(self) -> bool:
        """All checks were met, those of the budget too, and there were checks."""
        return bool(self.checks) and all(check.met for check in (*self.checks, *self.budget))
