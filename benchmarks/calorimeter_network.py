"""A network for a calorimeter image of 40x40 pixels: it is there to measure size.

Nobody trained it: its weights are drawn from normal distributions of He's width, the square
root of 2 over the number of terms, so that activations stay in their format's range, and are
quantised as the shipped models' are. It asks for 50,208 multiplications an event, a few per
cent of them by weights of zero, in the formats of the shipped top tagger.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np

from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding
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
)
from trigforge.core.records import RawTensor

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "calorimeter_network"
SEED = 40
N_PIXELS = 40
N_CLASSES = 5
LINK = FixedPointFormat(signed=False, width=8, integer_bits=2)
WEIGHT = FixedPointFormat(signed=True, width=6, integer_bits=1)
ACTIVATION = FixedPointFormat(
    signed=False, width=6, integer_bits=2, rounding=Rounding.RND_CONV, overflow=Overflow.SAT
)


def build() -> FixedPointGraph:
    """Return two convolutions with pooling and two dense layers."""
    layers = Layers(NAME, (N_PIXELS, N_PIXELS, 1), LINK, SEED)
    layers.conv(4, 5, stride=2).relu().pool()  # 18x18x4, then 9x9x4
    layers.conv(8, 3).relu().pool()  # 7x7x8, then 3x3x8
    layers.flatten().dense(48).relu().dense(N_CLASSES)
    return layers.graph()


def events(graph: FixedPointGraph, n_events: int) -> RawTensor:
    """Return random images with as many dim pixels as calorimeters have: falling energies."""
    fmt = graph.input.format
    energies = np.random.default_rng(SEED).exponential(fmt.raw_max / 8, (n_events, N_PIXELS**2))
    return RawTensor(format=fmt, raw=np.minimum(energies, fmt.raw_max).astype(np.int64))


class _Weighted(TypedDict):
    name: str
    inputs: tuple[str, ...]
    format: FixedPointFormat
    weight_format: FixedPointFormat
    bias: NDArray[np.int64]
    bias_format: FixedPointFormat
    accumulator: FixedPointFormat


class Layers:
    """Builds a graph layer by layer, in the formats of the shipped models."""

    def __init__(
        self, name: str, shape: tuple[int, ...], fmt: FixedPointFormat, seed: int = 0
    ) -> None:
        self.name, self._random = name, np.random.default_rng(seed)
        self._nodes: list[Node] = [Input(name="inputs", inputs=(), shape=shape, format=fmt)]

    def conv(self, n_filters: int, kernel: int, *, stride: int = 1) -> Layers:
        height, width, channels = self._last.shape
        node = Conv(
            shape=(0,),
            weights=self._weights((kernel, kernel, channels, n_filters)),
            input_shape=(height, width, channels),
            strides=(stride, stride),
            padding=(0, 0, 0, 0),
            **self._weighted("conv", kernel * kernel * channels, n_filters),
        )
        return self._add(replace(node, shape=node.output_shape))

    def dense(self, n_outputs: int) -> Layers:
        n_inputs = self._last.shape[-1]
        node = Dense(
            shape=(n_outputs,),
            weights=self._weights((n_inputs, n_outputs)),
            **self._weighted("dense", n_inputs, n_outputs),
        )
        return self._add(node)

    def relu(self) -> Layers:
        return self._add(
            Activation(
                **self._named(f"{self._last.name}_relu"),
                shape=self._last.shape,
                format=ACTIVATION,
                kind=ActivationKind.RELU,
            )
        )

    def pool(self) -> Layers:
        """Add the maximum of 2x2 cells; a row or column that is left over is dropped."""
        height, width, channels = self._last.shape
        node = Pool(
            **self._named("pool"),
            shape=(0,),
            format=self._last.format,
            kind=PoolKind.MAXIMUM,
            input_shape=(height, width, channels),
            window=(2, 2),
            strides=(2, 2),
            padding=(0, 0, 0, 0),
            accumulator=self._last.format,
        )
        return self._add(replace(node, shape=node.output_shape))

    def flatten(self) -> Layers:
        return self._add(
            Gather(
                **self._named("flatten"),
                shape=(self._last.n_elements,),
                format=self._last.format,
                kind="reshape",
                indices=np.arange(self._last.n_elements),
            )
        )

    def graph(self) -> FixedPointGraph:
        return FixedPointGraph(name=self.name, nodes=tuple(self._nodes))

    @property
    def _last(self) -> Node:
        return self._nodes[-1]

    def _add(self, node: Node) -> Layers:
        self._nodes.append(node)
        return self

    def _named(self, kind: str) -> dict[str, Any]:
        taken = sum(node.name.rpartition("_")[0] == kind for node in self._nodes)
        name = kind if kind.endswith(("relu", "flatten")) else f"{kind}_{taken}"
        return {"name": name, "inputs": (self._last.name,)}

    def _weights(self, shape: tuple[int, ...]) -> NDArray[np.int64]:
        """Draw the weights of ``(terms ..., channels)``."""
        width = np.sqrt(2 / np.prod(shape[:-1])) * 2**WEIGHT.fractional_bits
        drawn = np.rint(self._random.normal(0, width, shape))
        return np.clip(drawn, WEIGHT.raw_min, WEIGHT.raw_max).astype(np.int64)

    def _weighted(self, kind: str, n_terms: int, n_channels: int) -> _Weighted:
        """Return what layers with weights have in common; the sums are exact."""
        source = self._last.format
        integer_bits = source.integer_bits + WEIGHT.integer_bits + (n_terms - 1).bit_length() + 1
        fraction = source.fractional_bits + WEIGHT.fractional_bits
        accumulator = FixedPointFormat(
            signed=True, width=integer_bits + fraction, integer_bits=integer_bits
        )
        named = self._named(kind)
        return _Weighted(
            name=named["name"],
            inputs=named["inputs"],
            format=accumulator,
            weight_format=WEIGHT,
            bias=self._random.integers(-8, 9, n_channels),
            bias_format=WEIGHT,
            accumulator=accumulator,
        )
