"""RTL of a spec: which kind, generated, written as a folder, or taken from there."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Literal

from trigforge import __version__, budget, comparison, estimation, evaluation, rtl
from trigforge.core import graph_file
from trigforge.core.costs import Latency, Source
from trigforge.core.errors import InputError
from trigforge.core.files import FileSet
from trigforge.core.store import key_of
from trigforge.estimation import timemux as timemux_estimation
from trigforge.report import schedule as schedule_report
from trigforge.rtl import da, timemux
from trigforge.vendor import devices

if TYPE_CHECKING:
    from trigforge.core.costs import Estimate
    from trigforge.core.graph import FixedPointGraph
    from trigforge.core.records import Firmware
    from trigforge.core.schedule import Schedule
    from trigforge.pipeline.job import Job, Prepared
    from trigforge.rtl.design import Design

Kind = Literal["da", "timemux"]

TITLES: dict[Kind, str] = {"da": "distributed arithmetic", "timemux": "time-multiplexed DSPs"}


def write_firmware(
    job: Job, ready: Prepared, graph: FixedPointGraph, language: str = "verilog"
) -> Firmware:
    """Write the RTL that a spec asks for, or take what was written for it.

    A spec that asks for an HLS project gets distributed arithmetic; one that leaves the choice
    gets what takes the smaller share of the part, by estimates before synthesis.
    """
    implementation = job.spec.hardware.implementation
    if implementation == "auto":
        return _write(job, ready, graph, _chosen(job, ready, graph)[0], language)
    kind: Kind = "timemux" if implementation == "timemux" else "da"
    return _write(job, ready, graph, kind, language)


def why_chosen(job: Job, ready: Prepared, graph: FixedPointGraph) -> tuple[str, ...]:
    """Say why which kind of RTL was chosen, where the spec leaves it open."""
    if job.spec.hardware.implementation != "auto":
        return ()
    return (_chosen(job, ready, graph)[1],)


def estimates_of(graph: FixedPointGraph, schedule: Schedule | None) -> tuple[Estimate, ...]:
    """Estimate the resources of RTL: from its schedule if it has one."""
    if schedule is not None:
        return timemux_estimation.estimates(schedule)
    return estimation.distributed_arithmetic(estimation.ebops(graph))


def _write(
    job: Job, ready: Prepared, graph: FixedPointGraph, kind: Kind, language: str
) -> Firmware:
    hardware, stimulus = job.spec.hardware, ready.stimulus
    suffix = ("" if kind == "da" else f"_{kind}") + (
        "" if language == "verilog" else f"_{language}"
    )
    folder = job.workspace.firmware / f"{job.spec.name}{suffix}"
    limits = {
        "interval_crossings": job.spec.budget.interval_crossings,
        "latency_ns": job.spec.budget.latency_ns,
    }
    digest = key_of(
        {
            "graph": graph_file.digest(graph),
            "hardware": hardware.model_dump(mode="json"),
            "kind": kind,
            "limits": limits if kind == "timemux" else {},
            "language": language,
            "stage_delay": da.stage_delay_units(hardware.clock_mhz),
            "stimulus": comparison.digest(stimulus),
            "alkaid": version("alkaid"),
            "generators": timemux.digest() if kind == "timemux" else "",
            "trigforge": __version__,
        }
    )
    with job.stage("rtl") as stage:
        found = rtl.find(folder, digest)
        stage.cached = found is not None
        if found is not None:
            return found
        design = _generate(job, graph, kind, language)
        expected = evaluation.evaluate(graph, stimulus.inputs).outputs
        pages = schedule_report.page(design.schedule) if design.schedule else FileSet({})
        files = rtl.assemble(design, graph, hardware, stimulus, expected, pages)
        return rtl.write(folder, files, digest)


def _generate(job: Job, graph: FixedPointGraph, kind: Kind, language: str) -> Design:
    hardware = job.spec.hardware
    if kind == "da":
        return da.generate(graph, hardware, language=language)
    if language != "verilog":
        msg = (
            f"--language {language}: time-multiplexed RTL is written in SystemVerilog; "
            "hardware.implementation da can be had in VHDL"
        )
        raise InputError(msg)
    return timemux.generate(graph, hardware, job.spec.budget)


def _chosen(job: Job, ready: Prepared, graph: FixedPointGraph) -> tuple[Kind, str]:
    """Return which kind takes the smaller share of the part, and the figures in words."""
    device = devices.find(job.spec.hardware.part)
    schedule = rtl.read_schedule(_write(job, ready, graph, "timemux", "verilog"))
    found: dict[Kind, tuple[float, str, bool]] = {}
    known: dict[Kind, Schedule | None] = {"timemux": schedule, "da": None}
    for kind, entry in known.items():
        estimates = estimates_of(graph, entry)
        share, resource = max(
            (estimate.likely / getattr(device, estimate.resource), estimate.resource)
            for estimate in estimates
            if getattr(device, estimate.resource)
        )
        latency = None if entry is None else _latency(entry)
        verdict = budget.check(job.spec.budget, device, latency, None, estimates)
        broken = not all(check.met for check in verdict.checks)
        found[kind] = (share, f"{100 * share:.2g} % of the {budget.UNITS[resource]}", broken)
    best = min(found, key=lambda kind: (found[kind][2], found[kind][0]))
    other: Kind = "da" if best == "timemux" else "timemux"
    beyond = " and is beyond the budget" if found[other][2] else ""
    reason = (
        f"implementation auto: {TITLES[best]}, which takes about {found[best][1]}; "
        f"{TITLES[other]} would take about {found[other][1]}{beyond} (estimates)"
    )
    return best, reason


def _latency(schedule: Schedule) -> Latency:
    return Latency(
        cycles=schedule.latency_cycles,
        interval_cycles=schedule.interval_cycles,
        clock_mhz=schedule.clock_mhz,
        source=Source.ESTIMATED,
        tool="schedule",
    )
