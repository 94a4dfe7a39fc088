"""Vendor-exported RTL behind its adapter, in hand-written Verilog of the same style."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import vendor_fixtures
from tiny_designs import INPUT, OUTPUT, stimulus, sums

from trigforge import cosim
from trigforge.core import port_file
from trigforge.core.errors import InputError
from trigforge.core.store import Store
from trigforge.cosim.interface import read_module

PORTS = cosim.Ports(top="net", interval_cycles=1, input=INPUT, output=OUTPUT)
STIMULUS = stimulus()
EXPECTED = sums(STIMULUS.inputs.raw)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


def exported(folder, text):
    verilog = folder / "syn" / "verilog"
    verilog.mkdir(parents=True)
    (verilog / "net.v").write_text(text)
    (verilog / "net_ones.dat").write_text("01\n")
    (folder / "syn" / "report.txt").write_text("not Verilog")
    return folder


@pytest.mark.toolchain
@pytest.mark.parametrize("bench", ["verilator", "cocotb"])
@pytest.mark.parametrize(
    ("text", "interval_cycles"),
    [(vendor_fixtures.PACKED, 1), (vendor_fixtures.STARTED, 2)],
    ids=["ap_ctrl_none", "ap_ctrl_hs"],
)
def test_exported_rtl_passes_and_its_latency_is_measured(
    text, interval_cycles, bench, store, tmp_path
):
    ports = replace(PORTS, interval_cycles=interval_cycles)
    design = cosim.of_vendor_rtl(exported(tmp_path, text), ports)
    outcomes = cosim.check(design, STIMULUS, EXPECTED, store, bench=bench)
    assert [outcome.fault for outcome in outcomes] == [None] * 4
    assert {outcome.latency_cycles for outcome in outcomes} == {(2, 2)}


@pytest.mark.toolchain
def test_a_flipped_bit_in_exported_rtl_fails(store, tmp_path):
    text = vendor_fixtures.PACKED.replace("11'sd7 * x2", "11'sd3 * x2")
    design = cosim.of_vendor_rtl(exported(tmp_path, text), PORTS)
    outcomes = cosim.check(design, STIMULUS, EXPECTED, store)
    assert not any(outcome.met for outcome in outcomes)
    assert "output y[1] is" in outcomes[0].fault


@pytest.mark.toolchain
def test_exported_rtl_that_never_answers_is_a_fault(store, tmp_path):
    text = vendor_fixtures.PACKED.replace("= enabled[1];", "= 1'b0;")
    design = cosim.of_vendor_rtl(exported(tmp_path, text), PORTS)
    with pytest.raises(cosim.SimulationFault, match="out_valid did not rise in 4056 cycles"):
        cosim.check(design, STIMULUS, EXPECTED, store)


def test_both_styles_of_headers_are_read():
    text = """
    module other (input a); endmodule
    module net #(parameter N = 3) (  // input [9:0] not_a_port
      input wire ap_clk, input ap_rst, input signed [6:0] x_0, x_1,
      output reg [10:0] y /* output z */, output y_ap_vld);
    endmodule
    """
    module = read_module(text, "net")
    assert module is not None
    assert module.inputs == {"ap_clk": 1, "ap_rst": 1, "x_0": 7, "x_1": 7}
    assert module.outputs == {"y": 11, "y_ap_vld": 1}
    assert read_module(text, "ne") is None


def test_elements_are_taken_by_number_not_by_alphabet(tmp_path):
    names = [f"x_{i}" for i in (0, 1, 10, 11, 2, 3, 4, 5, 6, 7, 8, 9)]
    text = (
        "module net (input ap_clk, input ap_rst, input ap_start, output ap_done,\n"
        + "".join(f"input [6:0] {name},\n" for name in names)
        + "output [21:0] y);\nendmodule\n"
    )
    ports = replace(PORTS, input=replace(INPUT, shape=(12,)))
    design = cosim.of_vendor_rtl(exported(tmp_path, text), ports)
    adapter = design.sources["trigforge_adapter.v"].decode()
    for i in range(12):
        assert f".x_{i}(data[{7 * i} +: 7])" in adapter


def test_streams_are_refused(tmp_path):
    folder = exported(tmp_path, vendor_fixtures.STREAM)
    with pytest.raises(InputError, match="streams its data .x_TDATA.; only io_parallel"):
        cosim.of_vendor_rtl(folder, PORTS)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("module net", "module web", "no Verilog file below .* has a module net; 1 were read"),
        ("ap_clk", "clock", "has no ap_clk and ap_rst"),
        ("[20:0] x", "[19:0] x", r"inputs do not carry 3 elements of 7 bits: x\[20\]"),
        ("output  [10:0] layer2_out_1", "output  [11:0] layer2_out_1", "outputs do not carry"),
        ("x_ap_vld", "x_sure", "inputs do not carry"),
        ("_1_ap_vld", "_1_sure", "outputs do not carry"),
    ],
)
def test_what_is_not_understood_is_refused(old, new, message, tmp_path):
    folder = exported(tmp_path, vendor_fixtures.PACKED.replace(old, new))
    with pytest.raises(InputError, match=message):
        cosim.of_vendor_rtl(folder, PORTS)


def test_a_module_without_any_valid_is_refused(tmp_path):
    text = "module net (input ap_clk, input ap_rst, input [20:0] x, output [21:0] y); endmodule"
    with pytest.raises(InputError, match="cannot be told when an event is there"):
        cosim.of_vendor_rtl(exported(tmp_path, text), PORTS)


def test_ports_are_read_from_the_projects_description(tmp_path):
    path = tmp_path / "ports.json"
    facts = {
        "name": "net",
        "inputs": [port_file.write(INPUT)],
        "outputs": [port_file.write(OUTPUT)],
    }
    path.write_text(json.dumps(facts))
    assert cosim.read_ports(path, interval_cycles=1) == PORTS
    with pytest.raises(InputError, match="names no interval_cycles"):
        cosim.read_ports(path)
    path.write_text(json.dumps({**facts, "interval_cycles": 4}))
    assert cosim.read_ports(path, interval_cycles=1).interval_cycles == 4
    path.write_text(json.dumps({**facts, "inputs": []}))
    with pytest.raises(InputError, match="does not describe one input and one output"):
        cosim.read_ports(path, interval_cycles=1)
    with pytest.raises(InputError, match="does not describe"):
        cosim.read_ports(tmp_path / "nothing.json")
