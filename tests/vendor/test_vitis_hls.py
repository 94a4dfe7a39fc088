from __future__ import annotations

import pytest
import vendor_fakes

from trigforge.core.errors import InputError, ToolError
from trigforge.vendor import vitis_hls
from trigforge.vendor.vitis_hls import HlsSettings

needs_tclsh = pytest.mark.skipif(vendor_fakes.TCLSH is None, reason="tclsh is not installed")
SETTINGS = HlsSettings(part="xcvu13p-flga2577-2-e", clock_mhz=320)
SYNTHESIS_ALONE = HlsSettings(part="xcvu13p-flga2577-2-e", clock_mhz=360, export=False, cosim=False)
CALLS = [
    "open_project -reset toy_prj",
    "set_top toy",
    "add_files firmware/toy.cpp -cflags -std=c++0x",
    "add_files -tb toy_test.cpp -cflags {-std=c++0x -DRTL_SIM}",
    "add_files -tb firmware/weights",
    "add_files -tb tb_data",
    "open_solution -reset solution1",
    "set_part xcvu13p-flga2577-2-e",
    "create_clock -period 3.125 -name default",
    "set_clock_uncertainty 27% default",
    "config_compile -name_max_length 80",
    "config_schedule -enable_dsp_full_reg=false",
    "csynth_design ",
    "export_design -format ip_catalog -rtl verilog",
    "cosim_design -rtl verilog -trace_level none",
]


@pytest.fixture
def programs(tmp_path, monkeypatch):
    return vendor_fakes.fake_programs(tmp_path, monkeypatch)


@pytest.fixture
def project(tmp_path):
    return written(tmp_path / "a project", SETTINGS)


def written(folder, settings):
    folder.mkdir()
    for path, text in vitis_hls.scripts("toy", settings).items():
        (folder / path).write_text(text)
    return folder


def test_the_settings_are_plain_values():
    assert vitis_hls.scripts("toy", SETTINGS)["settings.tcl"] == (
        "set top toy\nset part xcvu13p-flga2577-2-e\nset period_ns 3.125\n"
        "set export 1\nset cosim 1\n"
    )


@needs_tclsh
def test_the_script_does_what_the_project_of_hls4ml_does(project):
    assert vendor_fakes.run_tcl(project / "vitis_hls_flow.tcl") == CALLS


@needs_tclsh
def test_what_is_not_asked_for_is_not_done(tmp_path):
    folder = written(tmp_path / "small", SYNTHESIS_ALONE)
    calls = vendor_fakes.run_tcl(folder / "vitis_hls_flow.tcl")
    assert calls[-1] == "csynth_design "
    assert "create_clock -period 2.777 -name default" in calls


@needs_tclsh
def test_an_error_in_the_script_ends_the_program(project):
    extra = 'proc csynth_design {} { error "it does not compile" }'
    with pytest.raises(AssertionError, match="ERROR: it does not compile"):
        vendor_fakes.run_tcl(project / "vitis_hls_flow.tcl", extra=extra)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("vitis_hls", ["-f", "vitis_hls_flow.tcl"]),
        ("vitis-run", ["--mode", "hls", "--tcl", "vitis_hls_flow.tcl"]),
    ],
)
def test_the_program_is_called_by_the_name_it_has(programs, project, name, arguments):
    program = programs.add(name)
    assert vitis_hls.program() == program
    assert vitis_hls.version(program, project) == "2023.2"
    vitis_hls.run(program, project, "toy", timeout_s=30)
    (run,) = programs.runs()
    assert run["arguments"] == arguments
    assert run["folder"] == str(project)


def test_without_the_program_both_names_and_the_open_path_are_told(programs):
    with pytest.raises(ToolError, match="vitis-run is needed.*vitis_hls.*uses Yosys"):
        vitis_hls.program()


@pytest.mark.parametrize(
    ("top", "settings", "message"),
    [
        ("toy;exit", SETTINGS, "top 'toy;exit' cannot be written into Tcl"),
        ("toy", HlsSettings(part="[exit]", clock_mhz=320), "part .* cannot be written into Tcl"),
        ("toy", HlsSettings(part="xcvu13p", clock_mhz=0), "a clock of 0 MHz"),
    ],
)
def test_names_that_tcl_could_take_for_commands_are_refused(top, settings, message):
    with pytest.raises(InputError, match=message):
        vitis_hls.scripts(top, settings)


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        ("code", r"vitis_hls failed with code 1:\n  ERROR: \[HLS 207-3776\] use of undeclared"),
        ("error", r"vitis_hls says it failed:\n  ERROR: \[IMPL 213-28\]"),
        ("synthesis", "did not write toy_prj/solution1/syn/report/toy_csynth.xml"),
        ("time", "vitis_hls was stopped after 2 s"),
    ],
)
def test_a_failure_is_told_with_the_last_lines(programs, project, failure, message):
    program = programs.add("vitis_hls")
    programs.fail(failure)
    with pytest.raises(ToolError, match=message):
        vitis_hls.run(program, project, "toy", timeout_s=2 if failure == "time" else 30)


def test_a_difference_in_co_simulation_is_a_result_and_no_failure(programs, project):
    programs.leave("cosim.rpt", "made_vitis_hls_cosim_fail.rpt")
    vitis_hls.run(programs.add("vitis_hls"), project, "toy", timeout_s=30)
    assert (project / vitis_hls.co_simulation_report("toy")).is_file()


def test_the_ip_core_is_found_wherever_a_version_puts_it(tmp_path):
    assert vitis_hls.packed_ip(tmp_path, "toy") is None
    archive = tmp_path / "toy_prj/solution1/impl/export.zip"
    archive.parent.mkdir(parents=True)
    archive.touch()
    assert vitis_hls.packed_ip(tmp_path, "toy") == archive
