"""Each operation on symbols against the same on integers, for every value of the input."""

import itertools

import numpy as np
import pytest
from alkaid.trace import FVArray, trace
from alkaid.trace.passes import optimize

from trigforge.core import fixed_point
from trigforge.core.errors import ConversionError
from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding
from trigforge.rtl.da import casts, symbols

INPUTS = [(signed, width) for signed in (0, 1) for width in (1, 3, 6)]
CASTS = list(
    itertools.product((-2, 0, 1, 2, 4, 7), Rounding, Overflow, (False, True), (1, 2, 4, 7))
)


def every_value(signed: int, width: int):
    return np.arange(-(1 << (width - 1)) if signed else 0, 1 << (width - signed))


def of_every_value(signed: int, width: int, make) -> np.ndarray:
    """Return what ``make(symbol) -> symbols`` gives, ``(n_values, n_symbols)``."""
    kif = (np.array([number]) for number in (signed, width - signed, 0))
    inputs = FVArray.from_kif(*kif, hwconf=symbols.HARDWARE)
    outputs = make(np.asarray(inputs)[0])
    logic = optimize(trace(inputs, outputs, optimize=False), keep_dead_inputs=True, retrace=False)
    return logic.predict(every_value(signed, width)[:, None].astype(np.float64))


@pytest.mark.parametrize(("signed", "width"), INPUTS)
@pytest.mark.parametrize("offset", [0, 3])
def test_every_cast_of_every_value_is_that_of_ap_fixed(signed, width, offset):
    formats = [
        (dropped, FixedPointFormat(to_signed, to_width, to_width, rounding, overflow))
        for dropped, rounding, overflow, to_signed, to_width in CASTS
    ]
    found = of_every_value(
        signed,
        width,
        lambda x: [casts.cast(symbols.add(x, offset), dropped, fmt) for dropped, fmt in formats],
    )
    raw = every_value(signed, width) + offset
    for (dropped, fmt), column in zip(formats, found.T, strict=True):
        expected = fixed_point.cast(raw, dropped, fmt)
        assert column.tolist() == expected.tolist(), f"{dropped} bits dropped, to {fmt}"


@pytest.mark.parametrize(("signed", "width"), INPUTS)
def test_a_rectified_cast_clips_before_it_rounds(signed, width):
    formats = [
        (dropped, FixedPointFormat(False, 3, 3, rounding, overflow))
        for dropped, rounding, overflow in itertools.product((0, 2), Rounding, Overflow)
    ]
    found = of_every_value(
        signed,
        width,
        lambda x: [casts.cast(x, dropped, fmt, rectify=True) for dropped, fmt in formats],
    )
    raw = np.maximum(every_value(signed, width), 0)
    for (dropped, fmt), column in zip(formats, found.T, strict=True):
        assert column.tolist() == fixed_point.cast(raw, dropped, fmt).tolist(), str(fmt)


def truncated(dividend: int, divisor: int) -> int:
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


@pytest.mark.parametrize(("signed", "width"), INPUTS)
def test_quotients_are_truncated_towards_zero(signed, width):
    pairs = list(itertools.product((1, 3, -5, 8, 31), (1, 2, 3, -3, 5, 7, -8, 9, 16, 64, 100)))
    found = of_every_value(
        signed,
        width,
        lambda x: [casts.quotient(symbols.multiply(x, m), d) for m, d in pairs],
    )
    for (m, d), column in zip(pairs, found.T, strict=True):
        expected = [truncated(int(value) * m, d) for value in every_value(signed, width)]
        assert column.tolist() == expected, f"times {m}, by {d}"


@pytest.mark.parametrize(("signed", "width"), INPUTS)
def test_comparisons_and_limits(signed, width):
    limits = [(0, 7), (-3, 5), (2, 9), (0, 0), (-8, -2)]
    found = of_every_value(
        signed,
        width,
        lambda x: [
            *(symbols.clip(symbols.add(x, 1), low, high) for low, high in limits),
            symbols.is_less(x, 2),
            symbols.is_nonzero(x),
            symbols.invert(symbols.is_negative(x)),
            symbols.maximum(x, symbols.constant(-1)),
            symbols.maximum(symbols.multiply(x, 4), symbols.multiply(x, 3)),
            symbols.select(symbols.is_less(x, 1), symbols.constant(-3), symbols.constant(5)),
        ],
    )
    x = every_value(signed, width)
    expected = [
        *(np.clip(x + 1, low, high) for low, high in limits),
        x < 2,
        x != 0,
        x >= 0,
        np.maximum(x, -1),
        np.maximum(4 * x, 3 * x),
        np.where(x < 1, -3, 5),
    ]
    assert found.T.tolist() == [np.asarray(column, dtype=float).tolist() for column in expected]


def test_long_factors_are_taken_apart():
    factor = 0x5A5A_5A5A5  # 35 bits: more than alkaid's solver takes
    found = of_every_value(1, 6, lambda x: [symbols.multiply(x, factor)])
    assert found[:, 0].tolist() == (every_value(1, 6) * factor).tolist()


def test_what_float64_cannot_hold_is_refused():
    def make(x):
        long = symbols.fresh(symbols.multiply(x, (1 << 23) - 1))
        return [symbols.product(long, long)]

    with pytest.raises(ConversionError, match="exact up to 52 bits"):
        of_every_value(1, 6, make)


def test_a_constant_that_alkaid_cannot_add_is_refused():
    with pytest.raises(ConversionError, match="constant of 41 significant bits"):
        of_every_value(1, 6, lambda x: [symbols.add(x, (1 << 40) | 1)])


def test_a_symbol_scaled_before_one_bit_is_taken_keeps_its_scale():
    # alkaid 0.8.2 takes the wrong bit here if it is asked in one step.
    fmt = FixedPointFormat(False, 3, 3)
    found = of_every_value(0, 3, lambda x: [casts.cast(x, -2, fmt)])
    assert found[:, 0].tolist() == [0, 4, 0, 4, 0, 4, 0, 4]
