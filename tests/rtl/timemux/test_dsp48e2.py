"""DSP48E2.sv beside the DSP48E1 that Yosys ships: others' text, the same modes, random pins."""

import re
from pathlib import Path

import library_bench
import numpy as np
import pyosys
import pytest

from trigforge import cosim
from trigforge.core.errors import ToolError
from trigforge.core.records import RawTensor

pytestmark = pytest.mark.toolchain

CELLS = Path(pyosys.__file__).parent / "share" / "xilinx" / "cells_sim.v"
MODEL = (library_bench.LIBRARY / "DSP48E2.sv").read_text()

FIELDS = {
    "a": 25,
    "a_above": 3,
    "b": 18,
    "c": 48,
    "pcin": 48,
    "carryin": 1,
    "mode": 4,
    "w": 2,
    "subtract": 1,
    "enables": 10,
    "resets": 8,
    "resets_too": 8,
    "resets_three": 8,
}
N_BITS = sum(FIELDS.values())
OFFSETS = dict(
    zip(FIELDS, np.cumsum([0, *list(FIELDS.values())[:-1]], dtype=int).tolist(), strict=True)
)

# Z, Y, X; those without P first
MODES = (
    *("000_01_01", "001_01_01", "011_01_01", "101_01_01", "000_00_00", "000_11_00", "001_11_00"),
    *("000_10_00", "001_10_11", "011_00_11", "101_11_11"),
    *("010_01_01", "110_01_01", "001_11_10", "010_11_11", "110_10_10"),
)
N_WITHOUT_P = 11

# AREG, BREG, CREG, MREG, PREG, OPMODEREG, ALUMODEREG, CARRYINREG
REGISTERS = (
    (1, 1, 1, 1, 1, 1, 1, 1),
    (1, 1, 1, 1, 1, 1, 0, 0),
    (2, 2, 1, 1, 1, 0, 1, 0),
    (0, 2, 0, 1, 1, 1, 0, 1),
    (2, 0, 1, 0, 1, 0, 0, 1),
    (0, 0, 0, 0, 0, 0, 0, 0),
    (1, 2, 1, 1, 0, 1, 1, 1),
)
RND = "48'hABCD_1234_5678"
FULL = REGISTERS[0]

PINS = """
      .CLK(clk), .ALUMODE({4{1'b0}} | {2{subtract}}), .CARRYINSEL(3'd0), .INMODE(5'd0),
      .CEA1(enables[0]), .CEA2(enables[1]), .CEB1(enables[2]), .CEB2(enables[3]),
      .CEC(enables[4]), .CEM(enables[5]), .CEP(enables[6]), .CECTRL(enables[7]),
      .CEALUMODE(enables[8]), .CECARRYIN(enables[9]),
      .RSTA(reset[0]), .RSTB(reset[1]), .RSTC(reset[2]), .RSTM(reset[3]), .RSTP(reset[4]),
      .RSTCTRL(reset[5]), .RSTALUMODE(reset[6]), .RSTALLCARRYIN(reset[7]),
      .ACIN(30'd0), .BCIN(18'd0), .CARRYCASCIN(1'b0), .MULTSIGNIN(1'b0),
      .CEAD(1'b0), .CED(1'b0), .CEINMODE(1'b0), .RSTD(1'b0), .RSTINMODE(1'b0),
"""


def attributes(registers):
    a, b, c, m, p, opmode, alumode, carryin = registers
    return (
        f".AREG({a}), .ACASCREG({a}), .BREG({b}), .BCASCREG({b}), .CREG({c}), .MREG({m}), "
        f".PREG({p}), .OPMODEREG({opmode}), .ALUMODEREG({alumode}), .CARRYINREG({carryin})"
    )


def slice_text(name, kind, registers, **pins):
    """Return an instance and, as ``NAME``, its P; pins that are not given are the stimulus'."""
    given = {"A": "a", "B": "b", "C": "c", "PCIN": "pcin", "CARRYIN": "carryin"} | pins
    rest = ", ".join(f".{pin}({net})" for pin, net in given.items())
    extra = f", .RND({RND})" if kind.startswith("DSP48E2") else ', .USE_DPORT("FALSE")'
    depth = "25'd0" if kind == "DSP48E1" else "27'd0"
    return (
        f"  wire [47:0] {name};\n  {kind} #({attributes(registers)}{extra}) u_{name} ({PINS}"
        f"      .D({depth}), .P({name}), .PCOUT(), {rest});\n"
    )


def pair_text(number, kind, registers):
    """Return both models in the same mode, the fourth multiplexer at 0, as ``equal_NUMBER``."""
    mode = "mode" if registers[4] else "mode_without_p"
    return (
        slice_text(f"e1_{number}", "DSP48E1", registers, OPMODE=mode)
        + slice_text(f"e2_{number}", kind, registers, OPMODE=f"{{2'b00, {mode}}}")
        + f"  wire equal_{number} = e1_{number} == e2_{number};\n"
    )


