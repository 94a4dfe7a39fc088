"""Decide how the sums of products of a node are computed: exactly, as fast as is proved."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigforge.core.fixed_point import FixedPointFormat, Overflow, convert
from trigforge.core.graph import Conv, Dense, SumOfProducts, window_indices
from trigforge.emulator.expressions import Expression
from trigforge.emulator.layout import byte_zero, half_zero
from trigforge.emulator.ranges import Interval, of_format, of_sums, of_values

if TYPE_CHECKING:
    from trigforge.emulator.layout import Tensor
    from trigforge.emulator.source import Source

_INT32 = Interval(-(1 << 31), (1 << 31) - 1)
_INT64 = Interval(-(1 << 63), (1 << 63) - 1)


class Method(StrEnum):
    """How sums of products are computed."""

    QUADS = "quads"
    """Four products of bytes at a time, in 32 bits."""
    PAIRS = "pairs"
    """Two products of 16-bit integers at a time, in 32 bits."""
    WIDE = "wide"
    """One product at a time, in 64 bits; the casts are left to the end."""
    ORDERED = "ordered"
    """One product at a time, cast, added in the order of the C++, cast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """The sums of products of one node, and what is known about them.

    ``cells`` is ``(n_positions, n_runs, n_cells)``: which element each term is, in runs of
    neighbours, -1 for padding; ``weights`` is ``(n_terms, n_channels)`` with the terms of
    all runs; ``bias`` holds raw integers of the accumulator. ``fraction`` is that of the
    products, after ``weights`` were divided by a power of two that all of them share.
    ``raw`` bounds what the sum of products comes to, the bias included if it starts from it.
    """

    node: SumOfProducts
    cells: NDArray[np.int64]
    weights: NDArray[Any]
    bias: NDArray[Any]
    fraction: int
    method: Method
    raw: Interval

    @property
    def n_positions(self) -> int:
        """Windows, or rows of a dense layer."""
        return len(self.cells)

    @property
    def n_channels(self) -> int:
        """Results of a window."""
        return len(self.bias)

    @property
    def gained(self) -> int:
        """Fractional bits that the accumulator has more than a product."""
        return self.node.accumulator.fractional_bits - self.fraction

    @property
    def biased_start(self) -> bool:
        """The sums can start from the bias: it is a whole number of products' last bits."""
        return _is_multiple(self.bias, self.gained)

    def start(self, zero: int) -> NDArray[Any]:
        """Return what each channel's sum starts from if ``zero`` was subtracted from terms."""
        bias = self.bias >> self.gained if self.biased_start else 0 * self.bias
        return np.asarray(bias + zero * self.weights.astype(object).sum(axis=0))

    def raw_sum(self, code: str) -> Expression:
        """Return a computed sum of products, which may be known modulo its type's size only."""
        bits = _INT32 if self.method in {Method.QUADS, Method.PAIRS} else _INT64
        return Expression(code, self.raw if self.raw in bits else bits, self.fraction)

    def result(self, total: Expression, bias: Expression) -> Expression:
        """Return the node's result, given the raw sum; an ordered one is in its accumulator."""
        accumulator = self.node.accumulator
        if self.method is not Method.ORDERED:
            total = (total if self.biased_start else total + bias).cast(accumulator)
        return total.convert(accumulator, self.node.format)

    def keeps_order(self) -> bool:
        """Tell whether the larger of two sums always gives the larger result."""
        accumulator, node_format = self.node.accumulator, self.node.format
        if self.raw not in _INT32:
            return False
        total = self.raw_sum("x")
        if not self.biased_start:
            total = total + Expression("b", of_values(self.bias), accumulator.fractional_bits)
        inside = total.cast(accumulator)
        return total.keeps_order_in(accumulator) and (
            accumulator == node_format or inside.keeps_order_in(node_format)
        )

    @property
    def ordered_total(self) -> Expression:
        """The accumulator while products are added one by one."""
        accumulator = self.node.accumulator
        return Expression("total[l]", of_format(accumulator), accumulator.fractional_bits)

    def bounded(self, scratch: Source) -> Expression:
        """Return what the results come to."""
        bias = scratch.constants(self.bias, self.node.accumulator.fractional_bits, "e")
        ordered = self.method is Method.ORDERED
        return self.result(self.ordered_total if ordered else self.raw_sum("x"), bias)


