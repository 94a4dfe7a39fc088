"""Count effective bit operations: ``FixedPointGraph -> Ebops``.

EBOPs are the sum over all multiplications of the product of the operand widths that are
really used (arXiv:2405.00645, eq. 5): of a constant the bits from its highest to its lowest
one (6 = 110b has two), of an activation what the range it can take needs. A product with
zero, or of two constants, costs nothing. The range is proved from the format of the input
(``core.propagation``). HGQ2 differs in two small things: it adds the widths of biases, and
leaves out the sign of activations whose quantiser wraps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core import propagation
from trigforge.core.graph import (
    Activation,
    ActivationKind,
    FixedPointGraph,
    Merge,
    MergeKind,
    Node,
    Pool,
    PoolKind,
    Scale,
    Softmax,
    SumOfProducts,
    Table,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from trigforge.core.intervals import Intervals

_ADDS_OR_CHOOSES = {
    ActivationKind.RELU,
    ActivationKind.RELU_MAX,
    ActivationKind.THRESHOLDED_RELU,
    ActivationKind.BINARY_TANH,
    ActivationKind.TERNARY_TANH,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerEbops:
    """The multiplications of one node for one event, all output positions together.

    ``n_nonzero`` are those that remain: no factor is zero, and not both are constants.
    """

    name: str
    n_multiplications: int
    n_nonzero: int
    ebops: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ebops:
    """The effective bit operations of a graph, for the nodes that multiply.

    ``not_counted`` names nodes that cost logic which no multiplication stands for: tables,
    softmax, and activations with slopes.
    """

    layers: tuple[LayerEbops, ...]
    not_counted: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """The sum over all layers."""
        return sum(layer.ebops for layer in self.layers)


def ebops(graph: FixedPointGraph) -> Ebops:
    """Count the effective bit operations of a graph.

    Raises:
        InputError: if the graph has a node without a rule (``core.propagation``).
    """
    intervals = propagation.intervals(graph)
    layers = (_layer(graph, node, intervals) for node in graph)
    return Ebops(
        layers=tuple(layer for layer in layers if layer is not None),
        not_counted=tuple(node.name for node in graph if _costs_otherwise(node)),
    )


def effective_bits(constants: NDArray[Any]) -> NDArray[np.int64]:
    """Return the bits from the highest to the lowest one of each magnitude; 0 for zero."""
    spans = [_span(int(value)) for value in constants.flat]
    return np.array(spans, dtype=np.int64).reshape(constants.shape)


def operand_bits(x: Intervals) -> NDArray[np.int64]:
    """Return the width of each operand: of its range, or of the constant it is."""
    return np.asarray(np.where(x.constant, effective_bits(x.low), x.bits))


def variable_bits(x: Intervals) -> NDArray[np.int64]:
    """Return the width of each operand, 0 for a constant: times a weight it is a constant."""
    return np.asarray(np.where(x.constant, 0, x.bits))


def _span(value: int) -> int:
    magnitude = abs(value)
    return (magnitude // (magnitude & -magnitude)).bit_length() if magnitude else 0


def _costs_otherwise(node: Node) -> bool:
    if isinstance(node, Activation):
        return node.kind not in _ADDS_OR_CHOOSES
    return isinstance(node, Table | Softmax)


def _layer(
    graph: FixedPointGraph, node: Node, intervals: Mapping[str, Intervals]
) -> LayerEbops | None:
    operands = [intervals[name] for name in node.inputs]
    if isinstance(node, SumOfProducts):
        return _sum_of_products(node, operands[0])
    if isinstance(node, Scale):
        constants = node.scale[np.arange(node.n_elements) % len(node.scale)]
        return _products(node, variable_bits(operands[0]), effective_bits(constants))
    if isinstance(node, Merge) and node.kind is MergeKind.MULTIPLY:
        left, right = (x[np.arange(node.n_elements) % len(x.low)] for x in operands)
        free = left.constant & right.constant
        return _products(node, np.where(free, 0, operand_bits(left)), operand_bits(right))
    if isinstance(node, Pool) and node.kind is PoolKind.AVERAGE:
        fmt = graph[node.inputs[0]].format
        return _average(node, propagation.pooled_sums(node, (operands[0], fmt)))
    return None


def _sum_of_products(node: SumOfProducts, x: Intervals) -> LayerEbops:
    widths = variable_bits(x)
    cells, inside = propagation.cells(node, widths), propagation.cells(node, np.ones_like(widths))
    spans = effective_bits(propagation.weight_matrix(node))
    return LayerEbops(
        name=node.name,
        n_multiplications=_pairs(inside, np.ones_like(spans)),
        n_nonzero=_pairs((cells > 0).astype(np.int64), (spans > 0).astype(np.int64)),
        ebops=_pairs(cells, spans),
    )


def _pairs(cells: NDArray[np.int64], weights: NDArray[np.int64]) -> int:
    """Sum the products of all that are multiplied; both are small, int64 is exact."""
    summed = cells.sum(axis=0)
    products = summed * weights if cells.ndim == 3 else summed[:, None] * weights
    return int(products.sum())


def _products(node: Node, left: NDArray[np.int64], right: NDArray[np.int64]) -> LayerEbops:
    costs = left * right
    return LayerEbops(
        name=node.name,
        n_multiplications=node.n_elements,
        n_nonzero=int((costs > 0).sum()),
        ebops=int(costs.sum()),
    )


def _average(node: Pool, sums: Intervals) -> LayerEbops:
    """Count the divisions by the number of cells; by a power of two it is only wiring."""
    spans = effective_bits(propagation.divisors_of(node))
    return _products(node, variable_bits(sums), np.where(spans > 1, spans, 0))
