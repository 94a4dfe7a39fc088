"""What a vendor's program says decides the verdict; the programs themselves are mocked."""

from pathlib import Path
from unittest import mock

import pytest

from trigforge import pipeline, vendor_flow
from trigforge.core.costs import Resources, Source
from trigforge.core.records import no_progress
from trigforge.vendor.csynth_report import CoSimulation, CSynthesis
from trigforge.vendor.vivado_report import TimingClosure
from trigforge.vendor_flow import HlsBuild, Implementation

PART = "xcvu13p-flga2577-2-e"
pytestmark = pytest.mark.pipeline


def resources(stage: str, lut: int) -> Resources:
    return Resources(
        part=PART,
        lut=lut,
        ff=500,
        dsp=0,
        bram_18k=0,
        uram=0,
        source=Source.MEASURED,
        tool="Vivado 2023.2",
        stage=stage,
    )


def timing(wns_ns: float) -> TimingClosure:
    return TimingClosure(
        part=PART,
        clock="clk",
        period_ns=3.125,
        wns_ns=wns_ns,
        tns_ns=min(wns_ns, 0.0),
        setup_failing_endpoints=int(wns_ns < 0),
        whs_ns=0.01,
        hold_failing_endpoints=0,
        wpws_ns=1.0,
        pulse_width_failing_endpoints=0,
        n_untimed=0,
        tool="Vivado 2023.2",
    )


def implementation(wns_ns: float) -> Implementation:
    return Implementation(
        folder=Path("store/vivado"),
        synthesised=resources("logic synthesis, Vivado", 900),
        synthesised_timing=timing(0.5),
        routed=resources("post-route, Vivado", 777),
        timing=timing(wns_ns),
    )


def build(interval: int, *, passed: bool) -> HlsBuild:
    c_synthesis = CSynthesis(
        top="tiny_jets",
        target_period_ns=3.125,
        estimated_period_ns=2.5,
        latency_cycles=(20, 20),
        interval_cycles=(interval, interval),
        resources=resources("HLS C synthesis", 1234),
    )
    played = CoSimulation(
        passed=passed, language="verilog", latency_cycles=None, interval_cycles=None
    )
    return HlsBuild(
        folder=Path("store/vitis"), c_synthesis=c_synthesis, co_simulation=played, ip=None
    )


def judged(model, function: str, answer):
    with mock.patch.object(vendor_flow, function, autospec=True, return_value=answer) as flow:
        costs = pipeline.vendor.judge(model.spec, model.workspace, None, no_progress)
    flow.assert_called_once()
    return costs, {check.name: check for check in costs.verdict.checks}


@pytest.mark.toolchain
@pytest.mark.parametrize(("wns_ns", "met"), [(0.1, True), (-0.1, False)])
def test_routed_rtl_must_keep_its_clock(tiny_model, wns_ns, met):
    model = tiny_model("jets_hlf", {"hardware": {"implementation": "da"}})
    costs, checks = judged(model, "implement", implementation(wns_ns))
    assert costs.verdict.met is checks["timing closes, routed"].met is met
    assert "post-route, Vivado 2023.2" in checks["LUT"].used
    assert costs.latency.tool.startswith("Verilator")
    assert checks["timing closes, routed"].used.startswith(f"worst slack {wns_ns:+.3f} ns")


@pytest.mark.parametrize(
    ("interval", "passed", "met"), [(1, True, True), (9, True, False), (1, False, False)]
)
def test_an_hls_project_must_keep_up_and_pass_co_simulation(tiny_model, interval, passed, met):
    costs, checks = judged(tiny_model("jets_hlf"), "synthesise", build(interval, passed=passed))
    assert costs.verdict.met is met
    assert checks["initiation interval (estimated)"].met is (interval <= 8)
    assert checks["co-simulation"].met is passed
    assert "HLS C synthesis, Vivado 2023.2" in checks["LUT"].used
