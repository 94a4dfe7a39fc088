"""Softmax in hls4ml's implementations, slice by slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigforge.core.errors import ConversionError
from trigforge.core.fixed_point import FixedPointFormat, convert
from trigforge.core.graph import Softmax, SoftmaxKind
from trigforge.emulator.elementwise import fixed, quotient
from trigforge.emulator.expressions import Expression, constant, select
from trigforge.emulator.pooling import tree_sum
from trigforge.emulator.ranges import Interval, of_values
from trigforge.emulator.source import Body, lane, nested, pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from trigforge.emulator.finish import Finish
    from trigforge.emulator.layout import Tensor
    from trigforge.emulator.source import Source


def values(
    node: Softmax, source: Source, body: Body, x: list[Expression], fmt: FixedPointFormat
) -> list[Expression]:
    """Return the results for the elements of a slice in format ``fmt``."""
    return KINDS[node.kind](node, source, body, [body.let(element) for element in x], fmt)


def render(node: Softmax, tensor: Tensor, finish: Finish, name: str) -> None:
    """Define the function that treats all slices."""
    body = Body()
    elements = [f"(s * {node.n_slice} + {k}) * {node.n_inner} + i" for k in range(node.n_slice)]
    x = [lane(tensor, "in", element) for element in elements]
    finish.store(body, elements, values(node, finish.source, body, x, tensor.format))
    n_slices = tensor.n_elements // (node.n_slice * node.n_inner)
    inner = nested(f"for (int i = 0; i < {node.n_inner}; ++i)", body.loop())
    lines = [
        pointer(tensor, "in", constant=True),
        finish.pointer,
        *nested(f"for (int s = 0; s < {n_slices}; ++s)", inner),
    ]
    finish.source.function(f"{name}(unsigned char *work)", lines)


def _latency(
    node: Softmax, source: Source, body: Body, x: list[Expression], fmt: FixedPointFormat
) -> list[Expression]:
    return _normalised(node, source, body, [(element, fmt) for element in x])


def _stable(
    node: Softmax, source: Source, body: Body, x: list[Expression], fmt: FixedPointFormat
) -> list[Expression]:
    del fmt
    kind = x[0].range.c_type
    largest = x[0]
    for element in x[1:]:
        code = f"larger<{kind}>({largest.code}, {element.code})"
        largest = body.let(Expression(code, element.range, element.fraction))
    distances = [
        (body.let((largest + element * constant(-1, 0)).cast(node.distance_format)))
        for element in x
    ]
    return _normalised(node, source, body, [(d, node.distance_format) for d in distances])


def _normalised(
    node: Softmax,
    source: Source,
    body: Body,
    addresses: list[tuple[Expression, FixedPointFormat]],
) -> list[Expression]:
    """Look the exponentials up, add them as a tree, look the inverse up, multiply."""
    accumulator = node.accumulator
    entries = convert(node.exponentials, node.exponential_format, accumulator)
    table = source.table(entries)
    looked_up = [
        body.let(
            Expression(
                f"{table}[{_top_bits(node, address, fmt, entries)}]",
                of_values(entries),
                accumulator.fractional_bits,
            )
        )
        for address, fmt in addresses
    ]
    total = tree_sum(looked_up, accumulator).convert(accumulator, node.sum_format)
    index = _top_bits(node, body.let(total), node.sum_format, node.inverses)
    inverse = body.let(
        Expression(
            f"{source.table(node.inverses)}[{index}]",
            of_values(node.inverses),
            node.inverse_format.fractional_bits,
        )
    )
    return [body.let((entry * inverse).cast(node.format)) for entry in looked_up]


def _top_bits(
    node: Softmax, value: Expression, fmt: FixedPointFormat, table: NDArray[np.int64]
) -> str:
    """Return the code of an index: the highest bits of a value of a format."""
    n_bits = (len(table) - 1).bit_length()
    if len(table) != 1 << n_bits or fmt.width < n_bits:
        msg = (
            f"node {node.name}: a table of {len(table)} entries cannot be addressed by the "
            f"highest bits of {fmt}"
        )
        raise ConversionError(msg)
    # The value may lie in a type narrower than its format; beyond it are copies of the sign.
    shift = min(fmt.width - n_bits, value.range.bits)
    kind = Interval(0, 1 << shift).c_type
    return f"({kind}({value.code}) >> {shift}) & {(1 << n_bits) - 1}"


def _legacy(
    node: Softmax, source: Source, body: Body, x: list[Expression], fmt: FixedPointFormat
) -> list[Expression]:
    """Sum the exponentials of all differences for each element, then invert."""
    size, unit = len(node.exponentials), node.exponential_format
    exponentials = source.table(node.exponentials)
    inverted = convert(node.inverses, node.inverse_format, node.format)
    inverses = source.table(inverted)
    results = []
    for i, mine in enumerate(x):
        total = constant(0, unit.fractional_bits)
        for j, other in enumerate(x):
            term = fixed(1, 0, unit)
            if i != j:
                difference = (other + mine * constant(-1, 0)) * constant(size, 0)
                index = _whole(difference, 16, fmt.fractional_bits) + constant(8 * size // 16, 0)
                place = body.let(index.clipped(0, size - 1)).code
                term = Expression(
                    f"{exponentials}[{place}]", of_values(node.exponentials), unit.fractional_bits
                )
            total = body.let((total + term).cast(unit))
        scaled = _whole(total * constant(len(inverted), 0), 64, unit.fractional_bits)
        place = body.let(scaled.clipped(0, len(inverted) - 1)).code
        results.append(
            Expression(f"{inverses}[{place}]", of_values(inverted), node.format.fractional_bits)
        )
    return results


def _whole(raw: Expression, divisor: int, fractional_bits: int) -> Expression:
    """Divide and take the whole part, both truncated towards zero."""
    whole = quotient(raw, divisor)
    if fractional_bits >= 0:
        return quotient(whole, 1 << fractional_bits)
    shifted = whole.scaled_up(-fractional_bits)
    return Expression(shifted.code, shifted.range, 0)


def _argmax(
    node: Softmax, source: Source, body: Body, x: list[Expression], fmt: FixedPointFormat
) -> list[Expression]:
    """Give one to the first of the largest and zero to the rest."""
    del source, fmt
    one, zero = fixed(1, 0, node.format), constant(0, node.format.fractional_bits)
    results = []
    for i, mine in enumerate(x):
        beaten = [f"({other.code} >= {mine.code})" for other in x[:i]]
        beaten += [f"({other.code} > {mine.code})" for other in x[i + 1 :]]
        lost = body.let(Expression(f"int32_t({' | '.join(beaten) or '0'})", of_values([0, 1]), 0))
        results.append(select(f"{lost.code} == 0", one, zero))
    return results


KINDS: Mapping[SoftmaxKind, Callable[..., list[Expression]]] = {
    SoftmaxKind.LATENCY: _latency,
    SoftmaxKind.STABLE: _stable,
    SoftmaxKind.LEGACY: _legacy,
    SoftmaxKind.ARGMAX: _argmax,
}
