// Casts raw integers to another fixed-point format as ap_fixed does: rounding, then overflow.
//
// Each lane drops DROPPED low bits (negative: appends zeros) and brings the result into
// OUT_WIDTH bits. RECTIFY clips it below at zero first (a ReLU): every mode rounds what is
// negative to zero or below, so this is done after rounding. Between equal formats C++ copies
// the bits, also the one value that SAT_SYM forbids: pass OVERFLOW 0 (WRAP) there.
//
// Timing: out_data follows in_data by STAGES cycles. 0: combinational; 1: a register at the
// end; 2: one between rounding and overflow too. A new value every cycle.
//
// Only the bits that stay are added to; whether a value is out of range is seen from the bits
// above them. Source of the semantics: AMD UG1399 and the ap_types headers; see
// trigforge.core.fixed_point, which computes the same.

`timescale 1 ns / 1 ps

module tm_requantise #(
    parameter integer N_LANES = 1,
    parameter integer IN_WIDTH = 16,
    parameter integer IN_SIGNED = 1,
    parameter integer DROPPED = 4,
    parameter integer OUT_WIDTH = 8,
    parameter integer OUT_SIGNED = 1,
    parameter integer ROUNDING = 0,
    parameter integer OVERFLOW = 0,
    parameter integer RECTIFY = 0,
    parameter integer STAGES = 1
) (
    input  logic                         clk,
    input  logic [ N_LANES*IN_WIDTH-1:0] in_data,
    output logic [N_LANES*OUT_WIDTH-1:0] out_data
);
  localparam integer TRN_ZERO = 1, RND = 2, RND_ZERO = 3, RND_INF = 4, RND_MIN_INF = 5;
  localparam integer RND_CONV = 6;
  localparam integer WRAP = 0, SAT = 1, SAT_ZERO = 2, SAT_SYM = 3;

  // What is unsigned and does not wrap has no use for negative values either.
  localparam bit CLIPPED = RECTIFY != 0 || (OUT_SIGNED == 0 && OVERFLOW != WRAP);
  localparam bit SYMMETRIC = OVERFLOW == SAT_SYM && OUT_SIGNED != 0 && OUT_WIDTH > 1;
  localparam bit SATURATED = OVERFLOW == SAT || OVERFLOW == SAT_SYM;

  // Every lane is laid out with at least two bits below the cut and one, the sign, above it.
  localparam integer BELOW = DROPPED < 0 ? 2 - DROPPED : 2;
  localparam integer CUT = DROPPED + BELOW;
  localparam integer OWN_WIDTH = IN_WIDTH + (IN_SIGNED != 0 ? 0 : 1);
  localparam integer WHOLE_WIDTH = OWN_WIDTH > DROPPED ? OWN_WIDTH - DROPPED : 1;
  localparam integer PADDED_WIDTH = WHOLE_WIDTH + CUT;

  // KEPT bits of the result are no sign; ADDED of them come from the input, the others, of a
  // wide result, are copies of its sign.
  localparam integer KEPT = OUT_WIDTH - (OUT_SIGNED != 0 && OVERFLOW != WRAP ? 1 : 0);
  localparam integer ADDED = KEPT < WHOLE_WIDTH ? KEPT : WHOLE_WIDTH - 1;
  localparam logic [KEPT:0] TOP = {1'b0, {KEPT{1'b1}}};
  localparam logic [KEPT:0] BOTTOM = {1'b1, {KEPT{1'b0}}};

  function automatic logic goes_up(input logic half, input logic rest, input logic last,
                                   input logic negative);
    case (ROUNDING)
      TRN_ZERO: goes_up = negative & (half | rest);
      RND: goes_up = half;
      RND_ZERO: goes_up = half & (rest | negative);
      RND_INF: goes_up = half & (rest | ~negative);
      RND_MIN_INF: goes_up = half & rest;
      RND_CONV: goes_up = half & (rest | last);
      default: goes_up = 1'b0;
    endcase
  endfunction

  generate
    if (STAGES == 0) begin : g_no_register
      logic unused;
      assign unused = clk;
    end
    for (genvar lane = 0; lane < N_LANES; lane++) begin : g_lane
      logic [IN_WIDTH-1:0] value;
      logic [PADDED_WIDTH-1:0] padded;
      logic [PADDED_WIDTH-CUT-ADDED-1:0] high;
      logic negative, sign;
      assign value = in_data[lane*IN_WIDTH+:IN_WIDTH];
      assign negative = IN_SIGNED != 0 && value[IN_WIDTH-1];
      assign padded = {{PADDED_WIDTH - IN_WIDTH - BELOW{negative}}, value, {BELOW{1'b0}}};
      assign high = padded[PADDED_WIDTH-1:CUT+ADDED];
      // Where negative values become zero, nothing else about them matters.
      assign sign = !CLIPPED && negative;

      // Rounding. Bit CUT-1, the half, makes the slice one wider than the bits added to.
      logic [ADDED:0] sum;
      logic carry, above, below;
      assign sum = (padded[CUT-1+:ADDED+1] >> 1)
          + {{ADDED{1'b0}}, goes_up(padded[CUT-1], |padded[CUT-2:0], padded[CUT], sign)};
      assign carry = sum[ADDED];
      assign above = ~sign & (|high | (carry & KEPT == ADDED));
      // One step below the range, the carry leads back to its lowest value: SAT_ZERO keeps it.
      assign below = sign & ~(&high | (OVERFLOW == SAT_ZERO & carry & ~|(~high >> 1)));

      logic [KEPT:0] rounded;
      logic to_zero, to_top, to_bottom;
      for (genvar i = 0; i <= KEPT; i++) begin : g_bit
        if (i < ADDED) begin : g_sum
          assign rounded[i] = sum[i];
        end else if (i == ADDED) begin : g_carry
          assign rounded[i] = high[0] ^ carry;
        end else begin : g_sign
          assign rounded[i] = sign & ~carry;
        end
      end
      assign to_zero = (CLIPPED & negative) | (OVERFLOW == SAT_ZERO & (above | below));
      assign to_top = SATURATED & above;
      assign to_bottom = SATURATED & below;

      // Overflow.
      logic [KEPT+3:0] overflowing;
      logic [KEPT:0] bounded;
      if (STAGES > 1) begin : g_middle
        always_ff @(posedge clk) overflowing <= {to_zero, to_top, to_bottom, rounded};
      end else begin : g_middle
        assign overflowing = {to_zero, to_top, to_bottom, rounded};
      end
      assign bounded = overflowing[KEPT+3] ? '0
          : overflowing[KEPT+2] ? TOP : overflowing[KEPT+1] ? BOTTOM : overflowing[KEPT:0];

      logic [OUT_WIDTH-1:0] result;
      assign result = bounded[OUT_WIDTH-1:0] | OUT_WIDTH'(SYMMETRIC && bounded == BOTTOM);
      if (STAGES > 0) begin : g_end
        always_ff @(posedge clk) out_data[lane*OUT_WIDTH+:OUT_WIDTH] <= result;
      end else begin : g_end
        assign out_data[lane*OUT_WIDTH+:OUT_WIDTH] = result;
      end
    end
  endgenerate
endmodule
