"""Sums of products: matrices of constants, solved by alkaid into shared adders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from alkaid.trace import FVArray

from trigforge.core.fixed_point import Overflow
from trigforge.core.fixed_point import convert as convert_raw
from trigforge.core.graph import window_indices
from trigforge.rtl.da import casts, symbols
from trigforge.rtl.da.elementwise import array

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.core.graph import Conv, Dense, SumOfProducts
    from trigforge.rtl.da.symbols import Symbol, Symbols
    from trigforge.rtl.da.tracing import Tensors


def dense(tensors: Tensors, node: Dense) -> Symbols:
    """Multiply by a matrix, row by row."""
    source, fmt = tensors.source(node)
    rows = source.reshape(-1, node.weights.shape[0])
    order = _order(node, node.weights.shape)
    channels = np.arange(node.weights.shape[1])
    return np.concatenate([_Sums(node, fmt, channels).of(row, node.weights, order) for row in rows])


def conv(tensors: Tensors, node: Conv) -> Symbols:
    """Multiply each window by the kernel; padded cells take no part."""
    source, fmt = tensors.source(node)
    window = (node.weights.shape[0], node.weights.shape[1])
    indices = window_indices(node.input_shape, window, node.strides, node.padding)
    n_filters = len(node.bias)
    if node.depthwise:
        filters = node.weights.reshape(-1, n_filters)
        order = _order(node, filters.shape)
        parts = [
            _Sums(node, fmt, np.array([c])).of(
                *_inside(source, position[:, c], filters[:, c : c + 1], order[:, c : c + 1])
            )
            for position in indices
            for c in range(n_filters)
        ]
        return np.concatenate(parts)
    weights = node.weights.reshape(-1, n_filters)
    order = _order(node, weights.shape)
    sums = _Sums(node, fmt, np.arange(n_filters))
    return np.concatenate(
        [sums.of(*_inside(source, position.reshape(-1), weights, order)) for position in indices]
    )


def _order(node: SumOfProducts, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Return which term is added t-th for each channel: ``(n_terms, n_channels)``."""
    if node.order is not None:
        return node.order
    return np.broadcast_to(np.arange(shape[0])[:, None], (shape[0], shape[1]))


def _inside(
    source: Symbols, cells: NDArray[np.int64], weights: NDArray[np.int64], order: NDArray[np.int64]
) -> tuple[Symbols, NDArray[np.int64], NDArray[np.int64]]:
    """Leave out the cells that are padding: their products are zero."""
    kept = cells >= 0
    if kept.all():
        return source[cells], weights, order
    renumbered = np.cumsum(kept) - 1
    n_channels = weights.shape[1]
    columns = [renumbered[column[kept[column]]] for column in order.T]
    new_order = np.stack(columns, axis=1) if columns else np.zeros((0, n_channels), np.int64)
    return source[cells[kept]], weights[kept], new_order


class _Sums:
    """The sums of one node: how terms of a format become results."""

    def __init__(
        self, node: SumOfProducts, source: FixedPointFormat, channels: NDArray[np.int64]
    ) -> None:
        self.node = node
        self.accumulator = node.accumulator
        self.product_bits = source.fractional_bits + node.weight_format.fractional_bits
        self.gained = node.accumulator.fractional_bits - self.product_bits
        bias = convert_raw(node.bias, node.bias_format, node.accumulator)
        self.bias = [int(bias[channel]) for channel in channels]

    def of(self, terms: Symbols, weights: NDArray[np.int64], order: NDArray[np.int64]) -> Symbols:
        """Return the results of one position: ``(n_channels,)``."""
        n_channels = weights.shape[1]
        exact = [c for c in range(n_channels) if self._is_exact(terms, weights[:, c], c)]
        sums: dict[int, Symbol] = {}
        if exact:
            products = _matrix_product(terms, weights[:, exact])
            for channel, product in zip(exact, products, strict=True):
                aligned = symbols.shifted(product, self.gained)
                sums[channel] = self._accumulated(symbols.add(aligned, self.bias[channel]))
        for channel in set(range(n_channels)) - set(exact):
            chosen = order[:, channel]
            sums[channel] = self._cast_each(terms[chosen], weights[chosen, channel], channel)
        return array(
            casts.convert(sums[channel], self.accumulator, self.node.format)
            for channel in range(n_channels)
        )

    def _accumulated(self, total: Symbol) -> Symbol:
        """Cast an exact sum, in the accumulator's least significant bits, to it."""
        return casts.cast(total, self.accumulator.fractional_bits, self.accumulator)

    def _is_exact(self, terms: Symbols, weights: NDArray[np.int64], channel: int) -> bool:
        """Tell whether casting once, at the end, gives the same as casting every product."""
        if self.gained < 0:
            return False
        ends = [
            (int(term.low) * weight << self.gained, int(term.high) * weight << self.gained)
            for term, weight in _used(terms, weights)
        ]
        return self._order_is_free(ends, channel)

    def _order_is_free(self, ends: list[tuple[int, int]], channel: int) -> bool:
        """Tell whether no partial sum of such terms can be clipped, in whatever order."""
        if self.accumulator.overflow is Overflow.WRAP:
            return True
        lowest = self.bias[channel] + sum(min(*pair, 0) for pair in ends)
        highest = self.bias[channel] + sum(max(*pair, 0) for pair in ends)
        low, high = self.accumulator.saturation_limits
        return low <= lowest and highest <= high

    def _cast_each(self, terms: Symbols, weights: NDArray[np.int64], channel: int) -> Symbol:
        """Cast every product, and after each addition where the order matters."""
        products = [
            casts.cast(symbols.multiply(term, weight), self.product_bits, self.accumulator)
            for term, weight in _used(terms, weights)
        ]
        bias = self.bias[channel]
        if self._order_is_free([(int(p.low), int(p.high)) for p in products], channel):
            return self._accumulated(symbols.add(symbols.total(products), bias))
        total = symbols.constant(bias)
        for product in products:
            total = self._accumulated(symbols.add(total, product))
        return total


def _used(terms: Symbols, weights: NDArray[np.int64]) -> list[tuple[Symbol, int]]:
    return [(term, int(weight)) for term, weight in zip(terms, weights, strict=True) if weight != 0]


def _matrix_product(terms: Symbols, weights: NDArray[np.int64]) -> list[Symbol]:
    """Return ``terms @ weights``, by adders that the outputs share where alkaid's solver can."""
    varying = np.array([not symbols.is_constant(term) for term in terms], dtype=bool)
    offsets = [
        sum(int(term.low) * int(w) for term, w in zip(terms[~varying], column, strict=True))
        for column in weights[~varying].T
    ]
    kept = weights[varying]
    wide = any(symbols.significant_bits(int(w)) > symbols.CONSTANT_BITS for w in kept.reshape(-1))
    if not kept.any():
        sums = [symbols.constant(0)] * weights.shape[1]
    elif wide:
        sums = [
            symbols.total([symbols.multiply(t, w) for t, w in _used(terms[varying], column)])
            for column in kept.T
        ]
    else:
        inputs = FVArray(
            array(map(symbols.fresh, terms[varying])),
            {"binary_lut": False},
            hwconf=symbols.HARDWARE,
        )
        sums = list(np.asarray(inputs @ kept.astype(np.float64)))
    return [
        symbols.constant(int(entry.low) + offset)
        if symbols.is_constant(entry)
        else symbols.add(entry, offset)
        for entry, offset in zip(sums, offsets, strict=True)
    ]