def fourth_text(number, kind):
    """Return a model beside two DSP48E1 in a row: the second adds what W adds in one DSP48E2."""
    unregistered_sum = (*FULL[:4], 0, *FULL[5:])
    constant_ab = (0, 0, *FULL[2:])
    return (
        slice_text(
            f"front_{number}",
            "DSP48E1",
            unregistered_sum,
            OPMODE="mode_without_p",
            CARRYIN="1'b0",
        )
        + f"  wire [47:0] rnd_{number} = {RND};\n"
        + slice_text(
            f"back_{number}",
            "DSP48E1",
            constant_ab,
            OPMODE="{3'b001, y_x_of_w}",
            A=f"rnd_{number}[47:18]",
            B=f"rnd_{number}[17:0]",
            PCIN=f"front_{number}",
        )
        + slice_text(f"four_{number}", kind, FULL, OPMODE="{w, mode_without_p}")
        + f"  wire equal_{number} = back_{number} == four_{number};\n"
    )


def wrapper(parts, n_parts):
    fields = "".join(
        f"  wire [{width - 1}:0] given_{name} = in_data[{OFFSETS[name]} +: {width}];\n"
        for name, width in FIELDS.items()
    )
    choices = "".join(f"      4'd{i}: mode = 7'b{mode};\n" for i, mode in enumerate(MODES[:-1]))
    equal = ", ".join(f"equal_{i}" for i in reversed(range(n_parts)))
    return f"""
module wrapper (
  input clk, input rst, input in_valid, input [{N_BITS - 1}:0] in_data,
  output out_valid, output [{n_parts - 1}:0] out_data
);
{fields}
  // Both multiply by what DSP48E1 has: A[26:25] repeat the sign A[24].
  wire [29:0] a = {{given_a_above, {{2{{given_a[24]}}}}, given_a}};
  wire [17:0] b = given_b;
  wire [47:0] c = given_c, pcin = given_pcin;
  wire carryin = given_carryin, subtract = given_subtract;
  wire [1:0] w = given_w;
  wire [9:0] enables = given_enables | {{10{{given_resets_too[0]}}}};
  wire [7:0] reset = given_resets & given_resets_too & given_resets_three;
  reg [6:0] mode;
  always @*
    case (given_mode)
{choices}      default: mode = 7'b{MODES[-1]};
    endcase
  reg [6:0] mode_without_p;
  // What DSP48E1 adds by Y and X as W adds it: nothing, P, RND at A:B, C.
  wire [3:0] y_x_of_w = w == 2'd0 ? 4'b0000 : w == 2'd1 ? 4'b0010 : w == 2'd2 ? 4'b0011 : 4'b1100;
  always @* mode_without_p = given_mode < {N_WITHOUT_P} ? mode : 7'b{MODES[1]};
{parts}
  assign out_valid = in_valid;
  assign out_data = {{{equal}}};
endmodule
"""


def beside_dsp48e1(models, parts, n_parts):
    text = wrapper(parts, n_parts)
    return library_bench.design(
        "DSP48E2 beside DSP48E1",
        text,
        (),
        library_bench.bit_port("pins", N_BITS),
        library_bench.bit_port("equal", n_parts),
        latency_cycles=0,
        changed=models | {"cells_sim": CELLS.read_text()},
    )


def pins(n_events, seed):
    random = np.random.default_rng(seed)
    return random.integers(0, 2, (n_events, N_BITS))


def test_the_model_equals_that_of_dsp48e1_in_all_modes_both_have(session_store):
    parts = [pair_text(i, "DSP48E2", registers) for i, registers in enumerate(REGISTERS)]
    parts.append(fourth_text(len(REGISTERS), "DSP48E2"))
    design = beside_dsp48e1({"DSP48E2": MODEL}, "".join(parts), len(parts))
    stimulus = pins(4000, seed=1)
    outcomes = library_bench.check(
        design, stimulus, np.ones((len(stimulus), len(parts)), dtype=np.int64), session_store
    )
    assert all(outcome.met for outcome in outcomes), [outcome.fault for outcome in outcomes]


WRONG_SUMS = (
    ("$signed(PCIN) >>> 17", "$signed(PCIN) >>> 16"),
    ("$signed(fed_back) >>> 17", "fed_back >> 17"),
    ("xy = xy - 48'd1;", ";"),
    ("2'b11: xy = xy + c;", "2'b11: xy = c;"),
    ("z - (w + xy + 48'(carry))", "z - (w + xy) + 48'(carry)"),
    ("z + w + xy + 48'(carry)", "z + w + xy"),
    ("$signed(a[26:0]) * $signed(b)", "$signed(a[26:0]) * $signed({1'b0, b})"),
    ("3'b001: z = PCIN", "3'b001: z = c"),
)
WRONG_FOURTH = (
    ("2'b01: w = fed_back", "2'b01: w = c"),
    ("2'b10: w = RND", "2'b10: w = '0"),
    ("2'b11: w = c", "2'b11: w = fed_back"),
)
ENABLES = ("CEA1", "CEA2", "CEB1", "CEB2", "CEC", "CEM", "CEP", "CECTRL", "CEALUMODE", "CECARRYIN")
RESETS = ("RSTA", "RSTB", "RSTC", "RSTM", "RSTP", "RSTCTRL", "RSTALUMODE", "RSTALLCARRYIN")


