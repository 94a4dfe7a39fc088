"""Sums of products one product at a time: for all that cannot be added in any order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.fixed_point import Overflow
from trigforge.emulator.expressions import Expression
from trigforge.emulator.ranges import Interval, of_format, of_values
from trigforge.emulator.source import Body, nested, pointer
from trigforge.emulator.sums import Method, Sums, term_order

if TYPE_CHECKING:
    from trigforge.emulator.finish import Finish
    from trigforge.emulator.layout import Tensor
    from trigforge.emulator.source import Source


def render(sums: Sums, tensor: Tensor, finish: Finish, name: str) -> None:
    """Define the function that computes a node's sums over planes."""
    source, kind = finish.source, _total_type(sums)
    first, terms, weights = _term_tables(sums, source)
    cells = np.where(sums.cells < 0, tensor.n_elements, sums.cells).reshape(sums.n_positions, -1)
    at = source.table(cells, "uint32_t")
    wide = sums.method is Method.WIDE
    start = sums.start(0) if wide else sums.bias
    step = [
        f"const {tensor.c_type} *__restrict const x = in + int64_t({at}[p][{terms}[k]]) * LANES;",
        f"const {of_values(sums.weights).c_type} w = {weights}[k];",
        *_addition(sums, tensor, kind),
    ]
    last = Body()
    total = last.let(sums.raw_sum("total[l]") if wide else sums.ordered_total)
    element = f"p * {sums.n_channels} + c"
    bias = source.constants(sums.bias, sums.node.accumulator.fractional_bits, "c")
    finish.store(last, [element], [sums.result(total, bias)])
    channel = [
        f"{kind} total[LANES];",
        f"fill_plane(total, {kind}({source.table(start)}[c]));",
        *nested(f"for (uint32_t k = {first}[c]; k < {first}[c + 1]; ++k)", step),
        *last.loop(),
    ]
    loops = nested(f"for (int c = 0; c < {sums.n_channels}; ++c)", channel)
    spare = f"fill_plane(in + {tensor.n_elements} * LANES, {tensor.c_type}(0));"
    lines = [
        pointer(tensor, "in", constant=False),
        finish.pointer,
        spare,
        *nested(f"for (int p = 0; p < {sums.n_positions}; ++p)", loops),
    ]
    source.function(f"{name}(unsigned char *work)", lines)


def _term_tables(sums: Sums, source: Source) -> tuple[str, str, str]:
    """Define where each channel's terms begin, which they are, and their weights."""
    # The one value that symmetric saturation forbids may be the bias: adding zero mends it.
    keeps_zeros = sums.node.accumulator.overflow is Overflow.SAT_SYM
    first, terms = [0], []
    weights = []
    for channel in range(sums.n_channels):
        for term in term_order(sums, channel):
            weight = int(sums.weights[term, channel])
            if weight or keeps_zeros:
                terms.append(int(term))
                weights.append(weight)
        first.append(len(terms))
    names = (
        source.table(np.array(first), "uint32_t"),
        source.table(np.array([*terms, 0]), "uint32_t"),
    )
    return *names, source.table(
        np.array([*weights, 0], dtype=object), of_values(sums.weights).c_type
    )


def _total_type(sums: Sums) -> str:
    return "int64_t" if sums.method is Method.WIDE else of_format(sums.node.accumulator).c_type


def _addition(sums: Sums, tensor: Tensor, kind: str) -> list[str]:
    """Render the loop that adds one product in each lane."""
    body = Body()
    if sums.method is Method.WIDE:
        fits = (tensor.range * of_values(sums.weights)).bits <= 64
        code = "uint64_t(int64_t(x[l]) * int64_t(w))" if fits else "uint64_t(x[l]) * uint64_t(w)"
        body.lines.append(f"total[l] = int64_t(uint64_t(total[l]) + {code});")
        return body.loop()
    x = Expression("x[l]", tensor.range | Interval(0, 0), tensor.fraction)
    w = Expression("w", of_values(sums.weights), sums.fraction - tensor.fraction)
    product = body.let((x * w).cast(sums.node.accumulator))
    total = (sums.ordered_total + product).cast(sums.node.accumulator)
    body.lines.append(f"total[l] = {kind}({total.code});")
    return body.loop()