def plan(node: SumOfProducts, tensor: Tensor) -> Sums:
    """Choose the fastest method that is exact for every input of a tensor's range."""
    cells = _cells(node, tensor)
    weights = _matrix(node)
    fraction = tensor.fraction + node.weight_format.fractional_bits
    lost = fraction - node.accumulator.fractional_bits
    if lost > 0 and not (weights & ((1 << min(lost, 62)) - 1)).any():
        weights, fraction = weights >> min(lost, 62), fraction - lost
    terms = tensor.range | Interval(0, 0) if (cells < 0).any() else tensor.range
    bias = convert(node.bias, node.bias_format, node.accumulator).astype(object)
    method, raw = _method(node.accumulator, weights, bias, (terms, fraction))
    return Sums(
        node=node,
        cells=cells,
        weights=weights,
        bias=bias,
        fraction=fraction,
        method=method,
        raw=raw,
    )


def _method(
    accumulator: FixedPointFormat,
    weights: NDArray[Any],
    bias: NDArray[Any],
    products: tuple[Interval, int],
) -> tuple[Method, Interval]:
    terms, fraction = products
    gained = accumulator.fractional_bits - fraction
    if gained < 0:
        return Method.ORDERED, of_format(accumulator)
    if accumulator.overflow is not Overflow.WRAP and not _cannot_saturate(
        accumulator, weights, bias, (terms, gained)
    ):
        return Method.ORDERED, of_format(accumulator)
    start = bias >> gained if _is_multiple(bias, gained) else 0 * bias
    low, high = (start + bound for bound in of_sums(weights, terms))
    raw = Interval(min(low, default=0), max(high, default=0))
    return _fastest(accumulator, of_values(weights), terms, (raw, gained)), raw


def _cannot_saturate(
    accumulator: FixedPointFormat,
    weights: NDArray[Any],
    bias: NDArray[Any],
    products: tuple[Interval, int],
) -> bool:
    """Tell whether every product, and every partial sum in any order, stays in the limits."""
    terms, gained = products
    low, high = (bound * (1 << gained) for bound in of_sums(weights, terms | Interval(0, 0)))
    reached = of_values(np.concatenate([low, high, bias + low, bias + high]))
    return reached in Interval(*accumulator.saturation_limits)


def _is_multiple(bias: NDArray[Any], n_bits: int) -> bool:
    return n_bits >= 0 and all(int(value) % (1 << n_bits) == 0 for value in bias)


def _fastest(
    accumulator: FixedPointFormat,
    weights: Interval,
    terms: Interval,
    sums: tuple[Interval, int],
) -> Method:
    """Choose between the methods that may add in any order."""
    raw, gained = sums
    wraps = accumulator.overflow is Overflow.WRAP
    if raw in _INT32 or (wraps and accumulator.width - gained <= 32):
        if weights in Interval(-128, 127) and byte_zero(terms) is not None:
            return Method.QUADS
        if weights in Interval(-32768, 32767) and half_zero(terms) is not None:
            return Method.PAIRS
    return Method.WIDE if wraps or raw in _INT64 else Method.ORDERED


def _cells(node: SumOfProducts, tensor: Tensor) -> NDArray[np.int64]:
    if isinstance(node, Conv):
        window = (node.weights.shape[0], node.weights.shape[1])
        indices = window_indices(node.input_shape, window, node.strides, node.padding)
        return indices.reshape(len(indices), window[0], -1)
    return np.arange(tensor.n_elements).reshape(-1, 1, node.weights.shape[0])


def _matrix(node: SumOfProducts) -> NDArray[np.int64]:
    """Return the weights as ``(n_terms, n_channels)``, zeros between those of channels."""
    if isinstance(node, Dense) or not isinstance(node, Conv):
        return node.weights
    if not node.depthwise:
        return node.weights.reshape(-1, node.weights.shape[3])
    own = node.weights.reshape(-1, node.weights.shape[2])
    return (own[:, :, None] * np.eye(own.shape[1], dtype=np.int64)).reshape(-1, own.shape[1])


def term_order(sums: Sums, channel: int) -> NDArray[np.int64]:
    """Return the terms of a channel, in the order in which they are added."""
    node, n_channels = sums.node, sums.n_channels
    depthwise = isinstance(node, Conv) and node.depthwise
    n_terms = sums.weights.shape[0] // (n_channels if depthwise else 1)
    order = np.arange(n_terms) if node.order is None else node.order[:, channel]
    return order * n_channels + channel if depthwise else order
