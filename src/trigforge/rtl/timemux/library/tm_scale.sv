// Multiplies each lane by a factor, adds a bias and casts the exact sum to another format:
//
//   out = cast((x * scale << PRODUCT_SHIFT) + (bias << BIAS_SHIFT))
//
// The shifts bring product and bias to one point; DROPPED counts from there, as ROUNDING and
// OVERFLOW it is that of tm_requantise. `scale` and `bias` are signed, one a lane, and belong
// to the same cycle as in_data; of constant ones only the digits other than zero cost logic
// (see tm_product).
//
// Timing: out_data follows the inputs by STAGES cycles. 0: combinational; 1: a register at the
// end; 2: one after the sum too; 3: one between rounding and overflow too.

`timescale 1 ns / 1 ps

module tm_scale #(
    parameter integer N_LANES = 1,
    parameter integer IN_WIDTH = 12,
    parameter integer IN_SIGNED = 1,
    parameter integer SCALE_WIDTH = 8,
    parameter integer BIAS_WIDTH = 8,
    parameter integer PRODUCT_SHIFT = 0,
    parameter integer BIAS_SHIFT = 4,
    parameter integer DROPPED = 6,
    parameter integer OUT_WIDTH = 12,
    parameter integer OUT_SIGNED = 1,
    parameter integer ROUNDING = 0,
    parameter integer OVERFLOW = 0,
    parameter integer STAGES = 1
) (
    input  logic                           clk,
    input  logic [   N_LANES*IN_WIDTH-1:0] in_data,
    input  logic [N_LANES*SCALE_WIDTH-1:0] scale,
    input  logic [ N_LANES*BIAS_WIDTH-1:0] bias,
    output logic [  N_LANES*OUT_WIDTH-1:0] out_data
);
  localparam integer PRODUCT_WIDTH = IN_WIDTH + SCALE_WIDTH;
  localparam integer PRODUCT_END = PRODUCT_WIDTH + PRODUCT_SHIFT;
  localparam integer BIAS_END = BIAS_WIDTH + BIAS_SHIFT;
  localparam integer SUM_WIDTH = (PRODUCT_END > BIAS_END ? PRODUCT_END : BIAS_END) + 1;

  logic [N_LANES*SUM_WIDTH-1:0] sums, summed;
  generate
    for (genvar lane = 0; lane < N_LANES; lane++) begin : g_lane
      logic signed [PRODUCT_WIDTH-1:0] product;
      logic signed [BIAS_WIDTH-1:0] own_bias;
      tm_product #(
          .X_WIDTH(IN_WIDTH),
          .X_SIGNED(IN_SIGNED),
          .FACTOR_WIDTH(SCALE_WIDTH),
          .FACTOR_SIGNED(1)
      ) multiply (
          .x(in_data[lane*IN_WIDTH+:IN_WIDTH]),
          .factor(scale[lane*SCALE_WIDTH+:SCALE_WIDTH]),
          .product(product)
      );
      assign own_bias = bias[lane*BIAS_WIDTH+:BIAS_WIDTH];
      assign sums[lane*SUM_WIDTH+:SUM_WIDTH] = (SUM_WIDTH'(product) << PRODUCT_SHIFT)
          + (SUM_WIDTH'(own_bias) << BIAS_SHIFT);
    end
    if (STAGES > 1) begin : g_after_sum
      always_ff @(posedge clk) summed <= sums;
    end else begin : g_after_sum
      assign summed = sums;
    end
  endgenerate

  tm_requantise #(
      .N_LANES(N_LANES),
      .IN_WIDTH(SUM_WIDTH),
      .IN_SIGNED(1),
      .DROPPED(DROPPED),
      .OUT_WIDTH(OUT_WIDTH),
      .OUT_SIGNED(OUT_SIGNED),
      .ROUNDING(ROUNDING),
      .OVERFLOW(OVERFLOW),
      .STAGES(STAGES > 1 ? STAGES - 1 : STAGES)
  ) requantise (
      .clk(clk),
      .in_data(summed),
      .out_data(out_data)
  );
endmodule
