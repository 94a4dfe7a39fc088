"""Raw integers as symbols: what ``ap_fixed`` does to a number, replayed on alkaid's variables.

A ``Symbol`` is alkaid's ``FVariable`` that stands for the raw integer of one element (or,
on the way, for an exact result with fractional bits). Shifts are free in hardware; every
other operation here becomes an adder, a multiplexer or a few gates. alkaid keeps the
range of every variable and drops bits that it proves constant.

alkaid computes ranges in float64 and finds the lowest bit of a constant or a factor in
float32: what exceeds that is taken apart or refused, never approximated.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from alkaid.trace import FVariable, FVArray, HWConfig
from alkaid.trace.affine_interval import AffineInterval

from trigforge.core.errors import ConversionError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Symbol: TypeAlias = FVariable
Symbols: TypeAlias = "NDArray[np.object_]"
"""An array of symbols."""

CARRY_BITS = 8
"""Bits a carry block of UltraScale+ adds (CARRY8, UG574): how adders slow down with width."""
HARDWARE = HWConfig(1, CARRY_BITS, -1)
EXACT_BITS = 52
"""Width up to which alkaid's float64 ranges are exact, with a bit to spare."""
CONSTANT_BITS = 24
"""Significant bits of a constant, added or multiplied, that alkaid's float32 holds."""


def constant(value: int) -> Symbol:
    """Return a symbol that is the same for every event."""
    _check_constant(value)
    return FVariable.from_const(float(value), hwconf=HARDWARE)


def is_constant(symbol: Symbol) -> bool:
    """Tell whether a symbol is the same for every event."""
    return bool(symbol.low == symbol.high)


