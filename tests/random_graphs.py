"""Random small graphs of every kind of node, from a seed; for all tests that need some."""

from __future__ import annotations

from dataclasses import dataclass, field

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
    Merge,
    MergeKind,
    Node,
    Pool,
    PoolKind,
    Quantise,
    Scale,
    Softmax,
    SoftmaxKind,
    Summation,
    Table,
    window_indices,
)
from trigforge.core.records import RawTensor
from trigforge.evaluation import evaluate

MAX_ELEMENTS = 160
MAX_TRIES = 12
MAX_KINDS = 8


def random_graph(seed: int, *, n_nodes: int = 5, max_width: int = 20) -> FixedPointGraph:
    """Return a graph of ``n_nodes`` nodes after its input; the same for the same seed."""
    builder = _Builder(rng=np.random.default_rng(seed), max_width=max_width)
    shape = builder.chosen([(4,), (9,), (16,), (5, 6, 1), (6, 6, 4), (1, 9, 3), (4, 5, 2), (3, 4)])
    fmt = builder.format(min_width=4)
    builder.nodes.append(Input(name="x", inputs=(), shape=shape, format=fmt))
    for _ in range(n_nodes):
        builder.grow()
    return FixedPointGraph(name=f"random_{seed}", nodes=tuple(builder.nodes))


def random_inputs(graph: FixedPointGraph, n_events: int, seed: int = 0) -> RawTensor:
    """Return raw inputs all over the format's range, its ends and zero among them."""
    rng, fmt = np.random.default_rng(seed), graph.input.format
    shape = (n_events, graph.input.n_elements)
    raw = rng.integers(fmt.raw_min, fmt.raw_max, shape, endpoint=True, dtype=np.int64)
    special = np.array([fmt.raw_min, fmt.raw_max, 0, max(fmt.raw_min, -1), min(fmt.raw_max, 1)])
    raw = np.where(rng.random(shape) < 0.1, rng.choice(special, shape), raw)
    small = rng.random(n_events) < 0.3
    raw[small] >>= fmt.width // 2
    return RawTensor(format=fmt, raw=raw)


