from __future__ import annotations

from pathlib import Path

import pytest

from trigforge.core.costs import Latency, Resources, Source
from trigforge.core.errors import InputError
from trigforge.vendor import csynth_report

REPORTS = Path(__file__).parent / "report_files"
DENSE = REPORTS / "dense_vivado_hls_myproject_csynth.rpt"
DENSE_XML = DENSE.with_suffix(".xml")
SVHN = REPORTS / "svhn_cnn_vivado_hls_csynth.rpt"
VITIS = REPORTS / "made_vitis_hls_2023_2_csynth.rpt"
VITIS_XML = VITIS.with_suffix(".xml")
COSIM_PASS = REPORTS / "made_vitis_hls_cosim_pass.rpt"
COSIM_FAIL = REPORTS / "made_vitis_hls_cosim_fail.rpt"


@pytest.fixture
def changed(tmp_path):
    """Write a report in which one text, which must be there, is replaced by another."""

    def write(original: Path, old: str, new: str) -> Path:
        text = original.read_text()
        assert old in text
        path = tmp_path / original.name
        path.write_text(text.replace(old, new))
        return path

    return write


@pytest.mark.parametrize(
    ("read", "path"), [(csynth_report.read, DENSE), (csynth_report.read_xml, DENSE_XML)]
)
def test_text_and_xml_of_vivado_hls_say_the_same(read, path):
    synthesis = read(path)
    assert synthesis.top == "myproject"
    assert synthesis.target_period_ns == 5.0
    assert synthesis.estimated_period_ns == 4.049
    assert synthesis.latency_cycles == (10, 10)
    assert synthesis.interval_cycles == (8, 8)
    assert synthesis.resources == Resources(
        part="xc7z020-clg400-1",
        lut=2532,
        ff=7969,
        dsp=73,
        bram_18k=0,
        uram=0,
        source=Source.ESTIMATED,
        tool="Vivado HLS 2020.1",
        stage="HLS C synthesis",
    )
    assert synthesis.latency == Latency(
        cycles=10,
        interval_cycles=8,
        clock_mhz=200,
        source=Source.ESTIMATED,
        tool="Vivado HLS 2020.1, C synthesis",
    )


def test_a_dataflow_design_starts_an_event_before_the_last_is_done():
    synthesis = csynth_report.read(SVHN)
    assert synthesis.latency_cycles == (1044, 1044)
    assert synthesis.interval_cycles == (1028, 1028)
    assert synthesis.resources.part == "xcu250-figd2104-2L-e"
    assert (synthesis.resources.lut, synthesis.resources.ff) == (263280, 43847)
    assert (synthesis.resources.dsp, synthesis.resources.bram_18k) == (340, 100)


def test_text_and_xml_of_vitis_hls_say_the_same():
    synthesis = csynth_report.read(VITIS)
    assert csynth_report.read_xml(VITIS_XML) == synthesis
    assert synthesis.resources.tool == "Vitis HLS 2023.2"
    assert synthesis.resources.dsp == 30
    assert synthesis.target_period_ns == 3.12


@pytest.mark.parametrize(
    ("version", "tool"), [("2020.1", "Vivado"), ("2020.2", "Vitis"), ("2025.1.1", "Vitis")]
)
def test_xml_without_a_flow_target_is_of_vivado_hls_until_its_last_version(changed, version, tool):
    path = changed(DENSE_XML, "<Version>2020.1<", f"<Version>{version}<")
    assert csynth_report.read_xml(path).resources.tool == f"{tool} HLS {version}"


def test_a_range_of_latencies_counts_by_its_end(changed):
    path = changed(
        VITIS,
        "|       14|       14|  43.750 ns|  43.750 ns|    1|    1|",
        "|       12|       20|  1 ns|  2 ns|    1|    4|",
    )
    synthesis = csynth_report.read(path)
    assert synthesis.latency_cycles == (12, 20)
    assert synthesis.interval_cycles == (1, 4)
    assert synthesis.latency is not None
    assert (synthesis.latency.cycles, synthesis.latency.interval_cycles) == (20, 4)


def test_a_latency_that_depends_on_the_data_is_unknown_but_the_rest_is_read(changed):
    text = changed(
        VITIS,
        "|       14|       14|  43.750 ns|  43.750 ns|    1|    1|",
        "|        2|        ?|  1 ns|        ?|    3|    ?|",
    )
    synthesis = csynth_report.read(text)
    assert synthesis.latency_cycles is None
    assert synthesis.interval_cycles is None
    assert synthesis.latency is None
    assert synthesis.resources.lut == 28140


