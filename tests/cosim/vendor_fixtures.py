"""Verilog as Vitis HLS writes it for an hls4ml project: ports before directions, ap_ names."""

from __future__ import annotations

PACKED = """
// Generated in the style of Vitis HLS: ap_ctrl_none, packed input, a new event every cycle
`timescale 1 ns / 1 ps
(* CORE_GENERATION_INFO="net_net,hls_ip" *)
module net (
        ap_clk,
        ap_rst,
        x_ap_vld,
        x,
        layer2_out_0,
        layer2_out_0_ap_vld,
        layer2_out_1,
        layer2_out_1_ap_vld
);
input   ap_clk;
input   ap_rst;
input   x_ap_vld;
input  [20:0] x;
output  [10:0] layer2_out_0;
output   layer2_out_0_ap_vld;
output  [10:0] layer2_out_1;
output   layer2_out_1_ap_vld;

wire signed [6:0] x0 = x[6:0];
wire signed [6:0] x1 = x[13:7];
wire signed [6:0] x2 = x[20:14];
reg signed [10:0] y0, y0_late, y1, y1_late;
reg [1:0] enabled;
always @ (posedge ap_clk) begin
    y0 <= 11'sd5 * x0 - x1;
    y1 <= x1 + 11'sd7 * x2 - 11'sd3;
    y1_late <= y1;
    enabled <= ap_rst ? 2'd0 : {enabled[0], x_ap_vld};
end
assign layer2_out_0 = y0;
assign layer2_out_0_ap_vld = enabled[0];
assign layer2_out_1 = y1_late;
assign layer2_out_1_ap_vld = enabled[1];
endmodule
"""
"""The first output is valid a cycle before the second one."""

STARTED = """
module net (
        ap_clk,
        ap_rst,
        ap_start,
        ap_done,
        ap_idle,
        ap_ready,
        x_0, x_1, x_2,
        layer2_out_0, layer2_out_0_ap_vld,
        layer2_out_1, layer2_out_1_ap_vld
);
input   ap_clk;
input   ap_rst;
input   ap_start;
output   ap_done;
output   ap_idle;
output   ap_ready;
input  signed [6:0] x_0;
input  signed [6:0] x_1;
input  signed [6:0] x_2;
output  [10:0] layer2_out_0;
output   layer2_out_0_ap_vld;
output  [10:0] layer2_out_1;
output   layer2_out_1_ap_vld;

// two states an event: the second one reads x_2 and x_1 again
reg second, done;
reg signed [10:0] y0, y1;
reg [7:0] table_of_ones [0:0];
initial $readmemh("./net_ones.dat", table_of_ones);
assign ap_ready = second;
assign ap_done = done;
assign ap_idle = ~ap_start & ~second;
always @ (posedge ap_clk) begin
    second <= ~ap_rst & ap_start & ~second;
    done <= ~ap_rst & second;
    if (~second) y0 <= 11'sd5 * x_0 - x_1;
    if (second) y1 <= x_1 + 11'sd7 * x_2 - 11'sd4 + $signed({3'd0, table_of_ones[0]});
end
assign layer2_out_0 = y0_kept;
assign layer2_out_1 = y1;
reg signed [10:0] y0_kept;
always @ (posedge ap_clk) y0_kept <= y0;
assign layer2_out_0_ap_vld = done;
assign layer2_out_1_ap_vld = done;
endmodule
"""
"""An event every two cycles, one port an element, started by its event."""

STREAM = """
module net (ap_clk, ap_rst_n, x_TDATA, x_TVALID, x_TREADY, layer2_out_TDATA);
input ap_clk;
input ap_rst_n;
input [23:0] x_TDATA;
input x_TVALID;
output x_TREADY;
output [31:0] layer2_out_TDATA;
endmodule
"""
