`ifndef SYNTHESIS
// Simulation model of AMD's DSP48E2 slice: 27 x 18 multiplier, 48-bit four-operand adder.
// Names are the primitive's; synthesis, which defines SYNTHESIS, takes its own.
// Sources: UG579, tables of the OPMODE, ALUMODE and CARRYINSEL bits; UG974, defaults.
//
// Modelled: P = Z + W + X + Y + CARRYIN (ALUMODE 0000) and Z - (W + X + Y + CARRYIN) (0011)
//   W = 0, P, RND, C    Z = 0, PCIN, P, C, PCIN >>> 17, P >>> 17
//   Y = 0, M, ones, C   X = 0, M, P, A:B   (X and Y are both M, whose sum is the product)
// with all registers on these paths, their enables and resets. Registers start at 0.
// Anything else ends the simulation: other attributes when it begins, other modes at the
// rising edge that would use them. Ports and attributes that are missing here (cascades of A
// and B out, pattern detector, carry outputs, inverted pins) are an error where they are used.

`timescale 1 ns / 1 ps

module DSP48E2 #(
    parameter integer ACASCREG = 1,
    parameter integer ADREG = 1,
    parameter integer ALUMODEREG = 1,
    parameter AMULTSEL = "A",
    parameter integer AREG = 1,
    parameter A_INPUT = "DIRECT",
    parameter integer BCASCREG = 1,
    parameter BMULTSEL = "B",
    parameter integer BREG = 1,
    parameter B_INPUT = "DIRECT",
    parameter integer CARRYINREG = 1,
    parameter integer CARRYINSELREG = 1,
    parameter integer CREG = 1,
    parameter integer DREG = 1,
    parameter integer INMODEREG = 1,
    parameter integer MREG = 1,
    parameter integer OPMODEREG = 1,
    parameter integer PREG = 1,
    parameter [47:0] RND = 48'd0,
    parameter USE_MULT = "MULTIPLY",
    parameter USE_PATTERN_DETECT = "NO_PATDET",
    parameter USE_SIMD = "ONE48",
    parameter USE_WIDEXOR = "FALSE"
) (
    input  logic        CLK,
    input  logic [29:0] A,
    input  logic [29:0] ACIN,
    input  logic [ 3:0] ALUMODE,
    input  logic [17:0] B,
    input  logic [17:0] BCIN,
    input  logic [47:0] C,
    input  logic        CARRYCASCIN,
    input  logic        CARRYIN,
    input  logic [ 2:0] CARRYINSEL,
    input  logic        CEA1,
    input  logic        CEA2,
    input  logic        CEAD,
    input  logic        CEALUMODE,
    input  logic        CEB1,
    input  logic        CEB2,
    input  logic        CEC,
    input  logic        CECARRYIN,
    input  logic        CECTRL,
    input  logic        CED,
    input  logic        CEINMODE,
    input  logic        CEM,
    input  logic        CEP,
    input  logic [26:0] D,
    input  logic [ 4:0] INMODE,
    input  logic        MULTSIGNIN,
    input  logic [ 8:0] OPMODE,
    input  logic [47:0] PCIN,
    input  logic        RSTA,
    input  logic        RSTALLCARRYIN,
    input  logic        RSTALUMODE,
    input  logic        RSTB,
    input  logic        RSTC,
    input  logic        RSTCTRL,
    input  logic        RSTD,
    input  logic        RSTINMODE,
    input  logic        RSTM,
    input  logic        RSTP,
    output logic [47:0] P,
    output logic [47:0] PCOUT
);
  // Inlined, the constants at its pins leave of an instance the few operations it is used for.
  /* verilator inline_module */

  logic [29:0] a;
  logic [17:0] b;
  logic [47:0] c;
  logic signed [44:0] product, m;
  logic [8:0] opmode;
  logic [3:0] alumode;
  logic carry;
  logic [47:0] w, xy, z, sum, fed_back;

  generate
    if (AREG == 0) begin : wires_a
      assign a = A;
    end else begin : registers_a
      logic [29:0] given, last;
      initial last = '0;
      always_ff @(posedge CLK) if (RSTA) last <= '0; else if (CEA2) last <= given;
      assign a = last;
      if (AREG == 1) begin : one
        assign given = A;
      end else begin : two
        logic [29:0] early;
        initial early = '0;
        always_ff @(posedge CLK) if (RSTA) early <= '0; else if (CEA1) early <= A;
        assign given = early;
      end
    end

    if (BREG == 0) begin : wires_b
      assign b = B;
    end else begin : registers_b
      logic [17:0] given, last;
      initial last = '0;
      always_ff @(posedge CLK) if (RSTB) last <= '0; else if (CEB2) last <= given;
      assign b = last;
      if (BREG == 1) begin : one
        assign given = B;
      end else begin : two
        logic [17:0] early;
        initial early = '0;
        always_ff @(posedge CLK) if (RSTB) early <= '0; else if (CEB1) early <= B;
        assign given = early;
      end
    end

    if (CREG == 0) begin : wires_c
      assign c = C;
    end else begin : register_c
      logic [47:0] last;
      initial last = '0;
      always_ff @(posedge CLK) if (RSTC) last <= '0; else if (CEC) last <= C;
      assign c = last;
    end

    if (MREG == 0) begin : wires_m
      assign m = product;
    end else begin : register_m
      logic signed [44:0] last;
      initial last = '0;
      always_ff @(posedge CLK) if (RSTM) last <= '0; else if (CEM) last <= product;
      assign m = last;
    end

    if (OPMODEREG == 0) begin : wires_opmode
      assign opmode = OPMODE;
    end else begin : register_opmode
      logic [8:0] last;
      initial last = '0;
      always_ff @(posedge CLK) if (RSTCTRL) last <= '0; else if (CECTRL) last <= OPMODE;
      assign opmode = last;
    end

    if (ALUMODEREG == 0) begin : wires_alumode
      assign alumode = ALUMODE;
    end else begin : register_alumode
      logic [3:0] last;
      initial last = '0;
      always_ff @(posedge CLK) if (RSTALUMODE) last <= '0; else if (CEALUMODE) last <= ALUMODE;
      assign alumode = last;
    end

    if (CARRYINREG == 0) begin : wires_carry
      assign carry = CARRYIN;
    end else begin : register_carry
      logic last;
      initial last = '0;
      always_ff @(posedge CLK) if (RSTALLCARRYIN) last <= '0; else if (CECARRYIN) last <= CARRYIN;
      assign carry = last;
    end

    if (PREG == 0) begin : wires_p
      assign P = sum;
      assign fed_back = '0;
    end else begin : register_p
      logic [47:0] last;
      initial last = '0;
      always_ff @(posedge CLK) if (RSTP) last <= '0; else if (CEP) last <= sum;
      assign P = last;
      assign fed_back = last;
    end
  endgenerate

  assign product = $signed(a[26:0]) * $signed(b);
  assign PCOUT = P;

  always_comb begin
    case (opmode[8:7])
      2'b00: w = '0;
      2'b01: w = fed_back;
      2'b10: w = RND;
      2'b11: w = c;
    endcase
    case (opmode[1:0])
      2'b00: xy = '0;
      2'b01: xy = 48'(m);
      2'b10: xy = fed_back;
      2'b11: xy = {a, b};
    endcase
    case (opmode[3:2])
      2'b10: xy = xy - 48'd1;
      2'b11: xy = xy + c;
      default: ;
    endcase
    case (opmode[6:4])
      3'b001: z = PCIN;
      3'b010: z = fed_back;
      3'b011: z = c;
      3'b101: z = $signed(PCIN) >>> 17;
      3'b110: z = $signed(fed_back) >>> 17;
      default: z = '0;
    endcase
    sum = alumode[0] ? z - (w + xy + 48'(carry)) : z + w + xy + 48'(carry);
  end

  // P fed back needs its register; one multiplexer alone cannot choose M.
  wire uses_p = opmode[8:7] == 2'b01 || opmode[1:0] == 2'b10 || opmode[5:4] == 2'b10;
  wire uses_m = opmode[1:0] == 2'b01;
  wire known = (PREG == 1 || !uses_p) && (USE_MULT != "NONE" || !uses_m)
      && uses_m == (opmode[3:2] == 2'b01) && opmode[6:4] != 3'b100 && opmode[6:4] != 3'b111
      && (alumode == 4'b0000 || alumode == 4'b0011) && CARRYINSEL == '0 && INMODE == '0;

  always_ff @(posedge CLK)
    if (!known)
      $fatal(1, "%m: not modelled: OPMODE %b, ALUMODE %b, CARRYINSEL %b, INMODE %b (PREG %0d)",
             opmode, alumode, CARRYINSEL, INMODE, PREG);

  initial begin
    if (AMULTSEL != "A" || A_INPUT != "DIRECT") $fatal(1, "%m: AMULTSEL A, A_INPUT DIRECT only");
    if (BMULTSEL != "B" || B_INPUT != "DIRECT") $fatal(1, "%m: BMULTSEL B, B_INPUT DIRECT only");
    if (USE_MULT != "MULTIPLY" && USE_MULT != "DYNAMIC" && USE_MULT != "NONE")
      $fatal(1, "%m: USE_MULT MULTIPLY, DYNAMIC or NONE only");
    if (USE_SIMD != "ONE48" || USE_WIDEXOR != "FALSE" || USE_PATTERN_DETECT != "NO_PATDET")
      $fatal(1, "%m: USE_SIMD ONE48, USE_WIDEXOR FALSE, USE_PATTERN_DETECT NO_PATDET only");
    if (AREG < 0 || AREG > 2 || BREG < 0 || BREG > 2) $fatal(1, "%m: AREG, BREG 0 to 2 only");
    if (ACASCREG != AREG && !(ACASCREG == 1 && AREG == 2)) $fatal(1, "%m: wrong ACASCREG");
    if (BCASCREG != BREG && !(BCASCREG == 1 && BREG == 2)) $fatal(1, "%m: wrong BCASCREG");
    if ((ADREG | ALUMODEREG | CARRYINREG | CARRYINSELREG | CREG | DREG | INMODEREG | MREG
         | OPMODEREG | PREG) >> 1 != 0) $fatal(1, "%m: other registers 0 or 1 only");
  end

  // Without pre-adder and cascades of A and B nothing depends on these, nor on some enables.
  wire unused = &{1'b0, ACIN, BCIN, CARRYCASCIN, MULTSIGNIN, D, CEAD, CED, CEINMODE, RSTD,
                  RSTINMODE, CEA1, CEA2, CEB1, CEB2, CEC, CECARRYIN, CECTRL, CEALUMODE, CEM, CEP,
                  RSTA, RSTB, RSTC, RSTCTRL, RSTALUMODE, RSTALLCARRYIN, RSTM, RSTP};
endmodule
`endif
