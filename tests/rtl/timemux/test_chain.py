"""Cascades of multipliers and trees of adders, against plain integers and as Yosys' netlist."""

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import library_bench
import numpy as np
import pyosys
import pytest

from trigforge import synthesis
from trigforge.core.errors import ToolError
from trigforge.core.files import FileSet, fill_folder
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import Firmware, Port
from trigforge.vendor import yosys
from trigforge.vendor.devices import Architecture

pytestmark = pytest.mark.toolchain

CHAIN = ("DSP48E2", "tm_dsp", "tm_chain")
CELLS = Path(pyosys.__file__).parent / "share" / "xilinx" / "cells_sim.v"

DELAY = """
module delay #(parameter WIDTH = 1, parameter CYCLES = 0)
    (input clk, input [WIDTH-1:0] in_data, output [WIDTH-1:0] out_data);
  generate
    if (CYCLES == 0) begin : wires
      assign out_data = in_data;
    end else begin : registers
      reg [CYCLES*WIDTH-1:0] line;
      always @(posedge clk) line <= {line, in_data};
      assign out_data = line[CYCLES*WIDTH-1 -: WIDTH];
    end
  endgenerate
endmodule
"""

N_SLOTS = 4
"""Slots an event holds, one a cycle."""


@dataclass(frozen=True, kw_only=True)
class Chain:
    length: int
    a: tuple[int, bool] = (27, True)
    b: tuple[int, bool] = (18, True)
    c: int = 48
    group: int | None = None
    """Slots that are accumulated; None: each by itself."""
    sum: int = 48

    @property
    def parameters(self) -> str:
        values = {
            "LENGTH": self.length,
            "A_WIDTH": self.a[0],
            "A_SIGNED": int(self.a[1]),
            "B_WIDTH": self.b[0],
            "B_SIGNED": int(self.b[1]),
            "C_WIDTH": self.c,
            "ACCUMULATE": int(self.group is not None),
            "SUM_WIDTH": self.sum,
        }
        return ", ".join(f".{name}({value})" for name, value in values.items())


CHAINS = (
    Chain(length=1),
    Chain(length=1, a=(26, False), b=(17, False), c=10),
    Chain(length=1, c=30, group=4),
    Chain(length=2, b=(17, False)),
    Chain(length=2, a=(8, True), b=(8, True), c=20, group=1, sum=20),
    Chain(length=3, a=(26, False)),
    Chain(length=3, a=(12, False), b=(9, False), c=16, group=2, sum=30),
    Chain(length=4, group=3),
    Chain(length=4, a=(24, True), b=(8, False), c=1, sum=33),
    Chain(length=9),
    Chain(length=9, a=(26, False), b=(17, False), c=47, group=4),
    Chain(length=9, a=(6, True), b=(6, False), c=12, group=2, sum=16),
)


def chain_text(number, chain, longest):
    """Return a chain fed with the staggered slots, its sums later by what it is shorter."""
    a, b = (
        ", ".join(f"{name}{j}[{width - 1}:0]" for j in reversed(range(chain.length)))
        for name, width in (("a", chain.a[0]), ("b", chain.b[0]))
    )
    group = chain.group or 1
    return f"""
  wire [47:0] c_{number};
  wire first_{number};
  delay #(.WIDTH(49), .CYCLES({chain.length})) late_{number} (.clk(clk),
      .in_data({{phase % {group} == 0, slot[{longest * 45} +: 48]}}),
      .out_data({{first_{number}, c_{number}}}));
  wire [{chain.sum - 1}:0] sum_{number}, aligned_{number};
  tm_chain #({chain.parameters}) chain_{number} (.clk(clk), .a({{{a}}}), .b({{{b}}}),
      .c(c_{number}[{chain.c - 1}:0]), .first(first_{number}), .sum(sum_{number}));
  delay #(.WIDTH({chain.sum}), .CYCLES({longest - chain.length})) aligned_delay_{number}
      (.clk(clk), .in_data(sum_{number}), .out_data(aligned_{number}));
  reg [{N_SLOTS * chain.sum - 1}:0] sums_{number};
  always @(posedge clk)
    sums_{number} <= {{aligned_{number}, sums_{number}[{N_SLOTS * chain.sum - 1}:{chain.sum}]}};
"""


