from __future__ import annotations

from pathlib import Path

import pytest

from trigforge.core.costs import Resources, Source
from trigforge.core.errors import InputError
from trigforge.vendor import vivado_report

REPORTS = Path(__file__).parent / "report_files"
ZYNQ = REPORTS / "dense_vivado_hls_vivado_synth.rpt"
SVHN = REPORTS / "svhn_cnn_vivado_synth.rpt"
ROUTED = REPORTS / "made_vivado_2023_2_routed.rpt"
VERSAL = REPORTS / "made_vivado_2025_1_versal_routed.rpt"
MET = REPORTS / "made_vivado_timing_met.rpt"
YES = "All user specified timing constraints are met."
NO = "Timing constraints are not met."
NONE = "There are no user specified timing constraints."
NO_CLOCK = " There are {} register/latch pins with no clock"
FAILED = REPORTS / "made_vivado_timing_failed.rpt"


@pytest.fixture
def changed(tmp_path):
    """Write a report in which one text, which must be there, is replaced by another."""

    def write(original: Path, *replacements: tuple[str, str]) -> Path:
        text = original.read_text()
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / original.name
        path.write_text(text)
        return path

    return write


def test_slices_of_the_7_series_are_read():
    assert vivado_report.read_utilisation(ZYNQ) == Resources(
        part="7z020clg400-1",
        lut=1526,
        ff=2428,
        dsp=66,
        bram_18k=0,
        uram=0,
        carry=295,
        source=Source.MEASURED,
        tool="Vivado 2020.1",
        stage="logic synthesis, Vivado",
    )


def test_logic_blocks_of_ultrascale_are_read_with_34_tiles_as_68_units_of_18_kb():
    assert vivado_report.read_utilisation(SVHN) == Resources(
        part="xcu250figd2104-2L",
        lut=118931,
        ff=30702,
        dsp=353,
        bram_18k=68,
        uram=0,
        carry=14273,
        source=Source.MEASURED,
        tool="Vivado 2020.1",
        stage="logic synthesis, Vivado",
    )


def test_a_routed_design_is_read_with_half_a_tile():
    resources = vivado_report.read_utilisation(ROUTED)
    assert resources.stage == "post-route, Vivado"
    assert resources.tool == "Vivado 2023.2"
    assert resources.bram_18k == 9
    assert (resources.lut, resources.dsp, resources.uram) == (12345, 17, 2)
    assert resources.ff == 6789, "the distribution over sites repeats the label"


def test_versal_has_other_labels_and_counts_tiles_alone():
    resources = vivado_report.read_utilisation(VERSAL)
    assert resources.stage == "post-route, Vivado"
    assert (resources.lut, resources.ff, resources.dsp) == (11642, 23369, 42)
    assert (resources.bram_18k, resources.uram, resources.carry) == (21, 1, 640)


@pytest.mark.parametrize(
    ("state", "stage"),
    [
        ("Synthesized", "logic synthesis, Vivado"),
        ("Optimized", "logic optimisation, Vivado"),
        ("Fully Placed", "post-place, Vivado"),
        ("Fully Routed", "post-route, Vivado"),
    ],
)
def test_the_stage_is_what_the_report_says(changed, state, stage):
    path = changed(ROUTED, ("State : Routed", f"State : {state}"))
    assert vivado_report.read_utilisation(path).stage == stage


def test_fewer_filled_halves_than_tiles_count_as_what_is_filled(changed):
    path = changed(ROUTED, ("| Block RAM Tile    |  4.5 |", "| Block RAM Tile    |    5 |"))
    assert vivado_report.read_utilisation(path).bram_18k == 9


