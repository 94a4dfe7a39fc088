"""Reports made by hand, one of each kind that a page must be able to show."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from pathlib import Path

import tiny_models
from planted_health import planted, planted_inputs
from schedules import SCHEDULE

from trigforge.core.costs import Estimate, Latency, LogicDelay, Resources, Source
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import (
    Agreement,
    Check,
    ClassMetrics,
    Difference,
    Distance,
    Firmware,
    HlsProject,
    Metrics,
    Port,
    RunSummary,
    StageTime,
)
from trigforge.core.sketch import Sketch, SketchNode
from trigforge.core.trigger import (
    Curve,
    Loss,
    Measurement,
    SignalPhysics,
    Streamed,
    TriggerPhysics,
    TriggerResult,
)
from trigforge.evaluation import measure
from trigforge.report import document
from trigforge.report.entries import Report
from trigforge.report.page import figures
from trigforge.report.page.making import make

PART = "xcvu13p-flga2577-2-e"
NAMES = ("C simulation, io_parallel", "evaluator, io_parallel", "emulator, io_parallel", "RTL")
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}</title><!--$x$"


def agreements(names: tuple[str, ...] = NAMES) -> tuple[Agreement, ...]:
    """Return every implementation against the network, and the first two with each other."""
    pairs = [("QKeras, exact", name) for name in names] + [names[:2]]
    return tuple(
        Agreement(
            reference=reference, candidate=candidate, n_events=533, n_values=2665, n_different=0
        )
        for reference, candidate in pairs
    )


def metrics(auc: float) -> Metrics:
    classes = tuple(
        ClassMetrics(name=name, auc=auc, signal_efficiency=0.5, background_rejection=rejection)
        for name, rejection in (("qcd", 31.6), ("top", math.inf))
    )
    return Metrics(n_events=500, accuracy=0.73, classes=classes)


def measurement(value: float, uncertainty: float) -> Measurement:
    return Measurement(value=value, low=value - uncertainty, high=value + uncertainty)


def curve(x: list[float], y: list[float], width: float) -> Curve:
    return Curve(
        x=tuple(x),
        y=tuple(y),
        low=tuple(max(0.0, value - width) for value in y),
        high=tuple(value + width for value in y),
    )


def result(implementation: str, shift: float) -> TriggerResult:
    raw = implementation == "firmware"
    thresholds = [float(k * (8 if raw else 1)) for k in range(-5, 6)]
    background = [0.0, 1e-3, 1e-2, 0.1, 1.0]
    return TriggerResult(
        implementation=implementation,
        auc=measurement(0.95 - shift, 0.003),
        threshold=thresholds[7],
        rate_khz=measurement(9.5, 1.2),
        efficiency=measurement(0.62 - shift, 0.012),
        roc=curve(background, [x**0.2 for x in background], 0.01),
        rates=curve(thresholds, [1000.0 * 0.5**k for k in range(11)], 3.0),
        turn_on=curve([500.0, 550.0, 600.0], [0.1, 0.5 - shift, 0.9], 0.05),
    )


def trigger() -> TriggerPhysics:
    shifts = (("float network", 0.0), ("quantised network", 0.01), ("firmware", 0.01))
    streamed = Streamed(
        n_events=2_000_000,
        n_chunks=10,
        threshold=24.0,
        rate_khz=measurement(9.9, 0.2),
        efficiency=measurement(0.6, 0.01),
        rates=curve([0.0, 20.0, 40.0], [300.0, 12.0, 0.5], 0.1),
    )
    signal = SignalPhysics(
        name="top",
        n_events=250,
        discriminant="the logit",
        results=tuple(result(*entry) for entry in shifts),
        losses=tuple(
            Loss(
                implementation=name,
                reference="float network",
                efficiency=measurement(0.01, 0.004),
                auc=measurement(0.002, 0.001),
            )
            for name, _ in shifts[1:]
        ),
        streamed=streamed,
    )
    return TriggerPhysics(
        background="qcd",
        n_background=250,
        background_rate_khz=1000.0,
        working_rate_khz=10.0,
        variable="jet_pt_gev",
        signals=(signal, replace(signal, name="higgs", streamed=None)),
    )


def sketch() -> Sketch:
    def node(name: str, kind: str, inputs: tuple[str, ...], n_weights: int = 0) -> SketchNode:
        return SketchNode(
            name=name,
            kind=kind,
            inputs=inputs,
            shape=(4, 4, 2) if name == "image" else (8,),
            format="ufixed<6,2,RND_CONV,SAT>",
            n_weights=n_weights,
            n_zero_weights=n_weights // 2,
            n_multiplications=3 * n_weights,
            n_products=6 * n_weights,
        )

    return Sketch(
        nodes=(
            node("image", "Input", ()),
            node("hidden", "Dense", ("image",), 1400),
            node("relu", "Activation relu", ("hidden",)),
            node("sum", "Merge add", ("relu", "hidden")),
            node("logits", "Dense", ("sum",), 34),
        )
    )


def met_summary() -> RunSummary:
    """A run with everything a run can have, all of it good."""
    fmt = parse_format("fixed<16,6>")
    port = Port(name="image", shape=(32,), format=fmt)
    return RunSummary(
        name="tiny_jets",
        n_train=1500,
        n_test=500,
        sample_origin="models/tiny/sample.npz, part of 2000 events",
        float_metrics=metrics(0.95),
        quantised_metrics=metrics(0.94),
        agreements=agreements(),
        checks=(
            Check(name="bit-exact: RTL", used="0 of 2665 values differ", allowed="0", met=True),
            Check(name="loss of accuracy", used="+0.0035", allowed="0.01", met=True),
        ),
        budget=(
            Check(name="latency", used="11 cycles", allowed="150 ns", met=True),
            Check(name="LUT", used="17,280 LUT", allowed="86,400 LUT", met=True),
        ),
        projects=(
            HlsProject(
                name="tiny_jets",
                folder=Path("hls_projects/tiny_jets"),
                backend="Vitis",
                io_type="io_parallel",
                input=port,
                output=port,
            ),
        ),
        firmware=Firmware(
            name="tiny_jets",
            folder=Path("firmware/tiny_jets"),
            language="verilog",
            sources=("rtl/tiny_jets.v",),
            part=PART,
            clock_mhz=320,
            input=port,
            output=port,
            latency_cycles=11,
            interval_cycles=1,
        ),
        latency=Latency(
            cycles=11,
            interval_cycles=1,
            clock_mhz=320,
            source=Source.MEASURED,
            tool="Verilator 5.048",
        ),
        resources=Resources(
            part=PART,
            lut=17_280,
            ff=5000,
            dsp=0,
            bram_18k=0,
            uram=0,
            source=Source.MEASURED,
            tool="Yosys 0.70",
            stage="logic synthesis, Yosys",
        ),
        logic_delay=LogicDelay(ns=2.5, tool="Yosys 0.70", method="cells alone"),
        estimates=(
            Estimate(resource="lut", low=15_000, likely=20_000, high=30_000, method="EBOPs"),
        ),
        network=sketch(),
        health=measure(planted(), planted_inputs()),
        trigger=trigger(),
        stages=(StageTime(stage="samples", seconds=0.25, cached=True),),
        provenance=(("trigforge", "0.1.0"), ("keras", "3.15.1")),
        spec_file=Path("models/tiny jets.yaml"),
        report=Path("reports/tiny_jets/report.json"),
    )


def failed_summary() -> RunSummary:
    """The same run with one weight changed by hand, and too slow."""
    summary = met_summary()
    first = Difference(
        event=17,
        origin="held_out[17]",
        output=1,
        output_name="top",
        reference=-205,
        candidate=-201,
    )
    wrong = replace(
        summary.agreements[0], n_different=40, n_different_events=31, first_difference=first
    )
    return replace(
        summary,
        agreements=(wrong, *summary.agreements[1:]),
        checks=(replace(summary.checks[0], used="40 differ", met=False), *summary.checks[1:]),
        budget=(replace(summary.budget[0], used="60 cycles", met=False), *summary.budget[1:]),
    )


def hls_summary() -> RunSummary:
    """A run of a spec that asks for no RTL: estimates, and what nobody knows."""
    return replace(
        met_summary(),
        agreements=agreements(NAMES[:3]),
        firmware=None,
        latency=None,
        resources=None,
        logic_delay=None,
        trigger=None,
        budget=met_summary().budget[1:],
        warnings=("unknown: latency: nobody measured it", "advice: a reuse factor of 8 keeps up"),
    )


def unlabelled_summary() -> RunSummary:
    """A run on events without labels."""
    return replace(met_summary(), float_metrics=None, quantised_metrics=None, trigger=None)


def imported_summary() -> RunSummary:
    """A run of a model that was trained elsewhere."""
    distance = Distance(
        original="model.onnx, by ONNX Runtime",
        n_events=500,
        largest=0.125,
        mean=0.01,
        root_mean_square=0.02,
        output_range=12.5,
        n_equal=17,
        n_values=2500,
        n_decisions_changed=3,
    )
    return replace(unlabelled_summary(), distance=distance)


def timemux_summary() -> RunSummary:
    """A run of time-multiplexed RTL."""
    summary = met_summary()
    latency = replace(
        summary.latency, cycles=SCHEDULE.latency_cycles, interval_cycles=SCHEDULE.interval_cycles
    )
    return replace(summary, latency=latency, schedule=SCHEDULE)


def hostile_summary() -> RunSummary:
    """A run in which every text that comes from outside is an attack on the page."""
    summary = timemux_summary()
    layers = tuple(
        replace(layer, name=HOSTILE, kind=HOSTILE, built_as=HOSTILE, reason=HOSTILE)
        for layer in SCHEDULE.layers
    )
    agreement = replace(failed_summary().agreements[0], reference=HOSTILE, candidate=HOSTILE)
    nodes = (replace(sketch().nodes[1], name=HOSTILE, kind=HOSTILE, format=HOSTILE),)
    signal = replace(trigger().signals[0], name=HOSTILE, discriminant=HOSTILE)
    return replace(
        summary,
        name=HOSTILE,
        sample_origin=HOSTILE,
        agreements=(agreement,),
        checks=(Check(name=HOSTILE, used=HOSTILE, allowed=HOSTILE, met=False),),
        schedule=replace(SCHEDULE, layers=layers),
        network=Sketch(nodes=nodes),
        health=(replace(summary.health[0], name=HOSTILE),),
        trigger=replace(trigger(), background=HOSTILE, variable=HOSTILE, signals=(signal,)),
        provenance=((HOSTILE, HOSTILE),),
        spec_file=Path(HOSTILE),
        warnings=(HOSTILE, f"unknown: {HOSTILE}"),
        stages=(StageTime(stage=HOSTILE, seconds=1.0, cached=False),),
        latency=replace(summary.latency, tool=HOSTILE),
    )


SUMMARIES = {
    "met": met_summary,
    "failed": failed_summary,
    "hls": hls_summary,
    "unlabelled": unlabelled_summary,
    "imported": imported_summary,
    "timemux": timemux_summary,
    "hostile": hostile_summary,
}


@cache
def report(kind: str) -> Report:
    """Return a report as it is read from its JSON."""
    made = document.make(SUMMARIES[kind](), tiny_models.make_spec("jets_hlf"))
    return Report.model_validate_json(made.model_dump_json())


@cache
def pictures(kind: str):
    """Return the figures of a report; files of every format take three times as long."""
    return figures.draw(report(kind), formats=("svg",))


@cache
def page(kind: str) -> str:
    """Return the page of a report."""
    return make(report(kind), pictures(kind), run="reports/tiny jets")
