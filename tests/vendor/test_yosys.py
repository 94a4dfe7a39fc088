import json
import re
from pathlib import Path

import pytest

from trigforge.core.errors import InputError, ToolError
from trigforge.vendor import yosys
from trigforge.vendor.devices import Architecture

DATA = Path(__file__).parent / "data"


def statistics_text(cells, estimated=0):
    design = {"num_cells_by_type": cells, "estimated_num_lc": estimated}
    return json.dumps({"creator": "Yosys 0.70 (git sha1 28ba3cb92, Release)", "design": design})


def counts(cells, estimated=0):
    return yosys.read_statistics(statistics_text(cells, estimated)).counts


def test_a_real_report_is_read_whole():
    statistics = yosys.read_statistics((DATA / "yosys_statistics.json").read_text())
    assert statistics.tool == "Yosys 0.70"
    assert dict(statistics.cells) == {
        "DSP48E2": 1,
        "FDRE": 167,
        "LUT4": 28,
        "LUT5": 4,
        "RAM32M16": 3,
        "RAMB36E2": 4,
        "SRL16E": 4,
    }
    found = statistics.counts
    assert (found.lut, found.ff, found.dsp, found.bram_18k) == (28 + 4 + 3 * 8 + 4, 167, 1, 8)
    assert (found.uram, found.carry, found.lut_packed) == (0, 0, 32 + 3 * 8 + 4)


@pytest.mark.parametrize(
    ("cells", "lut"),
    [
        ({f"LUT{n}": 10**n for n in range(1, 7)}, 1_111_110),
        ({"INV": 3}, 3),
        ({"SRL16E": 2, "SRLC32E": 5}, 7),
        ({"RAM64X1D": 1, "RAM32M": 1, "RAM64M8": 1, "RAM256X1S": 1}, 2 + 4 + 8 + 4),
        ({"MUXF7": 9, "MUXF8": 4, "CARRY4": 7, "FDRE": 8}, 0),
    ],
)
def test_every_cell_that_occupies_a_lut_is_counted(cells, lut):
    assert counts(cells).lut == lut


def test_registers_of_all_resets_and_edges_are_flip_flops():
    assert counts({"FDRE": 1, "FDSE": 2, "FDCE": 4, "FDPE_1": 8, "LDCE": 16}).ff == 31


def test_block_ram_is_counted_in_units_of_18_kb():
    assert counts({"RAMB36E2": 3, "RAMB18E2": 1, "RAMB36E1": 1}).bram_18k == 9


def test_dsp_uram_and_carry_cells_have_counts_of_their_own():
    found = counts({"DSP48E1": 1, "DSP48E2": 2, "URAM288": 3, "CARRY4": 4, "CARRY8": 5})
    assert (found.dsp, found.uram, found.carry, found.lut) == (3, 3, 9, 0)


@pytest.mark.parametrize("cell", ["$mul", "$_DFF_P_", "MMCME4_ADV", "stage0", "LUT7", "lut6"])
def test_a_cell_that_nobody_counts_is_an_error(cell):
    with pytest.raises(ToolError, match=re.escape(f"{cell} (2)")):
        counts({"LUT6": 1, cell: 2})


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", '{"creator": "Yosys 0.70", "design": {}}', '{"creator": 1, "design": {}}'],
)
def test_what_is_no_statistics_is_refused(text):
    with pytest.raises(ToolError, match="no report of Yosys' stat"):
        yosys.read_statistics(text)


def test_a_report_must_say_which_yosys_wrote_it():
    text = statistics_text({}).replace("Yosys 0.70", "somebody")
    with pytest.raises(ToolError, match="does not say which Yosys"):
        yosys.read_statistics(text)


def test_the_delay_is_the_edge_of_the_histogram_and_names_what_has_no_delays():
    delay = yosys.read_delay((DATA / "yosys_timing.txt").read_text(), "Yosys 0.70")
    assert (delay.ns, delay.tool) == (1.96, "Yosys 0.70")
    assert delay.method == (
        "7-series cell delays and set-up times, no routing; "
        "paths through DSP48E2, RAM32M16, RAMB36E2 are left out"
    )


def test_an_arrival_that_nothing_reads_is_not_the_delay():
    text = (DATA / "yosys_timing.txt").read_text()
    later = text.replace(
        "Latest arrival time in 'mix' is 1944:", "Latest arrival time in 'm' is 9999:"
    )
    assert later != text
    assert yosys.read_delay(later, "Yosys 0.70") == yosys.read_delay(text, "Yosys 0.70")


def test_a_design_without_paths_has_no_delay():
    assert (
        yosys.read_delay("3. Executing STA pass.\nNo timing paths found.\n", "Yosys 0.70") is None
    )


def test_a_design_whose_paths_all_end_in_cells_without_delays_has_no_delay():
    text = "3. Executing STA pass.\nLatest arrival time in 'top' is 303:\n     303 (<unknown>)\n"
    assert yosys.read_delay(text, "Yosys 0.70") is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Latest arrival time", "Earliest arrival time"),
        (" legend: ", "legend: "),
        ("(  1960,", "(  1.96,"),
    ],
)
def test_what_sta_never_writes_is_refused(old, new):
    text = (DATA / "yosys_timing.txt").read_text()
    assert old in text
    with pytest.raises(ToolError, match="no report of Yosys' sta"):
        yosys.read_delay(text.replace(old, new, 1), "Yosys 0.70")


def test_the_report_of_two_modules_is_refused():
    text = (DATA / "yosys_timing.txt").read_text()
    with pytest.raises(ToolError, match="on one module"):
        yosys.read_delay(text + text, "Yosys 0.70")


@pytest.mark.parametrize(
    ("architecture", "target"),
    [
        (Architecture.SERIES_7, "xc7"),
        (Architecture.ULTRASCALE, "xcu"),
        (Architecture.ULTRASCALE_PLUS, "xcup"),
        (Architecture.VERSAL, "xcup"),
    ],
)
def test_each_architecture_has_its_target(architecture, target):
    assert f"-family {target} " in yosys.script(["a.v"], "top", architecture)


def test_sources_are_read_in_their_order_and_each_in_its_language():
    lines = yosys.script(["b.v", "src/a.sv"], "top", Architecture.SERIES_7).splitlines()
    assert lines[:2] == ["read_verilog b.v", "read_verilog -sv src/a.sv"]


@pytest.mark.parametrize(
    "source",
    ["a b.v", "a.v; shell", "a.v\n!ls", "$x.v", 'a".v', "", "-lib.v", "+/xilinx/cells_sim.v"],
)
def test_a_file_name_that_would_be_read_as_a_command_is_refused(source):
    with pytest.raises(InputError, match="source file"):
        yosys.script([source], "top", Architecture.SERIES_7)


@pytest.mark.parametrize("top", ["", "1top", "top -noflatten", "top;", "a.b"])
def test_a_top_module_must_be_an_identifier(top):
    with pytest.raises(InputError, match="no Verilog identifier"):
        yosys.script(["a.v"], top, Architecture.SERIES_7)


def test_only_what_the_last_pass_wrote_is_shown():
    log = "1. Executing A pass.\nold\n\n2.1. Executing B pass.\nWarning: w\n\nERROR: e\n"
    assert yosys.last_pass(log) == ("Warning: w", "ERROR: e")
