"""Small hand-written firmware, with what it must compute in plain NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.records import Firmware, Port, RawTensor, Stimulus

INPUT = Port(name="x", shape=(3,), format=FixedPointFormat(True, 7, 7))
OUTPUT = Port(name="y", shape=(2,), format=FixedPointFormat(True, 11, 11))

SUMS = """
module sums (
  input clk, input rst, input in_valid, input [20:0] in_data,
  output out_valid, output [21:0] out_data
);
  // y[0] = 5 x[0] - x[1], y[1] = x[1] + 7 x[2] - 3; three registers
  wire signed [6:0] x0 = in_data[6:0], x1 = in_data[13:7], x2 = in_data[20:14];
  reg signed [10:0] a0, a1, b0, b1, y0, y1;
  reg [2:0] valid;
  always @(posedge clk) begin
    a0 <= 11'sd5 * x0;
    b0 <= x1;
    a1 <= x1 - 11'sd3;
    b1 <= 11'sd7 * x2;
    y0 <= a0 - b0;
    y1 <= a1 + b1;
    out <= {y1, y0};
    valid <= rst ? 3'd0 : {valid[1:0], in_valid};
  end
  reg [21:0] out;
  assign out_data = out;
  assign out_valid = valid[2];
endmodule
"""

WRONG_CONSTANT = SUMS.replace("11'sd7 * x2", "11'sd5 * x2")
DATA_TOO_EARLY = SUMS.replace("assign out_data = out;", "assign out_data = {y1, y0};")
VALID_TOO_EARLY = SUMS.replace("valid[2];", "valid[1];")
VALID_AND_DATA_TOO_EARLY = DATA_TOO_EARLY.replace("valid[2];", "valid[1];")
SURVIVES_RESET = SUMS.replace("rst ? 3'd0 :", "")
NEVER_VALID = SUMS.replace("= valid[2];", "= valid[2] & 1'b0;")
ALWAYS_VALID = SUMS.replace("= valid[2];", "= valid[2] | 1'b1;")
DROPS_ONE = SUMS.replace("in_valid};", "in_valid & (in_data != 21'd1234)};")
NOISE_LEAKS = (
    SUMS.replace("a0 <= 11'sd5 * x0;", "a0 <= 11'sd5 * x0; last <= x1;")
    .replace(
        "b0 <= x1;",
        "b0 <= in_valid ? x1 + (last & 11'sd0) + ~past : x1; past <= ~11'd0 ^ !in_valid;",
    )
    .replace("reg [21:0] out;", "reg [21:0] out; reg signed [10:0] last, past;")
)


def write(
    folder: Path,
    text: str,
    *,
    top: str = "sums",
    input: Port = INPUT,
    output: Port = OUTPUT,
    latency_cycles: int = 3,
    interval_cycles: int = 1,
) -> Firmware:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "top.v").write_text(text)
    return Firmware(
        name=top,
        folder=folder,
        language="verilog",
        sources=("top.v",),
        part="xcvu13p-flga2577-2-e",
        clock_mhz=320.0,
        input=input,
        output=output,
        latency_cycles=latency_cycles,
        interval_cycles=interval_cycles,
    )


def raw_inputs(port: Port, n_events: int, seed: int = 1) -> RawTensor:
    random = np.random.default_rng(seed)
    low, high = port.format.raw_min, port.format.raw_max
    raw = random.integers(low, high, (n_events, port.n_elements), endpoint=True)
    return RawTensor(format=port.format, raw=raw)


def stimulus(n_events: int = 200) -> Stimulus:
    """Random events, then corners; event 17 is the one that ``DROPS_ONE`` drops."""
    raw = raw_inputs(INPUT, n_events).raw.copy()
    raw[17] = [-46, 9, 0]  # 1234 in 21 bits
    low, high = INPUT.format.raw_min, INPUT.format.raw_max
    corners = np.array([[low] * 3, [high] * 3, [0, 0, 0], [low, high, low], [-1, -1, -1]])
    inputs = RawTensor(format=INPUT.format, raw=np.concatenate([raw, corners]))
    return Stimulus(inputs=inputs, blocks=(("held_out", n_events), ("corners", len(corners))))


def sums(raw) -> RawTensor:
    x = raw.T
    results = np.stack([5 * x[0] - x[1], x[1] + 7 * x[2] - 3], axis=1)
    return RawTensor(format=OUTPUT.format, raw=results)


def echo(port: Port, latency: int) -> str:
    """A delay line of any width; latency 0 is a wire."""
    n_bits = port.n_elements * port.format.width
    stages = "".join(
        f"    v{i + 1} <= rst ? 1'b0 : v{i};\n    d{i + 1} <= d{i};\n" for i in range(latency)
    )
    registers = "".join(
        f"  reg v{i + 1};\n  reg [{n_bits - 1}:0] d{i + 1};\n" for i in range(latency)
    )
    clocked = f"  always @(posedge clk) begin\n{stages}  end\n" if latency else ""
    return (
        f"module echo (input clk, input rst, input in_valid, input [{n_bits - 1}:0] in_data,\n"
        f"  output out_valid, output [{n_bits - 1}:0] out_data);\n"
        f"  wire v0 = in_valid;\n  wire [{n_bits - 1}:0] d0 = in_data;\n{registers}{clocked}"
        f"  assign out_valid = v{latency};\n  assign out_data = d{latency};\nendmodule\n"
    )
