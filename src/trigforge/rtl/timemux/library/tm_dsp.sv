// One DSP48E2 slice: p = a * b + (Z_CASCADE: pcin) + (W_MODE: 0 nothing, 1 c, 2 first ? c : p).
// An unsigned operand needs a bit less than its port has: a 26 of 27 bits, b 17 of 18.
// Timing: p and pcout hold a * b three cycles after a and b, c and first two cycles after
// these, pcin one cycle after it.
// OPMODE by UG579: W = bits 8:7 (0, P, RND, C), Z = 6:4 (1 is PCIN), Y and X = 3:0 (0101 is M).

`timescale 1 ns / 1 ps

module tm_dsp #(
    parameter integer A_WIDTH = 27,
    parameter integer A_SIGNED = 1,
    parameter integer B_WIDTH = 18,
    parameter integer B_SIGNED = 1,
    parameter integer C_WIDTH = 48,
    parameter integer Z_CASCADE = 0,
    parameter integer W_MODE = 0
) (
    input  logic               clk,
    input  logic [A_WIDTH-1:0] a,
    input  logic [B_WIDTH-1:0] b,
    input  logic [C_WIDTH-1:0] c,
    input  logic               first,
    input  logic [       47:0] pcin,
    output logic [       47:0] p,
    output logic [       47:0] pcout
);
  /* verilator inline_module */
  localparam [1:0] W_ZERO = 2'b00, W_P = 2'b01, W_C = 2'b11;
  localparam [2:0] Z = Z_CASCADE != 0 ? 3'b001 : 3'b000;
  localparam [3:0] YX_PRODUCT = 4'b0101;
  localparam integer C_USED = W_MODE != 0 ? 1 : 0;
  localparam integer OPMODE_CHANGES = W_MODE == 2 ? 1 : 0;

  generate
    if (A_WIDTH > 26 + A_SIGNED || B_WIDTH > 17 + B_SIGNED || C_WIDTH > 48) begin : too_wide
      $error("tm_dsp: at most 27 x 18 bits, 26 x 17 unsigned, and 48 bits of c");
      initial $fatal(1, "tm_dsp: at most 27 x 18 bits, 26 x 17 unsigned, and 48 bits of c");
    end
  endgenerate

  wire sign_a = A_SIGNED != 0 && a[A_WIDTH-1];
  wire sign_b = B_SIGNED != 0 && b[B_WIDTH-1];
  wire [1:0] w = W_MODE == 0 ? W_ZERO : W_MODE == 1 || first ? W_C : W_P;

  // By UG579 a data port that is not used (D; C without W_MODE) is tied high behind a register
  // that is never enabled: least leakage. Constant controls need no register.
  DSP48E2 #(
      .AMULTSEL("A"),
      .A_INPUT("DIRECT"),
      .BMULTSEL("B"),
      .B_INPUT("DIRECT"),
      .USE_MULT("MULTIPLY"),
      .USE_SIMD("ONE48"),
      .AREG(1),
      .ACASCREG(1),
      .BREG(1),
      .BCASCREG(1),
      .CREG(1),
      .DREG(1),
      .ADREG(1),
      .MREG(1),
      .PREG(1),
      .OPMODEREG(OPMODE_CHANGES),
      .ALUMODEREG(0),
      .CARRYINREG(0),
      .CARRYINSELREG(0),
      .INMODEREG(0)
  ) slice (
      .CLK(clk),
      .A({{(30 - A_WIDTH) {sign_a}}, a}),
      .B({{(18 - B_WIDTH) {sign_b}}, b}),
      .C(C_USED != 0 ? {{(48 - C_WIDTH) {c[C_WIDTH-1]}}, c} : {48{1'b1}}),
      .D({27{1'b1}}),
      .PCIN(Z_CASCADE != 0 ? pcin : 48'd0),
      .ACIN(30'd0),
      .BCIN(18'd0),
      .CARRYCASCIN(1'b0),
      .MULTSIGNIN(1'b0),
      .OPMODE({w, Z, YX_PRODUCT}),
      .ALUMODE(4'b0000),
      .INMODE(5'b00000),
      .CARRYIN(1'b0),
      .CARRYINSEL(3'b000),
      .CEA1(1'b0),
      .CEA2(1'b1),
      .CEB1(1'b0),
      .CEB2(1'b1),
      .CEC(C_USED != 0),
      .CED(1'b0),
      .CEAD(1'b0),
      .CEM(1'b1),
      .CEP(1'b1),
      .CECTRL(OPMODE_CHANGES != 0),
      .CEALUMODE(1'b0),
      .CECARRYIN(1'b0),
      .CEINMODE(1'b0),
      .RSTA(1'b0),
      .RSTB(1'b0),
      .RSTC(1'b0),
      .RSTD(1'b0),
      .RSTM(1'b0),
      .RSTP(1'b0),
      .RSTCTRL(1'b0),
      .RSTALUMODE(1'b0),
      .RSTALLCARRYIN(1'b0),
      .RSTINMODE(1'b0),
      .P(p),
      .PCOUT(pcout)
  );

  wire unused = &{1'b0, sign_b, c, first, pcin};
endmodule
