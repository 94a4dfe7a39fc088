import pytest

from trigforge import synthesis
from trigforge.core.costs import Source
from trigforge.core.errors import InputError, SpecError, StoreError, ToolError
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import Firmware, Port
from trigforge.core.store import Store
from trigforge.synthesis import Effort

PORTS = """
  input clk, input rst, input in_valid, input [{n_in}-1:0] in_data,
  output reg out_valid, output reg [{n_out}-1:0] out_data"""

ADDER = """
module tiny({ports});
  reg valid;
  reg [2*{n_out}-1:0] data;
  always @(posedge clk) begin
    valid <= in_valid & ~rst;
    out_valid <= valid & ~rst;
    data <= in_data;
    out_data <= data[{n_out}-1:0] + data[2*{n_out}-1:{n_out}];
  end
endmodule
"""

UNREGISTERED = """
module tiny({ports});
  always @(posedge clk) begin
    out_valid <= in_valid & ~rst;
    out_data <= in_data[{n_out}-1:0] + in_data[2*{n_out}-1:{n_out}];
  end
endmodule
"""

MIXED = """
module tiny({ports});
  (* ram_style = "block" *) reg [31:0] table_[0:1023];
  (* ram_style = "distributed" *) reg [5:0] small[0:63];
  reg [17:0] a, b;
  reg [35:0] product;
  reg [31:0] word;
  reg [5:0] few;
  reg [7:0] line[0:15];
  integer i;
  always @(posedge clk) begin
    out_valid <= in_valid;
    a <= in_data[17:0];
    b <= in_data[35:18];
    product <= $signed(a) * $signed(b);
    if (in_valid) table_[in_data[9:0]] <= in_data[31:0];
    word <= table_[in_data[19:10]];
    if (in_valid) small[in_data[5:0]] <= in_data[35:30];
    few <= small[in_data[11:6]];
    line[0] <= in_data[7:0];
    for (i = 1; i < 16; i = i + 1) line[i] <= line[i - 1];
    out_data <= {{product, word, few, line[15]}};
  end
endmodule
"""


def firmware(folder, source, *, n_in=16, n_out=8, **changes):
    ports = PORTS.format(n_in=n_in, n_out=n_out)
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "src" / "tiny.v").write_text(source.format(ports=ports, n_in=n_in, n_out=n_out))
    port = Port(name="data", shape=(1,), format=parse_format("fixed<8,4>"))
    facts = {
        "name": "tiny",
        "folder": folder,
        "language": "verilog",
        "sources": ("src/tiny.v",),
        "part": "xcvu13p-flga2577-2-e",
        "clock_mhz": 320.0,
        "input": port,
        "output": port,
        "latency_cycles": 2,
        "interval_cycles": 1,
    }
    return Firmware(**(facts | changes))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture
def empty_store(tmp_path):
    return Store(tmp_path / "store")


@pytest.mark.toolchain
def test_without_a_delay_the_rest_is_the_same(empty_store, tmp_path):
    tiny = firmware(tmp_path / "fw", ADDER)
    whole, counted = (
        synthesis.run(tiny, empty_store, effort=Effort(delay=delay)) for delay in (True, False)
    )
    assert whole.delay is not None
    assert counted.delay is None
    assert not counted.cached
    assert counted.cells == whole.cells


def test_an_adder_takes_a_lut_a_bit_and_is_kept_for_the_next_time(tmp_path, store):
    steps = []
    tiny = firmware(tmp_path / "fw", ADDER)
    assert not synthesis.is_done(tiny, store)
    found = synthesis.run(tiny, store, progress=lambda *step: steps.append(step))
    assert dict(found.cells) == {"LUT2": 8 + 2, "CARRY4": 2, "FDRE": 2 * 8 + 8 + 2}
    resources = found.resources
    assert (resources.lut, resources.ff, resources.carry) == (10, 26, 2)
    assert (resources.dsp, resources.bram_18k, resources.uram) == (0, 0, 0)
    assert found.lut_packed == 5
    assert (resources.part, resources.source) == (tiny.part, Source.MEASURED)
    assert (resources.tool, resources.stage) == ("Yosys 0.70", "logic synthesis, Yosys")
    assert steps == [("logic synthesis of tiny", n, 1) for n in (0, 1)]
    assert "synth_xilinx -top tiny -family xcup" in (found.log.parent / "synthesis.ys").read_text()

    assert synthesis.is_done(tiny, store)
    again = synthesis.run(tiny, store, progress=lambda *step: steps.append(step))
    assert again.cached
    assert not found.cached
    assert (again.resources, again.delay, again.seconds) == (resources, found.delay, found.seconds)
    assert len(steps) == 2


