// Applies a piecewise linear activation to each lane: computes the exact value, then casts it.
//
// KIND  0 relu              max(x, 0)
//       1 relu_max          min(max(x, 0), LIMIT); LIMIT is an integer of zero or above
//       2 leaky_relu        x > 0 ? x : parameter * x
//       3 thresholded_relu  x > parameter ? x : 0
//       4 prelu             as 2
//       5 binary_tanh       x >= 0 ? 1 : -1
//       6 ternary_tanh      the sign of x where 2 x, in the type of x (IN_OVERFLOW), is above 1 or
//                           not above -1, otherwise 0
//       7 hard_sigmoid      clip(SLOPE * x + SHIFT, 0, 1)
//       8 hard_tanh         twice that, less 1
// in the order of trigforge.core.graph.ActivationKind; trigforge.evaluation.elementwise computes
// the same. `parameters`, one a lane, belong to the same cycle as in_data. SLOPE and SHIFT are
// raw, in the format of the parameters. A sum or product is exact, one cast follows. Between
// equal formats kind 3 copies the bits: pass OVERFLOW 0 (WRAP) there.
//
// Timing: out_data follows the inputs by STAGES cycles. 0: combinational; 1: a register at the
// end; 2: one before the cast too; 3: one between rounding and overflow too.

