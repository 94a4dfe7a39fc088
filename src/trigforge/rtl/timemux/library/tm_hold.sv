// Takes in_data at the end of a cycle with enable high, and keeps it: latency 1.

`timescale 1 ns / 1 ps

module tm_hold #(
    parameter int WIDTH = 4
) (
    input logic clk,
    input logic enable,
    input logic [WIDTH-1:0] in_data,
    output logic [WIDTH-1:0] out_data
);
  always_ff @(posedge clk) if (enable) out_data <= in_data;
endmodule