def chains_wrapper(chains):
    """Return a wrapper that plays an event's slots in successive cycles, and its latency."""
    longest = max(chain.length for chain in chains)
    slot = longest * (27 + 18) + 48
    latency = N_SLOTS + longest + 3
    operands = "".join(
        f"  wire [{width - 1}:0] {name}{j};\n"
        f"  delay #(.WIDTH({width}), .CYCLES({j})) {name}_delay_{j} (.clk(clk),\n"
        f"      .in_data(slot[{first + j * width} +: {width}]), .out_data({name}{j}));\n"
        for name, width, first in (("a", 27, 0), ("b", 18, longest * 27))
        for j in range(longest)
    )
    parts = "".join(chain_text(i, chain, longest) for i, chain in enumerate(chains))
    n_out = N_SLOTS * sum(chain.sum for chain in chains)
    sums = ", ".join(f"sums_{i}" for i in reversed(range(len(chains))))
    text = f"""
module wrapper (
  input clk, input rst, input in_valid, input [{N_SLOTS * slot - 1}:0] in_data,
  output out_valid, output [{n_out - 1}:0] out_data
);
  reg [{latency - 1}:0] valid;
  reg [{N_SLOTS * slot - 1}:0] slots;
  reg [1:0] phase;
  always @(posedge clk) begin
    valid <= rst ? 0 : {{valid, in_valid}};
    slots <= in_valid ? in_data : slots >> {slot};
    phase <= in_valid ? 2'd0 : phase + 2'd1;
  end
  wire [{slot - 1}:0] slot = slots[{slot - 1}:0];
{operands}{parts}
  assign out_valid = valid[{latency - 1}];
  assign out_data = {{{sums}}};
endmodule
{DELAY}"""
    return text, latency


def chains_design(chains, **changes):
    longest = max(chain.length for chain in chains)
    text, latency = chains_wrapper(chains)
    return library_bench.design(
        "chains of multipliers",
        text,
        CHAIN,
        library_bench.bit_port("slots", N_SLOTS * (longest * (27 + 18) + 48)),
        library_bench.bit_port("sums", N_SLOTS * sum(chain.sum for chain in chains)),
        latency,
        N_SLOTS,
        **changes,
    )


def words(random, shape, width):
    """Return words of ``width`` bits, random or at the extreme of some narrower format."""
    some = random.integers(0, 1 << width, shape)
    bit = 1 << random.integers(0, width, shape)
    kinds = np.stack([some, bit - 1, bit, 2 * bit - 1, np.full(shape, (1 << width) - 1)])
    extreme = np.take_along_axis(kinds, random.integers(0, len(kinds), (1, *shape)), axis=0)[0]
    return np.where(random.random((shape[0],) + (1,) * (len(shape) - 1)) < 0.5, some, extreme)


def low_bits(raw, width, signed):
    """Return the number that the low bits of words stand for."""
    low = raw & ((1 << width) - 1)
    return np.where(signed & (low >> (width - 1) == 1), low - (1 << width), low)


def chain_sums(chain, a, b, c):
    """Return the sums of each slot ``(n_events, N_SLOTS)`` by plain arithmetic."""
    left = low_bits(a[:, :, : chain.length], *chain.a)
    right = low_bits(b[:, :, : chain.length], *chain.b)
    products, c = (left * right).sum(axis=2), low_bits(c, chain.c, True)
    sums = np.zeros_like(products)
    for slot in range(N_SLOTS):
        is_first = slot % (chain.group or 1) == 0
        sums[:, slot] = products[:, slot] + (c[:, slot] if is_first else sums[:, slot - 1])
    return sums


def chains_events(chains, n_events, seed):
    """Return stimulus and expected results as bits."""
    longest = max(chain.length for chain in chains)
    random = np.random.default_rng(seed)
    a = words(random, (n_events, N_SLOTS, longest), 27)
    b = words(random, (n_events, N_SLOTS, longest), 18)
    c = words(random, (n_events, N_SLOTS), 48)
    slots = [((a[:, s], 27), (b[:, s], 18), (c[:, s], 48)) for s in range(N_SLOTS)]
    inputs = library_bench.as_bits(*itertools.chain.from_iterable(slots))
    sums = [(chain_sums(chain, a, b, c), chain.sum) for chain in chains]
    return inputs, library_bench.as_bits(*sums)


def faults(outcomes):
    return [outcome.fault for outcome in outcomes if not outcome.met]


def test_chains_add_up_as_integers_do(session_store):
    inputs, sums = chains_events(CHAINS, 300, seed=1)
    outcomes = library_bench.check(chains_design(CHAINS), inputs, sums, session_store)
    assert not faults(outcomes)
    assert not library_bench.lint_wrapper(lint_text(CHAINS))


def lint_text(chains):
    """Return a module that holds each chain once."""
    ports = "".join(
        f"    input logic [{chain.length * chain.a[0] - 1}:0] a{i},\n"
        f"    input logic [{chain.length * chain.b[0] - 1}:0] b{i},\n"
        f"    output logic [{chain.sum - 1}:0] sum{i},\n"
        for i, chain in enumerate(chains)
    )
    parts = "".join(
        f"  tm_chain #({chain.parameters}) chain{i} (.clk(clk), .a(a{i}), .b(b{i}),\n"
        f"    .c(c[{chain.c - 1}:0]), .first(first), .sum(sum{i}));\n"
        for i, chain in enumerate(chains)
    )
    return (
        f"module all_chains (\n{ports}    input logic clk,\n    input logic first,\n"
        f"    input logic [47:0] c\n);\n{parts}endmodule\n"
    )


