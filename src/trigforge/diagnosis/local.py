"""One layer on its own: the graph's node and the original's layer on the same inputs.

The inputs are the graph's own, so a fault in an earlier layer does not count here, and the
node can be computed anew with one of its formats changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.graph import FixedPointGraph, Node, Pool
from trigforge.core.traces import Values
from trigforge.evaluation import BATCH, EVALUATORS
from trigforge.evaluation.run import Run


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Local:
    """A node, its inputs, and what is expected of it.

    ``nodes`` are computed from ``tensors`` (raw integers, ``(n_events, n_elements)``), the
    node last. A value agrees if it is equal to ``expected``, or no further than ``slack``
    away where there is one. ``comparable`` leaves out events whose inputs the original did
    not see.
    """

    graph: FixedPointGraph
    node: Node
    nodes: tuple[str, ...]
    tensors: Mapping[str, NDArray[Any]]
    expected: Values
    slack: Values | None
    comparable: NDArray[np.bool_]
    grid: FixedPointFormat | None
    """What the original's quantiser casts to, if it has one."""
    weights: Mapping[str, Values]
    rehearsal: Local | None = None
    """The same node with the inputs that the original's layer read, as it will have them once
    the faults before it are mended: its formats must suffice for these too."""
    events: NDArray[np.int64] | None = None
    """Which of all events these are, if not all."""

    @property
    def exact(self) -> bool:
        """Every bit must be right."""
        return self.slack is None

    @property
    def sources(self) -> tuple[FixedPointFormat, ...]:
        """The formats the node reads."""
        return tuple(source.format for source in self.graph.sources(self.node))

    def source(self, index: int = 0) -> NDArray[Any]:
        """Return the raw integers the node reads."""
        name = self.node.inputs[index]
        if name in self.tensors:
            return self.tensors[name]
        return _computed(self.graph, self.tensors, self.nodes[: self.nodes.index(name) + 1])

    def recompute(self, changed: Node) -> NDArray[Any]:
        """Return the raw results ``(n_events, n_elements)`` with the node replaced."""
        nodes = tuple(_replaced(node, changed) for node in self.graph)
        graph = FixedPointGraph(name=self.graph.name, nodes=nodes)
        return _computed(graph, self.tensors, self.nodes)

    def wrong(self, changed: Node) -> NDArray[np.bool_]:
        """Tell which values of a replaced node are not what is expected."""
        return self.differing(values_of(self.recompute(changed), changed.format))

    def differing(self, values: Values) -> NDArray[np.bool_]:
        """Tell which values are not what is expected."""
        if self.slack is None:
            different = values != self.expected
        else:
            different = ~(np.abs(values - self.expected) <= self.slack)
        return np.asarray(different & self.comparable[:, None])


def _replaced(node: Node, changed: Node) -> Node:
    """Return the node that takes a place when another is changed.

    The cast before a pooling in io_stream is to the accumulator of the pooling.
    """
    if node.name == changed.name:
        return changed
    if isinstance(changed, Pool) and node.name == f"{changed.name}_cells":
        return replace(node, format=changed.accumulator)
    return node


def _computed(
    graph: FixedPointGraph, tensors: Mapping[str, NDArray[Any]], names: tuple[str, ...]
) -> NDArray[Any]:
    """Evaluate some nodes of a graph, batch by batch; return the last."""
    n_events = len(next(iter(tensors.values())))
    parts = []
    for first in range(0, n_events, BATCH):
        run = Run(graph=graph, gauges=None)
        run.tensors.update({name: raw[first : first + BATCH] for name, raw in tensors.items()})
        for name in names:
            run.tensors[name] = EVALUATORS[type(graph[name])](run, graph[name])
        parts.append(run.tensors[names[-1]])
    return np.concatenate(parts)


def values_of(raw: NDArray[Any], fmt: FixedPointFormat) -> Values:
    """Return the numbers of raw integers, to the 53 bits of float64."""
    return np.ldexp(raw.astype(np.float64), -fmt.fractional_bits)
