// An operation on two words, exact, a lane beside the other; combinational.
//
// KIND 0 adds, 1 subtracts, 2 multiplies (in LUTs), 3 takes the maximum, 4 the minimum. The
// operands are first brought to a common point: shifted left by LEFT_SHIFT and RIGHT_SHIFT
// (not for a product, whose fraction is the sum of theirs). out_data is signed; OUT_WIDTH is
// wide enough for every result. An average is a sum whose fraction is read one bit longer.

`timescale 1 ns / 1 ps

module tm_merge #(
    parameter int KIND = 0,
    parameter int N_LANES = 1,
    parameter int LEFT_WIDTH = 4,
    parameter bit LEFT_SIGNED = 1,
    parameter int LEFT_SHIFT = 0,
    parameter int RIGHT_WIDTH = 4,
    parameter bit RIGHT_SIGNED = 1,
    parameter int RIGHT_SHIFT = 0,
    parameter int OUT_WIDTH = 5
) (
    input logic [N_LANES*LEFT_WIDTH-1:0] left,
    input logic [N_LANES*RIGHT_WIDTH-1:0] right,
    output logic [N_LANES*OUT_WIDTH-1:0] out_data
);
  localparam int SUBTRACT = 1;
  localparam int MULTIPLY = 2;
  localparam int MAXIMUM = 3;
  localparam int MINIMUM = 4;

  for (genvar lane = 0; lane < N_LANES; lane++) begin : g_lane
    logic [LEFT_WIDTH-1:0] left_word;
    logic [RIGHT_WIDTH-1:0] right_word;
    assign left_word = left[lane*LEFT_WIDTH+:LEFT_WIDTH];
    assign right_word = right[lane*RIGHT_WIDTH+:RIGHT_WIDTH];

    if (KIND == MULTIPLY) begin : g_product
      localparam int PRODUCT_WIDTH = LEFT_WIDTH + RIGHT_WIDTH;
      localparam bit SWAP = LEFT_WIDTH < RIGHT_WIDTH;  // the narrower one makes the rows
      logic [PRODUCT_WIDTH-1:0] product;
      if (SWAP) begin : g_swapped
        tm_product #(
            .X_WIDTH(RIGHT_WIDTH),
            .X_SIGNED(32'(RIGHT_SIGNED)),
            .FACTOR_WIDTH(LEFT_WIDTH),
            .FACTOR_SIGNED(32'(LEFT_SIGNED))
        ) times (
            .x(right_word),
            .factor(left_word),
            .product(product)
        );
      end else begin : g_straight
        tm_product #(
            .X_WIDTH(LEFT_WIDTH),
            .X_SIGNED(32'(LEFT_SIGNED)),
            .FACTOR_WIDTH(RIGHT_WIDTH),
            .FACTOR_SIGNED(32'(RIGHT_SIGNED))
        ) times (
            .x(left_word),
            .factor(right_word),
            .product(product)
        );
      end
      assign out_data[lane*OUT_WIDTH+:OUT_WIDTH] = (LEFT_SIGNED || RIGHT_SIGNED)
          ? OUT_WIDTH'($signed(product)) : OUT_WIDTH'(product);
      logic unused;
      assign unused = &{1'b0, product};
    end else begin : g_common_point
      // A width in which both operands are signed.
      localparam int LEFT_BITS = LEFT_WIDTH + LEFT_SHIFT + 32'(!LEFT_SIGNED);
      localparam int RIGHT_BITS = RIGHT_WIDTH + RIGHT_SHIFT + 32'(!RIGHT_SIGNED);
      localparam int WIDEST = LEFT_BITS > RIGHT_BITS ? LEFT_BITS : RIGHT_BITS;
      localparam int WIDTH = OUT_WIDTH > WIDEST ? OUT_WIDTH : WIDEST;
      logic signed [WIDTH-1:0] a, b, result;
      assign a = (LEFT_SIGNED ? WIDTH'($signed(left_word)) : WIDTH'(left_word)) << LEFT_SHIFT;
      assign b = (RIGHT_SIGNED ? WIDTH'($signed(right_word)) : WIDTH'(right_word)) << RIGHT_SHIFT;
      if (KIND == SUBTRACT) begin : g_difference
        assign result = a - b;
      end else if (KIND == MAXIMUM) begin : g_maximum
        assign result = a > b ? a : b;
      end else if (KIND == MINIMUM) begin : g_minimum
        assign result = a < b ? a : b;
      end else begin : g_sum
        assign result = a + b;
      end
      assign out_data[lane*OUT_WIDTH+:OUT_WIDTH] = OUT_WIDTH'(result);
      logic unused;
      assign unused = &{1'b0, result};
    end
  end
endmodule
