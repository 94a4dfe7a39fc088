"""A C++ project that does not compute its graph: what was changed in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.diagnosis import Cause, Finding
from trigforge.core.errors import ComparisonError
from trigforge.core.graph import SumOfProducts
from trigforge.core.records import RawTensor
from trigforge.diagnosis.analysis import position
from trigforge.diagnosis.local import Local

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from trigforge.core.graph import FixedPointGraph, Node

_MOST_FLIPS = 4096
_MOST_EVENTS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectTrace:
    """What a compiled project gives, node by node, and which of its files were changed."""

    tensors: tuple[tuple[str, RawTensor], ...]
    modified: tuple[str, ...] = ()
    what: str = "C simulation"


def findings(
    graph: FixedPointGraph, tensors: Mapping[str, NDArray[np.int64]], project: ProjectTrace
) -> tuple[Finding, ...]:
    """Return the first layer in which the project leaves its graph.

    Raises:
        ComparisonError: if a tensor has another shape or format than the graph's.
    """
    given = dict(project.tensors)
    for node in graph:
        if node.name not in given:
            continue
        found = given[node.name]
        _check(node, found, tensors[node.name])
        wrong = found.raw != tensors[node.name]
        if wrong.any():
            return (_finding(graph, tensors, project, (node, found.raw)),)
    return ()


def _check(node: Node, found: RawTensor, expected: NDArray[np.int64]) -> None:
    if found.raw.shape != expected.shape or (
        (found.format.signed, found.format.width, found.format.integer_bits)
        != (node.format.signed, node.format.width, node.format.integer_bits)
    ):
        msg = (
            f"layer {node.name} of the project gives {found.raw.shape} values of {found.format}, "
            f"its graph {expected.shape} of {node.format}: it is not the project of this graph"
        )
        raise ComparisonError(msg)


def _finding(
    graph: FixedPointGraph,
    tensors: Mapping[str, NDArray[np.int64]],
    project: ProjectTrace,
    where: tuple[Node, NDArray[np.int64]],
) -> Finding:
    node, found = where
    expected = tensors[node.name]
    wrong = expected != found
    event, element = (int(i) for i in np.argwhere(wrong)[0])
    flips = list(_flips(graph, tensors, node, found))
    evidence = (
        f"{project.what} of the project and the exact evaluation of its graph part in this layer "
        f"on the same inputs ({int(wrong.sum())} of {wrong.size} values)"
    )
    if project.modified:
        evidence += f"; changed after the project was written: {', '.join(project.modified)}"
    if flips:
        evidence += f"; it computes as if {' or '.join(flips)}"
    changed = bool(project.modified)
    return Finding(
        cause=Cause.PROJECT_CHANGED if changed else Cause.UNKNOWN,
        layer=node.name,
        event=event,
        element=element,
        position=position(node, element),
        expected=int(expected[event, element]) * node.format.lsb,
        found=int(found[event, element]) * node.format.lsb,
        evidence=evidence,
        format=node.format,
        expected_raw=int(expected[event, element]),
        found_raw=int(found[event, element]),
        advice="write the project again from its spec" if changed else "",
        n_values=wrong.size,
        n_explained=int(wrong.sum()) if changed else 0,
        n_remaining=0 if changed else int(wrong.sum()),
    )


def _flips(
    graph: FixedPointGraph,
    tensors: Mapping[str, NDArray[np.int64]],
    node: Node,
    found: NDArray[np.int64],
) -> Iterator[str]:
    """Yield each single bit of a weight or bias that explains every difference."""
    if not isinstance(node, SumOfProducts):
        return
    wrong = (tensors[node.name] != found).any(axis=1)
    events = np.concatenate([np.flatnonzero(wrong), np.flatnonzero(~wrong)])[:_MOST_EVENTS]
    channel = int(np.argwhere(tensors[node.name] != found)[0][1]) % len(node.bias)
    local = Local(
        graph=graph,
        node=node,
        nodes=(node.name,),
        tensors={name: tensors[name][events] for name in node.inputs},
        expected=np.zeros((0, 0)),
        slack=None,
        comparable=np.zeros(0, dtype=bool),
        grid=None,
        weights={},
    )
    for count, (changed, text) in enumerate(_flipped(node, channel)):
        if count >= _MOST_FLIPS:
            return
        if np.array_equal(local.recompute(changed), found[events]):
            yield text


def _flipped(node: SumOfProducts, channel: int) -> Iterator[tuple[Any, str]]:
    """Yield the node with one bit of one constant of an output channel turned."""
    for field, fmt in (("bias", node.bias_format), ("weights", node.weight_format)):
        raw = getattr(node, field)
        flat = raw.reshape(-1)
        chosen = range(channel, flat.size, len(node.bias))
        for index in chosen:
            for bit in range(fmt.width):
                pattern = (int(flat[index]) ^ (1 << bit)) & ((1 << fmt.width) - 1)
                value = pattern - (1 << fmt.width) if pattern > fmt.raw_max else pattern
                turned = flat.copy()
                turned[index] = value
                where = tuple(int(i) for i in np.unravel_index(index, raw.shape))
                text = f"{field} {where} were {value} instead of {int(flat[index])} (raw)"
                yield replace(node, **{field: turned.reshape(raw.shape)}), text