FEW = (Chain(length=1), Chain(length=2, group=2), Chain(length=4, b=(8, False), group=4, sum=40))
TM_DSP = (library_bench.LIBRARY / "tm_dsp.sv").read_text()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("W_C = 2'b11", "W_C = 2'b10"),
        ("W_P = 2'b01", "W_P = 2'b00"),
        ("3'b001 : 3'b000", "3'b010 : 3'b000"),
        ("3'b001 : 3'b000", "3'b101 : 3'b000"),
        ("sign_b = B_SIGNED != 0", "sign_b = B_SIGNED == 0"),
        (".OPMODEREG(OPMODE_CHANGES)", ".OPMODEREG(0)"),
    ],
)
def test_a_wrong_slice_is_seen(right, wrong, session_store):
    assert right in TM_DSP
    design = chains_design(FEW, changed={"tm_dsp": TM_DSP.replace(right, wrong)})
    inputs, sums = chains_events(FEW, 50, seed=2)
    outcomes = library_bench.check(design, inputs, sums, session_store, bench="verilator")
    assert all("sums[" in fault for fault in faults(outcomes))
    assert len(faults(outcomes)) == len(outcomes)


@pytest.mark.parametrize("width", [{"a": (27, False)}, {"b": (19, True)}, {"c": 49}])
def test_an_operand_that_does_not_fit_is_refused_by_simulation_and_synthesis(
    width, session_store, tmp_path
):
    chains = (replace(FEW[0], **width),)
    inputs, sums = chains_events(FEW[:1], 2, seed=3)
    with pytest.raises(ToolError, match="tm_dsp: at most 27 x 18 bits|out of range|Replication"):
        library_bench.check(chains_design(chains), inputs, sums, session_store, bench="verilator")
    with pytest.raises(ToolError, match="Yosys failed"):
        library_bench.synthesise(lint_text(chains), CHAIN, tmp_path)


UNITS = tuple(Chain(length=4, a=(24, True), b=(8, False), c=20, group=2, sum=30) for _ in range(2))


def test_two_units_of_four_are_eight_slices_and_nothing_else(session_store, tmp_path):
    text = lint_text(UNITS)
    files = {**library_bench.sources(*CHAIN), "units.sv": text.encode()}
    fill_folder(tmp_path, FileSet(files))
    port = Port(name="data", shape=(1,), format=parse_format("fixed<8,4>"))
    firmware = Firmware(
        name="all_chains",
        folder=tmp_path,
        language="verilog",
        sources=tuple(files),
        part="xcvu13p-flga2577-2-e",
        clock_mhz=320.0,
        input=port,
        output=port,
        latency_cycles=6,
        interval_cycles=1,
    )
    found = synthesis.run(firmware, session_store)
    assert dict(found.cells) == {"DSP48E2": 8}


def netlist(text, folder):
    """Return what Yosys makes of a wrapper, as Verilog of cells."""
    library_bench.synthesise(text, CHAIN, folder)
    sources = [*(f"{name}.sv" for name in CHAIN), library_bench.WRAPPER]
    script = yosys.script(sources, "wrapper", Architecture.ULTRASCALE_PLUS)
    (folder / yosys.SCRIPT).write_text(script + "write_verilog -noattr netlist.v\n")
    yosys.run(folder, timeout_s=600, memory_mb=8000, what="synthesis of a netlist")
    return (folder / "netlist.v").read_text()


def test_the_netlist_that_yosys_makes_gives_the_same_sums(session_store, tmp_path):
    design = chains_design(FEW)
    text = netlist(chains_wrapper(FEW)[0], tmp_path)
    assert text.count("DSP48E2 #(") == sum(chain.length for chain in FEW)
    assert "tm_" not in text.replace("tm_dsp", "").replace("tm_chain", "")
    files = {
        **library_bench.sources("DSP48E2"),
        "cells_sim.v": CELLS.read_bytes(),
        "netlist.v": text.encode(),
    }
    gates = replace(design, title="a netlist of chains", sources=FileSet(files), order=tuple(files))
    inputs, sums = chains_events(FEW, 200, seed=4)
    outcomes = library_bench.check(gates, inputs, sums, session_store, bench="verilator")
    assert not faults(outcomes)
    inputs, sums = chains_events((FEW[0], FEW[1], replace(FEW[2], group=2)), 200, seed=4)
    outcomes = library_bench.check(gates, inputs, sums, session_store, bench="verilator")
    assert len(faults(outcomes)) == len(outcomes)
