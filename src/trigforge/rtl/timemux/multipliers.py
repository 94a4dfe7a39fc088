"""What a DSP48E2 multiplies: which operand on which port, and how two products share one.

Port A takes 27 signed bits, port B 18, and the sum has 48 (AMD UG579). Two products with one
operand in common are one product: ``(high * 2**k + low) * x = high*x * 2**k + low*x``, and
sums of such products are sums of both. The low sum is read off the low k bits as a signed
integer; where it is negative the high one is one too small, which is corrected once a sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trigforge.rtl.timemux.folding import Pairing

if TYPE_CHECKING:
    from trigforge.rtl.timemux.reductions import Reduction

PORT_A_BITS, PORT_B_BITS, SUM_BITS = 27, 18, 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Operands:
    """How the numbers of a layer lie on the ports of its multipliers."""

    pairing: Pairing
    inputs_on_a: bool
    a_bits: int
    a_signed: bool
    b_bits: int
    b_signed: bool
    field_bits: int
    """Bits of the low sum; 0 without pairs."""
    sum_bits: int
    """Bits of a sum, both of a pair among them."""
    result_bits: int
    """Signed bits of one result."""


def signed_bits(low: int, high: int) -> int:
    """Return how many bits hold all integers of a range, the sign among them."""
    return max(int(high).bit_length(), int(low + 1 if low < 0 else 0).bit_length()) + 1


def operands(reduction: Reduction, pairing: Pairing) -> Operands | None:
    """Return how a layer's numbers fit a multiplier, or None if they do not."""
    source = reduction.source
    if pairing is Pairing.CHANNELS and reduction.cells.shape[1] > 1:
        return None  # each channel reads cells of its own
    smallest, largest = (int(end) for end in (reduction.weights.min(), reduction.weights.max()))
    weight_bits = signed_bits(smallest, largest)
    input_bits = source.width + (not source.signed)
    lows, highs = reduction.ends()
    result_bits = signed_bits(int(lows.min()), int(highs.max()))
    if result_bits > SUM_BITS:
        return None
    if pairing is Pairing.NONE:
        inputs_on_a = input_bits >= weight_bits
        wide, narrow = max(input_bits, weight_bits), min(input_bits, weight_bits)
        if wide > PORT_A_BITS or narrow > PORT_B_BITS:
            return None
        field, on_a = 0, source.width if inputs_on_a else weight_bits
    else:
        inputs_on_a = pairing is Pairing.POSITIONS
        field = _field_bits(reduction, pairing, smallest, largest)
        if field < result_bits or field + result_bits > SUM_BITS:
            return None
        if (weight_bits if inputs_on_a else input_bits) > PORT_B_BITS:
            return None
        on_a = field + source.width if inputs_on_a else PORT_A_BITS
    return Operands(
        pairing=pairing,
        inputs_on_a=inputs_on_a,
        a_bits=on_a,
        a_signed=source.signed if inputs_on_a else True,
        b_bits=weight_bits if inputs_on_a else source.width,
        b_signed=True if inputs_on_a else source.signed,
        field_bits=field,
        sum_bits=field + result_bits,
        result_bits=result_bits,
    )


def _field_bits(reduction: Reduction, pairing: Pairing, smallest: int, largest: int) -> int:
    """Return how far apart two numbers lie on port A: as far as it allows."""
    if pairing is Pairing.POSITIONS:
        return PORT_A_BITS - (not reduction.source.signed) - reduction.source.width
    limit = 1 << (PORT_A_BITS - 1)
    low, high = min(smallest, 0), max(largest, 0)
    field = PORT_A_BITS
    while field and ((low << field) + low < -limit or (high << field) + high >= limit):
        field -= 1
    return field


def packed(high: int, low: int, field_bits: int) -> int:
    """Return two integers as one."""
    return (high << field_bits) + low


def low_offset(reduction: Reduction) -> np.int64:
    """Return what is added to a low input to make it unsigned: it is concatenated, not added.

    Its sign bit is inverted, which adds half the range; the bias takes it off again, times
    the sum of the weights.
    """
    source = reduction.source
    return np.int64(1 << (source.width - 1) if source.signed else 0)