@dataclass
class _Builder:
    rng: np.random.Generator
    max_width: int
    nodes: list[Node] = field(default_factory=list)

    def chosen(self, options):
        return options[int(self.rng.integers(len(options)))]

    def likely(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def between(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high, endpoint=True))

    def format(
        self, fraction: int | None = None, *, min_width: int = 1, max_width: int | None = None
    ) -> FixedPointFormat:
        """Return a format whose last bit is near ``2**-fraction``."""
        width = self.between(min_width, max(min_width, max_width or self.max_width))
        middle = self.between(0, 8) if fraction is None else fraction
        fraction = max(-40, min(60, middle + self.between(-4, 3)))
        plain = self.likely(0.3)
        return FixedPointFormat(
            self.likely(0.7),
            width,
            width - fraction,
            Rounding.TRN if plain else self.chosen(list(Rounding)),
            Overflow.WRAP if plain else self.chosen(list(Overflow)),
        )

    def constants(self, fmt: FixedPointFormat, shape: tuple[int, ...]):
        raw = self.rng.integers(fmt.raw_min, fmt.raw_max, shape, endpoint=True, dtype=np.int64)
        sparse = self.chosen([0.0, 0.0, 0.3, 0.8])
        return np.where(self.rng.random(shape) < sparse, 0, raw)

    def grow(self) -> None:
        last = self.nodes[-1]
        options = [self.dense, self.elementwise, self.gather, self.merge, self.quantise]
        options += [self.activation] * 2 + [self.table, self.softmax, self.softmax]
        if len(last.shape) == 3:
            options += [self.conv] * 4 + [self.pool] * 3
        else:
            options += [self.dense] * 3
        # A tensor that is the same for every event would hide what came before it.
        for _ in range(MAX_KINDS):
            make = self.chosen(options)
            for _ in range(MAX_TRIES):
                candidate = make(last)
                if self.varies(candidate):
                    self.nodes.append(candidate)
                    return
        self.nodes.append(candidate)

    def varies(self, node: Node) -> bool:
        """Tell whether most elements differ from event to event."""
        graph = FixedPointGraph(name="trial", nodes=(*self.nodes, node))
        raw = evaluate(graph, random_inputs(graph, 40)).outputs.raw
        wanted = 2 if isinstance(node, Activation | Softmax) else 3
        n_kinds = np.array([len(np.unique(column)) for column in raw.T])
        return bool((n_kinds > 1).mean() > 0.7 and np.median(n_kinds) >= wanted)

    def common(self, source: Node, shape: tuple[int, ...], fraction: int | None = None, **extra):
        fraction = source.format.fractional_bits if fraction is None else fraction
        fmt = extra.pop("format", None) or self.format(fraction)
        name = f"n{len(self.nodes)}"
        return {"name": name, "inputs": (source.name,), "shape": shape, "format": fmt, **extra}

    def weighted(self, source: Node, weights: tuple[int, ...], n_channels: int):
        weight_format = self.format(self.between(0, 6), max_width=self.chosen([2, 6, 8, 12]))
        product = source.format.fractional_bits + weight_format.fractional_bits
        accumulator = self.format(product, min_width=3)
        if self.likely(0.35):  # as a converter would choose it: nothing is lost or overflows
            width = min(60, source.format.width + weight_format.width + 8)
            accumulator = FixedPointFormat(
                True, width, width - product, Rounding.TRN, self.chosen(list(Overflow))
            )
        elif self.likely(0.5):
            accumulator = FixedPointFormat(True, accumulator.width, accumulator.width - product)
        bias_format = self.format(product, max_width=8)
        fraction = accumulator.fractional_bits
        fmt = accumulator if self.likely(0.4) else self.format(fraction, min_width=2)
        return {
            "weights": self.constants(weight_format, weights),
            "weight_format": weight_format,
            "bias": self.constants(bias_format, (n_channels,)),
            "bias_format": bias_format,
            "accumulator": accumulator,
            "format": fmt,
        }

    def order(self, n_terms: int, n_channels: int):
        if self.likely(0.6):
            return None
        return np.stack([self.rng.permutation(n_terms) for _ in range(n_channels)], axis=1)

    def dense(self, source: Node) -> Node:
        shape = source.shape
        if len(shape) == 3 and self.likely(0.5):
            shape = (source.n_elements,)
        n_outputs = self.between(1, 9)
        parts = self.weighted(source, (shape[-1], n_outputs), n_outputs)
        return Dense(
            **self.common(source, (*shape[:-1], n_outputs), **parts),
            order=self.order(shape[-1], n_outputs),
        )

    def window(self, shape, largest: int):
        height, width = (self.between(1, min(largest, size)) for size in shape[:2])
        strides = self.between(1, 2), self.between(1, 2)
        padding = (0, 0, 0, 0)
        if self.likely(0.4):
            padding = tuple(self.between(0, size - 1) for size in (height, height, width, width))
        return (height, width), strides, padding

    def conv(self, source: Node) -> Node:
        (height, width), strides, padding = self.window(source.shape, 3)
        channels, depthwise = source.shape[2], self.likely(0.3)
        filters = channels if depthwise else self.between(1, 5)
        n_terms = height * width * (1 if depthwise else channels)
        weights = (height, width, channels, 1 if depthwise else filters)
        parts = self.weighted(source, weights, filters)
        windows = window_indices(source.shape, (height, width), strides, padding)
        probe = Conv(
            **self.common(source, (len(windows), 1, filters), **parts),
            input_shape=source.shape,
            strides=strides,
            padding=padding,
            depthwise=depthwise,
            order=self.order(n_terms, filters),
        )
        object.__setattr__(probe, "shape", probe.output_shape)
        return probe

    def pool(self, source: Node) -> Node:
        window, strides, padding = self.window(source.shape, 3)
        kind = self.chosen([PoolKind.MAXIMUM, PoolKind.MAXIMUM, PoolKind.AVERAGE])
        fmt = source.format
        keeps = kind is PoolKind.MAXIMUM and self.likely(0.7)
        indices = window_indices(source.shape, window, strides, padding)
        alone = bool(((indices >= 0).sum(axis=1) == 0).any())
        pool = Pool(
            **self.common(source, (1,), format=fmt if keeps else None),
            kind=kind,
            input_shape=source.shape,
            window=window,
            strides=strides,
            padding=padding,
            accumulator=fmt if keeps else self.format(fmt.fractional_bits, min_width=2),
            padding_raw=fmt.raw_min if fmt.signed else fmt.raw_max // 2,
            count_padding=alone or self.likely(0.5),
            summation=self.chosen(list(Summation)),
            divide_last=self.likely(0.5),
        )
        object.__setattr__(pool, "shape", pool.output_shape)
        return pool

    def quantise(self, source: Node) -> Node:
        return Quantise(**self.common(source, source.shape))

    def elementwise(self, source: Node) -> Node:
        n = self.chosen([1, source.shape[-1], source.n_elements])
        scale_format, bias_format = self.format(3, max_width=10), self.format(4, max_width=10)
        fraction = source.format.fractional_bits + scale_format.fractional_bits
        return Scale(
            **self.common(source, source.shape, fraction),
            scale=self.constants(scale_format, (n,)),
            scale_format=scale_format,
            bias=self.constants(bias_format, (n,)),
            bias_format=bias_format,
        )

    def activation(self, source: Node) -> Node:
        kind = self.chosen([ActivationKind.RELU, ActivationKind.RELU, *ActivationKind])
        common = self.common(source, source.shape)
        if kind in {
            ActivationKind.RELU,
            ActivationKind.BINARY_TANH,
            ActivationKind.TERNARY_TANH,
        }:
            return Activation(**common, kind=kind)
        if kind is ActivationKind.RELU_MAX:
            limit = np.array([self.between(1, 8)])
            return Activation(**common, kind=kind, parameters=limit)
        fmt = self.format(4, max_width=9)
        n = {
            ActivationKind.PRELU: source.n_elements,
            ActivationKind.HARD_SIGMOID: 2,
            ActivationKind.HARD_TANH: 2,
        }.get(kind, 1)
        parameters = self.constants(fmt, (n,))
        return Activation(**common, kind=kind, parameters=parameters, parameter_format=fmt)

    def table(self, source: Node) -> Node:
        size, fmt = self.between(3, 64), self.format(6, max_width=12)
        scale = self.between(-2, 2) + max(0, source.format.width - 6)
        extra = {}
        if self.likely(0.3):
            extra = {"positive": self.between(1, 9), "positive_format": self.format(3, min_width=5)}
        if self.likely(0.3):
            extra |= {
                "negative": self.between(-3, 4),
                "negative_format": self.format(2, min_width=4),
            }
        return Table(
            **self.common(source, source.shape),
            function="random",
            table=self.constants(fmt, (size,)),
            table_format=fmt,
            multiplier=self.chosen([1, 3, size]),
            divisor=self.chosen([-1, 1]) * max(1, 1 << max(scale, 0)),
            offset=self.between(-2, size),
            **extra,
        )

    def softmax(self, source: Node) -> Node:
        n_slice = source.shape[-1]
        n_inner = 1
        if len(source.shape) == 2 and self.likely(0.3):
            n_slice, n_inner = source.shape[0], source.shape[1]
        kind = self.chosen(list(SoftmaxKind))
        entry, inverse = self.format(5, max_width=12), self.format(5, max_width=12)
        distance = self.format(source.format.fractional_bits, min_width=5)
        total = self.format(5, min_width=5)
        address = source.format if kind is SoftmaxKind.LATENCY else distance
        n_bits, m_bits = min(5, address.width), self.between(2, 5)
        return Softmax(
            **self.common(source, source.shape, 5),
            kind=kind,
            n_slice=n_slice,
            n_inner=n_inner,
            exponentials=self.constants(entry, (1 << n_bits,)),
            exponential_format=entry,
            inverses=self.constants(inverse, (1 << m_bits,)),
            inverse_format=inverse,
            accumulator=self.format(5, min_width=4),
            distance_format=distance,
            sum_format=total,
        )

    def gather(self, source: Node) -> Node:
        sources = [source]
        if self.likely(0.4):
            sources.append(self.chosen(self.nodes))
        total = sum(node.n_elements for node in sources)
        n = min(self.between(2, total + 3), MAX_ELEMENTS)
        indices = self.rng.integers(-1, total, n)
        fmt, shape = None, (n,)
        if self.likely(0.5):
            indices, fmt, shape = np.arange(source.n_elements), source.format, (source.n_elements,)
            if len(source.shape) == 3 and self.likely(0.5):
                sources, shape = [source], source.shape
        parts = self.common(source, shape, format=fmt)
        parts["inputs"] = tuple(node.name for node in sources)
        return Gather(**parts, kind="random", indices=indices)

    def merge(self, source: Node) -> Node:
        others = [
            node
            for node in self.nodes
            if source.n_elements % node.n_elements == 0 or node.shape == source.shape
        ]
        other, kind = self.chosen(others), self.chosen(list(MergeKind))
        fraction = max(source.format.fractional_bits, other.format.fractional_bits)
        if kind is MergeKind.MULTIPLY:
            fraction = source.format.fractional_bits + other.format.fractional_bits
        parts = self.common(source, source.shape, fraction)
        parts["inputs"] = tuple(self.rng.permutation([source.name, other.name]).tolist())
        return Merge(**parts, kind=kind)