def test_a_model_that_differs_in_any_line_is_told_from_dsp48e1(session_store):
    twice = (2, 2, *FULL[2:])
    faults = [
        *((fault, FULL) for fault in WRONG_SUMS),
        *((fault, None) for fault in WRONG_FOURTH),
        *(((f"else if ({pin})", "else"), twice) for pin in ENABLES),
        *(((f"if ({pin})", "if (1'b0)"), twice) for pin in RESETS),
    ]
    models, parts = {}, []
    for i, ((right, wrong), registers) in enumerate(faults):
        name = f"DSP48E2_fault_{i}"
        assert right in MODEL, right
        models[name] = MODEL.replace(right, wrong).replace("module DSP48E2 ", f"module {name} ")
        parts.append(pair_text(i, name, registers) if registers else fourth_text(i, name))
    design = beside_dsp48e1(models, "".join(parts), len(parts))
    stimulus = RawTensor(format=design.input.format, raw=pins(2000, seed=2))
    equal = cosim.run(design, stimulus, session_store).outputs.raw
    unseen = [faults[i] for i in np.flatnonzero(equal.all(axis=0))]
    assert not unseen


# What DSP48E2.sv must refuse: OPMODE, ALUMODE, CARRYINSEL, INMODE
REFUSED = (
    ("000000001", "0000", "000", "00000"),
    ("000000100", "0000", "000", "00000"),
    ("001001000", "0000", "000", "00000"),
    ("001110101", "0000", "000", "00000"),
    ("000000101", "0001", "000", "00000"),
    ("000000101", "1100", "000", "00000"),
    ("000000101", "0000", "010", "00000"),
    ("000000101", "0000", "000", "00001"),
    ("010000101", "0000", "000", "00000"),
    ("000100101", "0000", "000", "00000"),
    ("000000010", "0000", "000", "00000"),
)
N_MODE_BITS = 21


def single_slice(title, attributes, extra_pins=""):
    """Return a design whose event is the mode of a slice without P register."""
    text = f"""
module wrapper (
  input clk, input rst, input in_valid, input [{N_MODE_BITS - 1}:0] in_data,
  output out_valid, output [47:0] out_data
);
  wire [{N_MODE_BITS - 1}:0] given = in_valid ? in_data : 21'd0;
  DSP48E2 #({attributes}) slice (
      .CLK(clk), .OPMODE(given[20:12]), .ALUMODE(given[11:8]), .CARRYINSEL(given[7:5]),
      .INMODE(given[4:0]), .A(30'd0), .B(18'd0), .C(48'd0), .PCIN(48'd0), .CARRYIN(1'b0),
      .P(out_data){extra_pins}
  );
  assign out_valid = in_valid;
endmodule
"""
    return library_bench.design(
        title,
        text,
        ("DSP48E2",),
        library_bench.bit_port("mode", N_MODE_BITS),
        library_bench.bit_port("p", 48),
        latency_cycles=0,
    )


def one_mode(*fields):
    bits = [int(bit) for bit in reversed("".join(fields))]
    return RawTensor(format=library_bench.bit_port("mode", 1).format, raw=np.array([bits]))


def test_modes_that_are_not_modelled_stop_the_simulation(session_store):
    unregistered = ".PREG(0), .OPMODEREG(0), .ALUMODEREG(0), .CARRYINREG(0)"
    design = single_slice("modes of a slice", unregistered)
    for opmode in ("000000000", "000000101"):
        zero = one_mode(opmode, "0000", "000", "00000")
        assert not cosim.run(design, zero, session_store).outputs.raw.any()
    for mode in REFUSED:
        with pytest.raises(ToolError, match=f"not modelled: OPMODE {mode[0]}, ALUMODE {mode[1]}"):
            cosim.run(design, one_mode(*mode), session_store)


@pytest.mark.parametrize(
    ("attribute", "says"),
    [
        ('.AMULTSEL("AD")', "AMULTSEL A, A_INPUT DIRECT only"),
        ('.USE_SIMD("TWO24")', "USE_SIMD ONE48"),
        (".AREG(2), .ACASCREG(0)", "wrong ACASCREG"),
    ],
)
def test_attributes_that_are_not_modelled_stop_the_simulation(attribute, says, session_store):
    design = single_slice("a slice", attribute)
    nothing = one_mode("000000000", "0000", "000", "00000")
    with pytest.raises(ToolError, match=re.escape(says)):
        cosim.run(design, nothing, session_store)


@pytest.mark.parametrize(
    ("attribute", "pin"),
    [("", "XOROUT"), ("", "PATTERNDETECT"), (".IS_CLK_INVERTED(1'b1)", None)],
)
def test_pins_and_attributes_that_are_missing_do_not_compile(attribute, pin, session_store):
    extra = f",\n      .{pin}()" if pin else ""
    design = single_slice("a slice", attribute, extra)
    nothing = one_mode("000000000", "0000", "000", "00000")
    with pytest.raises(ToolError, match=pin or "IS_CLK_INVERTED"):
        cosim.run(design, nothing, session_store)
