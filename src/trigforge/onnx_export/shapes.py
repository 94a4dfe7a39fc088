"""Move, look up and reduce the elements of wires.

The first dimension of every tensor is the event. Between nodes tensors are flat; inside one
they may have more dimensions.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.fixed_point import Overflow
from trigforge.onnx_export import casts
from trigforge.onnx_export.builder import Wire, bounds, is_float_exact, is_int_exact

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.onnx_export.builder import Builder


def pick(
    builder: Builder, wire: Wire, size: int, indices: NDArray[np.int64], fill: int = 0
) -> Wire:
    """Take elements of a flat tensor of ``size``; ``fill`` where the index is -1.

    The result has the shape of ``indices`` after the event.
    """
    builder.values_per_event = max(builder.values_per_event, indices.size)
    if np.array_equal(indices.ravel(), np.arange(size)):
        return wire if indices.ndim == 1 else reshape(builder, wire, indices.shape)
    if (indices < 0).any():
        wire = _padded(builder, wire, fill)
        indices = np.where(indices < 0, size, indices)
    name = builder.emit("Gather", [wire.name, builder.initializer(indices)], axis=1)
    return replace(wire, name=name)


def _padded(builder: Builder, wire: Wire, fill: int) -> Wire:
    """Append one element."""
    pads = builder.initializer(np.array([0, 0, 0, 1]))
    low, high = min(wire.low, fill), max(wire.high, fill)
    integer = not is_float_exact(low, high)
    names = [builder.operand(wire, integer), pads, builder.operand(fill, integer)]
    return Wire(builder.emit("Pad", names), low, high, integer)


def renamed(wire: Wire, name: str) -> Wire:
    """Return the same integers, moved by the operator of that name."""
    return replace(wire, name=name)


def reshape(builder: Builder, wire: Wire, shape: tuple[int, ...]) -> Wire:
    """Give the elements of each event another shape."""
    # 0 keeps the number of events, which -1 could not tell if there are none.
    target = builder.initializer(np.array([0, *shape]))
    return replace(wire, name=builder.emit("Reshape", [wire.name, target]))


def concatenate(builder: Builder, wires: list[Wire]) -> Wire:
    """Lay flat tensors end to end."""
    if len(wires) == 1:
        return wires[0]
    low, high = min(wire.low for wire in wires), max(wire.high for wire in wires)
    integer = not is_float_exact(low, high)
    names = [builder.operand(wire, integer) for wire in wires]
    return Wire(builder.emit("Concat", names, axis=1), low, high, integer)


def look_up(builder: Builder, table: NDArray[Any], index: Wire) -> Wire:
    """Read a table; an index below zero counts from its end, as Gather defines it."""
    low, high = bounds(table)
    integer = not is_float_exact(low, high)
    entries = builder.operand(table, integer)
    name = builder.emit("Gather", [entries, builder.operand(index, integer=True)], axis=0)
    return Wire(name, low, high, integer)


def slices(builder: Builder, wire: Wire, axis: int, n_slices: int) -> list[Wire]:
    """Take a tensor apart along an axis, which goes away."""
    return [
        replace(
            wire,
            name=builder.emit("Gather", [wire.name, builder.initializer(np.array(i))], axis=axis),
        )
        for i in range(n_slices)
    ]


def maximum(builder: Builder, wire: Wire, axis: int, *, keep: bool = False) -> Wire:
    """Return the largest along an axis."""
    name = builder.emit("ReduceMax", [wire.name], axes=[axis], keepdims=int(keep))
    return replace(wire, name=name)


def exact_sum(
    builder: Builder, wire: Wire, axis: int, n_terms: int, result: tuple[int, int]
) -> Wire:
    """Add along an axis; every partial sum lies in the bounds given for the result.

    Beyond float64 it is written term by term: ONNX Runtime's ReduceSum adds int64 in float64.

    Raises:
        ConversionError: if int64 does not hold them.
    """
    if is_float_exact(wire.low, wire.high, *result):
        name = builder.operand(wire, integer=False)
        axes = builder.initializer(np.array([axis]))
        return Wire(builder.emit("ReduceSum", [name, axes], keepdims=0), *result)
    total, *others = slices(builder, wire, axis, n_terms)
    for other in others:
        total = builder.combine("Add", total, other, result)
    return total


def accumulate(
    builder: Builder, wire: Wire, n_terms: int, fmt: FixedPointFormat, *, tree: bool
) -> Wire:
    """Add along the axis 2 in an accumulator, casting after each addition.

    One by one, or as a tree whose left side holds the largest power of two below the count
    (``nnet::reduce``). Both are the exact sum, cast once, if it wraps or never overflows.
    """
    result = min(wire.low, 0) * n_terms, max(wire.high, 0) * n_terms
    low, high = fmt.saturation_limits
    inside = low <= result[0] and result[1] <= high
    if inside or (fmt.overflow is Overflow.WRAP and is_int_exact(*result)):
        total = exact_sum(builder, wire, 2, n_terms, result)
        return casts.cast(builder, total, fmt.fractional_bits, fmt)
    parts = slices(builder, wire, 2, n_terms)
    if tree:
        return _tree_sum(builder, parts, fmt)
    total = casts.cast(builder, parts[0], fmt.fractional_bits, fmt)
    for part in parts[1:]:
        total = casts.cast(builder, builder.add(total, part), fmt.fractional_bits, fmt)
    return total


def _tree_sum(builder: Builder, parts: list[Wire], fmt: FixedPointFormat) -> Wire:
    if len(parts) == 1:
        return parts[0]
    left = 1 << ((len(parts) - 1).bit_length() - 1)
    total = builder.add(
        _tree_sum(builder, parts[:left], fmt), _tree_sum(builder, parts[left:], fmt)
    )
    return casts.cast(builder, total, fmt.fractional_bits, fmt)


def first_of_largest(builder: Builder, wire: Wire, axis: int, n_slices: int) -> str:
    """Tell for each element whether it is the first of the largest along an axis."""
    first = builder.emit("ArgMax", [wire.name], axis=axis, keepdims=1, select_last_index=0)
    positions = builder.initializer(np.arange(n_slices)[:, None])
    return builder.emit("Equal", [first, positions])
