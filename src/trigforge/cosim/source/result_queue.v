// Keeps results until those of the other outputs are there; adds no cycle to the last one.
// 16 deep: a result too many is lost, and the bench misses it. For simulation only.
module result_queue #(
  parameter WIDTH = 1
) (
  input clk,
  input rst,
  input in_valid,
  input [WIDTH-1:0] in_data,
  input take,
  output out_valid,
  output [WIDTH-1:0] out_data
);
  reg [WIDTH-1:0] kept [0:15];
  reg [3:0] first, next;
  wire empty = first == next;
  assign out_valid = in_valid | ~empty;
  assign out_data = empty ? in_data : kept[first];
  always @(posedge clk) begin
    if (rst) begin
      first <= 0;
      next <= 0;
    end else begin
      if (in_valid) begin
        kept[next] <= in_data;
        next <= next + 1;
      end
      if (take) first <= first + 1;
    end
  end
endmodule
