"""Replay a FixedPointGraph on symbols: ``FixedPointGraph -> CombLogic`` (alkaid)."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from alkaid.trace import FVArray, trace
from alkaid.trace.passes import optimize

from trigforge.core.errors import ConversionError
from trigforge.core.graph import (
    Activation,
    Conv,
    Dense,
    FixedPointGraph,
    Gather,
    Merge,
    Node,
    Pool,
    Quantise,
    Scale,
    Softmax,
    Table,
)
from trigforge.rtl.da import elementwise, pooling, sums, symbols, tables
from trigforge.rtl.da.symbols import Symbols

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alkaid.types import CombLogic

    from trigforge.core.fixed_point import FixedPointFormat

_DEPTH = 100_000
"""alkaid follows chains of operations by recursion; sums cast one by one are long chains."""


@dataclass(frozen=True, slots=True)
class Tensors:
    """The symbols of each tensor computed so far."""

    graph: FixedPointGraph
    symbols: dict[str, Symbols] = field(default_factory=dict)

    def source(self, node: Node, index: int = 0) -> tuple[Symbols, FixedPointFormat]:
        """Return the tensor that a node reads and its format."""
        name = node.inputs[index]
        return self.symbols[name], self.graph[name].format


LOWERINGS: dict[type[Node], Callable[[Tensors, Any], Symbols]] = {
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


def trace_graph(graph: FixedPointGraph) -> CombLogic:
    """Return the whole network as combinational logic from raw integers to raw integers.

    Raises:
        ConversionError: naming the node that alkaid cannot express exactly, and why; or if
            no output depends on the input.
    """
    fmt = graph.input.format
    shape = np.ones(graph.input.n_elements, dtype=np.int64)
    inputs = FVArray.from_kif(
        shape * fmt.signed, shape * (fmt.width - fmt.signed), shape * 0, hwconf=symbols.HARDWARE
    )
    tensors = Tensors(graph)
    tensors.symbols[graph.input.name] = np.asarray(inputs)
    with _deep_recursion():
        for node in graph.nodes[1:]:
            tensors.symbols[node.name] = _lowered(tensors, node)
        outputs = tensors.symbols[graph.output.name]
        if all(symbols.is_constant(entry) for entry in outputs):
            msg = f"graph {graph.name}: every output is a constant; there is nothing to build"
            raise ConversionError(msg)
        logic = trace(inputs, list(outputs), optimize=False)
        # Tracing anew narrows ranges until a multiplexer of alkaid 0.8.2 takes for a sign what
        # is none any more; it gained nothing in the networks tried.
        return optimize(logic, keep_dead_inputs=True, retrace=False)


def _lowered(tensors: Tensors, node: Node) -> Symbols:
    try:
        result = LOWERINGS[type(node)](tensors, node)
    except ConversionError as error:
        msg = f"graph {tensors.graph.name}, node {node.name} ({type(node).__name__}): {error}"
        raise ConversionError(msg) from error
    for entry in result:
        symbols.check_range(entry)
    return result


@contextmanager
def _deep_recursion() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _DEPTH))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
