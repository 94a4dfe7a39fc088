"""The same questions put to the vendor's programs, where there are any."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trigforge import rtl, vendor_flow
from trigforge.core.costs import Resources
from trigforge.core.records import Check
from trigforge.estimation import hls
from trigforge.pipeline.firmware import Costs, cost, delivered_graph, simulate
from trigforge.pipeline.job import Job
from trigforge.pipeline.preparation import prepare
from trigforge.pipeline.projects import write_projects
from trigforge.pipeline.writing import estimates_of, write_firmware
from trigforge.vendor.vitis_hls import HlsSettings

if TYPE_CHECKING:
    from trigforge.core.config import AnySpec
    from trigforge.core.records import Progress
    from trigforge.core.workspace import Workspace
    from trigforge.vendor_flow import HlsBuild, Implementation


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a vendor's flow says of a design, and whether it is content."""

    resources: Resources
    checks: tuple[Check, ...]
    folder: Path


def implement(
    spec: AnySpec, workspace: Workspace, sample: Path | None, progress: Progress
) -> Answer:
    """Place and route the RTL of a spec with Vivado.

    Raises:
        ToolError: if there is no Vivado, or it fails.
    """
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, sample)
    firmware = write_firmware(job, ready, delivered_graph(job, ready))
    return _of_implementation(vendor_flow.implement(firmware, workspace.store, progress=progress))


def synthesise(
    spec: AnySpec, workspace: Workspace, sample: Path | None, progress: Progress
) -> Answer:
    """Run C synthesis, co-simulation and export of the delivered HLS project with Vitis HLS.

    Raises:
        ToolError: if there is no Vitis HLS, or it fails.
    """
    job = Job(spec=spec, workspace=workspace, progress=progress)
    return _of_build(_built(job, sample))


def judge(spec: AnySpec, workspace: Workspace, sample: Path | None, progress: Progress) -> Costs:
    """Hold what the vendor's programs say of a spec's implementation against its budget.

    Raises:
        ToolError: if the program that is needed is missing, or fails.
    """
    job = Job(spec=spec, workspace=workspace, progress=progress)
    ready = prepare(job, sample)
    graph = delivered_graph(job, ready)
    if spec.hardware.has_rtl:
        firmware = write_firmware(job, ready, graph)
        latency = simulate(job, ready, firmware).latency
        estimates = estimates_of(graph, rtl.read_schedule(firmware))
        answer = _of_implementation(
            vendor_flow.implement(firmware, workspace.store, progress=progress)
        )
    else:
        build = _built(job, sample)
        latency, answer = build.latency, _of_build(build)
        estimates = hls.estimates(graph, spec.hardware)
    costs = cost(job, estimates, latency, answer.resources)
    verdict = replace(costs.verdict, checks=(*costs.verdict.checks, *answer.checks))
    return replace(costs, verdict=verdict)


def _built(job: Job, sample: Path | None) -> HlsBuild:
    delivered = write_projects(job, prepare(job, sample))[0]
    hardware = job.spec.hardware
    settings = HlsSettings(part=hardware.part, clock_mhz=hardware.clock_mhz)
    return vendor_flow.synthesise(delivered, settings, job.workspace.store, progress=job.progress)


def _of_implementation(found: Implementation) -> Answer:
    timing = found.timing
    slack = "no path" if timing.wns_ns is None else f"{timing.wns_ns:+.3f} ns"
    check = Check(
        name="timing closes, routed",
        used=f"worst slack {slack}, {timing.n_failing} endpoints fail ({timing.tool})",
        allowed=f"no negative slack at {1000 / timing.period_ns:.1f} MHz",
        met=timing.met,
    )
    return Answer(resources=found.routed, checks=(check,), folder=found.folder)


def _of_build(build: HlsBuild) -> Answer:
    checks = []
    if build.co_simulation is not None:
        passed = build.co_simulation.passed
        checks.append(
            Check(
                name="co-simulation",
                used="passed" if passed else "failed",
                allowed="passed",
                met=passed,
            )
        )
    return Answer(resources=build.c_synthesis.resources, checks=tuple(checks), folder=build.folder)
