"""Nodes that treat each element alone: casts, scales, activations, tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.errors import ConversionError
from trigforge.core.fixed_point import FixedPointFormat, cast
from trigforge.core.graph import Activation, ActivationKind, Quantise, Scale, Table
from trigforge.emulator.expressions import Expression, constant, literal, select
from trigforge.emulator.ranges import Interval, of_values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trigforge.core.graph import Node
    from trigforge.emulator.source import Body, Source

TYPES = (Quantise, Scale, Activation, Table)


def apply(
    node: Node, source: Source, body: Body, value: Expression, operand: tuple[FixedPointFormat, str]
) -> Expression:
    """Return the node's result for the value of one element.

    ``operand`` is the format of the value and the C++ code of the element's index.
    """
    fmt, element = operand
    bound = body.let(value)
    if isinstance(node, Quantise):
        return body.let(bound.convert(fmt, node.format))
    if isinstance(node, Scale):
        slope = source.constants(node.scale, node.scale_format.fractional_bits, element)
        shift = source.constants(node.bias, node.bias_format.fractional_bits, element)
        return body.let((bound * slope + shift).cast(node.format))
    if isinstance(node, Table):
        return body.let(_table(node, source, body, bound))
    if isinstance(node, Activation):
        return body.let(ACTIVATIONS[node.kind](node, source, body, bound, operand))
    msg = f"node {node.name}: the emulator has no rule for {type(node).__name__}"
    raise ConversionError(msg)


def exceeds(value: Expression, threshold: int) -> str:
    """Return the condition that a raw integer is above a threshold of any size."""
    if value.range.low > threshold:
        return "true"
    if value.range.high <= threshold:
        return "false"
    return f"{value.code} > {literal(threshold, value.range.c_type)}"


def fixed(value: int, fraction: int, target: FixedPointFormat) -> Expression:
    """Return the constant that a number becomes in a format."""
    raw = cast(np.array([value], dtype=object), fraction, target)[0]
    return constant(int(raw), target.fractional_bits)


def _relu(node: Activation, _: Source, __: Body, x: Expression, operand: Any) -> Expression:
    return x.at_least_zero().convert(operand[0], node.format)


def _relu_max(node: Activation, _: Source, __: Body, x: Expression, operand: Any) -> Expression:
    limit = int(node.parameters[0])
    threshold = limit << x.fraction if x.fraction >= 0 else limit >> -x.fraction
    passed = x.at_least_zero().convert(operand[0], node.format)
    return select(exceeds(x, threshold), fixed(limit, 0, node.format), passed)


def _binary_tanh(node: Activation, _: Source, __: Body, x: Expression, ___: Any) -> Expression:
    return select(exceeds(x, -1), fixed(1, 0, node.format), fixed(-1, 0, node.format))


def _ternary_tanh(
    node: Activation, _: Source, body: Body, x: Expression, operand: Any
) -> Expression:
    """Compare twice the input, cast to the input's own type, with one."""
    doubled = body.let((x * constant(2, 0)).cast(operand[0]))
    upper, lower = (1 << x.fraction, -1 << x.fraction) if x.fraction >= 0 else (0, -1)
    low = select(exceeds(doubled, lower), fixed(0, 0, node.format), fixed(-1, 0, node.format))
    return select(exceeds(doubled, upper), fixed(1, 0, node.format), low)


def _hard(node: Activation, _: Source, body: Body, x: Expression, __: Any) -> Expression:
    fraction = _parameter_format(node).fractional_bits
    slope, shift = (constant(int(value), fraction) for value in node.parameters)
    total = x * slope + shift
    total = body.let(total.scaled_up(max(-total.fraction, 0)))
    clipped = total.clipped(0, 1 << total.fraction)
    if node.kind is ActivationKind.HARD_TANH:
        clipped = clipped * constant(2, 0) + constant(-1, 0)
    return body.let(clipped).cast(node.format)


def _sloped(
    node: Activation, source: Source, body: Body, x: Expression, operand: Any
) -> Expression:
    fmt, element = operand
    fraction = _parameter_format(node).fractional_bits
    parameter = source.constants(node.parameters, fraction, element)
    kept = x.convert(fmt, node.format)
    if node.kind is ActivationKind.THRESHOLDED_RELU:
        difference = body.let(x + parameter * constant(-1, 0))
        return select(exceeds(difference, 0), kept, constant(0, kept.fraction))
    return select(exceeds(x, 0), kept, (x * parameter).cast(node.format))


def _parameter_format(node: Activation) -> FixedPointFormat:
    if node.parameter_format is None:
        msg = f"node {node.name}: {node.kind} needs the format of its parameters"
        raise ConversionError(msg)
    return node.parameter_format


ACTIVATIONS: Mapping[ActivationKind, Callable[..., Expression]] = {
    ActivationKind.RELU: _relu,
    ActivationKind.RELU_MAX: _relu_max,
    ActivationKind.LEAKY_RELU: _sloped,
    ActivationKind.THRESHOLDED_RELU: _sloped,
    ActivationKind.PRELU: _sloped,
    ActivationKind.BINARY_TANH: _binary_tanh,
    ActivationKind.TERNARY_TANH: _ternary_tanh,
    ActivationKind.HARD_SIGMOID: _hard,
    ActivationKind.HARD_TANH: _hard,
}


def _table(node: Table, source: Source, body: Body, x: Expression) -> Expression:
    index = quotient(x * constant(node.multiplier, 0), node.divisor) + constant(node.offset, 0)
    index = body.let(Expression(index.code, index.range, 0).clipped(0, len(node.table) - 1))
    entry = Expression(
        f"{source.table(node.table)}[{index.code}]",
        of_values(node.table),
        node.table_format.fractional_bits,
    )
    if node.negative is None or node.negative_format is None:
        looked_up = entry.convert(node.table_format, node.format)
    else:
        factor = constant(node.negative, node.negative_format.fractional_bits)
        looked_up = (entry * factor).cast(node.format)
    if node.positive is None or node.positive_format is None:
        return looked_up
    factor = constant(node.positive, node.positive_format.fractional_bits)
    passed = (x.at_least_zero() * factor).cast(node.format)
    return select(exceeds(x, -1), passed, looked_up)


def quotient(dividend: Expression, divisor: int) -> Expression:
    """Divide raw integers by a constant, truncating towards zero; drop the point."""
    result = divided(dividend, constant(divisor, 0))
    return Expression(result.code, result.range, 0)


def divided(dividend: Expression, divisor: Expression) -> Expression:
    """Divide by an integer of one sign, truncating towards zero, as C++ does."""
    ends = [
        _truncated(value, by)
        for value in (dividend.range.low, dividend.range.high)
        for by in (divisor.range.low, divisor.range.high)
    ]
    kind = (dividend.range | divisor.range).c_type
    code = f"({kind}({dividend.code}) / {kind}({divisor.code}))"
    return Expression(code, Interval(min(ends), max(ends)), dividend.fraction)


def _truncated(dividend: int, divisor: int) -> int:
    magnitude = abs(dividend) // abs(divisor)
    return magnitude if (dividend < 0) == (divisor < 0) else -magnitude
