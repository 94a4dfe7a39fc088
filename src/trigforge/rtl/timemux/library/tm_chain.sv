// The sum of LENGTH products in one cascade of DSP48E2 slices, and one more term at its end:
//   ACCUMULATE = 0: sum = a[0] * b[0] + ... + a[LENGTH-1] * b[LENGTH-1] + c
//   ACCUMULATE = 1: the same, with c where first is high and the sum of the slot before elsewhere
// Timing: a[j], b[j] of slot s are given in cycle s + j, c and first in cycle s + LENGTH;
// sum holds the slot's result in cycle s + LENGTH + 2. A slot may start each cycle.
// The cascade: UG579, dedicated paths from PCOUT to the PCIN of the slice above.

`timescale 1 ns / 1 ps

module tm_chain #(
    parameter integer LENGTH = 1,
    parameter integer A_WIDTH = 27,
    parameter integer A_SIGNED = 1,
    parameter integer B_WIDTH = 18,
    parameter integer B_SIGNED = 1,
    parameter integer C_WIDTH = 48,
    parameter integer ACCUMULATE = 0,
    parameter integer SUM_WIDTH = 48
) (
    input  logic                             clk,
    input  logic        [LENGTH*A_WIDTH-1:0] a,
    input  logic        [LENGTH*B_WIDTH-1:0] b,
    input  logic signed [       C_WIDTH-1:0] c,
    input  logic                             first,
    output logic        [     SUM_WIDTH-1:0] sum
);
  generate
    for (genvar j = 0; j < LENGTH; j = j + 1) begin : slice
      localparam integer IS_LAST = j == LENGTH - 1 ? 1 : 0;
      wire [47:0] p, pcin, pcout;

      if (j == 0) begin : bottom
        assign pcin = 48'd0;
      end else begin : above
        assign pcin = slice[j-1].pcout;
      end

      tm_dsp #(
          .A_WIDTH(A_WIDTH),
          .A_SIGNED(A_SIGNED),
          .B_WIDTH(B_WIDTH),
          .B_SIGNED(B_SIGNED),
          .C_WIDTH(C_WIDTH),
          .Z_CASCADE(j > 0 ? 1 : 0),
          .W_MODE(IS_LAST == 0 ? 0 : ACCUMULATE != 0 ? 2 : 1)
      ) dsp (
          .clk(clk),
          .a(a[j*A_WIDTH+:A_WIDTH]),
          .b(b[j*B_WIDTH+:B_WIDTH]),
          .c(c),
          .first(first),
          .pcin(pcin),
          .p(p),
          .pcout(pcout)
      );

      wire unused = &{1'b0, p, pcout};
    end
  endgenerate

  assign sum = slice[LENGTH-1].p[SUM_WIDTH-1:0];
endmodule
