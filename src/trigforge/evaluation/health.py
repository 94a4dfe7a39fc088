"""How each tensor uses its format: ``Node, Gauge -> TensorHealth``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigforge.core.graph import (
    Activation,
    Input,
    Pool,
    Scale,
    Softmax,
    SoftmaxKind,
    SumOfProducts,
    Table,
)
from trigforge.core.health import TensorHealth, TensorKind, magnitude_bits
from trigforge.evaluation.gauge import Gauge

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.core.graph import Node


def read_off(node: Node, gauge: Gauge) -> TensorHealth:
    """Return what a gauge tells of the tensor that a node gives."""
    accumulator = node.accumulator if isinstance(node, SumOfProducts | Pool | Softmax) else None
    kind = TensorKind.INPUT if isinstance(node, Input) else TensorKind.ACTIVATION
    return _health(node.name, kind, (node.format, node.shape), gauge, accumulator)


def constants(node: Node) -> Iterator[TensorHealth]:
    """Yield the health of the weights, biases and tables of a node."""
    for kind, what, raw, fmt in _arrays(node):
        gauge = Gauge()
        gauge.read(raw.reshape(1, -1))
        accumulator = None
        if isinstance(node, SumOfProducts) and kind is TensorKind.BIAS:
            accumulator = node.accumulator
            gauge.sums.read(raw, fmt.fractional_bits, accumulator)
        yield _health(f"{node.name} {what}", kind, (fmt, raw.shape), gauge, accumulator)


def _arrays(
    node: Node,
) -> Iterator[tuple[TensorKind, str, NDArray[np.int64], FixedPointFormat]]:
    """Yield the constants a node has: what they are, raw integers, format."""
    if isinstance(node, SumOfProducts):
        yield TensorKind.WEIGHTS, "weights", node.weights, node.weight_format
        yield TensorKind.BIAS, "bias", node.bias, node.bias_format
    elif isinstance(node, Scale):
        yield TensorKind.WEIGHTS, "scale", node.scale, node.scale_format
        yield TensorKind.BIAS, "bias", node.bias, node.bias_format
    elif isinstance(node, Activation) and node.parameter_format is not None:
        if node.parameters.size:
            yield TensorKind.WEIGHTS, "parameters", node.parameters, node.parameter_format
    elif isinstance(node, Table):
        yield TensorKind.TABLE, "table", node.table, node.table_format
    elif isinstance(node, Softmax) and node.kind is not SoftmaxKind.ARGMAX:
        yield TensorKind.TABLE, "exponentials", node.exponentials, node.exponential_format
        yield TensorKind.TABLE, "inverses", node.inverses, node.inverse_format


def _health(
    name: str,
    kind: TensorKind,
    tensor: tuple[FixedPointFormat, tuple[int, ...]],
    gauge: Gauge,
    accumulator: FixedPointFormat | None,
) -> TensorHealth:
    fmt, shape = tensor
    low, high = gauge.extremes
    unused_high, unused_low = _unused_bits(fmt, gauge)
    return TensorHealth(
        name=name,
        kind=kind,
        format=fmt,
        shape=shape,
        n_values=gauge.n_values,
        n_zeros=gauge.n_zeros,
        minimum=low,
        maximum=high,
        n_overflows=gauge.results.n_overflows,
        reach=gauge.results.ends if gauge.results.n_overflows else (low, high),
        accumulator=accumulator,
        n_accumulator_overflows=gauge.sums.n_overflows,
        accumulator_reach=gauge.sums.ends,
        unused_high_bits=unused_high,
        unused_low_bits=unused_low,
        dead=gauge.dead(),
        magnitudes=gauge.magnitudes(),
    )


def _unused_bits(fmt: FixedPointFormat, gauge: Gauge) -> tuple[int, int]:
    """Return how many bits at either end told nothing; none if no value was seen."""
    if not gauge.n_values:
        return 0, 0
    lowest = gauge.used_bits & -gauge.used_bits
    trailing = lowest.bit_length() - 1 if lowest else fmt.width
    unused_high = fmt.width - fmt.signed - magnitude_bits(*gauge.extremes)
    return unused_high, min(trailing, fmt.width)
