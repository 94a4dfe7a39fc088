from __future__ import annotations

from pathlib import Path

import pytest
import vendor_fakes

from trigforge.core.errors import InputError, ToolError
from trigforge.vendor import vivado

needs_tclsh = pytest.mark.skipif(vendor_fakes.TCLSH is None, reason="tclsh is not installed")
SOURCES = ("rtl/primitives.v", "rtl/toy.sv")
PART = "xcvu13p-flga2577-2-e"


@pytest.fixture
def programs(tmp_path, monkeypatch):
    return vendor_fakes.fake_programs(tmp_path, monkeypatch)


@pytest.fixture
def firmware(tmp_path):
    """A folder of firmware as a user gets it, with a blank in its name."""
    folder = tmp_path / "toy firmware"
    write(folder, vivado.project_tcl("toy", SOURCES, PART, "verilog"))
    return folder


def write(folder: Path, script: str) -> None:
    for path, text in {
        "scripts/vivado.tcl": script,
        "constraints/toy.xdc": vivado.constraints_xdc(320),
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def test_the_script_begins_with_what_depends_on_the_firmware():
    script = vivado.project_tcl("toy", SOURCES, PART, "verilog")
    assert script.startswith(
        "set top toy\nset part xcvu13p-flga2577-2-e\n"
        "set sources {\n    rtl/primitives.v\n    rtl/toy.sv\n}\n"
    )
    flow = Path(vivado.__file__).parent / "templates" / "vivado_flow.tcl"
    assert script.endswith(flow.read_text())


@needs_tclsh
def test_the_script_reads_in_order_implements_out_of_context_and_reports(firmware):
    root = firmware
    reports = root / "reports"
    assert vendor_fakes.run_tcl(root / "scripts/vivado.tcl") == [
        f"read_verilog {{{{{root}/rtl/primitives.v}}}}",
        f"read_verilog -sv {{{{{root}/rtl/toy.sv}}}}",
        f"read_xdc {{{{{root}/constraints/toy.xdc}}}}",
        f"synth_design -top toy -part {PART} -mode out_of_context",
        f"report_utilization -file {{{reports}/utilisation_synth.rpt}}",
        f"report_timing_summary -file {{{reports}/timing_synth.rpt}}",
        "opt_design ",
        "place_design ",
        "route_design ",
        f"report_utilization -file {{{reports}/utilisation_routed.rpt}}",
        f"report_timing_summary -file {{{reports}/timing_routed.rpt}}",
        f"write_checkpoint -force {{{reports}/toy_routed.dcp}}",
    ]
    assert reports.is_dir()


@needs_tclsh
def test_the_script_reads_vhdl_2008(tmp_path):
    write(tmp_path, vivado.project_tcl("toy", ("a.vhd", "b.vhdl"), PART, "vhdl"))
    calls = vendor_fakes.run_tcl(tmp_path / "scripts/vivado.tcl")
    assert calls[:2] == [
        f"read_vhdl -vhdl2008 {tmp_path}/a.vhd",
        f"read_vhdl -vhdl2008 {tmp_path}/b.vhdl",
    ]


@needs_tclsh
def test_a_typo_in_a_script_would_be_seen(firmware):
    script = firmware / "scripts/vivado.tcl"
    script.write_text(script.read_text().replace("place_design", "palce_design"))
    with pytest.raises(AssertionError, match="no command of the vendor: palce_design"):
        vendor_fakes.run_tcl(script)


@needs_tclsh
def test_the_constraints_time_the_clock_and_all_ports(firmware):
    calls = vendor_fakes.run_tcl(firmware / "constraints/toy.xdc")
    assert [call for call in calls if call.startswith(("create", "set", "get", "filter"))] == [
        "get_ports clk",
        "create_clock -name clk -period 3.125 <get_ports>",
        "filter <all_inputs> {NAME != clk}",
        "set_input_delay -clock clk -max 0.000 <filter>",
        "set_output_delay -clock clk -max 0.000 <all_outputs>",
    ]


@pytest.mark.parametrize(
    ("clock_mhz", "period"),
    [(320, "3.125"), (240, "4.166"), (360, "2.777"), (480, "2.083"), (320.64, "3.118")],
)
def test_a_period_is_rounded_to_picoseconds_and_never_up(clock_mhz, period):
    assert f"-period {period} " in vivado.constraints_xdc(clock_mhz)
    assert float(period) <= 1000 / clock_mhz


@pytest.mark.parametrize("clock_mhz", [0, -1, 1001, float("nan"), float("inf")])
def test_an_impossible_clock_is_refused(clock_mhz):
    with pytest.raises(InputError, match="cannot be constrained; write one above 0, up to 1000"):
        vivado.constraints_xdc(clock_mhz)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "to[exit]"}, r"top 'to\[exit\]' cannot be written into Tcl"),
        ({"name": "toy\n"}, "top .* cannot be written"),
        ({"name": ""}, "top '' cannot be written"),
        ({"part": "xc;exit"}, "part 'xc;exit' cannot be written"),
        ({"sources": ("rtl/../../toy.v",)}, "source .* a relative path"),
        ({"sources": ("/toy.v",)}, "source .* a relative path"),
        ({"sources": ("a b.v",)}, "source .* a relative path"),
        ({"sources": ("$x.v",)}, "source .* a relative path"),
        ({"sources": ("toy.vhd",)}, "source 'toy.vhd' is no verilog; write .v or .sv"),
        ({"sources": ()}, "there is no verilog source"),
        ({"language": "chisel"}, "unknown language 'chisel'; known: verilog, vhdl"),
    ],
)
def test_names_that_tcl_could_take_for_commands_are_refused(change, message):
    settings = {"name": "toy", "sources": SOURCES, "part": PART, "language": "verilog", **change}
    with pytest.raises(InputError, match=message):
        vivado.project_tcl(**settings)


