// A function read from a table, on each lane: entry `index` of CONTENT, entry 0 in the lowest bits.
//
//   index = clamp(trunc(x * 2**SHIFT) + OFFSET, 0, SIZE - 1), truncated towards zero
//
// (hls4ml 1.3.0, nnet_activation.h). The entries are in the format of the result. A table is a
// memory in LUTs; CONTENT may have 65536 bits, as Verilator takes no longer constants.
//
// Timing: out_data follows in_data by STAGES cycles. 1: a register at the end; 2: one after the
// index too.

`timescale 1 ns / 1 ps

module tm_table #(
    parameter int N_LANES = 1,
    parameter int IN_WIDTH = 8,
    parameter int IN_SIGNED = 1,
    parameter int SHIFT = 0,
    parameter int OFFSET = 128,
    parameter int SIZE = 256,
    parameter int OUT_WIDTH = 4,
    parameter logic [SIZE*OUT_WIDTH-1:0] CONTENT = '0,
    parameter int STAGES = 1
) (
    input logic clk,
    input logic [N_LANES*IN_WIDTH-1:0] in_data,
    output logic [N_LANES*OUT_WIDTH-1:0] out_data
);
  localparam int LEFT = SHIFT > 0 ? SHIFT : 0;
  localparam int RIGHT = SHIFT < 0 ? -SHIFT : 0;
  localparam int INDEX_WIDTH = SIZE > 1 ? $clog2(SIZE) : 1;
  // Room for x, shifted, for the offset, and for a carry.
  localparam int SUM_WIDTH = (IN_WIDTH + LEFT > 32 ? IN_WIDTH + LEFT : 32) + RIGHT + 2;

  for (genvar lane = 0; lane < N_LANES; lane++) begin : g_lane
    logic [IN_WIDTH-1:0] x;
    logic signed [SUM_WIDTH-1:0] wide, scaled, sum;
    logic [INDEX_WIDTH-1:0] index, address;
    logic [OUT_WIDTH-1:0] entry;

    assign x = in_data[lane*IN_WIDTH+:IN_WIDTH];
    if (IN_SIGNED != 0) begin : g_signed
      assign wide = SUM_WIDTH'($signed(x)) <<< LEFT;
    end else begin : g_unsigned
      assign wide = $signed(SUM_WIDTH'(x)) <<< LEFT;
    end
    // Below zero, adding all that is cut off makes the shift truncate towards zero.
    localparam logic [SUM_WIDTH-1:0] CUT_OFF = (SUM_WIDTH'(1) << RIGHT) - SUM_WIDTH'(1);
    assign scaled = (wide[SUM_WIDTH-1] ? wide + $signed(CUT_OFF) : wide) >>> RIGHT;
    assign sum = scaled + SUM_WIDTH'(OFFSET);
    always_comb begin
      if (sum < 0) index = '0;
      else if (sum > SUM_WIDTH'(SIZE - 1)) index = INDEX_WIDTH'(SIZE - 1);
      else index = sum[INDEX_WIDTH-1:0];
    end
    if (STAGES > 1) begin : g_index_register
      always_ff @(posedge clk) address <= index;
    end else begin : g_index_wire
      assign address = index;
    end
    tm_rom #(
        .WIDTH(OUT_WIDTH),
        .DEPTH(SIZE),
        .PHASE_WIDTH(INDEX_WIDTH),
        .CONTENT(CONTENT)
    ) entries (
        .phase(address),
        .out_data(entry)
    );
    always_ff @(posedge clk) out_data[lane*OUT_WIDTH+:OUT_WIDTH] <= entry;
  end
endmodule
