"""What a report shows of the network itself: ``FixedPointGraph -> Sketch, TensorHealth``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trigforge import estimation, evaluation
from trigforge.core.graph import (
    Activation,
    Gather,
    Merge,
    Pool,
    Scale,
    Softmax,
    SumOfProducts,
    Table,
)
from trigforge.core.records import RawTensor
from trigforge.core.sketch import Sketch, SketchNode
from trigforge.estimation.operations import LayerEbops

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from trigforge.core.graph import FixedPointGraph, Node
    from trigforge.core.health import TensorHealth
    from trigforge.core.records import Stimulus

N_HEALTH_EVENTS = 2000
"""Enough to see which bits are used; a rare overflow is `trigforge diagnose --events`' to find."""


def sketch(graph: FixedPointGraph) -> Sketch:
    """Return the nodes of a graph with what each costs in weights and multiplications."""
    counted = {layer.name: layer for layer in estimation.ebops(graph).layers}
    return Sketch(nodes=tuple(_node(node, counted) for node in graph))


def health(graph: FixedPointGraph, stimulus: Stimulus) -> tuple[TensorHealth, ...]:
    """Return how every tensor uses its format over the first held-out events."""
    inputs = stimulus.inputs
    n_events = min(N_HEALTH_EVENTS, stimulus.blocks[0][1])
    few = RawTensor(format=inputs.format, raw=inputs.raw[:n_events].copy())
    return evaluation.measure(graph, few)


def _node(node: Node, counted: Mapping[str, LayerEbops]) -> SketchNode:
    weights = _weights(node)
    layer = counted.get(node.name, LayerEbops(name="", n_multiplications=0, n_nonzero=0, ebops=0))
    return SketchNode(
        name=node.name,
        kind=_kind(node),
        inputs=node.inputs,
        shape=node.shape,
        format=str(node.format).replace("ap_", "").replace("AP_", ""),
        n_weights=weights.size,
        n_zero_weights=int((weights == 0).sum()),
        n_multiplications=layer.n_nonzero,
        n_products=layer.n_multiplications,
    )


def _weights(node: Node) -> NDArray[np.int64]:
    """Return the trained constants of a node in a row."""
    if isinstance(node, SumOfProducts):
        return np.concatenate([node.weights.ravel(), node.bias.ravel()])
    if isinstance(node, Scale):
        return np.concatenate([node.scale.ravel(), node.bias.ravel()])
    return np.zeros(0, dtype=np.int64)


def _kind(node: Node) -> str:
    """Name the operation as people do, where one type of node stands for several."""
    kind = type(node).__name__
    if isinstance(node, Activation | Merge | Pool | Softmax):
        return f"{kind} {node.kind.value}"
    if isinstance(node, Table):
        return f"{kind} {node.function}"
    if isinstance(node, Gather):
        return f"{kind} {node.kind}"
    return kind