def test_vivado_runs_the_script_in_batch_mode_in_the_folder(programs, firmware):
    program = programs.add("vivado")
    vivado.run(vivado.program(), firmware, timeout_s=30)
    (run,) = programs.runs()
    assert run["arguments"] == [
        *("-mode", "batch", "-nojournal", "-log", "vivado.log"),
        *("-source", "scripts/vivado.tcl"),
    ]
    assert run["folder"] == str(firmware)
    assert vivado.program() == program
    assert all((firmware / path).is_file() for path in vivado.REPORTS)
    assert "Exiting Vivado" in (firmware / "console.log").read_text()


def test_vivado_is_asked_for_its_version(programs, tmp_path):
    assert vivado.version(programs.add("vivado"), tmp_path) == "2023.2"


def test_a_version_that_is_none_is_refused(programs, tmp_path):
    program = programs.add("vivado")
    program.write_text("#!/bin/sh\necho Vivado for connoisseurs\n")
    with pytest.raises(ToolError, match="asking vivado for its version: expected one such as"):
        vivado.version(program, tmp_path)


def test_without_vivado_the_open_path_is_named(programs):
    with pytest.raises(ToolError, match="vivado is needed to place and route.*uses Yosys"):
        vivado.program()


def test_a_failure_shows_the_error_and_the_last_lines(programs, firmware):
    program = programs.add("vivado")
    programs.fail("code")
    with pytest.raises(ToolError, match="vivado failed with code 1") as error:
        vivado.run(program, firmware, timeout_s=30)
    lines = [line.strip() for line in str(error.value).splitlines()]
    assert lines[1] == "ERROR: [Synth 8-439] module 'toy' not found"
    assert lines[2] == "INFO: line 10"
    assert lines[-1] == "INFO: line 29"


def test_an_error_that_ends_with_code_0_is_a_failure(programs, firmware):
    program = programs.add("vivado")
    programs.fail("error")
    with pytest.raises(ToolError, match=r"vivado says it failed:\n  ERROR: \[Place 30-640\]"):
        vivado.run(program, firmware, timeout_s=30)


def test_a_report_that_is_missing_is_a_failure(programs, firmware):
    program = programs.add("vivado")
    programs.fail("report")
    with pytest.raises(ToolError, match="ended well but did not write .*timing_routed") as error:
        vivado.run(program, firmware, timeout_s=30)
    assert str(error.value).endswith("Exiting Vivado")


def test_a_run_past_its_limit_is_stopped(programs, firmware):
    program = programs.add("vivado")
    programs.fail("time")
    with pytest.raises(ToolError, match="vivado was stopped after 2 s"):
        vivado.run(program, firmware, timeout_s=2)
