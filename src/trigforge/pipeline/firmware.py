"""RTL of a network: written, simulated cycle by cycle, synthesised, held against the budget.

The firmware simulated and synthesised is the folder as it lies on disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigforge import budget, cosim, estimation, evaluation, rtl, synthesis
from trigforge.budget import Verdict
from trigforge.conversion import project
from trigforge.core.costs import Estimate, Latency, LogicDelay, Resources, Source
from trigforge.core.crossing import clocks_per_crossing
from trigforge.core.errors import InputError, SimulationFault
from trigforge.core.records import Check, Firmware, Outcome, Progress, RawTensor
from trigforge.core.schedule import Schedule
from trigforge.estimation import hls
from trigforge.pipeline.job import Job, Prepared
from trigforge.pipeline.preparation import prepare
from trigforge.pipeline.projects import write_projects
from trigforge.pipeline.writing import estimates_of, why_chosen, write_firmware
from trigforge.vendor import devices

if TYPE_CHECKING:
    from pathlib import Path

    from trigforge.core.config import AnySpec
    from trigforge.core.graph import FixedPointGraph
    from trigforge.core.workspace import Workspace
    from trigforge.cosim import Bench
    from trigforge.synthesis import Synthesis


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """What an implementation costs, as far as anybody knows, and what the budget says to it."""

    latency: Latency | None
    resources: Resources | None
    logic_delay: LogicDelay | None
    estimates: tuple[Estimate, ...]
    deviations: tuple[str, ...]
    verdict: Verdict
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """What the RTL gave for the stimulus, when, and how it took rougher traffic."""

    outputs: RawTensor | None
    """None: results were missing or surplus."""
    latency: Latency | None
    outcomes: tuple[Outcome, ...]

    @property
    def checks(self) -> tuple[Check, ...]:
        """Return one line for each scenario."""
        return tuple(
            Check(
                name=f"RTL: {outcome.name}",
                used=outcome.fault or f"{outcome.n_events} events as expected",
                allowed="every result right and in time",
                met=outcome.met,
            )
            for outcome in self.outcomes
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What a run has of firmware; without RTL only estimates."""

    firmware: Firmware | None
    simulated: Simulated | None
    costs: Costs
    schedule: Schedule | None = None
    """Of time-multiplexed RTL: what happens in which cycle."""
    reasons: tuple[str, ...] = ()
    """Why this kind of RTL was chosen, where the spec left it open."""

    @property
    def results(self) -> tuple[tuple[str, RawTensor], ...]:
        """What is to be compared with the other implementations."""
        if self.simulated is None or self.simulated.outputs is None:
            return ()
        return (("RTL", self.simulated.outputs),)

    @property
    def checks(self) -> tuple[Check, ...]:
        """What the simulation found beside the values at full rate."""
        return () if self.simulated is None else self.simulated.checks

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user should know though no check failed because of it."""
        changed = self.firmware.modified if self.firmware else ()
        return (
            *self.reasons,
            *(f"{path}: changed since it was written" for path in changed[:5]),
            *self.costs.warnings,
        )


def build(job: Job, ready: Prepared, graph: FixedPointGraph) -> Built:
    """Write, simulate and synthesise the RTL if the spec asks for it; judge what it costs."""
    if not job.spec.hardware.has_rtl:
        costs = cost(job, hls.estimates(graph, job.spec.hardware), graph=graph)
        return Built(firmware=None, simulated=None, costs=costs)
    firmware = write_firmware(job, ready, graph)
    simulated = simulate(job, ready, firmware)
    netlist = synthesise(job, firmware)
    schedule = rtl.read_schedule(firmware)
    estimates = estimates_of(graph, schedule)
    costs = cost(job, estimates, simulated.latency, netlist.resources, netlist.delay)
    return Built(
        firmware=firmware,
        simulated=simulated,
        costs=costs,
        schedule=schedule,
        reasons=why_chosen(job, ready, graph),
    )


def simulate(job: Job, ready: Prepared, firmware: Firmware) -> Simulated:
    """Play the whole stimulus at full rate, then with gaps and resets."""
    inputs, store = ready.stimulus.inputs, job.workspace.store
    with job.stage("rtl simulation"):
        outcomes = play_scenarios(job, ready, firmware, "verilator")
        try:
            played = cosim.run(firmware, inputs, store, progress=job.progress)
        except SimulationFault:  # an outcome says the same, with the cycle
            return Simulated(outputs=None, latency=None, outcomes=outcomes)
    latency = Latency(
        cycles=played.latency_cycles[1],
        interval_cycles=played.interval_cycles,
        clock_mhz=firmware.clock_mhz,
        source=Source.MEASURED,
        tool=played.simulator,
    )
    return Simulated(outputs=played.outputs, latency=latency, outcomes=outcomes)


def play_scenarios(
    job: Job, ready: Prepared, firmware: Firmware, bench: Bench
) -> tuple[Outcome, ...]:
    """Play every scenario on one bench against what the graph gives."""
    inputs = ready.stimulus.inputs
    expected = evaluation.evaluate(rtl.read_graph(firmware), inputs).outputs
    return cosim.check(
        firmware,
        ready.stimulus,
        expected,
        job.workspace.store,
        bench=bench,
        progress=job.progress,
    )


def synthesise(job: Job, firmware: Firmware) -> Synthesis:
    """Synthesise firmware with Yosys."""
    with job.stage("synthesis") as stage:
        result = synthesis.run(firmware, job.workspace.store, progress=job.progress)
        stage.cached = result.cached
        return result


def cost(  # noqa: PLR0913 - what is known of a design
    job: Job,
    estimates: tuple[Estimate, ...],
    latency: Latency | None = None,
    resources: Resources | None = None,
    logic_delay: LogicDelay | None = None,
    *,
    graph: FixedPointGraph | None = None,
) -> Costs:
    """Hold what is measured, and else what can be estimated, against the budget.

    With the graph of an HLS project it is said if its structure cannot keep up.
    """
    spec = job.spec
    device = devices.find(spec.hardware.part)
    verdict = budget.check(spec.budget, device, latency, resources, estimates)
    failed = not all(check.met for check in verdict.checks)
    return Costs(
        latency=latency,
        resources=resources,
        logic_delay=logic_delay,
        estimates=estimates,
        deviations=()
        if resources is None
        else tuple(
            str(entry) for entry in estimation.deviation(estimates, resources) if entry.high > 0
        ),
        verdict=verdict,
        warnings=(
            *(f"unknown: {line}" for line in verdict.unknown),
            *(f"advice: {line}" for line in verdict.advice),
            *(slow_structure(spec, graph) if graph is not None and latency is None else ()),
            *(other_parts(spec, resources, estimates) if failed else ()),
        ),
    )


def other_parts(
    spec: AnySpec, resources: Resources | None, estimates: tuple[Estimate, ...]
) -> tuple[str, ...]:
    """Name the parts that hold what the spec's own part does not."""
    held = budget.parts_that_hold(spec.budget, devices.DEVICES, resources, estimates)
    own = devices.find(spec.hardware.part)
    if any(devices.DEVICES[name] == own for name in held):
        return ()
    return (f"advice: parts that hold it within the budget: {', '.join(held) or 'none known'}",)