@pytest.mark.toolchain
def test_a_longer_carry_chain_is_slower_by_its_cells(tmp_path, store):
    short = synthesis.run(firmware(tmp_path / "short", ADDER), store)
    long = synthesis.run(firmware(tmp_path / "long", ADDER, n_in=64, n_out=32), store)
    # clock to output, LUT2, select to carry, carry to sum: cells_sim.v of Yosys
    assert short.delay.ns == pytest.approx((303 + 238 + 528 + 334) / 1000, abs=0.02)
    assert long.delay.ns - short.delay.ns == pytest.approx(6 * 0.114, abs=0.02)
    assert long.delay.method == "7-series cell delays and set-up times, no routing"


@pytest.mark.toolchain
def test_a_path_from_an_input_to_a_register_counts(tmp_path, store):
    registered = synthesis.run(firmware(tmp_path / "registered", ADDER), store)
    unregistered = synthesis.run(firmware(tmp_path / "unregistered", UNREGISTERED), store)
    assert registered.delay.ns - unregistered.delay.ns == pytest.approx(0.303, abs=0.02)


@pytest.mark.toolchain
def test_the_set_up_time_of_a_reset_counts(tmp_path, store):
    reset = "module tiny({ports}); always @(posedge clk) if (rst) out_data <= 0;"
    reset += " else out_data <= in_data; always @(posedge clk) out_valid <= in_valid; endmodule"
    found = synthesis.run(firmware(tmp_path, reset, n_in=8), store)
    assert found.delay.ns == pytest.approx(0.404, abs=0.02)


@pytest.mark.toolchain
def test_dsps_memories_and_shift_registers_are_counted(tmp_path, store):
    found = synthesis.run(firmware(tmp_path, MIXED, n_in=36, n_out=82), store)
    cells, resources = dict(found.cells), found.resources
    assert resources.dsp == cells["DSP48E2"] == 1
    assert resources.bram_18k == 2 * cells["RAMB36E2"] == 2
    assert cells["SRL16E"] == 8
    assert cells["RAM64M8"] == 1
    assert resources.lut == 8 + 8
    assert "RAMB36E2" in found.delay.method


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("part", "dsp", "stage"),
    [
        ("xc7vx690tffg1927-2", "DSP48E1", "logic synthesis, Yosys"),
        ("xcku115-flvb2104-2-e", "DSP48E2", "logic synthesis, Yosys"),
        (
            "xcvp1802-lsvc4072-2MP-e-S",
            "DSP48E2",
            "logic synthesis, Yosys (as for UltraScale+: it has no target for Versal)",
        ),
    ],
)
def test_each_architecture_gets_its_cells(tmp_path, store, part, dsp, stage):
    multiplier = "module tiny({ports}); always @(posedge clk) begin out_valid <= in_valid;"
    multiplier += " out_data <= $signed(in_data[17:0]) * $signed(in_data[35:18]); end endmodule"
    found = synthesis.run(firmware(tmp_path, multiplier, n_in=36, n_out=36, part=part), store)
    assert dict(found.cells)[dsp] == found.resources.dsp == 1
    assert (found.resources.part, found.resources.stage) == (part, stage)