def significant_bits(value: float) -> int:
    """Return the distance from the highest to the lowest bit that is set."""
    magnitude = abs(value.as_integer_ratio()[0])
    return (magnitude // (magnitude & -magnitude)).bit_length() if magnitude else 0


def check_range(symbol: Symbol) -> Symbol:
    """Return the symbol if alkaid knows its range and its lowest bit exactly.

    Raises:
        ConversionError: if it has too many bits for that.
    """
    if is_constant(symbol):
        return symbol
    largest = max(abs(symbol.low), abs(symbol.high)) / symbol.step
    if largest >= 2.0**EXACT_BITS:
        msg = (
            f"an intermediate result of {math.log2(largest) + 1:.0f} bits; distributed "
            f"arithmetic by alkaid is exact up to {EXACT_BITS} bits"
        )
        raise ConversionError(msg)
    terms = symbol._affine  # noqa: SLF001 - the sum of which alkaid knows the symbol to consist
    for factor in (terms.bias, *terms.coeffs.values()):
        _check_constant(factor)
    return symbol


def fresh(symbol: Symbol) -> Symbol:
    """Return the symbol without the sum it is made of: only its range is known from here on.

    Otherwise alkaid would multiply the factors of one layer with those of the next, until
    they exceed what it can hold.
    """
    terms = symbol._affine.coeffs  # noqa: SLF001
    if is_constant(symbol) or (len(terms) == 1 and significant_bits(*terms.values()) == 1):
        return symbol
    return symbol._with(_affine=AffineInterval.new(symbol.qint), renew_id=False)  # noqa: SLF001


def add(left: Symbol, right: Symbol | float) -> Symbol:
    """Return the exact sum."""
    if isinstance(right, int | float):
        _check_constant(right)
        return check_range(left + float(right))
    for symbol in (left, right):
        if is_constant(symbol):
            _check_constant(symbol.low)
    return check_range(left + right)


def total(terms: Sequence[Symbol]) -> Symbol:
    """Return the exact sum of any number of symbols, as a tree."""
    if not terms:
        return constant(0)
    if len(terms) == 1:
        return terms[0]
    return check_range(np.sum(FVArray(np.array(list(terms), dtype=object), hwconf=HARDWARE)))


def multiply(symbol: Symbol, factor: int) -> Symbol:
    """Return the exact product with a constant."""
    if factor == 0 or is_constant(symbol):
        return constant(int(symbol.low) * factor)
    if significant_bits(factor) <= CONSTANT_BITS:
        return check_range(fresh(symbol) * float(factor))
    high, low = factor >> CONSTANT_BITS, factor & ((1 << CONSTANT_BITS) - 1)
    parts = (shifted(multiply(symbol, high), CONSTANT_BITS), multiply(symbol, low))
    return total([fresh(part) for part in parts])


def product(left: Symbol, right: Symbol) -> Symbol:
    """Return the exact product of two symbols (a multiplier)."""
    return check_range(left * right)


def shifted(symbol: Symbol, n_bits: int) -> Symbol:
    """Return the symbol times ``2**n_bits``; costs nothing."""
    return symbol * 2.0**n_bits


def floor(symbol: Symbol) -> Symbol:
    """Drop the bits right of the point; costs nothing."""
    signed, integers, fraction = symbol.kif
    if fraction <= 0 or is_constant(symbol):
        return constant(math.floor(symbol.low)) if is_constant(symbol) else symbol
    # alkaid takes a format without bits for zero, but the floor of -1/4 is -1.
    return kept_bits(symbol, int(signed), max(int(integers), 0), 0)


def kept_bits(symbol: Symbol, signed: int, integers: int, fraction: int) -> Symbol:
    """Keep the bits of a format; costs nothing.

    They are taken before the symbol's scaling by a power of two: alkaid 0.8.2's
    ``canonicalize_msb_wraps`` forgets that scaling where a single bit is taken.
    """
    place = round(math.log2(abs(symbol._factor)))  # noqa: SLF001 - alkaid has no other name for it
    kept = shifted(symbol, -place).quantize(signed, integers - place, fraction + place)
    return shifted(kept, place)


def is_negative(symbol: Symbol) -> Symbol:
    """Return 1 where the symbol is below zero, else 0."""
    if symbol.low >= 0 or symbol.high < 0:
        return constant(int(symbol.high < 0))
    if symbol.opr == "wrap" and symbol._factor < 0:  # noqa: SLF001
        # alkaid 0.8.2's msb_mux looks through a wrap and forgets that it was negated.
        return both(invert(is_negative(-symbol)), is_nonzero(-symbol))
    signed, integers, _ = symbol.kif
    place = int(signed) + int(integers) - 1
    return shifted(kept_bits(symbol, 0, place + 1, -place), -place)


def is_less(left: Symbol, right: Symbol | int) -> Symbol:
    """Return 1 where the left one is smaller, else 0."""
    return is_negative(add(left, -right))


def is_nonzero(symbol: Symbol) -> Symbol:
    """Return 1 where any bit is set, else 0."""
    if is_constant(symbol):
        return constant(int(symbol.low != 0))
    if symbol.low > 0 or symbol.high < 0:
        return constant(1)
    return symbol.unary_bit_op("any")


def invert(flag: Symbol) -> Symbol:
    """Return 1 - flag."""
    return constant(1 - int(flag.low)) if is_constant(flag) else ~flag


def both(left: Symbol, right: Symbol) -> Symbol:
    """Return 1 where both flags are 1."""
    for one, other in ((left, right), (right, left)):
        if is_constant(one):
            return other if one.low else constant(0)
    return left & right


def select(
    flag: Symbol, chosen: Symbol, otherwise: Symbol, limits: tuple[int, int] | None = None
) -> Symbol:
    """Return ``chosen`` where the flag is 1, else ``otherwise``.

    ``limits`` are where the result is known to lie whatever the two alone could be.
    """
    if is_constant(flag):
        return chosen if flag.low else otherwise
    if is_constant(chosen) and is_constant(otherwise) and chosen.low == otherwise.low:
        return chosen
    if is_constant(chosen) and chosen.low == 0:
        return _masked(invert(flag), otherwise)
    if is_constant(otherwise) and otherwise.low == 0 and not is_constant(chosen):
        return _masked(flag, chosen)
    if limits is None:
        return flag.msb_mux(chosen, otherwise)
    step = min(side.step for side in (chosen, otherwise))
    return flag.msb_mux(chosen, otherwise, (*map(float, limits), step))


def _masked(flag: Symbol, symbol: Symbol) -> Symbol:
    """Return the symbol where the flag is 1, else zero.

    The symbol comes first: alkaid takes the scale of the result from there, and a flag's
    scale would shrink with every step of a long chain until float64 underflows.
    """
    if is_constant(symbol):
        return flag * symbol.low
    return symbol & (flag * -symbol.step)


def maximum(left: Symbol, right: Symbol) -> Symbol:
    """Return the larger one.

    alkaid 0.8.2's own ``max_of`` looks at the highest bit of the difference, which is no
    sign where the difference is known never to be negative.
    """
    difference = add(left, -right)
    if difference.low >= 0 or difference.high <= 0:
        return left if difference.low >= 0 else right
    limits = (int(max(left.low, right.low)), int(max(left.high, right.high)))
    return check_range(select(is_negative(difference), right, left, limits))


def clip(symbol: Symbol, low: int, high: int) -> Symbol:
    """Return the symbol, or the limit it exceeds."""
    if symbol.low < low:
        limits = (low, max(int(symbol.high), low))
        below = is_less(symbol, low)
        symbol = symbol.relu() if low == 0 else select(below, constant(low), symbol, limits)
    if symbol.high > high:
        above = invert(is_less(symbol, high + 1))
        symbol = select(above, constant(high), symbol, (min(int(symbol.low), high), high))
    return symbol


def fraction_of(symbol: Symbol) -> Symbol:
    """Return the bits right of the point; costs nothing."""
    if is_constant(symbol):
        return FVariable.from_const(symbol.low - math.floor(symbol.low), hwconf=HARDWARE)
    return kept_bits(symbol, 0, 0, max(int(symbol.kif[2]), 0))


def _check_constant(value: float) -> None:
    if significant_bits(value) > CONSTANT_BITS:
        msg = (
            f"a constant of {significant_bits(value)} significant bits ({value:g}); alkaid takes "
            f"constants of at most {CONSTANT_BITS}"
        )
        raise ConversionError(msg)