def slow_structure(spec: AnySpec, graph: FixedPointGraph) -> tuple[str, ...]:
    """Say if an HLS project cannot keep up whatever the vendor's tool makes of it."""
    least = hls.interval_cycles(graph, spec.hardware)
    allowed = budget.largest_reuse_factor(spec.budget, spec.hardware.clock_mhz)
    if spec.hardware.implementation != "hls" or least <= allowed:
        return ()
    crossings = -(-least // max(1, clocks_per_crossing(spec.hardware.clock_mhz)))
    line = (
        f"the HLS project takes at least {least} cycles from one event to the next, {allowed} are "
        "allowed: hls4ml computes the output positions of a layer one after the other, each in "
        f"reuse factor cycles. It keeps up with an event every {crossings} crossings; "
        "implementation timemux keeps up with every crossing"
    )
    return (line,)


def delivered_graph(job: Job, ready: Prepared) -> FixedPointGraph:
    """Return the graph of the io type that is delivered."""
    return project.read_graph(write_projects(job, ready)[0])


def write_rtl(
    spec: AnySpec, workspace: Workspace, sample: Path | None, language: str, progress: Progress
) -> Firmware:
    """Write the RTL of a spec, whatever its hardware section says is to be built."""
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, sample)
    return write_firmware(job, ready, delivered_graph(job, ready), language)


def read_schedule(
    spec: AnySpec, workspace: Workspace, sample: Path | None, progress: Progress
) -> Schedule:
    """Write the RTL of a spec; return what happens in it in which cycle.

    Raises:
        InputError: if its RTL is not time-multiplexed, and so has no schedule.
    """
    asked = spec.hardware.implementation
    msg = (
        f"{spec.name}: implementation {asked} has no schedule: hardware.implementation must be "
        "timemux (or --implementation timemux)"
    )
    if asked not in {"timemux", "auto"}:
        raise InputError(msg)
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, sample)
    graph = delivered_graph(job, ready)
    found = rtl.read_schedule(write_firmware(job, ready, graph))
    if found is None:
        msg = "\n".join((msg, *why_chosen(job, ready, graph)))
        raise InputError(msg)
    return found


def check_rtl(
    spec: AnySpec, workspace: Workspace, sample: Path | None, bench: Bench, progress: Progress
) -> tuple[Outcome, ...]:
    """Write the RTL of a spec and play every scenario on one bench."""
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, sample)
    firmware = write_firmware(job, ready, delivered_graph(job, ready))
    return play_scenarios(job, ready, firmware, bench)


def record_waves(
    spec: AnySpec, workspace: Workspace, waves: Path, n_events: int, progress: Progress
) -> int:
    """Write the waveform of the first events; return how many cycles it has."""
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, None)
    inputs = ready.stimulus.inputs
    few = RawTensor(format=inputs.format, raw=inputs.raw[:n_events].copy())
    firmware = write_firmware(job, ready, delivered_graph(job, ready))
    played = cosim.run(firmware, few, workspace.store, waves=waves, progress=progress)
    return played.n_cycles


def synthesise_rtl(
    spec: AnySpec, workspace: Workspace, sample: Path | None, progress: Progress
) -> tuple[Synthesis, tuple[estimation.Deviation, ...]]:
    """Write and synthesise the RTL of a spec; say how far the estimate was off."""
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, sample)
    graph = delivered_graph(job, ready)
    firmware = write_firmware(job, ready, graph)
    result = synthesise(job, firmware)
    estimates = estimates_of(graph, rtl.read_schedule(firmware))
    return result, estimation.deviation(estimates, result.resources)


def judge(spec: AnySpec, workspace: Workspace, sample: Path | None, progress: Progress) -> Costs:
    """Find out what a spec's implementation costs and hold it against its budget."""
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, sample)
    return build(job, ready, delivered_graph(job, ready)).costs