@pytest.mark.toolchain
def test_files_that_are_no_verilog_lie_beside_it(tmp_path, store):
    source = '`include "width.vh"\nmodule tiny({ports}); reg [7:0] rom[0:3];'
    source += ' initial $readmemh("rom.hex", rom); always @(posedge clk) begin'
    source += " out_valid <= in_valid; out_data <= rom[in_data[`BITS-1:0]]; end endmodule"
    tiny = firmware(tmp_path, source, sources=("src/tiny.v", "src/width.vh", "rom.hex"))
    (tmp_path / "src" / "width.vh").write_text("`define BITS 2\n")
    (tmp_path / "rom.hex").write_text("00 01 01 00\n")
    assert synthesis.run(tiny, store).resources.lut == 1
    (tmp_path / "rom.hex").write_text("00 00 00 00\n")
    assert synthesis.run(tiny, store).resources.lut == 0


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("module tiny({ports});\nassign x = ;\nendmodule", r"src/tiny\.v:\d+: ERROR: syntax error"),
        ("module other({ports}); endmodule", "ERROR: Module `tiny' not found"),
        (
            "module tiny({ports}); wire a; always @* out_data = a; endmodule",
            r"Wire tiny\.\\a is used but has no driver",
        ),
        (
            "module tiny({ports}); wire a = ~(a & rst); always @* out_data = a; endmodule",
            r"(?s)found logic loop in module tiny:.*ERROR: Found",
        ),
    ],
)
def test_what_is_wrong_with_a_design_is_said_in_yosys_words(tmp_path, empty_store, source, match):
    tiny = firmware(tmp_path / "fw", source)
    with pytest.raises(ToolError, match=match):
        synthesis.run(tiny, empty_store)
    assert not synthesis.is_done(tiny, empty_store)


@pytest.mark.toolchain
def test_a_cell_that_nobody_counts_is_an_error_each_time(tmp_path, store):
    source = "module tiny({ports}); wire a; IBUFDS pad(.I(rst), .IB(in_valid), .O(a));"
    source += " always @* begin out_valid = a; out_data = in_data; end endmodule"
    tiny = firmware(tmp_path, source)
    for _ in range(2):
        with pytest.raises(ToolError, match=r"nobody knows what they take: IBUFDS \(1\)"):
            synthesis.run(tiny, store)


@pytest.mark.toolchain
def test_synthesis_is_stopped_when_it_runs_past_its_time(tmp_path, empty_store):
    tiny = firmware(tmp_path / "fw", ADDER)
    with pytest.raises(ToolError, match=r"logic synthesis of tiny in .* was stopped after 0.5 s"):
        synthesis.run(tiny, empty_store, effort=Effort(timeout_s=0.5))
    assert not synthesis.is_done(tiny, empty_store)


@pytest.mark.toolchain
def test_synthesis_is_stopped_when_it_takes_more_than_its_memory(tmp_path, empty_store):
    with pytest.raises(ToolError, match="ran out of the 130 MB"):
        synthesis.run(firmware(tmp_path / "fw", ADDER), empty_store, effort=Effort(memory_mb=130))


@pytest.mark.toolchain
def test_a_stored_result_that_was_changed_is_not_trusted(tmp_path, empty_store):
    tiny = firmware(tmp_path / "fw", ADDER)
    log = synthesis.run(tiny, empty_store).log
    statistics = log.parent / "statistics.json"
    statistics.write_text(statistics.read_text().replace('"LUT2": 10', '"LUT2": 9'))
    with pytest.raises(StoreError, match="corrupt store"):
        synthesis.run(tiny, empty_store)


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"language": "vhdl"}, ToolError, "Yosys reads Verilog; .* is written in vhdl"),
        ({"sources": ("README.md",)}, InputError, r"has no Verilog sources \(\.v, \.sv\)"),
        ({"sources": ("absent.v",)}, StoreError, "reading the sources of tiny failed"),
        ({"sources": ("../outside.v",)}, InputError, "must be relative"),
        ({"part": "xcvu999"}, SpecError, "unknown FPGA part 'xcvu999'; known: xc7vx690t"),
        ({"name": "tiny -top x"}, InputError, "no Verilog identifier"),
    ],
)
def test_firmware_that_cannot_be_synthesised_is_refused_at_once(
    tmp_path, empty_store, changes, error, match
):
    (tmp_path / "outside.v").write_text("module outside; endmodule")
    with pytest.raises(error, match=match):
        synthesis.run(firmware(tmp_path / "fw", ADDER, **changes), empty_store)
