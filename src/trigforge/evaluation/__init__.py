"""Evaluate a graph exactly: ``FixedPointGraph, RawTensor -> Evaluation``.

Vectorised NumPy on integers; float64 only for matrix products whose every partial sum is
below ``2**53``. This is the reference when others disagree: it follows the C++ cast by cast
(``core.graph`` says which), and takes a short cut only where the result cannot depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.errors import InputError
from trigforge.core.graph import (
    Activation,
    Conv,
    Dense,
    Gather,
    Input,
    Merge,
    Pool,
    Quantise,
    Scale,
    Softmax,
    Table,
)
from trigforge.core.health import TensorHealth, TensorKind
from trigforge.core.records import Progress, RawTensor, no_progress
from trigforge.evaluation import elementwise, pooling, sums, tables
from trigforge.evaluation.gauge import Gauge
from trigforge.evaluation.health import constants, read_off
from trigforge.evaluation.run import Run

__all__ = ["Evaluation", "TensorHealth", "TensorKind", "evaluate", "measure"]

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from trigforge.core.graph import FixedPointGraph, Node

BATCH = 4096

EVALUATORS: Mapping[type[Node], Callable[[Run, Any], NDArray[Any]]] = {
    Quantise: elementwise.quantise,
    Dense: sums.dense,
    Conv: sums.conv,
    Pool: pooling.pool,
    Scale: elementwise.scale,
    Activation: elementwise.activation,
    Table: tables.table,
    Softmax: tables.softmax,
    Gather: elementwise.gather,
    Merge: elementwise.merge,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The outputs ``(n_events, n_outputs)``, the tensors asked for, and their health."""

    outputs: RawTensor
    tensors: tuple[tuple[str, RawTensor], ...] = ()
    health: tuple[TensorHealth, ...] = ()


def evaluate(
    graph: FixedPointGraph,
    inputs: RawTensor,
    *,
    keep: tuple[str, ...] = (),
    health: bool = False,
    progress: Progress = no_progress,
) -> Evaluation:
    """Return the raw outputs of a graph for raw inputs ``(n_events, n_inputs)``.

    ``keep`` names nodes whose tensors are returned too; ``health`` asks for the statistics
    of every tensor.

    Raises:
        InputError: if the inputs have another format or size than the graph's input.
    """
    expected = (graph.input.format, graph.input.n_elements)
    if (inputs.format, inputs.raw.shape[1]) != expected:
        msg = (
            f"graph {graph.name} takes {expected[1]} elements of {expected[0]}, not "
            f"{inputs.raw.shape[1]} of {inputs.format}"
        )
        raise InputError(msg)
    kept_nodes = [graph[name] for name in keep]
    gauges = {node.name: Gauge() for node in graph} if health else None
    collected: dict[str, list[NDArray[Any]]] = {name: [] for name in (*keep, graph.output.name)}
    for first in range(0, len(inputs.raw), BATCH):
        run = Run(graph=graph, gauges=gauges)
        batch = inputs.raw[first : first + BATCH]
        for node in graph:
            run.tensors[node.name] = _evaluate_node(run, node, batch)
            if gauges is not None:
                gauges[node.name].read(run.tensors[node.name])
        for name, parts in collected.items():
            parts.append(run.tensors[name])
        progress("evaluating the graph", first + len(batch), len(inputs.raw))
    return Evaluation(
        outputs=_joined(graph.output, collected[graph.output.name]),
        tensors=tuple((node.name, _joined(node, collected[node.name])) for node in kept_nodes),
        health=() if gauges is None else tuple(read_off(node, gauges[node.name]) for node in graph),
    )


def measure(
    graph: FixedPointGraph, inputs: RawTensor, *, progress: Progress = no_progress
) -> tuple[TensorHealth, ...]:
    """Return the health of every tensor of a graph over raw inputs.

    They come in the order of the graph, weights, biases and tables before the result they
    are used for.

    Raises:
        InputError: if the inputs have another format or size than the graph's input.
    """
    results = evaluate(graph, inputs, health=True, progress=progress).health
    return tuple(
        entry
        for node, result in zip(graph, results, strict=True)
        for entry in (*constants(node), result)
    )


def _joined(node: Node, parts: list[NDArray[Any]]) -> RawTensor:
    empty = np.zeros((0, node.n_elements), dtype=node.format.dtype)
    return RawTensor(format=node.format, raw=np.concatenate(parts) if parts else empty)


def _evaluate_node(run: Run, node: Node, batch: NDArray[Any]) -> NDArray[Any]:
    if isinstance(node, Input):
        return batch
    return EVALUATORS[type(node)](run, node)
