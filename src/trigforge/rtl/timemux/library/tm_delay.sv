// A delay line with taps: tap k, the bits (k-1)*WIDTH and up, is in_data k cycles ago.
//
// k runs from 1 to N_CYCLES >= 1. Without a reset, so that taps nobody reads become shift
// registers in LUTs.

`timescale 1 ns / 1 ps

module tm_delay #(
    parameter int WIDTH = 4,
    parameter int N_CYCLES = 2
) (
    input logic clk,
    input logic [WIDTH-1:0] in_data,
    output logic [N_CYCLES*WIDTH-1:0] taps
);
  if (N_CYCLES == 1) begin : g_register
    always_ff @(posedge clk) taps <= in_data;
  end else begin : g_line
    always_ff @(posedge clk) taps <= {taps[0+:(N_CYCLES-1)*WIDTH], in_data};
  end
endmodule
