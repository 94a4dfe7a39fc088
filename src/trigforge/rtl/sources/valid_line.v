// Delays the valid flag by as many cycles as the data takes; a reset clears it everywhere.

`timescale 1 ns / 1 ps

module valid_line #(
    parameter N_CYCLES = 1
) (
    input  wire clk,
    input  wire rst,
    input  wire in_valid,
    output wire out_valid
);
    reg [N_CYCLES-1:0] flags = {N_CYCLES{1'b0}};

    assign out_valid = flags[N_CYCLES-1];

    generate
        if (N_CYCLES == 1) begin : one_cycle
            always @(posedge clk) flags <= !rst && in_valid;
        end else begin : many_cycles
            always @(posedge clk) begin
                if (rst) flags <= {N_CYCLES{1'b0}};
                else flags <= {flags[N_CYCLES-2:0], in_valid};
            end
        end
    endgenerate
endmodule
