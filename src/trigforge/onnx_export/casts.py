"""Casts between fixed-point formats as ONNX operators (``core.fixed_point`` says what they do).

Every rounding mode is one division by a power of two, rounded down, of the integer plus an
offset below that power: ``floor((x + offset) / 2**dropped)``. Casts that the bounds of the
wire prove to change nothing are left out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from trigforge.core import fixed_point
from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding
from trigforge.onnx_export.builder import Wire, is_float_exact

if TYPE_CHECKING:
    from trigforge.onnx_export.builder import Builder


def convert(
    builder: Builder, wire: Wire, source: FixedPointFormat, target: FixedPointFormat
) -> Wire:
    """Assign a variable of one type to another; equal types copy their bits."""
    if source == target:
        return wire
    return cast(builder, wire, source.fractional_bits, target)


def cast(builder: Builder, wire: Wire, fractional_bits: int, target: FixedPointFormat) -> Wire:
    """Cast exact results, ``wire * 2**-fractional_bits``, to a format."""
    dropped = fractional_bits - target.fractional_bits
    if dropped > 0:
        return _contained(builder, rounded(builder, wire, dropped, target.rounding), target)
    if not is_float_exact(wire.low << -dropped, wire.high << -dropped):
        wire = _narrowed(builder, wire, -dropped, target)
    return _contained(builder, builder.shift_up(wire, min(-dropped, target.width)), target)


def constant(value: int, target: FixedPointFormat) -> int:
    """Return a whole number in a format."""
    return int(fixed_point.cast(np.array([value]), 0, target)[0])


def rounded(builder: Builder, wire: Wire, dropped: int, mode: Rounding) -> Wire:
    """Drop low bits, at least one."""
    # From half the least significant bit down only the sign matters.
    dropped = min(dropped, max(abs(wire.low), abs(wire.high)).bit_length() + 1)
    if mode is Rounding.RND_CONV and not wire.integer:
        factor = builder.initializer(np.array(2.0**-dropped))
        name = builder.emit("Round", [builder.emit("Mul", [wire.name, factor])])
        result = Wire(name, 0, 0)
    else:
        result = builder.shift_down(_offset(builder, wire, dropped, mode), dropped)
    low, high = rounded_integers(np.array([wire.low, wire.high], dtype=object), dropped, mode)
    return replace(result, low=int(low), high=int(high))


def rounded_integers(
    integers: fixed_point.RawArray, dropped: int, mode: Rounding
) -> fixed_point.RawArray:
    """Drop low bits of constants (append zeros if negative)."""
    widest = FixedPointFormat(True, 64, 64, mode, Overflow.SAT)
    if dropped <= 0:
        return integers << -dropped
    return fixed_point.cast(integers, dropped, widest).astype(object)


def _offset(builder: Builder, wire: Wire, dropped: int, mode: Rounding) -> Wire:
    """Add what makes rounding down the rounding of the mode."""
    half = 1 << (dropped - 1)
    if mode is Rounding.RND_CONV:
        # An odd neighbour below sends a tie up.
        floor = builder.shift_down(wire, dropped)
        pairs = builder.shift_up(builder.shift_down(floor, 1), 1)
        odd = builder.combine("Sub", floor, pairs, (0, 1))
        return builder.add(builder.add(wire, half - 1), odd)
    negative, positive = {
        Rounding.TRN: (0, 0),
        Rounding.TRN_ZERO: (2 * half - 1, 0),
        Rounding.RND: (half, half),
        Rounding.RND_ZERO: (half, half - 1),
        Rounding.RND_INF: (half - 1, half),
        Rounding.RND_MIN_INF: (half - 1, half - 1),
    }[mode]
    if wire.low >= 0 or negative == positive:
        return wire if positive == 0 else builder.add(wire, positive)
    is_positive = builder.is_greater(wire, -1)
    return builder.add(wire, builder.where(is_positive, positive, negative))


def _narrowed(builder: Builder, wire: Wire, gained: int, target: FixedPointFormat) -> Wire:
    """Take away what the cast would take away after zeros are appended."""
    if target.overflow is Overflow.WRAP:
        if gained >= target.width:
            return builder.multiply(wire, 0)
        return _wrapped(builder, wire, target.signed, target.width - gained)
    low, high = target.saturation_limits
    return builder.clip(wire, (low >> gained) - 1, (high >> gained) + 1)


def _contained(builder: Builder, wire: Wire, target: FixedPointFormat) -> Wire:
    """Bring integers into the range of a format."""
    if target.overflow is Overflow.WRAP:
        return _wrapped(builder, wire, target.signed, target.width)
    low, high = target.saturation_limits
    clipped = builder.clip(wire, low, high)
    if target.overflow is not Overflow.SAT_ZERO or clipped is wire:
        return clipped
    inside = builder.combine("Equal", wire, clipped, (0, 1)).name
    return builder.where(inside, clipped, 0)


def _wrapped(builder: Builder, wire: Wire, signed: bool, width: int) -> Wire:
    """Keep the low bits: subtract the whole turns."""
    low = -(1 << (width - 1)) if signed else 0
    high = low + (1 << width) - 1
    if low <= wire.low and wire.high <= high:
        return wire
    turns = builder.shift_down(builder.subtract(wire, low) if low else wire, width)
    turned = builder.shift_up(turns, width)
    return builder.combine("Sub", wire, turned, (low, high))
