"""The traced logic, run by alkaid's interpreter, against the exact evaluator."""

import dataclasses

import numpy as np
import pytest
from random_graphs import random_graph, random_inputs

from trigforge.core.errors import ConversionError
from trigforge.core.fixed_point import Overflow, Rounding, parse_format
from trigforge.core.graph import (
    Activation,
    ActivationKind,
    Dense,
    FixedPointGraph,
    Gather,
    Input,
    Merge,
    MergeKind,
    Quantise,
    Table,
)
from trigforge.evaluation import evaluate
from trigforge.rtl.da.tracing import LOWERINGS, trace_graph

N_GRAPHS = 40


def differences(graph: FixedPointGraph, n_events: int = 300) -> int:
    inputs = random_inputs(graph, n_events)
    found = trace_graph(graph).predict(inputs.raw.astype(np.float64))
    return int((found != evaluate(graph, inputs).outputs.raw).sum())


@pytest.mark.parametrize("seed", range(N_GRAPHS))
def test_random_networks_are_traced_exactly(seed):
    assert differences(random_graph(seed, max_width=12)) == 0


def test_the_random_networks_have_every_kind_of_node():
    kinds = {
        type(node) for seed in range(N_GRAPHS) for node in random_graph(seed, max_width=12).nodes
    }
    assert kinds >= set(LOWERINGS)


def dense_graph(**changes) -> FixedPointGraph:
    fmt = parse_format("fixed<6,3>")
    source = Input(name="x", inputs=(), shape=(3,), format=fmt)
    parts = {
        "name": "y",
        "inputs": ("x",),
        "shape": (2,),
        "format": parse_format("fixed<12,6>"),
        "weights": np.array([[3, -5], [7, 0], [-8, 1]]),
        "weight_format": parse_format("fixed<5,2>"),
        "bias": np.array([1, -2]),
        "bias_format": parse_format("fixed<5,2>"),
        "accumulator": parse_format("fixed<14,8>"),
    }
    return FixedPointGraph(name="dense", nodes=(source, Dense(**parts | changes)))


@pytest.mark.parametrize("rounding", Rounding)
@pytest.mark.parametrize("overflow", Overflow)
@pytest.mark.parametrize("width", [5, 8])
def test_narrow_accumulators_round_and_overflow_at_every_product(rounding, overflow, width):
    accumulator = dataclasses.replace(
        parse_format(f"fixed<{width},4>"), rounding=rounding, overflow=overflow
    )
    order = np.array([[2, 0], [0, 1], [1, 2]])
    assert differences(dense_graph(accumulator=accumulator, order=order)) == 0


def test_a_flipped_weight_bit_is_seen():
    graph = dense_graph()
    inputs = random_inputs(graph, 300)
    expected = evaluate(graph, inputs).outputs.raw
    weights = graph.output.weights.copy()
    weights[1, 0] ^= 1
    found = trace_graph(dense_graph(weights=weights)).predict(inputs.raw.astype(np.float64))
    assert (found != expected).any()


def test_wide_weights_and_entries_are_taken_in_parts():
    big = np.array([[0x2BCDEF1, -5], [7, 0], [-8, 1]])
    assert (
        differences(
            dense_graph(
                weights=big,
                weight_format=parse_format("fixed<30,2>"),
                accumulator=parse_format("fixed<48,20>"),
                format=parse_format("fixed<48,20>"),
            )
        )
        == 0
    )
    source = Input(name="x", inputs=(), shape=(2,), format=parse_format("fixed<5,5>"))
    entries = np.random.default_rng(1).integers(-(1 << 29), 1 << 29, 32)
    node = Table(
        name="t",
        inputs=("x",),
        shape=(2,),
        format=parse_format("fixed<30,10>"),
        function="any",
        table=entries,
        table_format=parse_format("fixed<30,10>"),
        multiplier=1,
        divisor=1,
        offset=16,
    )
    assert differences(FixedPointGraph(name="table", nodes=(source, node))) == 0


def test_every_node_may_be_a_constant_but_not_all_outputs():
    source = Input(name="x", inputs=(), shape=(2,), format=parse_format("fixed<5,5>"))
    constant = Gather(
        name="g",
        inputs=("x",),
        shape=(3,),
        format=source.format,
        kind="pad",
        indices=np.array([-1, 0, 1]),
    )
    assert differences(FixedPointGraph(name="padded", nodes=(source, constant))) == 0
    nothing = dataclasses.replace(constant, indices=np.array([-1, -1, -1]))
    with pytest.raises(ConversionError, match="every output is a constant"):
        trace_graph(FixedPointGraph(name="nothing", nodes=(source, nothing)))


def test_what_alkaid_cannot_express_is_refused_by_name():
    source = Input(name="x", inputs=(), shape=(1,), format=parse_format("fixed<40,20>"))
    square = Merge(
        name="squared",
        inputs=("x", "x"),
        shape=(1,),
        format=parse_format("fixed<60,40>"),
        kind=MergeKind.MULTIPLY,
    )
    with pytest.raises(ConversionError, match=r"node squared \(Merge\).*exact up to 52 bits"):
        trace_graph(FixedPointGraph(name="wide", nodes=(source, square)))
    table = Table(
        name="huge",
        inputs=("x",),
        shape=(1,),
        format=source.format,
        function="any",
        table=np.arange(1 << 17),
        table_format=parse_format("fixed<20,20>"),
        multiplier=1,
        divisor=1 << 20,
        offset=1 << 16,
    )
    with pytest.raises(ConversionError, match=r"node huge \(Table\): a table of 131072 entries"):
        trace_graph(FixedPointGraph(name="wide", nodes=(source, table)))


def test_long_chains_do_not_run_out_of_stack():
    source = Input(name="x", inputs=(), shape=(1,), format=parse_format("fixed<8,4>"))
    nodes = [source]
    for i in range(400):
        fmt = parse_format("fixed<8,4,RND_CONV,SAT>" if i % 2 else "fixed<7,4,RND,SAT>")
        nodes.append(
            Quantise(name=f"q{i}", inputs=(nodes[-1].name,), shape=(1,), format=fmt)
            if i % 3
            else Activation(
                name=f"q{i}",
                inputs=(nodes[-1].name,),
                shape=(1,),
                format=fmt,
                kind=ActivationKind.LEAKY_RELU,
                parameters=np.array([15]),
                parameter_format=parse_format("fixed<6,2>"),
            )
        )
    assert differences(FixedPointGraph(name="chain", nodes=tuple(nodes))) == 0
