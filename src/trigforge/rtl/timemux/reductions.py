"""Sums of products as one thing: dense layers and convolutions of any kind.

A reduction has positions, channels and terms: output (p, f) is the bias of f plus, over all
terms t, the weight (t, f) times a cell of the input. Dense layers have a position a row;
depthwise convolutions read other cells for each channel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trigforge.core import fixed_point
from trigforge.core.fixed_point import FixedPointFormat, Overflow
from trigforge.core.graph import Conv, Dense, SumOfProducts, window_indices
from trigforge.core.records import freeze_arrays
from trigforge.rtl.timemux.streams import PADDING


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reduction:
    """A layer's arithmetic: exact integers in units of ``2**-fractional_bits``."""

    node: SumOfProducts
    source: FixedPointFormat
    shape: tuple[int, int]
    """Rows and columns of positions."""
    cells: NDArray[np.int64]
    """``(positions, 1 or channels, terms)``: elements of the input, or ``PADDING``."""
    weights: NDArray[np.int64]
    """``(terms, channels)``."""
    bias: NDArray[np.int64]
    """``(channels,)``."""
    fractional_bits: int
    """Of the sums: products are exact in them, and so are the biases."""

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def n_channels(self) -> int:
        """Channels of the result."""
        return int(self.weights.shape[1])

    def ends(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the smallest and the largest sum of each channel."""
        low, high = self.source.raw_min, self.source.raw_max
        products = np.stack([self.weights * low, self.weights * high])
        smallest = np.minimum(products.min(axis=0), 0).sum(axis=0) + self.bias
        largest = np.maximum(products.max(axis=0), 0).sum(axis=0) + self.bias
        return smallest, largest


def reduction(node: SumOfProducts, source: FixedPointFormat) -> Reduction | str:
    """Return a layer as a reduction, or why exact sums would not be what the graph says.

    The graph casts every product and every partial sum to the accumulator (``core.graph``).
    Where that loses no bit and cannot clip, exact sums that are cast once give the same.
    """
    product_bits = source.fractional_bits + node.weight_format.fractional_bits
    gained = node.accumulator.fractional_bits - product_bits
    if gained < 0:
        return (
            f"each product loses {-gained} bits in its accumulator {node.accumulator}: "
            "products would have to be rounded one by one"
        )
    bias = fixed_point.convert(node.bias, node.bias_format, node.accumulator).astype(np.int64)
    spare = min(gained, _trailing_zeros(bias, gained))
    cells, weights, shape = _terms(node)
    result = Reduction(
        node=node,
        source=source,
        shape=shape,
        cells=cells,
        weights=weights << (gained - spare),
        bias=bias >> spare,
        fractional_bits=node.accumulator.fractional_bits - spare,
    )
    if node.accumulator.overflow is not Overflow.WRAP:
        low, high = node.accumulator.saturation_limits
        smallest, largest = (int(end) << spare for end in _extremes(result))
        if smallest < low or largest > high:
            return (
                f"its accumulator {node.accumulator} saturates, so that the order of additions "
                "matters"
            )
    return result


def count_multiplications(node: SumOfProducts) -> tuple[int, int]:
    """Return the products a layer asks for, and all of them, with zeros and padding."""
    cells, weights, _ = _terms(node)
    inside = (cells != PADDING).sum(axis=0)
    used = (weights != 0).T
    wanted = int((np.broadcast_to(inside, used.shape) * used).sum())
    return wanted, int(cells.shape[0] * weights.size)


def _extremes(result: Reduction) -> tuple[int, int]:
    smallest, largest = result.ends()
    return int(smallest.min()), int(largest.max())


def _trailing_zeros(values: NDArray[np.int64], most: int) -> int:
    together = int(np.bitwise_or.reduce(values.reshape(-1), initial=0))
    return most if together == 0 else min(most, (together & -together).bit_length() - 1)


def _terms(
    node: SumOfProducts,
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[int, int]]:
    """Return cells, weights and the shape of the positions."""
    if isinstance(node, Conv):
        window = (node.weights.shape[0], node.weights.shape[1])
        indices = window_indices(node.input_shape, window, node.strides, node.padding)
        indices = np.where(indices < 0, PADDING, indices)
        n_filters = len(node.bias)
        weights = node.weights.reshape(-1, n_filters)
        if node.depthwise:
            cells = indices.transpose(0, 2, 1)
        else:
            cells = indices.reshape(len(indices), 1, -1)
        return cells, weights, node.output_shape[:2]
    assert isinstance(node, Dense)
    n_inputs = node.weights.shape[0]
    n_rows = node.n_elements // node.weights.shape[1]
    cells = np.arange(n_rows * n_inputs).reshape(n_rows, 1, n_inputs)
    return cells, node.weights, (n_rows, 1)