`timescale 1 ns / 1 ps

module tm_activation #(
    parameter integer KIND = 2,
    parameter integer N_LANES = 1,
    parameter integer IN_WIDTH = 12,
    parameter integer IN_SIGNED = 1,
    parameter integer IN_FRACTION = 6,
    parameter integer IN_OVERFLOW = 0,
    parameter integer PARAMETER_WIDTH = 8,
    parameter integer PARAMETER_SIGNED = 1,
    parameter integer PARAMETER_FRACTION = 6,
    parameter integer OUT_WIDTH = 12,
    parameter integer OUT_SIGNED = 1,
    parameter integer OUT_FRACTION = 6,
    parameter integer ROUNDING = 0,
    parameter integer OVERFLOW = 0,
    parameter integer LIMIT = 6,
    parameter logic [PARAMETER_WIDTH-1:0] SLOPE = 0,
    parameter logic [PARAMETER_WIDTH-1:0] SHIFT = 0,
    parameter integer STAGES = 1
) (
    input  logic                               clk,
    input  logic [       N_LANES*IN_WIDTH-1:0] in_data,
    input  logic [N_LANES*PARAMETER_WIDTH-1:0] parameters,
    output logic [      N_LANES*OUT_WIDTH-1:0] out_data
);
  localparam integer RELU = 0, RELU_MAX = 1, THRESHOLDED_RELU = 3, BINARY_TANH = 5;
  localparam integer TERNARY_TANH = 6, HARD_SIGMOID = 7, HARD_TANH = 8;
  localparam bit IS_SIGN = KIND == BINARY_TANH || KIND == TERNARY_TANH;
  localparam bit IS_HARD = KIND == HARD_SIGMOID || KIND == HARD_TANH;
  localparam bit IS_PART = KIND == RELU || KIND == RELU_MAX || KIND == THRESHOLDED_RELU;

  function automatic integer largest(input integer a, input integer b);
    largest = a > b ? a : b;
  endfunction

  // x, the parameter and their product as signed numbers.
  localparam integer X_WIDTH = IN_WIDTH + (IN_SIGNED != 0 ? 0 : 1);
  localparam integer OWN_WIDTH = PARAMETER_WIDTH + (PARAMETER_SIGNED != 0 ? 0 : 1);
  localparam integer PRODUCT_WIDTH = IN_WIDTH + PARAMETER_WIDTH + 1;
  localparam integer PRODUCT_FRACTION = IN_FRACTION + PARAMETER_FRACTION;
  localparam integer CLIP_FRACTION = largest(largest(PRODUCT_FRACTION, PARAMETER_FRACTION), 1);

  // The exact value: signed, VALUE_WIDTH bits, VALUE_FRACTION of them below the point. To get
  // there x and a product with the parameter are shifted up.
  localparam integer X_UP = KIND == RELU_MAX ? largest(-IN_FRACTION, 0)
      : IS_PART ? 0 : largest(PARAMETER_FRACTION, 0);
  localparam integer PRODUCT_UP = largest(-PARAMETER_FRACTION, 0);
  localparam integer VALUE_WIDTH = IS_SIGN ? 2 : IS_HARD ? CLIP_FRACTION + 2
      : IS_PART ? X_WIDTH + X_UP : largest(X_WIDTH + X_UP, PRODUCT_WIDTH + PRODUCT_UP);
  localparam integer VALUE_FRACTION = IS_SIGN ? 0 : KIND == HARD_SIGMOID ? CLIP_FRACTION
      : KIND == HARD_TANH ? CLIP_FRACTION - 1 : IN_FRACTION + X_UP;

  logic [N_LANES*VALUE_WIDTH-1:0] values, ready;
  generate
    for (genvar lane = 0; lane < N_LANES; lane++) begin : g_lane
      logic signed [X_WIDTH-1:0] x;
      logic signed [OWN_WIDTH-1:0] operand;
      logic [VALUE_WIDTH-1:0] value;
      logic unused;  // not every kind takes all of x and operand
      assign unused = &{1'b0, x, operand};
      assign x = X_WIDTH'(in_data[lane*IN_WIDTH+:IN_WIDTH]);
      assign operand = OWN_WIDTH'(
        IS_HARD ? SLOPE : parameters[lane*PARAMETER_WIDTH+:PARAMETER_WIDTH]);
      assign values[lane*VALUE_WIDTH+:VALUE_WIDTH] = value;

      if (KIND == RELU) begin : g_kind
        assign value = x;
      end else if (KIND == RELU_MAX) begin : g_kind
        // At the limit both choices are the same; a power of two is seen from the high bits.
        localparam integer UP = largest(IN_FRACTION, 0);
        localparam bit REACHED = $clog2(LIMIT + 1) + UP < VALUE_WIDTH;
        localparam logic [VALUE_WIDTH-1:0] TOP = VALUE_WIDTH'(LIMIT) << UP;
        logic [VALUE_WIDTH-1:0] scaled;
        assign scaled = VALUE_WIDTH'(x) << X_UP;
        assign value = REACHED && !x[X_WIDTH-1] && scaled >= TOP ? TOP : scaled;
      end else if (KIND == THRESHOLDED_RELU) begin : g_kind
        localparam integer UP = largest(PARAMETER_FRACTION - IN_FRACTION, 0);
        localparam integer THRESHOLD_UP = largest(IN_FRACTION - PARAMETER_FRACTION, 0);
        localparam integer WIDTH = largest(X_WIDTH + UP, OWN_WIDTH + THRESHOLD_UP);
        logic signed [WIDTH-1:0] scaled, threshold;
        assign scaled = WIDTH'(x) << UP;
        assign threshold = WIDTH'(operand) << THRESHOLD_UP;
        assign value = scaled > threshold ? x : '0;
      end else if (KIND == BINARY_TANH) begin : g_kind
        assign value = {x[X_WIDTH-1], 1'b1};
      end else if (KIND == TERNARY_TANH) begin : g_kind
        localparam integer UP = largest(-IN_FRACTION, 0);
        localparam integer ONE_AT = largest(IN_FRACTION, 0);
        localparam integer WIDTH = largest(X_WIDTH + UP, ONE_AT + 2);
        localparam logic signed [WIDTH-1:0] ONE = WIDTH'(1) << ONE_AT;
        logic [IN_WIDTH-1:0] doubled;
        logic signed [WIDTH-1:0] scaled;
        tm_requantise #(
            .IN_WIDTH(IN_WIDTH),
            .IN_SIGNED(IN_SIGNED),
            .DROPPED(-1),
            .OUT_WIDTH(IN_WIDTH),
            .OUT_SIGNED(IN_SIGNED),
            .OVERFLOW(IN_OVERFLOW),
            .STAGES(0)
        ) double (
            .clk(clk),
            .in_data(in_data[lane*IN_WIDTH+:IN_WIDTH]),
            .out_data(doubled)
        );
        assign scaled = {{WIDTH - IN_WIDTH{IN_SIGNED != 0 && doubled[IN_WIDTH-1]}}, doubled} << UP;
        assign value = scaled > ONE ? 2'b01 : scaled > -ONE ? 2'b00 : 2'b11;
      end else begin : g_kind
        localparam bit PRODUCT_SIGNED = IN_SIGNED != 0 || PARAMETER_SIGNED != 0;
        logic signed [PRODUCT_WIDTH-1:0] product;
        tm_product #(
            .X_WIDTH(IN_WIDTH),
            .X_SIGNED(IN_SIGNED),
            .FACTOR_WIDTH(PARAMETER_WIDTH),
            .FACTOR_SIGNED(PARAMETER_SIGNED)
        ) multiply (
            .x(in_data[lane*IN_WIDTH+:IN_WIDTH]),
            .factor(operand[PARAMETER_WIDTH-1:0]),
            .product(product[PRODUCT_WIDTH-2:0])
        );
        assign product[PRODUCT_WIDTH-1] = PRODUCT_SIGNED && product[PRODUCT_WIDTH-2];
        if (IS_HARD) begin : g_hard
          // Zero and one are bounds that the high bits of the sum tell. In hard_tanh, whose
          // last bit counts half as much, less 1 flips the first bit between them.
          localparam integer UP = CLIP_FRACTION - PRODUCT_FRACTION;
          localparam integer SHIFT_UP = CLIP_FRACTION - PARAMETER_FRACTION;
          localparam integer WIDTH = 2 + largest(
              largest(PRODUCT_WIDTH + UP, OWN_WIDTH + SHIFT_UP), CLIP_FRACTION);
          localparam logic signed [OWN_WIDTH-1:0] OFFSET = OWN_WIDTH'(SHIFT);
          localparam logic [CLIP_FRACTION-1:0] HALF = CLIP_FRACTION'(1) << (CLIP_FRACTION - 1);
          logic [WIDTH-1:0] sum;
          logic [CLIP_FRACTION-1:0] between;
          logic below, above;
          assign sum = (WIDTH'(product) << UP) + (WIDTH'(OFFSET) << SHIFT_UP);
          assign below = sum[WIDTH-1];
          assign above = ~below & |sum[WIDTH-2:CLIP_FRACTION];
          if (KIND == HARD_SIGMOID) begin : g_sigmoid
            assign between = sum[CLIP_FRACTION-1:0];
            assign value = {below, above, above ? '0 : between};
          end else begin : g_tanh
            assign between = sum[CLIP_FRACTION-1:0] ^ HALF;
            assign value = below | above ? {below, below, HALF}
                : {{2{between[CLIP_FRACTION-1]}}, between};
          end
        end else begin : g_sloped
          assign value = x[X_WIDTH-1] ? VALUE_WIDTH'(product) << PRODUCT_UP
              : VALUE_WIDTH'(x) << X_UP;
        end
      end
    end
    if (STAGES > 1) begin : g_before_cast
      always_ff @(posedge clk) ready <= values;
    end else begin : g_before_cast
      assign ready = values;
    end
  endgenerate

  tm_requantise #(
      .N_LANES(N_LANES),
      .IN_WIDTH(VALUE_WIDTH),
      .IN_SIGNED(1),
      .DROPPED(VALUE_FRACTION - OUT_FRACTION),
      .OUT_WIDTH(OUT_WIDTH),
      .OUT_SIGNED(OUT_SIGNED),
      .ROUNDING(ROUNDING),
      .OVERFLOW(OVERFLOW),
      .RECTIFY(KIND == RELU || KIND == RELU_MAX || KIND == HARD_SIGMOID ? 1 : 0),
      .STAGES(STAGES > 1 ? STAGES - 1 : STAGES)
  ) requantise (
      .clk(clk),
      .in_data(ready),
      .out_data(out_data)
  );
endmodule
