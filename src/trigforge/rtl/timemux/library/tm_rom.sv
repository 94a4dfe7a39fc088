// A table of constants, one word a phase: out_data is word `phase` of CONTENT; combinational.
//
// Up to 64 words take one LUT a bit at most. It is written as a memory because both synthesis
// and simulation take that fast (Yosys, 4000 bits of 16 words: 19 s; a selection of constants
// 37 s), with an attribute that keeps it out of block memory. A phase without a word
// (phase >= DEPTH) gives anything. Verilator takes constants of 65536 bits at most: a larger
// table is several of these.

`timescale 1 ns / 1 ps

module tm_rom #(
    parameter int WIDTH = 4,
    parameter int DEPTH = 4,
    parameter int PHASE_WIDTH = 2,
    parameter logic [DEPTH*WIDTH-1:0] CONTENT = '0
) (
    input logic [PHASE_WIDTH-1:0] phase,
    output logic [WIDTH-1:0] out_data
);
  if (DEPTH == 1) begin : g_constant
    assign out_data = CONTENT;
  end else begin : g_table
`ifdef YOSYS
    (* rom_style = "logic" *)
`else
    (* rom_style = "distributed" *)
`endif
    logic [WIDTH-1:0] words[DEPTH];
    initial for (int i = 0; i < DEPTH; i++) words[i] = CONTENT[i*WIDTH+:WIDTH];
    assign out_data = words[$clog2(DEPTH)'(phase)];
  end

  logic unused;
  assign unused = &{1'b0, phase};
endmodule
