"""Every value of every tensor lies in the interval that was proved for it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import random_graph, random_inputs

from trigforge.core import propagation
from trigforge.core.errors import InputError
from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding, cast
from trigforge.core.graph import (
    Activation,
    ActivationKind,
    Dense,
    FixedPointGraph,
    Input,
    Pool,
    PoolKind,
)
from trigforge.core.intervals import Intervals, of_format
from trigforge.core.records import RawTensor
from trigforge.evaluation import evaluate

BYTE = FixedPointFormat(True, 8, 8)
WIDE = FixedPointFormat(True, 24, 24)


def dense_graph(weights, bias=0, *, accumulator=WIDE, fmt=WIDE, source=BYTE):
    weights = np.array(weights)
    x = Input(name="x", inputs=(), shape=(len(weights),), format=source)
    dense = Dense(
        name="y",
        inputs=("x",),
        shape=(weights.shape[1],),
        format=fmt,
        weights=weights,
        weight_format=BYTE,
        bias=np.full(weights.shape[1], bias),
        bias_format=BYTE,
        accumulator=accumulator,
    )
    return FixedPointGraph(name="dense", nodes=(x, dense))


def outside(graph, intervals, seed):
    """Name the tensors that have a value outside their interval."""
    names = tuple(node.name for node in graph)
    tensors = evaluate(graph, random_inputs(graph, 200, seed), keep=names).tensors
    return [name for name, tensor in tensors if not intervals[name].contain(tensor.raw)]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_value_of_a_random_network_lies_in_its_interval(seed):
    graph = random_graph(seed, n_nodes=5)
    assert outside(graph, propagation.intervals(graph), seed) == []


def test_an_interval_that_is_too_small_is_noticed():
    graph = random_graph(7)
    intervals = dict(propagation.intervals(graph))
    x = intervals["x"]
    intervals["x"] = Intervals(x.low + 1, x.high)
    assert outside(graph, intervals, 7) == ["x"]


def test_the_ends_of_an_exact_sum_are_reached():
    found = propagation.intervals(dense_graph([[3, -3], [-2, 0]], 1))["y"]
    assert found.low.tolist() == [3 * -128 - 2 * 127 + 1, -3 * 127 + 1]
    assert found.high.tolist() == [3 * 127 + 2 * 128 + 1, 3 * 128 + 1]


@pytest.mark.parametrize("overflow", list(Overflow))
def test_a_sum_that_may_overflow_on_the_way_has_the_whole_accumulator(overflow):
    narrow = FixedPointFormat(True, 9, 9, Rounding.TRN, overflow)
    found = propagation.intervals(dense_graph([[2], [-2]], accumulator=narrow, fmt=narrow))["y"]
    assert (found.low[0], found.high[0]) == (narrow.raw_min, narrow.raw_max)


def test_products_that_are_all_rounded_up_stay_within_the_bounds():
    """Eight halves, each rounded to one, are eight and not four."""
    half = FixedPointFormat(True, 8, 7)
    fmt = FixedPointFormat(True, 24, 24, Rounding.RND)
    graph = dense_graph([[1]] * 8, accumulator=fmt, fmt=fmt, source=FixedPointFormat(False, 1, 1))
    x, dense = graph.nodes
    graph = replace(graph, nodes=(x, replace(dense, weight_format=half)))
    ones = RawTensor(format=x.format, raw=np.ones((1, 8), dtype=np.int64))
    sums = evaluate(graph, ones).outputs.raw
    assert sums.tolist() == [[8]]
    assert propagation.intervals(graph)["y"].contain(sums)


@pytest.mark.parametrize(
    ("overflow", "low"), [(Overflow.WRAP, -127), (Overflow.SAT, -128), (Overflow.SAT_ZERO, -128)]
)
def test_a_wrapping_sum_may_leave_the_accumulator_if_it_comes_back(overflow, low):
    fmt = FixedPointFormat(True, 8, 8, Rounding.TRN, overflow)
    seven_bits = FixedPointFormat(False, 7, 7)
    graph = dense_graph([[2]], -127, accumulator=fmt, fmt=fmt, source=seven_bits)
    found = propagation.intervals(graph)["y"]
    assert (found.low[0], found.high[0]) == (low, 127)


@given(
    st.lists(st.integers(-(2**66), 2**66), min_size=2, max_size=2).map(sorted),
    st.integers(-4, 12),
    st.sampled_from(list(Rounding)),
    st.sampled_from(list(Overflow)),
    st.data(),
)
def test_casts_of_intervals_hold_the_casts_of_their_values(
    ends, fraction, rounding, overflow, data
):
    width = data.draw(st.integers(1, 64))
    target = FixedPointFormat(data.draw(st.booleans()), width, width, rounding, overflow)
    low, high = (np.array([end], dtype=object) for end in ends)
    inside = Intervals(low, high).cast(fraction, target)
    value = np.array([data.draw(st.integers(*ends))], dtype=object)
    assert inside.contain(cast(value, fraction, target))
    assert of_format(target, 1).contain(inside.low)
    assert of_format(target, 1).contain(inside.high)


def test_a_cast_that_loses_nothing_keeps_the_bounds():
    x = Intervals(np.array([-5], dtype=object), np.array([31], dtype=object))
    for overflow in Overflow:
        found = x.cast(0, FixedPointFormat(True, 6, 6, Rounding.TRN, overflow))
        assert (found.low[0], found.high[0]) == (-5, 31)


@pytest.mark.parametrize(
    ("low", "high", "bits"),
    [(0, 0, 0), (0, 1, 1), (0, 255, 8), (-1, 0, 1), (-128, 127, 8), (-129, 0, 9), (-1, 128, 9)],
)
def test_widths_have_a_sign_only_where_there_are_negative_values(low, high, bits):
    x = Intervals(np.array([low], dtype=object), np.array([high], dtype=object))
    assert x.bits.tolist() == [bits]
    assert x.constant.tolist() == [low == high]


def test_a_relu_drops_the_sign():
    graph = dense_graph([[1]])
    relu = Activation(name="r", inputs=("y",), shape=(1,), format=WIDE, kind=ActivationKind.RELU)
    found = propagation.intervals(replace(graph, nodes=(*graph.nodes, relu)))["r"]
    assert (found.low[0], found.high[0], found.bits[0]) == (0, 127, 7)


def test_an_average_of_padding_alone_is_refused():
    x = Input(name="x", inputs=(), shape=(2, 2, 1), format=BYTE)
    pool = Pool(
        name="p",
        inputs=("x",),
        shape=(3, 2, 1),
        format=BYTE,
        kind=PoolKind.AVERAGE,
        input_shape=(2, 2, 1),
        window=(1, 1),
        strides=(1, 1),
        padding=(1, 0, 0, 0),
        accumulator=WIDE,
    )
    with pytest.raises(InputError, match="node p: the average of a window of padding alone"):
        propagation.intervals(FixedPointGraph(name="g", nodes=(x, pool)))
