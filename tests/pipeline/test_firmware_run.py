"""Specs that ask for RTL: from the network to the verdict, on a model of a second."""

import json
import re

import jsonschema
import pytest

from trigforge import rtl
from trigforge.report import document

DA = {"hardware": {"implementation": "da"}}
pytestmark = [pytest.mark.toolchain, pytest.mark.pipeline]


@pytest.fixture
def model(tiny_model):
    return tiny_model("jets_hlf", DA)


def test_a_run_simulates_synthesises_and_judges(model, trigforge_says):
    code, out, err = trigforge_says(*model.command("run", "--quiet"))
    assert code == 0, out + err
    report = model.report
    jsonschema.validate(report, json.loads(document.SCHEMA.read_text()))
    firmware = rtl.read(model.workspace.firmware / "tiny_jets")
    assert report["firmware"]["folder"] == str(firmware.folder)
    latency, resources = report["latency"], report["resources"]
    assert latency["source"] == "measured"
    assert latency["tool"] == "Verilator 5.048"
    assert (latency["cycles"], latency["interval_cycles"]) == (firmware.latency_cycles, 1)
    assert latency["ns"] == pytest.approx(latency["cycles"] * 3.125)
    assert resources["stage"] == "logic synthesis, Yosys"
    assert resources["lut"] > 100
    assert resources["shares"]["lut"] == resources["lut"] / 1_728_000
    assert report["logic_delay"]["ns"] > 0
    (lut,) = [entry for entry in report["estimates"] if entry["resource"] == "lut"]
    assert lut["measured"] == resources["lut"]
    assert f"lut: {resources['lut']:,} (logic synthesis, Yosys 0.70)" in out
    assert {line["name"] for line in report["budget"]} >= {"initiation interval", "latency", "LUT"}
    pairs = [entry for entry in report["agreements"] if entry["candidate"] == "RTL"]
    assert len(pairs) == 5
    assert all(entry["n_different"] == 0 < entry["n_values"] for entry in pairs)
    assert "RTL: reset in mid-stream" in [check["name"] for check in report["checks"]]
    assert report["warnings"] == []
    assert f"firmware: {firmware.folder}" in out
    code, _, _ = trigforge_says(*model.command("run", "--quiet"))
    times = {stage["stage"]: stage["cached"] for stage in model.report["stages"]}
    assert code == 0
    assert times["rtl"] is times["synthesis"] is True


def test_a_bit_flipped_in_the_rtl_fails_the_run_and_is_named(model, trigforge_says):
    assert trigforge_says(*model.command("rtl", "--quiet"))[0] == 0
    firmware = rtl.read(model.workspace.firmware / "tiny_jets")
    top = firmware.folder / "rtl/tiny_jets.v"
    text, n_changes = re.subn(
        r"(out_data\[17:0\] = .*)logic_out\[0\]?", r"\1~logic_out[0", top.read_text()
    )
    if not n_changes:
        text, n_changes = re.subn(r"= (\{.*logic_out.*\});", r"= \1 ^ 1'b1;", text, count=1)
    assert n_changes == 1
    top.write_text(text)
    code, out, _ = trigforge_says(*model.command("run", "--quiet"))
    assert code == 1
    assert "bit-exact: RTL" in out.splitlines()[-1]
    assert "rtl/tiny_jets.v: changed since it was written" in out
    (entry,) = [
        entry
        for entry in model.report["agreements"]
        if entry["candidate"] == "RTL" and entry["reference"] == "QKeras, exact"
    ]
    assert entry["n_different_events"] == entry["n_events"]


def test_a_missing_register_fails_the_simulation(model, trigforge_says):
    assert trigforge_says(*model.command("rtl", "--quiet"))[0] == 0
    top = model.workspace.firmware / "tiny_jets/rtl/tiny_jets.v"
    text, n_changes = re.subn(r"\.N_CYCLES\((\d+)\)", r".N_CYCLES(\1 - 1)", top.read_text())
    assert n_changes == 1
    top.write_text(text)
    code, out, _ = trigforge_says(*model.command("cosim", "--quiet"))
    assert code == 1
    assert re.search(r"cycle \d+", out)


def test_a_budget_that_is_exceeded_is_exit_code_1(tiny_model, trigforge_says):
    changes = {**DA, "budget": {"latency_ns": 1.0, "lut_share": 1e-6}}
    model = tiny_model("jets_hlf", changes)
    code, out, _ = trigforge_says(*model.command("budget", "--quiet"))
    assert code == 1
    lines = {line.split("│")[1].strip(): line for line in out.splitlines() if "│" in line}
    assert "NO" in lines["latency"]
    assert "NO" in lines["LUT"]
    assert "yes" in lines["initiation interval"]
    assert "advice: LUT: " in out
    assert "advice: parts that hold it within the budget: none known" in out
    assert trigforge_says(*model.command("run", "--quiet"))[0] == 1


