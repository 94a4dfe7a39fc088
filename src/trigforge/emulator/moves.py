"""Moves of elements, operations on two tensors, and element-wise nodes on their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.graph import Gather, Merge, MergeKind
from trigforge.emulator.elementwise import exceeds
from trigforge.emulator.expressions import Expression, constant, select
from trigforge.emulator.source import Body, lane, nested, pointer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.emulator.finish import Finish
    from trigforge.emulator.layout import Tensor


def is_alias(node: Gather, tensor: Tensor) -> bool:
    """Tell whether a node only gives a tensor another shape."""
    return (
        len(node.inputs) == 1
        and node.format == tensor.format
        and np.array_equal(node.indices, np.arange(tensor.n_elements))
    )


def moved(node: Gather, x: Expression, fmt: FixedPointFormat) -> Expression:
    """Return what an element becomes."""
    return x.convert(fmt, node.format)


def gathered(node: Gather, tensors: Sequence[Tensor]) -> list[Expression]:
    """Return what the results come to."""
    values = [
        moved(node, Expression("x", tensor.range, tensor.fraction), tensor.format)
        for tensor in tensors
    ]
    return [*values, constant(0, node.format.fractional_bits)]


def render_gather(node: Gather, tensors: Sequence[Tensor], finish: Finish, name: str) -> None:
    """Define the function that moves elements, source by source."""
    source = finish.source
    lines = [finish.pointer]
    first = 0
    for i, tensor in enumerate(tensors):
        chosen = (node.indices >= first) & (node.indices < first + tensor.n_elements)
        pairs = np.stack([np.flatnonzero(chosen), node.indices[chosen] - first], axis=1)
        first += tensor.n_elements
        if len(pairs):
            table, body = source.table(pairs, "uint32_t"), Body()
            x = lane(tensor, f"in_{i}", f"{table}[i][1]")
            finish.store(body, [f"{table}[i][0]"], [moved(node, x, tensor.format)])
            lines.append(pointer(tensor, f"in_{i}", constant=True))
            lines += nested(f"for (int i = 0; i < {len(pairs)}; ++i)", body.loop())
    empty = np.flatnonzero(node.indices < 0)
    if len(empty):
        table, body = source.table(empty, "uint32_t"), Body()
        zero = constant(0, node.format.fractional_bits)
        finish.store(body, [f"{table}[i]"], [zero])
        lines += nested(f"for (int i = 0; i < {len(empty)}; ++i)", body.loop())
    source.function(f"{name}(unsigned char *work)", lines)


def merged(
    node: Merge,
    body: Body,
    pair: tuple[Expression, Expression],
    formats: Sequence[FixedPointFormat],
) -> Expression:
    """Return the result for two elements."""
    left, right = (body.let(x) for x in pair)
    if node.kind is MergeKind.MULTIPLY:
        return (left * right).cast(node.format)
    if node.kind in {MergeKind.MAXIMUM, MergeKind.MINIMUM}:
        first, second = (left, right) if node.kind is MergeKind.MAXIMUM else (right, left)
        difference = body.let(first + second * constant(-1, 0))
        chosen = left.convert(formats[0], node.format), right.convert(formats[1], node.format)
        return select(exceeds(difference, 0), *chosen)
    total = left + (right * constant(-1, 0) if node.kind is MergeKind.SUBTRACT else right)
    halved = total.fraction + (node.kind is MergeKind.AVERAGE)
    return Expression(total.code, total.range, halved).cast(node.format)


def render_merge(node: Merge, tensors: Sequence[Tensor], finish: Finish, name: str) -> None:
    """Define the function that combines two tensors, the smaller one used cyclically."""
    body = Body()
    indices = [
        "e" if tensor.n_elements == node.n_elements else f"e % {tensor.n_elements}"
        for tensor in tensors
    ]
    left, right = (lane(t, f"in_{i}", indices[i]) for i, t in enumerate(tensors))
    result = merged(node, body, (left, right), [tensor.format for tensor in tensors])
    finish.store(body, ["e"], [result])
    lines = [
        *(pointer(tensor, f"in_{i}", constant=True) for i, tensor in enumerate(tensors)),
        finish.pointer,
        *nested(f"for (int e = 0; e < {node.n_elements}; ++e)", body.loop()),
    ]
    finish.source.function(f"{name}(unsigned char *work)", lines)


def render_elements(tensor: Tensor, finish: Finish, name: str) -> None:
    """Define the function that applies element-wise nodes, all of them in the finish."""
    body = Body()
    if finish.written.quads:
        elements = [f"4 * q + {j}" for j in range(4)]
        header = f"for (int q = 0; q < {tensor.n_elements // 4}; ++q)"
    else:
        elements, header = ["e"], f"for (int e = 0; e < {tensor.n_elements}; ++e)"
    finish.store(body, elements, [lane(tensor, "in", element) for element in elements])
    lines = [
        pointer(tensor, "in", constant=True),
        finish.pointer,
        *nested(header, body.loop()),
    ]
    finish.source.function(f"{name}(unsigned char *work)", lines)
