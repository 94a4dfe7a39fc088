// The choice of a phase: out_data is word `phase` of in_data; combinational.
//
// A tree of two-way selections, of which the lowest phase bits come first. A phase without a
// choice (phase >= N_CHOICES) gives some choice: where one half of a pair is missing, there is
// nothing to select. PHASE_WIDTH holds N_CHOICES-1; what it has above that is ignored.

`timescale 1 ns / 1 ps

module tm_select #(
    parameter int WIDTH = 4,
    parameter int N_CHOICES = 4,
    parameter int PHASE_WIDTH = 2
) (
    input logic [PHASE_WIDTH-1:0] phase,
    input logic [N_CHOICES*WIDTH-1:0] in_data,
    output logic [WIDTH-1:0] out_data
);
  localparam int N_LEVELS = $clog2(N_CHOICES);

  for (genvar level = 0; level <= N_LEVELS; level++) begin : g_level
    localparam int N = (N_CHOICES + (1 << level) - 1) >> level;
    logic [N*WIDTH-1:0] words;
    if (level == 0) begin : g_choices
      assign words = in_data;
    end else begin : g_halved
      localparam int N_BELOW = (N_CHOICES + (1 << (level - 1)) - 1) >> (level - 1);
      for (genvar i = 0; i < N; i++) begin : g_word
        if (2 * i + 1 < N_BELOW) begin : g_pair
          assign words[i*WIDTH+:WIDTH] = phase[level-1]
              ? g_level[level-1].words[(2*i+1)*WIDTH+:WIDTH]
              : g_level[level-1].words[2*i*WIDTH+:WIDTH];
        end else begin : g_single
          assign words[i*WIDTH+:WIDTH] = g_level[level-1].words[2*i*WIDTH+:WIDTH];
        end
      end
    end
  end
  assign out_data = g_level[N_LEVELS].words;

  logic unused;
  assign unused = &{1'b0, phase};
endmodule
