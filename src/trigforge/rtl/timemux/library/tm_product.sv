// Multiplies two integers exactly, in logic: no DSP.
//
// The factor is read as digits -2..2 of base 4 (Booth 1951 in MacSorley's form, Proc. IRE 49,
// 1961): half as many rows as bits, one LUT a bit each, and of a constant factor only the
// digits other than zero cost anything. GROUP rows are added one after the other, then the
// groups, so that wide factors do not become one long chain.
//
// Timing: combinational.

`timescale 1 ns / 1 ps

module tm_product #(
    parameter integer X_WIDTH = 8,
    parameter integer X_SIGNED = 1,
    parameter integer FACTOR_WIDTH = 6,
    parameter integer FACTOR_SIGNED = 1
) (
    input  logic [             X_WIDTH-1:0] x,
    input  logic [        FACTOR_WIDTH-1:0] factor,
    output logic [X_WIDTH+FACTOR_WIDTH-1:0] product
);
  localparam integer GROUP = 4;
  localparam integer DIGITS = (FACTOR_WIDTH + (FACTOR_SIGNED != 0 ? 1 : 2)) / 2;
  localparam integer GROUPS = (DIGITS + GROUP - 1) / GROUP;
  localparam integer OWN = X_WIDTH + (X_SIGNED != 0 ? 0 : 1);
  localparam integer SUM = OWN + 2;
  localparam integer FULL = OWN + 2 * DIGITS;

  logic [SUM-1:0] once, twice;
  logic [2*DIGITS:0] bits;
  assign once = {{SUM - X_WIDTH{X_SIGNED != 0 && x[X_WIDTH-1]}}, x};
  assign twice = once << 1;
  assign bits = {
    {2 * DIGITS - FACTOR_WIDTH{FACTOR_SIGNED != 0 && factor[FACTOR_WIDTH-1]}}, factor, 1'b0
  };

  // After each digit two bits of the sum are final.
  logic [DIGITS*OWN-1:0] higher;
  logic [2*DIGITS-1:0] final_bits;
  logic [GROUPS*FULL-1:0] totals;
  generate
    for (genvar j = 0; j < DIGITS; j++) begin : g_digit
      // Digit j is bits[2j+1] + bits[2j] - 2 bits[2j+2]; what is minus is inverted, plus one.
      logic is_one, is_two, minus;
      logic [SUM-1:0] row, carried, sum;
      assign is_one = bits[2*j] ^ bits[2*j+1];
      assign is_two = ~is_one & (bits[2*j+1] ^ bits[2*j+2]);
      assign minus = bits[2*j+2] & ~(bits[2*j+1] & bits[2*j]);
      assign row = {SUM{minus}} ^ (({SUM{is_one}} & once) | ({SUM{is_two}} & twice));
      if (j % GROUP == 0) begin : g_first
        assign carried = '0;
      end else begin : g_next
        assign carried = {{2{higher[j*OWN-1]}}, higher[(j-1)*OWN+:OWN]};
      end
      assign sum = SUM'(({carried, 1'b1} + {row, minus}) >> 1);
      assign higher[j*OWN+:OWN] = sum[SUM-1:2];
      assign final_bits[2*j+:2] = sum[1:0];
    end
    for (genvar k = 0; k < GROUPS; k++) begin : g_group
      localparam integer FIRST = GROUP * k;
      localparam integer COUNT = DIGITS - FIRST < GROUP ? DIGITS - FIRST : GROUP;
      localparam integer END = FIRST + COUNT;
      logic [FULL-1:2*FIRST] part;
      assign part = {
        {FULL - OWN - 2 * END{higher[END*OWN-1]}},
        higher[(END-1)*OWN+:OWN],
        final_bits[2*END-1:2*FIRST]
      };
      if (k == 0) begin : g_start
        assign totals[0+:FULL] = part;
      end else begin : g_add
        assign totals[k*FULL+:FULL] = {
          totals[k*FULL-1-:FULL-2*FIRST] + part, totals[(k-1)*FULL+:2*FIRST]
        };
      end
    end
  endgenerate
  assign product = (X_WIDTH + FACTOR_WIDTH)'(totals[(GROUPS-1)*FULL+:FULL]);
endmodule
