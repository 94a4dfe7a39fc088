from __future__ import annotations

import dataclasses

import pytest
import vendor_fakes

from trigforge import vendor_flow
from trigforge.core.costs import Source
from trigforge.core.errors import InputError, StoreError, ToolError
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import Firmware, HlsProject, Port
from trigforge.core.store import Store
from trigforge.vendor.vitis_hls import HlsSettings

PART = "xcvu13p-flga2577-2-e"
SETTINGS = HlsSettings(part=PART, clock_mhz=320)
INPUT = Port(name="inputs", shape=(3,), format=parse_format("fixed<8,8>"))
OUTPUT = Port(name="outputs", shape=(2,), format=parse_format("fixed<16,16>"))


@pytest.fixture
def programs(tmp_path, monkeypatch):
    return vendor_fakes.fake_programs(tmp_path, monkeypatch)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def firmware(tmp_path):
    folder = tmp_path / "firmware"
    (folder / "rtl").mkdir(parents=True)
    (folder / "rtl/toy.v").write_text("module toy; endmodule\n")
    return Firmware(
        name="toy",
        folder=folder,
        language="verilog",
        sources=("rtl/toy.v",),
        part=PART,
        clock_mhz=320,
        input=INPUT,
        output=OUTPUT,
        latency_cycles=5,
        interval_cycles=1,
    )


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    for path, text in {
        "firmware/toy.cpp": "void toy() {}\n",
        "firmware/weights/w2.h": "const int w2 = 3;\n",
        "firmware/ap_types/ap_fixed.h": "// not for the vendor's compiler\n",
        "toy_test.cpp": "int main() {}\n",
        "tb_data/inputs_raw.txt": "1 2 3\n",
        "tb_data/csim_results_raw.txt": "4 5\n",
        "toy_prj/solution1/old.log": "an older run\n",
        "build_prj.tcl": "exit\n",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return HlsProject(
        name="toy",
        folder=folder,
        backend="Vitis",
        io_type="io_parallel",
        input=INPUT,
        output=OUTPUT,
    )


def test_the_programs_that_are_there_are_told(programs):
    assert vendor_flow.available() == ()
    programs.add("vivado")
    programs.add("vitis-run")
    assert vendor_flow.available() == ("vitis-run", "vivado")


def test_firmware_is_placed_and_routed(programs, firmware, store):
    programs.add("vivado")
    result = vendor_flow.implement(firmware, store)
    assert result.routed.stage == "post-route, Vivado"
    assert (result.routed.lut, result.routed.bram_18k, result.routed.uram) == (12345, 9, 2)
    assert result.synthesised.stage == "logic synthesis, Vivado"
    assert result.synthesised.lut == 23456
    assert result.timing.met
    assert not result.synthesised_timing.met
    assert result.routed.part == result.timing.part == PART


def test_vivado_sees_sources_script_and_constraints_in_a_fresh_folder(programs, firmware, store):
    programs.add("vivado")
    (firmware.folder / "notes.txt").write_text("not for Vivado\n")
    vendor_flow.implement(firmware, store)
    (run,) = programs.runs()
    assert sorted(run["files"]) == ["constraints/toy.xdc", "rtl/toy.v", "scripts/vivado.tcl"]
    assert "-period 3.125 " in run["files"]["constraints/toy.xdc"]
    assert run["files"]["rtl/toy.v"] == "module toy; endmodule\n"
    assert not run["folder"].startswith(str(firmware.folder))


def test_reports_scripts_and_logs_are_kept_and_read_again_without_a_run(programs, firmware, store):
    programs.add("vivado")
    told = []
    first = vendor_flow.implement(firmware, store, progress=lambda *step: told.append(step))
    assert (first.folder / "vivado.log").read_text() == "the log of Vivado\n"
    assert (first.folder / "console.log").is_file()
    assert (first.folder / "scripts/vivado.tcl").is_file()
    assert vendor_flow.implement(firmware, store, progress=lambda *step: told.append(step)) == first
    assert len(programs.runs()) == 1
    assert told == [("placing and routing toy", 0, 1), ("placing and routing toy", 1, 1)]


def test_another_source_clock_or_version_is_another_run(programs, firmware, store):
    program = programs.add("vivado")
    vendor_flow.implement(firmware, store)
    (firmware.folder / "rtl/toy.v").write_text("module toy; /* changed */ endmodule\n")
    vendor_flow.implement(firmware, store)
    assert len(programs.runs()) == 2
    program.write_text(program.read_text().replace("v2023.2", "v2024.1"))
    vendor_flow.implement(firmware, store)
    assert len(programs.runs()) == 3


def test_a_report_of_another_clock_or_part_is_refused(programs, firmware, store):
    programs.add("vivado")
    other = dataclasses.replace(firmware, clock_mhz=240)
    with pytest.raises(InputError, match="expected a clock of 4.166 ns, found 3.125 ns"):
        vendor_flow.implement(other, store)
    other = dataclasses.replace(firmware, part="xcku115-flva1517-2-e")
    with pytest.raises(InputError, match="of the part xcku115-flva1517-2-e, found xcvu13p"):
        vendor_flow.implement(other, store)


def test_the_part_may_be_written_without_family_hyphens_and_grade(programs, firmware, store):
    programs.add("vivado")
    for name in ("utilisation_synth.rpt", "utilisation_routed.rpt"):
        text = (programs.reports / name).read_text()
        (programs.reports / name).write_text(text.replace(PART, "vu13pflga2577-2"))
    assert vendor_flow.implement(firmware, store).routed.part == PART


def test_a_missing_source_is_named(programs, firmware, store):
    programs.add("vivado")
    other = dataclasses.replace(firmware, sources=("rtl/toy.v", "rtl/gone.v"))
    with pytest.raises(InputError, match="rtl/gone.v cannot be read: No such file"):
        vendor_flow.implement(other, store)
    assert programs.runs() == []


def test_without_vivado_nothing_is_run(programs, firmware, store):
    with pytest.raises(ToolError, match="vivado is needed.*trigforge synth uses Yosys"):
        vendor_flow.implement(firmware, store)


@pytest.mark.parametrize("failure", ["code", "error", "report", "time"])
def test_the_logs_of_a_failure_are_kept_but_no_result(programs, firmware, store, failure):
    programs.add("vivado")
    programs.fail(failure)
    with pytest.raises(ToolError, match="the logs are in") as error:
        vendor_flow.implement(firmware, store, timeout_s=2 if failure == "time" else 30)
    (logs,) = (store.root / "vendor_logs").iterdir()
    assert str(error.value).endswith(str(logs))
    assert (logs / "vivado.log").read_text() == "the log of Vivado\n"
    assert list((store.root / "vivado").iterdir()) == []
    programs.fail("")
    assert vendor_flow.implement(firmware, store).timing.met


def test_a_report_changed_in_the_store_is_refused(programs, firmware, store):
    programs.add("vivado")
    result = vendor_flow.implement(firmware, store)
    report = result.folder / "reports/timing_routed.rpt"
    report.write_text(report.read_text().replace("0.521", "9.999"))
    with pytest.raises(StoreError, match="timing_routed.rpt is missing, new or changed"):
        vendor_flow.implement(firmware, store)


def test_a_project_is_synthesised_exported_and_co_simulated(programs, project, store):
    programs.add("vitis_hls")
    build = vendor_flow.synthesise(project, SETTINGS, store)
    assert build.c_synthesis.resources.lut == 28140
    assert build.c_synthesis.resources.source is Source.ESTIMATED
    assert build.co_simulation is not None
    assert build.co_simulation.passed
    assert build.ip is not None
    assert build.ip.read_text() == "an IP core"
    assert (build.folder / "toy_prj/solution1/syn/verilog/toy.v").is_file()
    assert (build.folder / "vitis_hls.log").is_file()


def test_the_clock_is_the_one_asked_for_not_the_rounded_one_of_the_report(programs, project, store):
    programs.add("vitis_hls")
    build = vendor_flow.synthesise(project, SETTINGS, store)
    assert build.c_synthesis.target_period_ns == 3.125
    assert build.latency is not None
    assert build.latency.clock_mhz == 320
    assert build.latency.ns == 46.875


def test_the_latency_is_measured_where_co_simulation_passed(programs, project, store):
    programs.add("vitis_hls")
    latency = vendor_flow.synthesise(project, SETTINGS, store).latency
    assert latency is not None
    assert (latency.cycles, latency.interval_cycles) == (15, 2)
    assert latency.source is Source.MEASURED
    assert latency.tool == "Vitis HLS 2023.2, co-simulation"


def test_the_latency_is_estimated_where_co_simulation_found_a_difference(programs, project, store):
    programs.add("vitis_hls")
    programs.leave("cosim.rpt", "made_vitis_hls_cosim_fail.rpt")
    build = vendor_flow.synthesise(project, SETTINGS, store)
    assert build.co_simulation is not None
    assert not build.co_simulation.passed
    assert build.latency is not None
    assert (build.latency.cycles, build.latency.interval_cycles) == (14, 1)
    assert build.latency.source is Source.ESTIMATED


def test_what_is_not_asked_for_is_none(programs, project, store):
    programs.add("vitis-run")
    settings = HlsSettings(part=PART, clock_mhz=320, export=False, cosim=False)
    build = vendor_flow.synthesise(project, settings, store)
    assert build.co_simulation is None
    assert build.ip is None
    assert build.latency == build.c_synthesis.latency


def test_vitis_sees_the_project_without_open_types_and_older_results(programs, project, store):
    programs.add("vitis_hls")
    vendor_flow.synthesise(project, SETTINGS, store)
    (run,) = programs.runs()
    assert sorted(run["files"]) == [
        "firmware/toy.cpp",
        "firmware/weights/w2.h",
        "settings.tcl",
        "tb_data/inputs_raw.txt",
        "toy_test.cpp",
        "vitis_hls_flow.tcl",
    ]
    assert not run["folder"].startswith(str(project.folder))


def test_a_project_is_synthesised_once_for_each_set_of_weights(programs, project, store):
    programs.add("vitis_hls")
    first = vendor_flow.synthesise(project, SETTINGS, store)
    assert vendor_flow.synthesise(project, SETTINGS, store) == first
    assert len(programs.runs()) == 1
    (project.folder / "firmware/weights/w2.h").write_text("const int w2 = 4;\n")
    vendor_flow.synthesise(project, SETTINGS, store)
    assert len(programs.runs()) == 2


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        ("code", "use of undeclared identifier"),
        ("export", "ended well but exported no IP core"),
        ("cosim", "ended well but reported no co-simulation"),
    ],
)
def test_a_failed_synthesis_is_told(programs, project, store, failure, message):
    programs.add("vitis_hls")
    programs.fail(failure)
    with pytest.raises(ToolError, match=message) as error:
        vendor_flow.synthesise(project, SETTINGS, store)
    (logs,) = (store.root / "vendor_logs").iterdir()
    assert str(logs) in str(error.value)