def test_an_hls_project_is_estimated_and_what_is_unknown_is_said(tiny_model, trigforge_says):
    model = tiny_model("jets_hlf")
    code, out, _ = trigforge_says(*model.command("budget", "--quiet"))
    assert code == 1
    assert "LUT (estimated)" in out
    assert "unknown: initiation interval and latency" in out


def test_an_hls_project_that_cannot_keep_up_is_told(tiny_model, trigforge_says):
    model = tiny_model("top_images")
    _, out, _ = trigforge_says(*model.command("budget", "--quiet"))
    # A 3x3 kernel has 36 positions in an image of 8x8.
    assert "takes at least 36 cycles from one event to the next, 8 are allowed" in out
    assert "an event every 5 crossings" in out


def test_synthesis_is_compared_with_the_estimate(model, trigforge_says):
    code, out, _ = trigforge_says(*model.command("synth", "--quiet"))
    assert code == 0
    assert re.search(r"lut: [\d,]+ \(logic synthesis, Yosys 0\.70\), \d\.\d\d of the likely", out)


def test_vhdl_is_written_beside_verilog(model, trigforge_says):
    code, out, _ = trigforge_says(*model.command("rtl", "--language", "vhdl", "--quiet"))
    assert code == 0
    firmware = rtl.read(model.workspace.firmware / "tiny_jets_vhdl")
    assert firmware.language == "vhdl"
    assert {source.rpartition(".")[2] for source in firmware.sources} == {"vhd"}
    assert str(firmware.folder) in out


def test_a_part_nobody_knows_is_refused_before_anything_is_done(tiny_model, trigforge_says):
    model = tiny_model("jets_hlf", {"hardware": {"part": "xc2v1000"}})
    code, _, err = trigforge_says(*model.command("run", "--quiet"))
    assert code == 2
    assert "xc2v1000" in err
    assert "xcvu13p" in err
    assert not model.workspace.projects.exists()


@pytest.mark.parametrize(
    "options", [("synth", "--tool", "vivado"), ("synth", "--tool", "vitis"), ("budget", "--vendor")]
)
def test_a_vendors_program_that_is_missing_is_said_so(model, trigforge_says, monkeypatch, options):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    code, _, err = trigforge_says(*model.command(*options, "--quiet"))
    assert code == 2
    assert re.search("vivado|vitis-run is needed", err)
    assert "the open path goes on without it" in err


@pytest.mark.parametrize(
    ("kind", "name"), [("jets_hlf", "tiny_jets"), ("top_images", "tiny_images")]
)
def test_a_time_multiplexed_run_keeps_up_and_is_exact(tiny_model, trigforge_says, kind, name):
    model = tiny_model(kind, {"hardware": {"implementation": "timemux"}})
    code, out, err = trigforge_says(*model.command("run", "--quiet"))
    assert code == 0, out + err
    report = model.report
    jsonschema.validate(report, json.loads(document.SCHEMA.read_text()))
    firmware = rtl.read(model.workspace.firmware / f"{name}_timemux")
    schedule = rtl.read_schedule(firmware)
    assert report["latency"]["cycles"] == firmware.latency_cycles == schedule.latency_cycles
    assert report["latency"]["interval_cycles"] == 8
    assert report["resources"]["dsp"] == schedule.n_dsp > 0
    pairs = [entry for entry in report["agreements"] if entry["candidate"] == "RTL"]
    assert pairs
    assert all(entry["n_different"] == 0 < entry["n_values"] for entry in pairs)


def test_where_the_spec_leaves_the_choice_the_smaller_is_taken_and_said_why(
    tiny_model, trigforge_says
):
    model = tiny_model("jets_hlf", {"hardware": {"implementation": "auto"}})
    code, out, err = trigforge_says(*model.command("run", "--quiet"))
    assert code == 0, out + err
    (reason,) = [line for line in model.report["warnings"] if "implementation auto" in line]
    chosen, other = reason.split("; ")
    assert re.search(r"about [\d.]+ % of the (DSP|LUT|FF)", chosen)
    assert re.search(r"would take about [\d.]+ % of the (DSP|LUT|FF)", other)
    multiplexed = "auto: time-multiplexed" in reason
    assert model.report["firmware"]["folder"].endswith("_timemux") is multiplexed


def test_vhdl_of_time_multiplexed_rtl_is_refused(tiny_model, trigforge_says):
    model = tiny_model("jets_hlf", {"hardware": {"implementation": "timemux"}})
    code, _, err = trigforge_says(*model.command("rtl", "--language", "vhdl", "--quiet"))
    assert code == 2
    assert "SystemVerilog" in err
