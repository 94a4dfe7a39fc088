"""The tensors of a batch under way, and the casts that make them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigforge.core.fixed_point import FixedPointFormat, cast, convert
from trigforge.core.graph import FixedPointGraph
from trigforge.evaluation.gauge import Gauge

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trigforge.core.graph import Node


@dataclass(slots=True)
class Run:
    """The tensors of one batch and, if health is wanted, the gauges of all."""

    graph: FixedPointGraph
    gauges: dict[str, Gauge] | None
    tensors: dict[str, NDArray[Any]] = field(default_factory=dict)

    def source(self, node: Node, index: int = 0) -> tuple[NDArray[Any], FixedPointFormat]:
        """Return the tensor that a node reads and its format."""
        name = node.inputs[index]
        return self.tensors[name], self.graph[name].format

    def result(self, node: Node, raw: NDArray[Any], fractional_bits: int) -> NDArray[Any]:
        """Cast exact results to the node's format."""
        if self.gauges is not None:
            self.gauges[node.name].results.read(raw, fractional_bits, node.format)
        return cast(raw, fractional_bits, node.format)

    def accumulated(
        self, node: Node, raw: NDArray[Any], fractional_bits: int, fmt: FixedPointFormat
    ) -> NDArray[Any]:
        """Cast exact results to an accumulator."""
        if self.gauges is not None:
            self.gauges[node.name].sums.read(raw, fractional_bits, fmt)
        return cast(raw, fractional_bits, fmt)

    def to_accumulator(
        self, node: Node, raw: NDArray[Any], source: FixedPointFormat, fmt: FixedPointFormat
    ) -> NDArray[Any]:
        """Assign values of a typed variable to an accumulator."""
        if self.gauges is not None:
            self.gauges[node.name].sums.read(raw, source.fractional_bits, fmt)
        return convert(raw, source, fmt)

    def tree_sum(
        self, node: Node, values: Sequence[NDArray[Any]], fmt: FixedPointFormat
    ) -> NDArray[Any]:
        """Add as ``nnet::reduce`` does: the largest power of two below the count goes left."""
        if len(values) == 1:
            return values[0]
        left = 1 << ((len(values) - 1).bit_length() - 1)
        kind = integers_for(fmt.width)
        total: NDArray[Any] = self.tree_sum(node, values[:left], fmt).astype(kind)
        total = total + self.tree_sum(node, values[left:], fmt).astype(kind)
        return self.accumulated(node, total, fmt.fractional_bits, fmt)

    def converted(self, node: Node, raw: NDArray[Any], source: FixedPointFormat) -> NDArray[Any]:
        """Assign values of a typed variable to the node's format."""
        if self.gauges is not None:
            self.gauges[node.name].results.read(raw, source.fractional_bits, node.format)
        return convert(raw, source, node.format)


def integers_for(width: int) -> type:
    """Return the type in which results of so many bits can be computed and added to."""
    return np.int64 if width <= 60 else np.object_


def aligned_sum(
    left: NDArray[Any], left_bits: int, right: NDArray[Any], right_bits: int
) -> tuple[NDArray[Any], int]:
    """Add exact numbers with different fractional bits; return the sum and its own."""
    bits = max(left_bits, right_bits)
    parts = [(left, bits - left_bits), (right, bits - right_bits)]
    largest = max(magnitude(part) << shift for part, shift in parts)
    kind = integers_for(largest.bit_length() + 2)
    shifted = [part.astype(kind) << shift for part, shift in parts]
    return shifted[0] + shifted[1], bits


def magnitude(raw: NDArray[Any]) -> int:
    """Return the largest magnitude in an array; 0 if it is empty."""
    return max(abs(int(raw.min(initial=0))), abs(int(raw.max(initial=0))))


def truncated_quotient(dividend: NDArray[Any], divisor: Any) -> NDArray[Any]:
    """Divide integers, truncating towards zero as C++ does."""
    quotient = np.abs(dividend) // np.abs(divisor)
    return np.asarray(quotient * np.sign(dividend) * np.sign(divisor))
