// The sum of N_CELLS words divided by DIVISOR, truncated towards zero.
//
// The sum is exact. It is multiplied by a reciprocal rounded up, which has the quotient in
// its high bits (Granlund and Montgomery, PLDI 1994, theorem 4.2); SHIFT is the smallest for
// which that is exact for every sum. Below zero this gives one less than the truncated
// quotient, so one is added there; for a power of two, a mere shift, all that is below the
// point is added. The product is a sum of shifted words, one a nonzero digit of the
// reciprocal in canonical signed form; -x is ~x + 1, and these ones make one constant.
//
// Latency: ceil(ceil(log2(N_CELLS)) / LEVELS) cycles of the sum, a register after every
// LEVELS levels of adders and after the last, and one of the quotient.

`timescale 1 ns / 1 ps

module tm_average #(
    parameter int N_CELLS = 4,
    parameter int WIDTH = 4,
    parameter bit IS_SIGNED = 1,
    parameter int DIVISOR = 4,
    parameter int LEVELS = 3,
    parameter int OUT_WIDTH = WIDTH + $clog2(N_CELLS)
) (
    input logic clk,
    input logic [N_CELLS*WIDTH-1:0] in_data,
    output logic [OUT_WIDTH-1:0] out_data
);
  // One bit more for a sign where the cells have none.
  localparam int CELL_WIDTH = WIDTH + 32'(!IS_SIGNED);
  localparam int SUM_WIDTH = OUT_WIDTH + 32'(!IS_SIGNED);
  localparam logic [127:0] BOUND = 128'(N_CELLS) << (WIDTH - 32'(IS_SIGNED));  // of |sum|

  function automatic logic [127:0] reciprocal_of(input int shift);
    reciprocal_of = ((128'd1 << shift) + 128'(DIVISOR) - 128'd1) / 128'(DIVISOR);
  endfunction

  function automatic logic [127:0] excess_of(input int shift);
    excess_of = reciprocal_of(shift) * 128'(DIVISOR) - (128'd1 << shift);
  endfunction

  function automatic int smallest_shift(input int start);
    smallest_shift = start;
    while (excess_of(smallest_shift) * BOUND > (128'd1 << smallest_shift))
      smallest_shift = smallest_shift + 1;
  endfunction

  // Where the digits that are `sign` are: 1 the positive ones, 0 the negative ones.
  function automatic logic [127:0] digits_of(input logic [127:0] number, input bit sign);
    logic [127:0] rest;
    rest = number;
    digits_of = '0;
    for (int i = 0; i < 127; i++) begin
      if (rest[0]) begin
        digits_of[i] = rest[1] != sign;
        rest = rest[1] ? rest + 128'd1 : rest - 128'd1;
      end
      rest = rest >> 1;
    end
  endfunction

  function automatic int count_of(input logic [127:0] digits);
    count_of = 0;
    for (int i = 0; i < 128; i++) count_of = count_of + 32'(digits[i]);
  endfunction

  function automatic int position_of(input logic [127:0] digits, input int number);
    int passed;
    passed = 0;
    position_of = 0;
    for (int i = 0; i < 128; i++) begin
      if (digits[i]) begin
        if (passed == number) position_of = i;
        passed = passed + 1;
      end
    end
  endfunction

  localparam int SHIFT = smallest_shift(0);
  localparam bit IS_POWER = excess_of(SHIFT) == 0;
  localparam logic [127:0] PLUS = digits_of(reciprocal_of(SHIFT), 1'b1);
  localparam logic [127:0] MINUS = digits_of(reciprocal_of(SHIFT), 1'b0);
  localparam int N_DIGITS = count_of(PLUS | MINUS);
  localparam int PRODUCT_WIDTH = SHIFT + OUT_WIDTH;

  logic [N_CELLS*CELL_WIDTH-1:0] cells;
  logic [SUM_WIDTH-1:0] sum;
  logic [(N_DIGITS+1)*PRODUCT_WIDTH-1:0] terms;
  logic [PRODUCT_WIDTH-1:0] product;

  for (genvar i = 0; i < N_CELLS; i++) begin : g_cell
    if (IS_SIGNED) begin : g_signed
      assign cells[i*CELL_WIDTH+:CELL_WIDTH] = in_data[i*WIDTH+:WIDTH];
    end else begin : g_unsigned
      assign cells[i*CELL_WIDTH+:CELL_WIDTH] = {1'b0, in_data[i*WIDTH+:WIDTH]};
    end
  end
  tm_tree #(
      .N(N_CELLS),
      .IN_WIDTH(CELL_WIDTH),
      .OUT_WIDTH(SUM_WIDTH),
      .LEVELS(LEVELS)
  ) sum_tree (
      .clk(clk),
      .in_data(cells),
      .out_data(sum)
  );

  for (genvar k = 0; k < N_DIGITS; k++) begin : g_digit
    localparam int AT = position_of(PLUS | MINUS, k);
    logic [PRODUCT_WIDTH-1:0] word;
    assign word = PRODUCT_WIDTH'($signed(MINUS[AT] ? ~sum : sum));
    assign terms[k*PRODUCT_WIDTH+:PRODUCT_WIDTH] = word << AT;
  end
  logic is_negative;
  logic [PRODUCT_WIDTH-1:0] correction;
  assign is_negative = IS_SIGNED && sum[SUM_WIDTH-1];
  if (IS_POWER) begin : g_below_point
    assign correction = (PRODUCT_WIDTH'(is_negative) << SHIFT) - PRODUCT_WIDTH'(is_negative);
  end else begin : g_one
    assign correction = (PRODUCT_WIDTH'(is_negative) << SHIFT) | PRODUCT_WIDTH'(MINUS);
  end
  assign terms[N_DIGITS*PRODUCT_WIDTH+:PRODUCT_WIDTH] = correction;
  tm_tree #(
      .N(N_DIGITS + 1),
      .IN_WIDTH(PRODUCT_WIDTH),
      .OUT_WIDTH(PRODUCT_WIDTH),
      .LEVELS($clog2(N_DIGITS + 1))
  ) quotient_tree (
      .clk(clk),
      .in_data(terms),
      .out_data(product)
  );
  assign out_data = product[SHIFT+:OUT_WIDTH];

  logic unused;
  assign unused = &{1'b0, product, sum};
endmodule
