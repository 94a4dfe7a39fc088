"""The products that a sum adds, as numbers: for bounds and for evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.graph import Conv, window_indices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.graph import SumOfProducts


def factors(node: SumOfProducts, inputs: NDArray[Any]) -> NDArray[Any]:
    """Return what the weights multiply: ``(n_events, n_positions, n_terms)``.

    Padding is 0. A depthwise convolution has another axis, of channels.
    """
    if not isinstance(node, Conv):
        return inputs.reshape(len(inputs), -1, node.weights.shape[0])
    window = (node.weights.shape[0], node.weights.shape[1])
    indices = window_indices(node.input_shape, window, node.strides, node.padding)
    padded = np.concatenate([inputs, np.zeros((len(inputs), 1), dtype=inputs.dtype)], axis=1)
    patches = padded[:, indices]
    return patches if node.depthwise else patches.reshape(len(inputs), len(indices), -1)


def matrix(node: SumOfProducts, weights: NDArray[Any]) -> NDArray[Any]:
    """Return weights in the layout of the node as ``(n_terms, n_channels)``."""
    return weights.reshape(-1, node.bias.shape[0])


def summed(node: SumOfProducts, inputs: NDArray[Any], weights: NDArray[Any]) -> NDArray[Any]:
    """Return the sums of products ``(n_events, n_elements)`` in floating point."""
    parts, columns = factors(node, inputs), matrix(node, weights)
    if parts.ndim == 4:
        return np.asarray((parts * columns).sum(axis=2)).reshape(len(inputs), -1)
    return np.asarray(parts @ columns).reshape(len(inputs), -1)


def products_of(
    node: SumOfProducts, inputs: NDArray[Any], element: int
) -> tuple[list[int], list[int]]:
    """Return the terms of one sum of one event in the order they are added.

    ``inputs`` is ``(n_inputs,)``. The first list holds which term, the second the products,
    raw integers of the exact products.
    """
    position, channel = divmod(element, node.bias.shape[0])
    parts = factors(node, inputs[None])[0, position]
    if parts.ndim == 2:
        parts = parts[:, channel]
    column = matrix(node, node.weights)[:, channel]
    order = range(len(column)) if node.order is None else node.order[:, channel].tolist()
    terms = [int(term) for term in order]
    return terms, [int(parts[term]) * int(column[term]) for term in terms]
