// The time base of a pipeline: when an event is where, and how long it has been there.
//
// valid[t] is in_valid t cycles ago; a synchronous reset clears all of it. phase[t], the bits
// t*PHASE_WIDTH and up, counts the cycles since valid[t] was high: 0 in that very cycle, then
// up to INTERVAL-1, where it stays until the next event. phase[0] is 0. One counter makes
// phase[1]; the others are delays of it, so a phase travels with its event, and a reset
// need not touch it. DEPTH >= 1; PHASE_WIDTH holds INTERVAL-1.

`timescale 1 ns / 1 ps

module tm_control #(
    parameter int INTERVAL = 4,
    parameter int DEPTH = 3,
    parameter int PHASE_WIDTH = 2
) (
    input logic clk,
    input logic rst,
    input logic in_valid,
    output logic [DEPTH:0] valid,
    output logic [(DEPTH+1)*PHASE_WIDTH-1:0] phase
);
  logic [DEPTH:1] line;
  initial line = '0;
  always_ff @(posedge clk) line <= rst ? '0 : valid[DEPTH-1:0];
  assign valid = {line, in_valid};

  if (INTERVAL == 1) begin : g_constant
    assign phase = '0;
  end else begin : g_counter
    localparam logic [PHASE_WIDTH-1:0] LAST = PHASE_WIDTH'(INTERVAL - 1);
    logic [PHASE_WIDTH-1:0] count;
    always_ff @(posedge clk) begin
      if (in_valid) count <= '0;
      else if (count != LAST) count <= count + 1'b1;
    end
    assign phase[0+:2*PHASE_WIDTH] = {count, PHASE_WIDTH'(0)};

    if (DEPTH > 1) begin : g_delayed
      tm_delay #(
          .WIDTH(PHASE_WIDTH),
          .N_CYCLES(DEPTH - 1)
      ) delay (
          .clk(clk),
          .in_data(count),
          .taps(phase[2*PHASE_WIDTH+:(DEPTH-1)*PHASE_WIDTH])
      );
    end
  end
endmodule
