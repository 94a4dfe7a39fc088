"""Bounds hold, and what is computed from them is what fixed-point numbers do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigforge.core.errors import ConversionError
from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding, cast
from trigforge.emulator.expressions import Expression, constant, literal
from trigforge.emulator.layout import Memory, byte_zero, half_zero
from trigforge.emulator.ranges import Interval, of_sums, rounded

INTERVALS = st.tuples(st.integers(-(2**70), 2**70), st.integers(-(2**70), 2**70)).map(
    lambda ends: Interval(min(ends), max(ends))
)


@given(INTERVALS)
def test_the_width_of_an_interval_is_the_smallest_that_holds_it(interval):
    limit = 1 << (interval.bits - 1)
    assert -limit <= interval.low
    assert interval.high < limit
    assert interval.bits == 1 or not Interval(-limit // 2, limit // 2 - 1).__contains__(interval)


@given(INTERVALS, INTERVALS, st.data())
def test_products_and_sums_lie_within_their_intervals(left, right, data):
    a = data.draw(st.integers(left.low, left.high))
    b = data.draw(st.integers(right.low, right.high))
    assert Interval(a * b, a * b) in left * right
    assert Interval(a + b, a + b) in left + right


@given(st.integers(-(2**20), 2**20), st.integers(1, 24), st.sampled_from(list(Rounding)))
def test_rounding_of_integers_is_that_of_fixed_point_numbers(value, dropped, mode):
    target = FixedPointFormat(True, 60, 60, mode, Overflow.WRAP)
    assert rounded(value, dropped, mode) == cast(np.array([value]), dropped, target)[0]


@given(st.integers(0, 2**32 - 1))
def test_sums_of_products_lie_within_their_bounds(seed):
    rng = np.random.default_rng(seed)
    weights = rng.integers(-9, 9, (5, 3))
    low, high = sorted(int(v) for v in rng.integers(-20, 20, 2))
    terms = rng.integers(low, high + 1, (50, 5))
    bounds = of_sums(weights, Interval(low, high))
    assert (terms @ weights >= bounds[0]).all()
    assert (terms @ weights <= bounds[1]).all()


def test_a_cast_that_cannot_matter_costs_nothing():
    x = Expression("x", Interval(-100, 100), 4)
    assert x.cast(FixedPointFormat(True, 8, 4, Rounding.RND, Overflow.SAT)).code == "x"
    assert x.cast(FixedPointFormat(True, 7, 3, Rounding.RND, Overflow.SAT)).code != "x"


def test_integers_wider_than_the_compilers_are_refused():
    with pytest.raises(ConversionError, match="129 bits"):
        _ = Interval(0, 1 << 127).c_type


@pytest.mark.parametrize("value", [0, -(1 << 31), (1 << 31) - 1, -(1 << 63), 1 << 40])
def test_literals_are_whole_numbers_of_cpp(value):
    text = literal(value, constant(value, 0).range.c_type).replace("ll", "")
    assert eval(text) == value


def test_terms_become_bytes_where_256_values_hold_them_and_zero():
    assert byte_zero(Interval(0, 255)) == 0
    assert byte_zero(Interval(-128, 127)) == -128
    assert byte_zero(Interval(-1, 255)) is None
    assert byte_zero(Interval(300, 310)) is None
    assert half_zero(Interval(-32768, 32767)) == 0
    assert half_zero(Interval(0, 65535)) == 32768


def test_room_is_used_again_once_it_is_free():
    memory = Memory()
    first, second = memory.take(100), memory.take(10)
    memory.give_back(first)
    assert memory.take(90) == first
    assert second >= 100
    assert memory.bytes_per_lane == second + 16


def test_a_network_too_large_for_the_work_space_is_refused():
    with pytest.raises(ConversionError, match="bytes an event"):
        Memory().take(1 << 30)
