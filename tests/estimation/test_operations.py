"""Effective bit operations, by hand and multiplication by multiplication."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_graphs import random_graph

from trigforge.core import propagation
from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.graph import (
    Activation,
    ActivationKind,
    Conv,
    Dense,
    FixedPointGraph,
    Gather,
    Input,
    Merge,
    MergeKind,
    Pool,
    PoolKind,
    Scale,
    SumOfProducts,
    window_indices,
)
from trigforge.estimation import Ebops, LayerEbops, ebops
from trigforge.estimation.operations import effective_bits

SIX = FixedPointFormat(True, 6, 6)
WIDE = FixedPointFormat(True, 24, 24)
COMMON = {
    "format": WIDE,
    "weight_format": SIX,
    "bias_format": SIX,
    "accumulator": WIDE,
}


def span(value):
    """Count the characters of a binary number without zeros at its ends."""
    return len(f"{abs(int(value)):b}".strip("0"))


def one_by_one(graph):
    """Count every multiplication on its own, in plain loops."""
    found = {}
    intervals = propagation.intervals(graph)
    for node in graph:
        products = list(factors(graph, node, intervals))
        if products:
            nonzero = [a * b for a, b in products if a * b]
            found[node.name] = (len(products), len(nonzero), sum(nonzero))
    return found


def width(x, element):
    low, high = int(x.low[element]), int(x.high[element])
    bits = next(b for b in range(1, 200) if -(1 << (b - 1)) <= low and high < 1 << (b - 1))
    return 0 if low == high else bits - (low >= 0)


def factors(graph, node, intervals):
    """Yield the widths of both factors of every multiplication."""
    operands = [intervals[name] for name in node.inputs]
    if isinstance(node, Conv):
        yield from convolved(node, *operands)
    elif isinstance(node, SumOfProducts):
        for element in range(len(operands[0].low)):
            for weight in node.weights[element % node.weights.shape[0]]:
                yield width(operands[0], element), span(weight)
    elif isinstance(node, Scale):
        for element in range(node.n_elements):
            yield width(operands[0], element), span(node.scale[element % len(node.scale)])
    elif isinstance(node, Merge) and node.kind is MergeKind.MULTIPLY:
        yield from multiplied(node, operands)
    elif isinstance(node, Pool) and node.kind is PoolKind.AVERAGE:
        sums = propagation.pooled_sums(node, (operands[0], graph[node.inputs[0]].format))
        for element, divisor in enumerate(propagation.divisors_of(node)):
            yield width(sums, element), span(divisor) if divisor & (divisor - 1) else 0


def convolved(node, x):
    window = window_indices(node.input_shape, node.weights.shape[:2], node.strides, node.padding)
    for position in window:
        for cell, elements in enumerate(position):
            kernel = node.weights[divmod(cell, node.weights.shape[1])]
            for element, weights in zip(elements, kernel, strict=True):
                if element >= 0:
                    yield from ((width(x, element), span(weight)) for weight in weights)


def multiplied(node, operands):
    for i in range(node.n_elements):
        pair = [(x, i % len(x.low)) for x in operands]
        varies = any(width(*operand) for operand in pair)
        yield tuple((width(x, e) or span(x.low[e])) if varies else 0 for x, e in pair)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_random_networks_cost_the_sum_of_their_multiplications(seed):
    graph = random_graph(seed, n_nodes=5)
    found = {
        layer.name: (layer.n_multiplications, layer.n_nonzero, layer.ebops)
        for layer in ebops(graph).layers
    }
    assert found == one_by_one(graph)


@pytest.mark.parametrize(
    ("value", "bits"), [(0, 0), (1, 1), (-1, 1), (6, 2), (-6, 2), (0b101100, 4), (-32, 1), (31, 5)]
)
def test_the_effective_bits_of_a_constant_end_at_its_outermost_ones(value, bits):
    assert effective_bits(np.array([value])).tolist() == [bits]


def dense(weights):
    weights = np.array(weights)
    return Dense(
        name="d",
        inputs=("x",),
        shape=(weights.shape[1],),
        weights=weights,
        bias=np.zeros(weights.shape[1], dtype=np.int64),
        **COMMON,
    )


def graph_of(shape, *nodes, fmt=SIX):
    return FixedPointGraph(
        name="g", nodes=(Input(name="x", inputs=(), shape=shape, format=fmt), *nodes)
    )


def test_a_dense_layer_by_hand():
    # Spans 1, 2, 0 and 3 of 1, 3, 0 and 5; each times the six bits of its input.
    found = ebops(graph_of((2,), dense([[1, 3], [0, 5]])))
    layer = LayerEbops(name="d", n_multiplications=4, n_nonzero=3, ebops=6 * (1 + 2 + 3))
    assert found == Ebops(layers=(layer,))
    assert found.total == 36


def test_padded_cells_of_a_convolution_multiply_nothing():
    conv = Conv(
        name="c",
        inputs=("x",),
        shape=(3, 3, 1),
        weights=np.full((3, 3, 1, 1), 3),
        bias=np.zeros(1, dtype=np.int64),
        input_shape=(3, 3, 1),
        strides=(1, 1),
        padding=(1, 1, 1, 1),
        **COMMON,
    )
    # Windows at a corner hold 4 cells, at an edge 6, in the middle 9.
    n = 4 * 4 + 4 * 6 + 9
    (layer,) = ebops(graph_of((3, 3, 1), conv)).layers
    assert layer == LayerEbops(name="c", n_multiplications=n, n_nonzero=n, ebops=n * 6 * 2)


def test_a_relu_saves_the_sign_and_a_dead_input_everything():
    relu = Activation(name="r", inputs=("x",), shape=(2,), format=SIX, kind=ActivationKind.RELU)
    moved = Gather(
        name="m", inputs=("r",), shape=(2,), format=SIX, kind="pad", indices=np.array([0, -1])
    )
    after = replace(dense([[1], [31]]), inputs=("m",))
    (layer,) = ebops(graph_of((2,), relu, moved, after)).layers
    assert (layer.n_multiplications, layer.n_nonzero, layer.ebops) == (2, 1, 5)


def test_an_average_of_four_is_wiring_and_one_of_three_a_division():
    for size, cost in ((4, 0), (3, 2 * (6 + 2))):
        pool = Pool(
            name="p",
            inputs=("x",),
            shape=(1, 1, 1),
            format=WIDE,
            kind=PoolKind.AVERAGE,
            input_shape=(1, size, 1),
            window=(1, size),
            strides=(1, size),
            padding=(0, 0, 0, 0),
            accumulator=WIDE,
        )
        assert ebops(graph_of((1, size, 1), pool)).total == cost


def test_nodes_whose_logic_no_multiplication_stands_for_are_named():
    parts = {"inputs": ("x",), "shape": (2,), "format": SIX}
    leaky = Activation(
        name="leaky",
        kind=ActivationKind.LEAKY_RELU,
        parameters=np.array([3]),
        parameter_format=SIX,
        **parts,
    )
    relu = Activation(name="relu", kind=ActivationKind.RELU, **parts)
    assert ebops(graph_of((2,), leaky, relu)).not_counted == ("leaky",)


def test_a_bit_more_in_one_weight_is_counted():
    before, after = (ebops(graph_of((2,), dense([[1, 3], [w, 5]]))).total for w in (2, 3))
    assert after - before == 6
