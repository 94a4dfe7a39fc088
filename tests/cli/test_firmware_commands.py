"""The commands about firmware are thin: what they call is mocked."""

import json
from pathlib import Path
from unittest import mock

import pytest
import tiny_models
import yaml
from typer.testing import CliRunner

from trigforge import pipeline
from trigforge.budget import Verdict
from trigforge.cli.app import app
from trigforge.core.costs import Resources, Source
from trigforge.core.errors import SimulationFault
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import Check, Firmware, Outcome, Port
from trigforge.core.spec_file import read_spec
from trigforge.pipeline.firmware import Costs
from trigforge.pipeline.vendor import Answer
from trigforge.synthesis import Synthesis

PART = "xcvu13p-flga2577-2-e"
PORT = Port(name="x", shape=(1,), format=parse_format("fixed<8,4>"))
FIRMWARE = Firmware(
    name="tiny_jets",
    folder=Path("firmware/tiny_jets"),
    language="verilog",
    sources=(),
    part=PART,
    clock_mhz=320,
    input=PORT,
    output=PORT,
    latency_cycles=5,
    interval_cycles=1,
)
RESOURCES = Resources(
    part=PART,
    lut=100,
    ff=50,
    dsp=0,
    bram_18k=0,
    uram=0,
    source=Source.MEASURED,
    tool="Yosys 0.70",
    stage="logic synthesis, Yosys",
)


def outcome(fault: str | None = None) -> Outcome:
    return Outcome(
        name="gaps in valid",
        simulator="Verilator 5.048",
        n_events=10,
        n_values=50,
        n_different=0,
        first_difference=None,
        latency_cycles=(5, 5),
        n_cycles=100,
        seconds=0.1,
        fault=fault,
    )


def line(*, met: bool) -> Check:
    return Check(name="LUT", used="100 LUT", allowed="200 LUT", met=met)


def says(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def spec_file(tmp_path):
    path = tmp_path / "tiny_jets.yaml"
    path.write_text(yaml.safe_dump(tiny_models.spec_data("jets_hlf")))
    return path


def mocked(module, name, result):
    return mock.patch.object(module, name, autospec=True, return_value=result)


@pytest.mark.parametrize("language", ["verilog", "vhdl"])
def test_rtl_writes_the_language_that_is_asked_for(spec_file, language):
    with mocked(pipeline.firmware, "write_rtl", FIRMWARE) as write:
        result = says("rtl", spec_file, "--language", language)
    write.assert_called_once_with(read_spec(spec_file), mock.ANY, None, language, mock.ANY)
    assert (result.exit_code, result.stdout) == (
        0,
        "firmware/tiny_jets: verilog, 5 cycles at 320 MHz, an event every 1 cycle(s)\n",
    )


def test_a_language_nobody_writes_is_wrong_usage(spec_file):
    assert says("rtl", spec_file, "--language", "chisel").exit_code == 2


@pytest.mark.parametrize(("fault", "code"), [(None, 0), ("cycle 7: 1, not 0", 1)])
@pytest.mark.parametrize("bench", ["verilator", "cocotb"])
def test_cosim_fails_if_one_scenario_does(spec_file, bench, fault, code):
    with mocked(pipeline.firmware, "check_rtl", (outcome(), outcome(fault))) as check:
        result = says("cosim", spec_file, "--bench", bench)
    check.assert_called_once_with(read_spec(spec_file), mock.ANY, None, bench, mock.ANY)
    assert result.exit_code == code
    assert (fault or "as expected") in result.stdout


def test_cosim_writes_waves_on_request(spec_file, tmp_path):
    with (
        mocked(pipeline.firmware, "check_rtl", (outcome(),)),
        mocked(pipeline.firmware, "record_waves", 100) as record,
    ):
        result = says("cosim", spec_file, "--waves", tmp_path / "first.fst")
    assert record.call_args.args[2] == tmp_path / "first.fst"
    assert f"waveform: {tmp_path / 'first.fst'}" in result.stdout


def test_a_design_without_results_is_a_failed_check_not_an_error(spec_file):
    fault = SimulationFault("out_valid did not rise in 40 cycles", 40)
    with mock.patch.object(pipeline.firmware, "check_rtl", autospec=True, side_effect=fault):
        result = says("cosim", spec_file)
    assert result.exit_code == 1
    assert "out_valid did not rise in 40 cycles" in result.stderr


def test_synth_shows_counts_and_deviations(spec_file):
    netlist = Synthesis(
        resources=RESOURCES,
        lut_packed=80,
        delay=None,
        cells=(),
        log=Path("yosys.log"),
        seconds=1.0,
        cached=False,
    )
    with mocked(pipeline.firmware, "synthesise_rtl", (netlist, ("lut: 100, as likely",))):
        result = says("synth", spec_file)
    assert result.exit_code == 0
    assert "logic synthesis, Yosys 0.70" in result.stdout
    assert "lut: 100, as likely" in result.stdout


@pytest.mark.parametrize(("tool", "function"), [("vivado", "implement"), ("vitis", "synthesise")])
@pytest.mark.parametrize(("met", "code"), [(True, 0), (False, 1)])
def test_synth_asks_the_vendors_program(spec_file, tool, function, met, code):
    answer = Answer(resources=RESOURCES, checks=(line(met=met),), folder=Path("store/vivado"))
    with mocked(pipeline.vendor, function, answer) as ask:
        result = says("synth", spec_file, "--tool", tool)
    ask.assert_called_once_with(read_spec(spec_file), mock.ANY, None, mock.ANY)
    assert result.exit_code == code
    assert "store/vivado: reports and logs" in result.stdout


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (Verdict(checks=(line(met=True),)), 0),
        (Verdict(checks=(line(met=False),)), 1),
        (Verdict(checks=(line(met=True),), unknown=("latency",)), 1),
    ],
)
@pytest.mark.parametrize(("options", "module"), [((), "firmware"), (("--vendor",), "vendor")])
def test_budget_is_green_only_if_all_is_known_and_met(spec_file, verdict, code, options, module):
    costs = Costs(
        latency=None,
        resources=RESOURCES,
        logic_delay=None,
        estimates=(),
        deviations=(),
        verdict=verdict,
        warnings=tuple(f"unknown: {entry}" for entry in verdict.unknown),
    )
    with mocked(getattr(pipeline, module), "judge", costs) as judge:
        result = says("budget", spec_file, *options)
    judge.assert_called_once_with(read_spec(spec_file), mock.ANY, None, mock.ANY)
    assert result.exit_code == code
    assert "100 LUT" in result.stdout
    assert ("unknown: latency" in result.stdout) is bool(verdict.unknown)


def test_json_is_the_record_and_nothing_else(spec_file, tmp_path):
    with (
        mocked(pipeline.firmware, "check_rtl", (outcome(), outcome("cycle 7: 1, not 0"))),
        mocked(pipeline.firmware, "record_waves", 100),
    ):
        result = says("cosim", spec_file, "--json", "--waves", tmp_path / "first.vcd")
    good, bad = json.loads(result.stdout)
    assert (good["fault"], bad["fault"]) == (None, "cycle 7: 1, not 0")
    assert good["latency_cycles"] == [5, 5]
    answer = Answer(resources=RESOURCES, checks=(line(met=True),), folder=Path("store/vivado"))
    with mocked(pipeline.vendor, "implement", answer):
        found = json.loads(says("synth", spec_file, "--tool", "vivado", "--json").stdout)
    assert found["resources"]["lut"] == 100
    assert found["resources"]["source"] == "measured"
    assert found["folder"] == "store/vivado"