def test_a_project_of_another_backend_is_refused(programs, project, store):
    programs.add("vitis_hls")
    other = dataclasses.replace(project, backend="Quartus")
    with pytest.raises(ToolError, match="backend Quartus.*convert the network with.*Vitis"):
        vendor_flow.synthesise(other, SETTINGS, store)


def test_a_project_without_its_bench_is_refused(programs, project, store):
    programs.add("vitis_hls")
    (project.folder / "toy_test.cpp").unlink()
    with pytest.raises(InputError, match="toy_test.cpp is missing; write the project anew"):
        vendor_flow.synthesise(project, SETTINGS, store)


@pytest.mark.parametrize(
    ("replacement", "message"),
    [
        (("<TopModelName>toy<", "<TopModelName>other<"), "report of toy, found that of other"),
        (("<Part>xcvu13p", "<Part>xcvu9p"), "expected a report of the part"),
        ((">3.12<", ">5.00<"), "expected a clock of 3.125 ns, found 5.0 ns"),
    ],
)
def test_a_report_of_something_else_is_refused(programs, project, store, replacement, message):
    programs.add("vitis_hls")
    programs.leave("csynth.xml", "made_vitis_hls_2023_2_csynth.xml", replacement)
    with pytest.raises(InputError, match=message):
        vendor_flow.synthesise(project, SETTINGS, store)
