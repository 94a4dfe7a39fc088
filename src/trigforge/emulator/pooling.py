"""Maximum and average over windows, on planes of any integer type or on quads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.errors import ConversionError
from trigforge.core.graph import Pool, PoolKind, Summation, window_indices
from trigforge.emulator.elementwise import divided
from trigforge.emulator.expressions import Expression, constant, literal
from trigforge.emulator.ranges import Interval
from trigforge.emulator.source import Body, lane, nested, pointer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.emulator.finish import Finish
    from trigforge.emulator.layout import Tensor
    from trigforge.emulator.source import Source


def moves_quads(node: Pool, tensor: Tensor) -> bool:
    """Tell whether a maximum can be taken of quads as they are: no padding, no cast."""
    return node.input_shape[2] % 4 == 0 and _is_plain_maximum(node, tensor)


def only_chooses(node: Pool, tensor: Tensor) -> bool:
    """Tell whether a maximum leaves values as they are and reads each at most once."""
    apart = all(stride >= size for stride, size in zip(node.strides, node.window, strict=True))
    return apart and _is_plain_maximum(node, tensor)


def positions(node: Pool) -> NDArray[np.int64]:
    """Return which window of the layer before each cell is, ``(n_results, n_cells)``."""
    n_channels = node.input_shape[2]
    return _cells(node)[::n_channels] // n_channels


def _is_plain_maximum(node: Pool, tensor: Tensor) -> bool:
    if node.kind is not PoolKind.MAXIMUM or (_cells(node) < 0).any():
        return False
    x = Expression("x", tensor.range, tensor.fraction)
    return _maximum(node, [x], tensor.format) == x


def value(node: Pool, source: Source, cells: list[Expression], fmt: FixedPointFormat) -> Expression:
    """Return the result for the cells of a window in format ``fmt``.

    Raises:
        ConversionError: if a window lies in the padding alone.
    """
    if node.kind is PoolKind.MAXIMUM:
        return _maximum(node, cells, fmt)
    counts = (_cells(node) >= 0).sum(axis=1)
    if node.count_padding:
        counts = np.full_like(counts, len(cells))
    if (counts == 0).any():
        msg = f"node {node.name}: a window lies in the padding alone and has no average"
        raise ConversionError(msg)
    accumulator = node.accumulator
    converted = [cell.convert(fmt, accumulator) for cell in cells]
    add = tree_sum if node.summation is Summation.TREE else _sequential_sum
    total = add(converted, accumulator)
    average = divided(total, source.constants(counts, 0, "e"))
    if node.divide_last:
        return average.cast(node.format)
    return average.cast(accumulator).convert(accumulator, node.format)


def bounded(node: Pool, tensor: Tensor, scratch: Source) -> Expression:
    """Return what the results come to; let the tensor's spare plane hold the padding."""
    tensor.padding = tensor.padding | _known(node, tensor)
    cell = Expression("x", _known(node, tensor), tensor.fraction)
    return value(node, scratch, [cell] * (node.window[0] * node.window[1]), tensor.format)


def _known(node: Pool, tensor: Tensor) -> Interval:
    """Return the range of the cells, padded ones among them."""
    padding = node.padding_raw if node.kind is PoolKind.MAXIMUM else 0
    padded = (_cells(node) < 0).any()
    return tensor.range | Interval(padding, padding) if padded else tensor.range


def _maximum(node: Pool, cells: list[Expression], fmt: FixedPointFormat) -> Expression:
    largest = cells[0]
    for cell in cells[1:]:
        both = Interval(
            max(largest.range.low, cell.range.low), max(largest.range.high, cell.range.high)
        )
        kind = (largest.range | cell.range).c_type
        code = f"larger<{kind}>({largest.code}, {cell.code})"
        largest = Expression(code, both, cell.fraction)
    return largest.convert(fmt, node.accumulator).convert(node.accumulator, node.format)


def _sequential_sum(cells: list[Expression], fmt: FixedPointFormat) -> Expression:
    total = constant(0, fmt.fractional_bits)
    for cell in cells:
        total = (total + cell).cast(fmt)
    return total


def tree_sum(cells: list[Expression], fmt: FixedPointFormat) -> Expression:
    """Add as ``nnet::reduce`` does: the largest power of two below the count goes left."""
    if len(cells) == 1:
        return cells[0]
    left = 1 << ((len(cells) - 1).bit_length() - 1)
    return (tree_sum(cells[:left], fmt) + tree_sum(cells[left:], fmt)).cast(fmt)


def render(node: Pool, tensor: Tensor, finish: Finish, name: str) -> None:
    """Define the function that pools planes."""
    source, cells = finish.source, _cells(node)
    padding = node.padding_raw if node.kind is PoolKind.MAXIMUM else 0
    table = source.table(np.where(cells < 0, tensor.n_elements, cells), "uint32_t")
    body = Body()
    read = [lane(tensor, "in", f"{table}[e][{k}]") for k in range(cells.shape[1])]
    ranged = [Expression(cell.code, _known(node, tensor), cell.fraction) for cell in read]
    finish.store(body, ["e"], [value(node, source, ranged, tensor.format)])
    spare = f"in + {tensor.n_elements} * LANES, {tensor.c_type}({literal(padding, tensor.c_type)})"
    lines = [
        pointer(tensor, "in", constant=False),
        finish.pointer,
        f"fill_plane({spare});",
        *nested(f"for (int e = 0; e < {len(cells)}; ++e)", body.loop()),
    ]
    source.function(f"{name}(unsigned char *work)", lines)


def render_quads(node: Pool, tensor: Tensor, finish: Finish, name: str) -> None:
    """Define the function that takes the maximum of quads."""
    source, cells = finish.source, _cells(node)[::4] // 4
    table = source.table(cells, "uint32_t")
    call = f"largest_quads(in, {table}[q], {cells.shape[1]}, out + q * LANES);"
    lines = [
        pointer(tensor, "in", constant=True),
        finish.pointer,
        *nested(f"for (int q = 0; q < {len(cells)}; ++q)", [call]),
    ]
    source.function(f"{name}(unsigned char *work)", lines)


def _cells(node: Pool) -> NDArray[np.int64]:
    """Return which element each cell of each result is, ``(n_results, n_cells)``."""
    indices = window_indices(node.input_shape, node.window, node.strides, node.padding)
    return np.moveaxis(indices, 1, 2).reshape(-1, indices.shape[1])
