"""Graphs like the networks that are shipped, with random weights."""

from __future__ import annotations

import itertools

import numpy as np

from trigforge.core.fixed_point import parse_format
from trigforge.core.graph import (
    Activation,
    ActivationKind,
    Conv,
    Dense,
    FixedPointGraph,
    Gather,
    Input,
    Node,
    Pool,
    PoolKind,
    Quantise,
    Scale,
)

WEIGHT = parse_format("fixed<6,1>")
RELU = parse_format("ufixed<6,2,RND_CONV,SAT>")
ACCUMULATOR = parse_format("fixed<20,9>")


def _weights(rng, shape):
    return np.clip(np.round(rng.normal(0, 9, shape)), -32, 31).astype(np.int64)


def _weighted(rng, shape, n_channels):
    return {
        "weights": _weights(rng, shape),
        "weight_format": WEIGHT,
        "bias": rng.integers(-32, 32, n_channels),
        "bias_format": WEIGHT,
        "accumulator": ACCUMULATOR,
        "format": ACCUMULATOR,
    }


def _relu(source: Node, name: str) -> Node:
    return Activation(
        name=name, inputs=(source.name,), shape=source.shape, format=RELU, kind=ActivationKind.RELU
    )


def dense_network(
    name: str = "jets", *, seed: int = 0, sizes: tuple[int, ...] = (16, 64, 32, 32, 5)
) -> FixedPointGraph:
    """Return scaled features and dense layers with ReLU between them."""
    rng, n_inputs = np.random.default_rng(seed), sizes[0]
    nodes: list[Node] = [
        Input(name="features", inputs=(), shape=(n_inputs,), format=parse_format("fixed<16,6>")),
        Scale(
            name="scaled",
            inputs=("features",),
            shape=(n_inputs,),
            format=parse_format("fixed<24,10>"),
            scale=1 << rng.integers(0, 6, n_inputs),
            scale_format=parse_format("fixed<10,5>"),
            bias=rng.integers(-2000, 2000, n_inputs),
            bias_format=parse_format("fixed<16,6>"),
        ),
        Quantise(
            name="quantised",
            inputs=("scaled",),
            shape=(n_inputs,),
            format=parse_format("fixed<8,4,RND_CONV,SAT>"),
        ),
    ]
    for i, (n_before, n_after) in enumerate(itertools.pairwise(sizes)):
        parts = _weighted(rng, (n_before, n_after), n_after)
        nodes.append(Dense(name=f"dense_{i}", inputs=(nodes[-1].name,), shape=(n_after,), **parts))
        if i < len(sizes) - 2:
            nodes.append(_relu(nodes[-1], f"relu_{i}"))
    return FixedPointGraph(name=name, nodes=tuple(nodes))


def convolutional_network(name: str = "images", *, seed: int = 0) -> FixedPointGraph:
    """Return two convolutions with pooling and two dense layers on 16x16 images."""
    rng = np.random.default_rng(seed)
    nodes: list[Node] = [
        Input(name="image", inputs=(), shape=(16, 16, 1), format=parse_format("ufixed<8,2>"))
    ]
    for i, (kernel, channels, filters) in enumerate([(3, 1, 4), (4, 4, 8)]):
        size = nodes[-1].shape[0] - kernel + 1
        conv = Conv(
            name=f"conv_{i}",
            inputs=(nodes[-1].name,),
            shape=(size, size, filters),
            input_shape=nodes[-1].shape,
            strides=(1, 1),
            padding=(0, 0, 0, 0),
            **_weighted(rng, (kernel, kernel, channels, filters), filters),
        )
        nodes += [conv, _relu(conv, f"relu_{i}")]
        nodes.append(
            Pool(
                name=f"pool_{i}",
                inputs=(nodes[-1].name,),
                shape=(size // 2, size // 2, filters),
                format=RELU,
                kind=PoolKind.MAXIMUM,
                input_shape=conv.shape,
                window=(2, 2),
                strides=(2, 2),
                padding=(0, 0, 0, 0),
                accumulator=RELU,
            )
        )
    flat = Gather(
        name="flat",
        inputs=(nodes[-1].name,),
        shape=(32,),
        format=RELU,
        kind="reshape",
        indices=np.arange(32),
    )
    hidden = Dense(name="dense", inputs=("flat",), shape=(16,), **_weighted(rng, (32, 16), 16))
    relu = _relu(hidden, "relu_last")
    score = Dense(name="score", inputs=(relu.name,), shape=(1,), **_weighted(rng, (16, 1), 1))
    return FixedPointGraph(name=name, nodes=(*nodes, flat, hidden, relu, score))
