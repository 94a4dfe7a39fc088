"""Maxima are taken of sums, before they are cast, only where that cannot change a result."""

import numpy as np
import pytest
from batches import build_together, usable_paths
from random_graphs import random_inputs

from trigforge.core.fixed_point import parse_format
from trigforge.core.graph import (
    Activation,
    ActivationKind,
    Conv,
    FixedPointGraph,
    Input,
    Pool,
    PoolKind,
    Quantise,
)
from trigforge.emulator import generate, stages
from trigforge.evaluation import evaluate

RELU = "ufixed<6,2,RND_CONV,SAT>"
WIDE = "fixed<24,12>"


def network(name, *, link="ufixed<8,2>", channels=4, result=WIDE, tail=RELU, window=2, **options):
    """A convolution of a 9x9 image, an activation, a maximum, a cast; some parts replaced."""
    rng = np.random.default_rng(len(name))
    stride, sums = options.get("stride", window), options.get("accumulator", WIDE)
    activation = parse_format(tail)
    source = Input(name="x", inputs=(), shape=(9, 9, 1), format=parse_format(link))
    conv = Conv(
        name="conv",
        inputs=("x",),
        shape=(7, 7, channels),
        format=parse_format(result),
        weights=rng.integers(-32, 32, (3, 3, 1, channels)),
        weight_format=parse_format("fixed<6,1>"),
        bias=rng.integers(-32, 32, channels),
        bias_format=parse_format(options.get("bias_format", "fixed<6,1>")),
        accumulator=parse_format(sums),
        input_shape=(9, 9, 1),
        strides=(1, 1),
        padding=(0, 0, 0, 0),
    )
    relu = Activation(
        name="relu", inputs=("conv",), shape=conv.shape, format=activation, kind=ActivationKind.RELU
    )
    n_side = (7 - window) // stride + 1
    pool = Pool(
        name="pool",
        inputs=("relu",),
        shape=(n_side, n_side, channels),
        format=activation,
        kind=PoolKind.MAXIMUM,
        input_shape=(7, 7, channels),
        window=(window, window),
        strides=(stride, stride),
        padding=(0, 0, 0, 0),
        accumulator=activation,
    )
    cast = Quantise(
        name="y", inputs=("pool",), shape=pool.shape, format=parse_format("fixed<5,2,RND,SAT>")
    )
    return FixedPointGraph(name=name, nodes=(source, conv, relu, pool, cast))


FUSED = [
    network("saturating"),
    network("three_channels", channels=3),
    network("whole_image", window=7),
    network("gaps_between", window=2, stride=3),
    network("pairs", link="fixed<12,5>"),
    network("saturating_accumulator", accumulator="fixed<24,12,RND_CONV,SAT>"),
    network("fine_bias", bias_format="fixed<20,1>", accumulator="fixed<30,12>"),
    network("symmetric", result="fixed<9,4,RND,SAT_SYM>"),
]
APART = [
    network("wrapping", tail="ufixed<6,2,RND_CONV,WRAP>"),
    network("zeroing", tail="ufixed<6,2,TRN,SAT_ZERO>"),
    network("wrapping_result", result="fixed<9,4>"),
    network("overlapping", window=3, stride=2),
]


def is_fused(graph):
    groups = stages.grouped(graph)
    tensors = stages.measured(graph, groups)
    return any(stage.pool is not None for stage in stages.pooled(graph, groups, tensors))


@pytest.mark.parametrize("graph", FUSED, ids=lambda graph: graph.name)
def test_a_maximum_is_taken_of_sums_where_no_cast_reverses_them(graph):
    assert is_fused(graph)


@pytest.mark.parametrize("graph", APART, ids=lambda graph: graph.name)
def test_a_maximum_waits_for_casts_that_may_reverse_values(graph):
    assert not is_fused(graph)


@pytest.mark.toolchain
def test_pooled_sums_agree(tmp_path):
    graphs = [*FUSED, *APART]
    emulators = build_together([generate(graph) for graph in graphs], tmp_path)
    for graph, emulator in zip(graphs, emulators, strict=True):
        inputs = random_inputs(graph, 400)
        expected = evaluate(graph, inputs).outputs.raw
        assert len(np.unique(expected)) > 2, graph.name
        for path in usable_paths(emulator):
            emulator.set_path(path)
            np.testing.assert_array_equal(
                emulator.predict(inputs.raw), expected, err_msg=f"{graph.name} {path}"
            )
