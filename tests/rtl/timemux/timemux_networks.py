"""Networks for tests of time-multiplexed RTL, and how they are simulated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from random_graphs import random_inputs

from trigforge import comparison, cosim
from trigforge.core.config import Budget, Hardware
from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding
from trigforge.core.graph import (
    Activation,
    ActivationKind,
    Conv,
    Dense,
    FixedPointGraph,
    Gather,
    Input,
    Pool,
    PoolKind,
    Quantise,
)
from trigforge.evaluation import evaluate
from trigforge.rtl import timemux
from trigforge.rtl.timemux import clocking, preparation, scheduler

CLOCKS_MHZ = (40, 80, 160, 240, 320, 360, 480)
ACTIVATION = FixedPointFormat(False, 6, 2, Rounding.RND_CONV, Overflow.SAT)
WEIGHT = FixedPointFormat(True, 6, 1)
PART = "xcvu13p-flga2577-2-e"


def hardware(clock_mhz: float = 320, **changes) -> Hardware:
    return Hardware(
        part=PART,
        clock_mhz=clock_mhz,
        io_type="io_parallel",
        implementation="timemux",
        **changes,
    )


def budget(latency_ns: float = 10_000, interval_crossings: int = 1) -> Budget:
    return Budget(
        latency_ns=latency_ns,
        interval_crossings=interval_crossings,
        lut_share=0.1,
        ff_share=0.1,
        dsp_share=0.2,
        bram_share=0.1,
    )


def planned(graph: FixedPointGraph, clock_mhz: float = 320, **changes):
    """Return the graph as it is scheduled, its plan and the clock."""
    clock = clocking.timing(clock_mhz, 1)
    prepared = preparation.casts_before_moves(graph)
    plan = scheduler.plan(prepared, hardware(clock_mhz, **changes), clock, 10_000)
    return prepared, plan, clock


def simulated(design, graph: FixedPointGraph, store, *, bench="verilator", n_events=150):
    """Play random events and corners into a design; return the verdicts."""
    stimulus = comparison.make_stimulus(random_inputs(graph, n_events), seed=1)
    expected = evaluate(graph, stimulus.inputs).outputs
    return cosim.check(simulation_of(design), stimulus, expected, store, bench=bench)


def simulation_of(design) -> cosim.Design:
    return cosim.Design(
        title=design.name,
        top=design.name,
        sources=design.sources,
        order=design.order,
        input=design.input,
        output=design.output,
        latency_cycles=design.latency_cycles,
        interval_cycles=design.interval_cycles,
    )


def faults_of(graph: FixedPointGraph, store, clock_mhz: float = 320, *, bench="verilator", **more):
    """Generate and simulate; return what is wrong, and the design."""
    design = timemux.generate(graph, hardware(clock_mhz, **more), budget())
    outcomes = simulated(design, graph, store, bench=bench)
    return [f"{entry.name}: {entry.fault}" for entry in outcomes if not entry.met], design


class Layers:
    """Builds networks layer by layer, weights from a seed."""

    def __init__(self, name: str, shape, fmt: FixedPointFormat, seed: int = 0) -> None:
        self.name, self.rng = name, np.random.default_rng(seed)
        self.nodes = [Input(name="x", inputs=(), shape=shape, format=fmt)]

    def _weights(self, shape, sparsity: float):
        raw = self.rng.integers(WEIGHT.raw_min, WEIGHT.raw_max + 1, shape)
        return np.where(self.rng.random(shape) < sparsity, 0, raw)

    def _common(self, n_terms: int, n_channels: int):
        source = self.nodes[-1]
        fraction = source.format.fractional_bits + WEIGHT.fractional_bits
        width = source.format.width + WEIGHT.width + n_terms.bit_length() + 1
        accumulator = FixedPointFormat(True, width, width - fraction)
        return {
            "name": f"n{len(self.nodes)}",
            "inputs": (source.name,),
            "format": accumulator,
            "weight_format": WEIGHT,
            "bias": self.rng.integers(WEIGHT.raw_min, WEIGHT.raw_max + 1, n_channels),
            "bias_format": WEIGHT,
            "accumulator": accumulator,
        }

    def dense(self, n_outputs: int, sparsity: float = 0.0, **changes) -> Layers:
        source = self.nodes[-1]
        n_inputs, rows = source.shape[-1], source.shape[:-1]
        node = Dense(
            shape=(*rows, n_outputs),
            weights=self._weights((n_inputs, n_outputs), sparsity),
            **self._common(n_inputs, n_outputs),
        )
        self.nodes.append(replace(node, **changes))
        return self

    def conv(self, n_filters, kernel, strides=(1, 1), padding=(0, 0, 0, 0), **more) -> Layers:
        source, depthwise = self.nodes[-1], more.get("depthwise", False)
        channels = source.shape[2]
        weights = (*kernel, channels, 1 if depthwise else n_filters)
        node = Conv(
            shape=source.shape,
            input_shape=source.shape,
            strides=strides,
            padding=padding,
            depthwise=depthwise,
            weights=self._weights(weights, more.get("sparsity", 0.0)),
            **self._common(int(np.prod(weights[:3])), n_filters),
        )
        self.nodes.append(replace(node, shape=node.output_shape))
        return self

    def relu(self, fmt: FixedPointFormat = ACTIVATION) -> Layers:
        source = self.nodes[-1]
        self.nodes.append(
            Activation(
                name=f"n{len(self.nodes)}",
                inputs=(source.name,),
                shape=source.shape,
                format=fmt,
                kind=ActivationKind.RELU,
            )
        )
        return self

    def quantise(self, fmt: FixedPointFormat) -> Layers:
        source = self.nodes[-1]
        name = f"n{len(self.nodes)}"
        node = Quantise(name=name, inputs=(source.name,), shape=source.shape, format=fmt)
        self.nodes.append(node)
        return self

    def pool(self, window=(2, 2), strides=None, kind=PoolKind.MAXIMUM, **changes) -> Layers:
        source = self.nodes[-1]
        fmt = source.format
        if kind is PoolKind.AVERAGE:  # a sum that cannot overflow
            grown = int(np.prod(window)).bit_length()
            fmt = FixedPointFormat(fmt.signed, fmt.width + grown, fmt.integer_bits + grown)
        node = Pool(
            name=f"n{len(self.nodes)}",
            inputs=(source.name,),
            shape=source.shape,
            format=source.format,
            kind=kind,
            input_shape=source.shape,
            window=window,
            strides=strides or window,
            padding=(0, 0, 0, 0),
            accumulator=fmt,
        )
        node = replace(node, **changes)
        self.nodes.append(replace(node, shape=node.output_shape))
        return self

    def flatten(self) -> Layers:
        source = self.nodes[-1]
        self.nodes.append(
            Gather(
                name=f"n{len(self.nodes)}",
                inputs=(source.name,),
                shape=(source.n_elements,),
                format=source.format,
                kind="reshape",
                indices=np.arange(source.n_elements),
            )
        )
        return self

    def graph(self) -> FixedPointGraph:
        return FixedPointGraph(name=self.name, nodes=tuple(self.nodes))


def random_network(seed: int) -> FixedPointGraph:
    """Return one to three layers of multipliers with random shapes, strides and modes."""
    rng = np.random.default_rng(seed)

    def chosen(options):
        return options[int(rng.integers(len(options)))]

    def between(low: int, high: int) -> int:
        return int(rng.integers(low, high + 1))

    shape = chosen([(1, 9, 3), (6, 6, 2), (5, 7, 1), (8, 8, 1), (4, 4, 4), (16,), (9,), (3, 5)])
    fmt = FixedPointFormat(bool(rng.integers(2)), between(4, 9), 3)
    layers = Layers(f"network_{seed}", shape, fmt, seed)
    for _ in range(between(1, 3)):
        shape, sparsity = layers.nodes[-1].shape, chosen([0, 0, 0.5, 0.8])
        if len(shape) == 3 and rng.random() < 0.8:
            depthwise = bool(rng.random() < 0.25)
            layers.conv(
                shape[2] if depthwise else between(1, 5),
                (between(1, min(3, shape[0])), between(1, min(3, shape[1]))),
                (between(1, 2), between(1, 2)),
                tuple(between(0, 1) for _ in range(4)),
                depthwise=depthwise,
                sparsity=sparsity,
            )
        else:
            if len(shape) > 1 and rng.random() < 0.7:
                layers.flatten()
            layers.dense(between(1, 8), sparsity)
        shape = layers.nodes[-1].shape
        target = FixedPointFormat(
            bool(rng.integers(2)),
            between(4, 8),
            between(1, 3),
            chosen(list(Rounding)),
            chosen(list(Overflow)),
        )
        (layers.relu if rng.random() < 0.5 else layers.quantise)(target)
        if len(shape) == 3 and min(shape[:2]) >= 2 and rng.random() < 0.5:
            layers.pool(kind=chosen([PoolKind.MAXIMUM, PoolKind.AVERAGE]))
    return layers.graph()
