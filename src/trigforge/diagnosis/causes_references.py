"""Float32: the framework's own inference can leave the numbers that its layers stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.diagnosis import Cause, Finding
from trigforge.core.graph import SumOfProducts
from trigforge.diagnosis.analysis import position, raw_in
from trigforge.diagnosis.terms import products_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from trigforge.core.graph import FixedPointGraph, Node
    from trigforge.core.traces import LayerTrace, Original
    from trigforge.diagnosis.matching import Matching

FLOAT32_BITS = 24


def findings(
    graph: FixedPointGraph,
    tensors: Mapping[str, NDArray[np.int64]],
    original: Original,
    matching: Matching,
) -> tuple[Finding, ...]:
    """Return the first layer in which float32 leaves the exact values.

    That a sum is rounded on the way does not count as long as the quantisers behind it, and
    the output, do not see it. A float model has no exact values to leave.
    """
    exact = {layer.name: layer for layer in original.layers if layer.exact}
    node_of = {name: pair.node for pair in matching.pairs for name in pair.layers}
    single = [layer for layer in original.single if layer.name in exact]
    seen = [layer for layer in single if layer.format is not None or layer is original.single[-1]]
    if not any((layer.values != exact[layer.name].values).any() for layer in seen):
        return ()
    for layer in single:
        if layer.name not in node_of:
            continue
        right = exact[layer.name]
        if (layer.values != right.values).any():
            return (_finding(graph, tensors, graph[node_of[layer.name]], (layer, right)),)
    return ()


def _finding(
    graph: FixedPointGraph,
    tensors: Mapping[str, NDArray[np.int64]],
    node: Node,
    traces: tuple[LayerTrace, LayerTrace],
) -> Finding:
    """Return the first value of a layer that float32 (the first trace) rounds."""
    single, right = traces
    wrong = single.values != right.values
    event, element = (int(i) for i in np.argwhere(wrong)[0])
    bits = _bits_of_sum(graph, tensors, node, (event, element))
    needs = "" if bits is None else f"; the sum it comes from runs over {bits} bits"
    expected, found = (float(trace.values[event, element]) for trace in (right, single))
    return Finding(
        cause=Cause.FLOAT32_ROUNDING,
        layer=node.name,
        event=event,
        element=element,
        position=position(node, element),
        expected=expected,
        found=found,
        evidence=(
            f"layer {single.name} computed in float32 gives {found:.10g}, exactly it is "
            f"{expected:.10g}: float32 holds {FLOAT32_BITS} bits{needs}; {int(wrong.sum())} of "
            f"{wrong.size} values of this layer differ"
        ),
        format=node.format,
        expected_raw=raw_in(expected, node.format),
        found_raw=raw_in(found, node.format),
        advice=(
            "compare with the exact evaluation, not with float32 inference; or give inputs and "
            "weights fewer bits"
        ),
        n_values=wrong.size,
        n_explained=int(wrong.sum()),
    )


def _bits_of_sum(
    graph: FixedPointGraph,
    tensors: Mapping[str, NDArray[np.int64]],
    node: Node,
    where: tuple[int, int],
) -> int | None:
    """Return how many bits the sum before a value spans, from its largest to its smallest."""
    event, element = where
    while not isinstance(node, SumOfProducts):
        if len(node.inputs) != 1 or graph[node.inputs[0]].n_elements != node.n_elements:
            return None
        node = graph[node.inputs[0]]
    _, products = products_of(node, tensors[node.inputs[0]][event], element)
    numbers = [value for value in products if value]
    if not numbers:
        return None
    lowest = min((value & -value).bit_length() - 1 for value in numbers)
    reached = np.abs(np.cumsum(np.array(numbers, dtype=object))).max()
    return max(int(reached), *(abs(value) for value in numbers)).bit_length() - lowest
