"""A graph in which each fault of numerical health is planted once."""

from __future__ import annotations

import numpy as np

from trigforge.core.fixed_point import parse_format
from trigforge.core.graph import (
    Activation,
    ActivationKind,
    Dense,
    FixedPointGraph,
    Input,
    Quantise,
)
from trigforge.core.records import RawTensor

BYTE = parse_format("fixed<8,8>")
EVENTS = [[100, 100, 0], [1, 2, 3], [-100, -100, 5], [7, 0, 0], [-128, 127, 1]]


def summing(name: str, weights: list[list[int]], *, accumulator: str, bias: int = 0) -> Dense:
    """Return a dense layer of x with small weights in five bits."""
    n_outputs = len(weights[0])
    fmt = parse_format(accumulator)
    return Dense(
        name=name,
        inputs=("x",),
        shape=(n_outputs,),
        format=fmt,
        weights=np.array(weights),
        weight_format=parse_format("fixed<5,5>"),
        bias=np.full(n_outputs, bias),
        bias_format=BYTE,
        accumulator=fmt,
    )


def cast_of_x(name: str, fmt: str) -> Quantise:
    """Return a cast of the input."""
    return Quantise(name=name, inputs=("x",), shape=(3,), format=parse_format(fmt))


def planted() -> FixedPointGraph:
    """Return the graph; every layer reads the input."""
    return FixedPointGraph(
        name="planted",
        nodes=(
            Input(name="x", inputs=(), shape=(3,), format=BYTE),
            summing("wrap_sum", [[8], [8], [-16]], accumulator="fixed<10,10>"),
            summing("held_sum", [[8], [7], [-16]], accumulator="fixed<10,10,TRN,SAT>"),
            summing("half_dead", [[15, 0, 1], [1, 0, -16], [1, 0, 1]], accumulator="fixed<16,16>"),
            summing("wide", [[7], [-8], [3]], accumulator="fixed<16,16>"),
            summing("big_bias", [[1], [1], [-9]], accumulator="fixed<6,6>", bias=40),
            cast_of_x("wrapping", "fixed<7,7>"),
            cast_of_x("saturating", "fixed<7,7,TRN,SAT>"),
            cast_of_x("unsigned", "ufixed<8,8>"),
            cast_of_x("roomy", "fixed<11,10>"),
            cast_of_x("zero", "fixed<8,17,RND_ZERO,WRAP>"),
            Activation(
                name="positive",
                inputs=("x",),
                shape=(3,),
                format=BYTE,
                kind=ActivationKind.RELU,
            ),
        ),
    )


def planted_inputs() -> RawTensor:
    """Return events that bring every fault out."""
    return RawTensor(format=BYTE, raw=np.array(EVENTS))