def test_an_undefined_latency_in_xml_is_unknown(changed):
    xml = changed(VITIS_XML, "Latency>14<", "Latency>undef<")
    assert csynth_report.read_xml(xml).latency_cycles is None
    assert csynth_report.read_xml(xml).interval_cycles == (1, 1)
    assert csynth_report.read_xml(xml).latency is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("== Vitis HLS Report", "== Catapult Report", "the title of a report of C synthesis"),
        ("* Version:        2023.2", "* Version:        new", "the version"),
        ("* Target device:", "* Device:", "the target device"),
        ("== Performance Estimates", "== Performance", "the performance estimates"),
        ("== Interface", "", "the interface.*truncated"),
        ("|  3.12 ns|", "|  3.12 us|", "line 23: expected a target and an estimated period in ns"),
        ("|  3.12 ns|", "|  0.00 ns|", "line 23: expected a target and an estimated period in ns"),
        ("|       14|       14|", "|       14|       13|", "line 32, latency: expected whole"),
        ("|       14|       14|", "|       14|     14.5|", "line 32, latency: expected whole"),
        ("|  Interval | Pipe", "|  Distance | Pipe", "columns Latency .cycles. and Interval"),
        ("| BRAM_18K|", "| BRAM_36K|", "line 49: expected the columns LUT, FF, DSP, BRAM"),
        ("|    28140|", "|   ~28140|", "line 55: expected a whole number for LUT, not '~28140'"),
        ("|Total  ", "|Sum    ", "a row Total"),
    ],
)  # fmt: skip
def test_an_unexpected_text_report_is_refused_with_its_place(changed, old, new, message):
    path = changed(VITIS, old, new)
    with pytest.raises(InputError, match=message) as error:
        csynth_report.read(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("<profile>", "<report>", "mismatched tag.*truncated"),
        ("</profile>", "", "truncated"),
        ("<Part>xcvu13p-flga2577-2-e</Part>", "", "expected UserAssignments/Part, found none"),
        ("<LUT>28140<", "<LUT>many<", "Resources/LUT: expected a whole number, found 'many'"),
        ("<URAM>0</URAM>\n        </Res", "</Res", "expected AreaEstimates/Resources/URAM"),
        (">3.12<", ">0<", "TargetClockPeriod: expected a period in ns, found '0'"),
        ("<Worst-caseLatency>14<", "<Worst-caseLatency>4<", "Best-caseLatency: expected whole"),
        ("<Version>2023.2<", "<Version>soon<", "ReportVersion: expected a version"),
    ],
)
def test_an_unexpected_xml_report_is_refused_with_its_place(changed, old, new, message):
    path = changed(VITIS_XML, old, new)
    with pytest.raises(InputError, match=message) as error:
        csynth_report.read_xml(path)
    assert str(path) in str(error.value)


def test_other_xml_is_refused(tmp_path):
    path = tmp_path / "toy_csynth.xml"
    path.write_text("<project/>")
    with pytest.raises(InputError, match="with the root profile, found project"):
        csynth_report.read_xml(path)


@pytest.mark.parametrize(
    "read", [csynth_report.read, csynth_report.read_xml, csynth_report.read_co_simulation]
)
def test_a_missing_report_is_named(read, tmp_path):
    with pytest.raises(InputError, match="nothing.rpt: cannot read the report: No such file"):
        read(tmp_path / "nothing.rpt")


@pytest.mark.parametrize("read", [csynth_report.read, csynth_report.read_co_simulation])
def test_an_empty_report_is_refused(read, tmp_path):
    (tmp_path / "empty.rpt").touch()
    with pytest.raises(InputError, match="empty file"):
        read(tmp_path / "empty.rpt")


@pytest.mark.parametrize(
    ("read", "path"), [(csynth_report.read, VITIS), (csynth_report.read_co_simulation, COSIM_PASS)]
)
def test_no_report_that_was_cut_off_is_read_as_a_whole_one(read, path, tmp_path):
    whole = read(path)
    lines = path.read_text().splitlines(keepends=True)
    cut = tmp_path / path.name
    last = max(number for number, line in enumerate(lines) if line.strip(" =\n"))
    for length in range(1, last + 1):
        cut.write_text("".join(lines[:length]))
        with pytest.raises(InputError):
            read(cut)
    assert read(path) == whole


def test_a_co_simulation_that_passed_measures_latency_and_interval():
    simulation = csynth_report.read_co_simulation(COSIM_PASS)
    assert simulation.passed
    assert simulation.language == "verilog"
    assert simulation.latency_cycles == (14, 14, 15)
    assert simulation.interval_cycles == (1, 1, 2)


def test_a_co_simulation_that_failed_is_a_result():
    simulation = csynth_report.read_co_simulation(COSIM_FAIL)
    assert not simulation.passed
    assert simulation.latency_cycles is None


def test_a_co_simulation_of_one_event_has_no_interval(changed):
    path = changed(
        COSIM_PASS,
        "|              1|              1|              2|",
        "|             NA|             NA|             NA|",
    )
    simulation = csynth_report.read_co_simulation(path)
    assert simulation.latency_cycles == (14, 14, 15)
    assert simulation.interval_cycles is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Pass|", "Done|", "line 11: expected the status Pass or Fail"),
        ("Pass|", "  NA|", "expected one simulated language, found 0"),
        ("VHDL|        NA|", "VHDL|      Pass|", "expected one simulated language, found 2"),
        ("  Status  ", "  Result  ", "the columns RTL and Status"),
        ("|             15|", "|             13|", "line 11: expected a shortest, a mean and"),
        ("|             15|", "|             NA|", "line 11: expected a whole number for latency"),
        ("   VHDL|", "SystemC|", "line 10: expected a language, a status and six figures"),
    ],
)  # fmt: skip
def test_an_unexpected_co_simulation_report_is_refused(changed, old, new, message):
    with pytest.raises(InputError, match=message):
        csynth_report.read_co_simulation(changed(COSIM_PASS, old, new))