def test_without_a_list_of_primitives_the_carry_chains_are_unknown(changed):
    path = changed(ROUTED, ("5. Primitives\n-------------\n", ""), ("5. Primitives\n", ""))
    assert vivado_report.read_utilisation(path).carry is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("Vivado v.2023.2", "Quartus 23.1", "the version of Vivado"),
        ("| Device ", "| Chip ", "the device"),
        ("State : Routed", "State : Unknown", "line 10: expected a design state of Synthesized"),
        ("| CLB LUTs ", "| CLB ALMs ", "expected a row 'CLB LUTs' or 'Slice LUTs'"),
        ("| CLB Registers ", "| Flip-flops    ", "expected a row 'CLB Registers' or"),
        ("| DSPs           |   17 |", "| DSPs           | many |", "a whole number for DSPs"),
        ("| Block RAM Tile    |  4.5 |", "| Block RAM Tile    | 4.25 |", "whole or half tiles"),
        ("| Block RAM Tile    |  4.5 |", "| Block RAM Tile    |    4 |", "expected 4.5 tiles"),
        ("| Block RAM Tile  ", "| Memory Tile     ", "expected a row 'Block RAM Tile'"),
        ("| Ref Name | Used | Functional", "| Name     | Used | Functional", "columns Ref Name"),
        ("Table of Contents", "Contents", "the table of contents"),
    ],
)  # fmt: skip
def test_an_unexpected_utilisation_report_is_refused_with_its_place(changed, old, new, message):
    path = changed(ROUTED, (old, new))
    with pytest.raises(InputError, match=message) as error:
        vivado_report.read_utilisation(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(
    ("read", "path"),
    [
        (vivado_report.read_utilisation, ROUTED),
        (vivado_report.read_utilisation, SVHN),
        (vivado_report.read_timing, MET),
    ],
)
def test_no_report_that_was_cut_off_is_read_as_another(read, path, tmp_path):
    whole = read(path)
    lines = path.read_text().splitlines(keepends=True)
    cut = tmp_path / path.name
    outcomes = []
    for length in range(1, len(lines)):
        cut.write_text("".join(lines[:length]))
        try:
            outcomes.append(read(cut) == whole)
        except InputError:
            outcomes.append(None)
    assert False not in outcomes
    assert outcomes[: len(lines) // 2] == [None] * (len(lines) // 2)


def test_a_clock_that_is_kept_is_read_with_its_slacks():
    timing = vivado_report.read_timing(MET)
    assert timing.met
    assert (timing.clock, timing.period_ns) == ("clk", 3.125)
    assert (timing.wns_ns, timing.tns_ns, timing.setup_failing_endpoints) == (0.521, 0, 0)
    assert (timing.whs_ns, timing.hold_failing_endpoints) == (0.057, 0)
    assert (timing.wpws_ns, timing.pulse_width_failing_endpoints) == (1.287, 0)
    assert timing.n_untimed == 0
    assert timing.reachable_mhz == pytest.approx(1000 / 2.604)
    assert timing.tool == "Vivado 2023.2"
    assert timing.part == "xcvu13p-flga2577"


def test_a_clock_that_is_missed_is_a_result():
    timing = vivado_report.read_timing(FAILED)
    assert not timing.met
    assert (timing.wns_ns, timing.tns_ns, timing.setup_failing_endpoints) == (-0.214, -7.31, 58)
    assert timing.n_failing == 58
    assert timing.reachable_mhz == pytest.approx(1000 / 3.339)


def test_a_slack_that_rounds_to_zero_can_fail(changed):
    path = changed(
        MET,
        ("0.521        0.000                      0", "-0.000       -0.001                     1"),
        (YES, NO),
    )
    assert not vivado_report.read_timing(path).met


def test_registers_without_a_clock_are_not_met(changed):
    path = changed(
        MET,
        (
            " There are 0 register/latch pins with no clock.",
            f"{NO_CLOCK.format(9)} driven by root clock pin: a (HIGH)\n{NO_CLOCK.format(3)} driven",
        ),
        (
            " There are 0 pins that are not constrained for maximum delay.",
            " There are 5 pins that are not constrained for maximum delay. (HIGH)",
        ),
    )
    timing = vivado_report.read_timing(path)
    assert timing.n_untimed == 17
    assert not timing.met


def test_a_design_without_a_timed_path_is_not_met(changed):
    path = changed(
        MET,
        (
            "      0.521        0.000                      0",
            "         NA           NA                     NA",
        ),
    )
    timing = vivado_report.read_timing(path)
    assert timing.wns_ns is None
    assert timing.reachable_mhz is None
    assert not timing.met


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("| Design Timing Summary", "| Summary", "the design timing summary"),
        ("TNS Failing Endpoints", "TNS Failing", "line 46: expected the columns WNS"),
        ("      0.521        0.000 ", "      fast         0.000 ", "a slack in ns for WNS.*'fast'"),
        ("      0.521        0.000 ", "      0.521 ", "line 48: expected 12 figures"),
        ("  1077  ", "  many  ", "a whole number for TPWS Total Endpoints"),
        ("      0.521 ", "     -0.521 ", "a setup slack of -0.521 ns with 0 failing endpoints"),
        (YES, NO, "0 failing endpoints, but 'Timing"),
        (YES, NONE, "line 51: expected a verdict.*a clock"),
        (YES, "", "whether the timing constraints are met"),
        ("clk    {", "slow {0.0 5.0} 10.0 100.0\nclk    {", "expected one clock, found 2"),
        ("clk    {0.000 1.562} ", "", "expected one clock, found 0"),
        (" There are 0 register/latch pins with no clock.", "", "the check no_clock"),
        ("| Clock Summary", "| Clocks", "the clock summary"),
    ],
)  # fmt: skip
def test_an_unexpected_timing_report_is_refused_with_its_place(changed, old, new, message):
    path = changed(MET, (old, new))
    with pytest.raises(InputError, match=message) as error:
        vivado_report.read_timing(path)
    assert str(path) in str(error.value)
