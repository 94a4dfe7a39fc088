"""Assignments to ``ap_fixed``, and divisions, replayed on symbols: rounding, then overflow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from trigforge.core import fixed_point
from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding
from trigforge.rtl.da import symbols

if TYPE_CHECKING:
    from collections.abc import Callable

    from trigforge.rtl.da.symbols import Symbol


def quotient(symbol: Symbol, divisor: int) -> Symbol:
    """Divide by a constant, truncating towards zero as C++ does.

    A power of two is a shift. Otherwise the product with a rounded-up reciprocal has the
    quotient in its high bits (Granlund and Montgomery, PLDI 1994, theorem 4.2): exact for
    every integer of the symbol's range.
    """
    if divisor < 0:
        symbol, divisor = -symbol, -divisor
    if divisor & (divisor - 1) == 0:
        return rounded(symbol, divisor.bit_length() - 1, Rounding.TRN_ZERO)
    n_bits = math.ceil(max(abs(symbol.low), abs(symbol.high)) + 1).bit_length()
    shift = n_bits + divisor.bit_length()
    reciprocal = -(-(1 << shift) // divisor)
    floored = symbols.floor(symbols.shifted(symbols.multiply(symbol, reciprocal), -shift))
    # Below zero the rounded-up reciprocal gives one less than the truncated quotient.
    return symbols.add(floored, symbols.is_negative(symbol))


def rounded(symbol: Symbol, dropped: int, mode: Rounding) -> Symbol:
    """Drop ``dropped`` low bits (append zeros if negative) as ``ap_fixed`` rounds."""
    scaled = symbols.shifted(symbol, -dropped)
    if symbols.is_constant(symbol):
        return _rounded_constant(scaled, mode)
    return scaled if scaled.step >= 1 else _ROUNDINGS[mode](scaled)


def _towards_zero(scaled: Symbol) -> Symbol:
    lost = symbols.is_nonzero(symbols.fraction_of(scaled))
    return symbols.add(symbols.floor(scaled), symbols.both(symbols.is_negative(scaled), lost))


def _half_towards_zero(scaled: Symbol) -> Symbol:
    below = symbols.add(scaled, 0.5 - scaled.step)
    return symbols.floor(symbols.add(below, symbols.is_negative(scaled) * scaled.step))


def _half_away_from_zero(scaled: Symbol) -> Symbol:
    return symbols.floor(
        symbols.add(symbols.add(scaled, 0.5), symbols.is_negative(scaled) * -scaled.step)
    )


def _half_to_even(scaled: Symbol) -> Symbol:
    """Round half up, then clear the last bit where it was a tie."""
    raised = symbols.add(scaled, 0.5)
    halves = symbols.shifted(symbols.floor(raised), -1)
    last = symbols.shifted(symbols.fraction_of(halves), 1)
    return symbols.add(
        symbols.shifted(symbols.floor(halves), 1),
        symbols.both(symbols.is_nonzero(symbols.fraction_of(raised)), last),
    )


_ROUNDINGS: dict[Rounding, Callable[[Symbol], Symbol]] = {
    Rounding.TRN: symbols.floor,
    Rounding.TRN_ZERO: _towards_zero,
    Rounding.RND: lambda scaled: symbols.floor(symbols.add(scaled, 0.5)),
    Rounding.RND_ZERO: _half_towards_zero,
    Rounding.RND_INF: _half_away_from_zero,
    Rounding.RND_MIN_INF: lambda scaled: symbols.floor(symbols.add(scaled, 0.5 - scaled.step)),
    Rounding.RND_CONV: _half_to_even,
}


def _rounded_constant(scaled: Symbol, mode: Rounding) -> Symbol:
    numerator, denominator = float(scaled.low).as_integer_ratio()
    wide = FixedPointFormat(True, 64, 64, mode, Overflow.WRAP)
    raw = np.array([numerator], dtype=object)
    return symbols.constant(int(fixed_point.cast(raw, denominator.bit_length() - 1, wide)[0]))


def cast(
    symbol: Symbol, fractional_bits: int, target: FixedPointFormat, *, rectify: bool = False
) -> Symbol:
    """Cast an exact result, ``symbol * 2**-fractional_bits``, to a format.

    ``rectify`` clips it below at zero first (a ReLU): every mode rounds what is negative to
    zero or below, so this may be done after rounding, where it costs less.
    """
    result = rounded(symbol, fractional_bits - target.fractional_bits, target.rounding)
    if rectify and result.low < 0:
        result = result.relu()
    return symbols.check_range(_fit(result, target))


def convert(symbol: Symbol, source: FixedPointFormat, target: FixedPointFormat) -> Symbol:
    """Assign a typed variable to another; between equal types the bits are copied."""
    return symbol if source == target else cast(symbol, source.fractional_bits, target)


def wrapped(symbol: Symbol, target: FixedPointFormat) -> Symbol:
    """Keep the low bits; costs nothing."""
    if symbols.is_constant(symbol):
        span = 1 << target.width
        value = (int(symbol.low) - target.raw_min) % span + target.raw_min
        return symbols.constant(value)
    return symbols.kept_bits(symbol, int(target.signed), target.width - target.signed, 0)


def _fit(symbol: Symbol, target: FixedPointFormat) -> Symbol:
    """Bring an integer into the range of a format."""
    low, high = target.saturation_limits
    if symbol.low >= low and symbol.high <= high:
        return symbol
    if target.overflow is Overflow.WRAP:
        return wrapped(symbol, target)
    if symbols.is_constant(symbol):
        limit = low if symbol.low < low else high
        return symbols.constant(0 if target.overflow is Overflow.SAT_ZERO else limit)
    zero = target.overflow is Overflow.SAT_ZERO
    above = _is_above(symbol, target.width - target.signed)
    below = _is_below(symbol, low)
    inside = wrapped(symbol, target)
    result = symbols.select(above, symbols.constant(0 if zero else high), inside)
    return symbols.select(below, symbols.constant(0 if zero else low), result)


def _is_above(symbol: Symbol, n_bits: int) -> Symbol:
    """Return 1 where a symbol is ``2**n_bits`` or more: a look at its high bits."""
    if symbol.high < 2.0**n_bits:
        return symbols.constant(0)
    high_bits = symbols.floor(symbols.shifted(symbol, -n_bits))
    return symbols.both(symbols.invert(symbols.is_negative(symbol)), symbols.is_nonzero(high_bits))


def _is_below(symbol: Symbol, low: int) -> Symbol:
    """Return 1 where a symbol is smaller than a limit of zero or below."""
    if symbol.low >= low:
        return symbols.constant(0)
    if low == 0:
        return symbols.is_negative(symbol)
    if -low & (-low - 1) == 0:
        high_bits = symbols.floor(symbols.shifted(symbol, -((-low).bit_length() - 1)))
        return symbols.both(symbols.is_negative(symbol), symbols.invert(_is_minus_one(high_bits)))
    return symbols.is_less(symbol, low)


def _is_minus_one(symbol: Symbol) -> Symbol:
    if symbols.is_constant(symbol) or symbol.step > 1:
        return symbols.constant(int(symbol.low == symbol.high == -1))
    return symbol.unary_bit_op("all")
