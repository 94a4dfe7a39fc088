"""Search the narrowest formats whose outputs lose no more than is allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trigforge import estimation, evaluation
from trigforge.calibration.ranges import format_for, grid_bits, link_format
from trigforge.core.errors import ConversionError
from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding
from trigforge.core.formats import Calibration, FreeTensor, NarrowerStep, TensorFormat
from trigforge.core.graph import FixedPointGraph
from trigforge.core.link import encoding_of_values
from trigforge.core.records import Progress, RawTensor, no_progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WIDE = FixedPointFormat(
    signed=True, width=32, integer_bits=16, rounding=Rounding.RND, overflow=Overflow.SAT
)
"""In which ranges of results are observed."""
WIDE_WEIGHT_BITS = 18
MIN_WIDTH = 3
MAX_WIDTH = 20
LARGER_TABLES = (4096, 16384)
CLOSE_TO_BEST = 1.1
"""What may be lost where the tolerance is out of reach, as a multiple of the least loss."""

Formats = Mapping[tuple[str, str], FixedPointFormat]
"""(layer in the configuration, role) -> format."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """A float network as a function of its formats, and what it may lose.

    ``build`` converts it: (format of the input, formats of tensors, entries of activation
    tables or None for hls4ml's) -> graph. ``loss`` compares the firmware's outputs for
    ``events``, ``(n_events, n_inputs)``, with the original's; ``measure`` says what it is.
    """

    build: Callable[[FixedPointFormat, Formats, int | None], FixedPointGraph]
    tensors: tuple[FreeTensor, ...]
    events: NDArray[np.float64]
    loss: Callable[[RawTensor], float]
    measure: str
    tolerance: float
    margin: float


@dataclass(slots=True)
class _Search:
    """Ranges of all tensors and the width tried for each; index -1 is the input."""

    problem: Problem
    allowed: float
    ranges: list[tuple[float, float]]
    grid: int | None
    """Fractional bits that hold every input exactly, if the events lie on a grid."""
    table_size: int | None = None
    progress: Progress = no_progress
    tried: dict[tuple[int, ...], float] = field(default_factory=dict)

    def formats(self, widths: tuple[int, ...]) -> tuple[FixedPointFormat, list[FixedPointFormat]]:
        """Return the formats of the input and of each tensor."""
        problem = self.problem
        *ranges, source = self.ranges
        chosen = [
            format_for(*span, width, margin=problem.margin if tensor.is_observed else 1)
            for tensor, span, width in zip(problem.tensors, ranges, widths[:-1], strict=True)
        ]
        return link_format(*source, widths[-1], margin=problem.margin, grid=self.grid), chosen

    def graph(self, widths: tuple[int, ...]) -> tuple[FixedPointFormat, FixedPointGraph]:
        """Convert the network with these widths."""
        link, chosen = self.formats(widths)
        names = [tensor.name for tensor in self.problem.tensors]
        return link, self.problem.build(
            link, dict(zip(names, chosen, strict=True)), self.table_size
        )

    def loss(self, widths: tuple[int, ...]) -> float:
        """Return what is lost; infinite where the network cannot be converted."""
        if widths not in self.tried:
            try:
                link, graph = self.graph(widths)
                outputs = evaluation.evaluate(graph, _on_link(self.problem.events, link)).outputs
                self.tried[widths] = self.problem.loss(outputs)
            except ConversionError:
                self.tried[widths] = float("inf")
        return self.tried[widths]


def calibrate(problem: Problem, *, progress: Progress = no_progress) -> Calibration:
    """Find formats for all tensors of a network.

    Where the tolerance cannot be met, formats are searched that lose hardly more than the
    widest ones do, and ``met`` is false.

    Raises:
        ConversionError: if the network cannot be converted with wide formats.
    """
    search = _Search(
        problem=problem,
        allowed=problem.tolerance,
        ranges=observe(problem),
        grid=grid_bits(problem.events),
        progress=progress,
    )
    widest = (MAX_WIDTH,) * len(search.ranges)
    for table_size in LARGER_TABLES:
        if search.loss(widest) <= problem.tolerance:
            break
        larger = replace(search, table_size=table_size, tried={})
        if larger.loss(widest) >= search.loss(widest):
            break
        search = larger
    search.allowed = max(problem.tolerance, search.loss(widest) * CLOSE_TO_BEST)
    common = _common_width(search)
    return _result(search, _narrowed(search, (common,) * len(widest)))


def observe(problem: Problem) -> list[tuple[float, float]]:
    """Return smallest and largest value of each tensor, and last of the input."""
    source = (float(problem.events.min()), float(problem.events.max()))
    link = link_format(*source, 24, margin=1, grid=None)
    formats = {
        tensor.name: WIDE
        if tensor.values is None
        else format_for(*_span(tensor.values), WIDE_WEIGHT_BITS, margin=1)
        for tensor in problem.tensors
    }
    graph = problem.build(link, formats, LARGER_TABLES[0])
    inputs = _on_link(problem.events, link)
    health = {entry.name: entry for entry in evaluation.evaluate(graph, inputs, health=True).health}
    ranges = []
    for tensor in problem.tensors:
        if tensor.values is not None:
            ranges.append(_span(tensor.values))
        elif tensor.span is not None:
            ranges.append(tensor.span)
        else:
            seen = health[tensor.layer]
            low, high = seen.minimum * seen.format.lsb, seen.maximum * seen.format.lsb
            ranges.append((low - high, high - low) if tensor.differences else (low, high))
    return [*ranges, source]


def _span(values: NDArray[np.float64]) -> tuple[float, float]:
    return float(values.min()), float(values.max())


def _common_width(search: _Search) -> int:
    """Return the smallest width that does for all tensors; the largest one does."""
    low, high, n_widths = MIN_WIDTH, MAX_WIDTH, len(search.ranges)
    while low < high:
        middle = (low + high) // 2
        search.progress("calibrating", MAX_WIDTH - high + low, MAX_WIDTH)
        if search.loss((middle,) * n_widths) <= search.allowed:
            high = middle
        else:
            low = middle + 1
    return high


def _narrowed(search: _Search, widths: tuple[int, ...]) -> tuple[int, ...]:
    """Narrow one tensor after the other, the largest first, while the loss stays allowed."""
    order = list(_largest_first(search.problem.tensors))
    for n_done, index in enumerate(order):
        while widths[index] > MIN_WIDTH - 1:
            narrower = (*widths[:index], widths[index] - 1, *widths[index + 1 :])
            if search.loss(narrower) > search.allowed:
                break
            widths = narrower
        search.progress("narrowing formats", n_done + 1, len(order))
    return widths


def _largest_first(tensors: Iterable[FreeTensor]) -> Iterator[int]:
    """Yield results first (their bits cost in every product), then weights by number."""
    sizes = [
        (tensor.values is not None, -len(tensor.values) if tensor.values is not None else 0, index)
        for index, tensor in enumerate(tensors)
    ]
    yield from (index for _, _, index in sorted(sizes))


def _result(search: _Search, widths: tuple[int, ...]) -> Calibration:
    problem = search.problem
    link, chosen = search.formats(widths)
    *ranges, source = search.ranges
    return Calibration(
        measure=problem.measure,
        n_events=len(problem.events),
        margin=problem.margin,
        tolerance=problem.tolerance,
        loss=search.loss(widths),
        input=TensorFormat(
            key="input", role="result", minimum=source[0], maximum=source[1], format=link
        ),
        tensors=tuple(
            TensorFormat(
                key=tensor.key, role=tensor.role, minimum=span[0], maximum=span[1], format=fmt
            )
            for tensor, span, fmt in zip(problem.tensors, ranges, chosen, strict=True)
        ),
        table_size=search.table_size,
        narrower=tuple(_narrower(search, widths)),
    )


def _narrower(search: _Search, widths: tuple[int, ...]) -> Iterator[NarrowerStep]:
    """Yield what the same formats, each some bits narrower, would lose and cost."""
    for n_fewer in range(4):
        fewer = tuple(max(width - n_fewer, 2) for width in widths)
        loss = search.loss(fewer)
        if np.isfinite(loss):
            _, graph = search.graph(fewer)
            yield NarrowerStep(n_bits_fewer=n_fewer, loss=loss, ebops=estimation.ebops(graph).total)


def _on_link(events: NDArray[np.float64], link: FixedPointFormat) -> RawTensor:
    return RawTensor(format=link, raw=encoding_of_values(link).encode(events))
