// The sum of N signed words by a balanced tree of adders.
//   SPLIT = 0: out_data is the sum, OUT_WIDTH bits
//   SPLIT = k: the sum is two packed fields, high * 2**k + low with low signed k bits;
//              out_data is {high, low}, OUT_WIDTH bits each: low = signed sum[k-1:0] and
//              high = (sum >>> k) + sum[k-1], which gives back what a negative low borrowed
// Results are taken modulo 2**OUT_WIDTH. The correction of high is one more level of adders.
// Timing: with n = ceil(log2(N)) + (SPLIT > 0) levels and a register after every LEVELS of
// them and at the end, latency = ceil(n / LEVELS) cycles: 0 for one word that is not split.

`timescale 1 ns / 1 ps

module tm_tree #(
    parameter integer N = 2,
    parameter integer IN_WIDTH = 8,
    parameter integer OUT_WIDTH = 9,
    parameter integer SPLIT = 0,
    parameter integer LEVELS = 3
) (
    input  logic                                               clk,
    input  logic [                             N*IN_WIDTH-1:0] in_data,
    output logic [(SPLIT > 0 ? 2 * OUT_WIDTH : OUT_WIDTH)-1:0] out_data
);
  localparam integer DEPTH = $clog2(N);
  localparam integer N_LEVELS = DEPTH + (SPLIT > 0 ? 1 : 0);
  // No word needs more bits than are looked at in the end.
  localparam integer WIDEST = SPLIT + OUT_WIDTH;
  localparam integer SUM_WIDTH = IN_WIDTH + DEPTH < WIDEST ? IN_WIDTH + DEPTH : WIDEST;

  generate
    for (genvar l = 0; l <= DEPTH; l = l + 1) begin : level
      localparam integer COUNT = (N + (1 << l) - 1) >> l;
      localparam integer WIDTH = IN_WIDTH + l < WIDEST ? IN_WIDTH + l : WIDEST;
      logic [COUNT*WIDTH-1:0] sums, words;

      for (genvar i = 0; i < COUNT; i = i + 1) begin : word
        if (l == 0) begin : leaf
          assign sums[i*WIDTH+:WIDTH] = in_data[i*IN_WIDTH+:WIDTH];
        end else begin : adder
          localparam integer BELOW = IN_WIDTH + l - 1 < WIDEST ? IN_WIDTH + l - 1 : WIDEST;
          localparam integer COUNT_BELOW = (N + (1 << (l - 1)) - 1) >> (l - 1);
          wire [BELOW-1:0] left = level[l-1].words[2*i*BELOW+:BELOW];
          wire [WIDTH-1:0] wide_left = {{(WIDTH - BELOW) {left[BELOW-1]}}, left};
          if (2 * i + 1 < COUNT_BELOW) begin : pair
            wire [BELOW-1:0] right = level[l-1].words[(2*i+1)*BELOW+:BELOW];
            wire [WIDTH-1:0] wide_right = {{(WIDTH - BELOW) {right[BELOW-1]}}, right};
`ifdef YOSYS  // else it makes compressors of adders in a row: 40 % more LUTs
            (* keep *)
`endif
            wire [WIDTH-1:0] total = wide_left + wide_right;
            assign sums[i*WIDTH+:WIDTH] = total;
          end else begin : single
            assign sums[i*WIDTH+:WIDTH] = wide_left;
          end
        end
      end

      if (l > 0 && (l % LEVELS == 0 || l == N_LEVELS)) begin : stage
        always_ff @(posedge clk) words <= sums;
      end else begin : wires
        assign words = sums;
      end
    end

    wire [SUM_WIDTH-1:0] sum = level[DEPTH].words;
    wire [WIDEST-1:0] wide_sum = {{(WIDEST - SUM_WIDTH) {sum[SUM_WIDTH-1]}}, sum};
    if (SPLIT > 0) begin : fields
      wire [WIDEST-1:0] wide_low = {{OUT_WIDTH{wide_sum[SPLIT-1]}}, wide_sum[SPLIT-1:0]};
      wire [OUT_WIDTH-1:0] high = wide_sum[WIDEST-1:SPLIT] + OUT_WIDTH'(wide_sum[SPLIT-1]);
      always_ff @(posedge clk) out_data <= {high, wide_low[OUT_WIDTH-1:0]};
      wire unused = &{1'b0, wide_low};
    end else begin : whole
      assign out_data = wide_sum;
    end
  endgenerate

  wire unused = &{1'b0, clk, in_data};
endmodule
