// The maximum of N_CELLS words; with ACCUMULATE the running maximum over successive cycles.
//
// A balanced tree of two-way maxima with a register after every LEVELS levels and after the
// last. With ACCUMULATE the comparison with what came before is one more level, the last:
// where `first` is high with in_data, the running maximum starts anew. `first` belongs to the
// cycle of its in_data and is delayed here.
//
// Levels: n = ceil(log2(N_CELLS)) + ACCUMULATE. Latency: max(1, ceil(n / LEVELS)) cycles.

`timescale 1 ns / 1 ps

module tm_maximum #(
    parameter int N_CELLS = 4,
    parameter int WIDTH = 4,
    parameter bit IS_SIGNED = 1,
    parameter bit ACCUMULATE = 0,
    parameter int LEVELS = 2
) (
    input logic clk,
    input logic first,
    input logic [N_CELLS*WIDTH-1:0] in_data,
    output logic [WIDTH-1:0] out_data
);
  localparam int TREE = $clog2(N_CELLS);
  localparam int LAST = TREE + 32'(ACCUMULATE);
  localparam int N_STAGES = LAST == 0 ? 1 : (LAST + LEVELS - 1) / LEVELS;

  function automatic logic [WIDTH-1:0] larger(input logic [WIDTH-1:0] a, input logic [WIDTH-1:0] b);
    if (IS_SIGNED) larger = $signed(a) > $signed(b) ? a : b;
    else larger = a > b ? a : b;
  endfunction

  for (genvar level = 0; level <= TREE; level++) begin : g_level
    localparam int N = (N_CELLS + (1 << level) - 1) >> level;
    logic [N*WIDTH-1:0] chosen, words;
    if (level == 0) begin : g_cells
      assign chosen = in_data;
    end else begin : g_halved
      localparam int N_BELOW = (N_CELLS + (1 << (level - 1)) - 1) >> (level - 1);
      for (genvar i = 0; i < N; i++) begin : g_word
        if (2 * i + 1 < N_BELOW) begin : g_pair
          assign chosen[i*WIDTH+:WIDTH] = larger(
              g_level[level-1].words[2*i*WIDTH+:WIDTH],
              g_level[level-1].words[(2*i+1)*WIDTH+:WIDTH]
          );
        end else begin : g_single
          assign chosen[i*WIDTH+:WIDTH] = g_level[level-1].words[2*i*WIDTH+:WIDTH];
        end
      end
    end
    if (level == LAST || (level > 0 && level % LEVELS == 0)) begin : g_register
      always_ff @(posedge clk) words <= chosen;
    end else begin : g_wire
      assign words = chosen;
    end
  end

  if (ACCUMULATE) begin : g_running
    logic starts;
    if (N_STAGES == 1) begin : g_now
      assign starts = first;
    end else begin : g_later
      logic [N_STAGES-2:0] taps;
      tm_delay #(
          .WIDTH(1),
          .N_CYCLES(N_STAGES - 1)
      ) delay (
          .clk(clk),
          .in_data(first),
          .taps(taps)
      );
      assign starts = taps[N_STAGES-2];
    end
    always_ff @(posedge clk) begin
      out_data <= starts ? g_level[TREE].words : larger(g_level[TREE].words, out_data);
    end
  end else begin : g_tree
    assign out_data = g_level[TREE].words;
    logic unused;
    assign unused = first;
  end
endmodule
