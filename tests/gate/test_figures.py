import dataclasses
import math

from trigforge.core.costs import Source
from trigforge.gate.figures import figures_of


def by_name(summary):
    return {figure.name: (figure.value, figure.origin) for figure in figures_of(summary)}


def test_every_figure_says_who_measured_what_without_versions(summary):
    simulated = "measured by Verilator at 320 MHz"
    netlist = "logic synthesis, Yosys, xcvu13p-flga2577-2-e"
    events = "quantised network, 5000 events of sample ff531058c99b"
    assert by_name(summary) == {
        "latency_cycles": (11, simulated),
        "interval_cycles": (2, simulated),
        "lut": (20_000, netlist),
        "ff": (10_000, netlist),
        "dsp": (20, netlist),
        "bram_18k": (40, netlist),
        "uram": (0, netlist),
        "accuracy": (0.73, events),
        "mean_auc": (0.925, events),
    }


def test_a_new_version_of_a_tool_is_the_same_origin(summary):
    newer = dataclasses.replace(
        summary,
        latency=dataclasses.replace(summary.latency, tool="Verilator 5.050"),
        resources=dataclasses.replace(summary.resources, tool="Yosys 0.71+12"),
    )
    assert by_name(newer) == by_name(summary)


def test_the_tool_of_a_vendor_keeps_its_name_and_its_stage(summary):
    report = dataclasses.replace(
        summary,
        latency=dataclasses.replace(
            summary.latency, tool="Vitis HLS 2023.2, C synthesis", source=Source.ESTIMATED
        ),
        resources=dataclasses.replace(
            summary.resources, tool="Vitis HLS 2023.2", stage="HLS C synthesis"
        ),
    )
    found = by_name(report)
    assert found["latency_cycles"][1] == "estimated by Vitis HLS, C synthesis at 320 MHz"
    assert found["lut"][1] == "HLS C synthesis, Vitis HLS, xcvu13p-flga2577-2-e"


def test_estimates_stand_in_where_nothing_was_synthesised(estimated):
    origin = "estimated before synthesis"
    assert by_name(estimated) == {"lut": (1235, origin), "ff": (600, origin)}


def test_what_is_not_finite_is_no_measurement(summary, estimated):
    diverged = dataclasses.replace(summary.quantised_metrics, accuracy=math.nan)
    found = by_name(dataclasses.replace(summary, quantised_metrics=diverged))
    assert "accuracy" not in found
    assert "mean_auc" in found
    endless = dataclasses.replace(estimated.estimates[0], likely=math.inf)
    assert by_name(dataclasses.replace(estimated, estimates=(endless,))) == {}


def test_a_score_has_no_accuracy_that_could_get_worse(summary):
    score = dataclasses.replace(summary.quantised_metrics, accuracy=None)
    found = by_name(dataclasses.replace(summary, quantised_metrics=score))
    assert "accuracy" not in found
    assert found["mean_auc"][0] == 0.925
