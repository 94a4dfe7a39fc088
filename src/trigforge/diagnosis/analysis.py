"""Name the causes in one layer: ``Local -> findings``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.diagnosis import Cause, Finding
from trigforge.core.errors import InputError
from trigforge.core.fixed_point import to_raw
from trigforge.core.graph import (
    Activation,
    Merge,
    MergeKind,
    Node,
    Pool,
    PoolKind,
    Scale,
    Softmax,
    SumOfProducts,
    Table,
)
from trigforge.diagnosis import (
    causes_pooling,
    causes_results,
    causes_softmax,
    causes_sums,
    causes_tables,
)
from trigforge.diagnosis.changes import Needed, needed
from trigforge.diagnosis.formats import wide
from trigforge.diagnosis.local import values_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.diagnosis.local import Local


def findings(local: Local) -> tuple[Finding, ...]:
    """Return the causes of all that is wrong in a layer, and what stays unexplained."""
    wrong = local.wrong(local.node)
    if not wrong.any():
        return ()
    if isinstance(local.node, Softmax):
        return _softmax(local, wrong)
    limits = [
        *causes_sums.changes(local),
        *causes_pooling.changes(local),
        *causes_tables.changes(local),
    ]
    unlimited = local.node
    for change in limits:
        unlimited = change.mended(unlimited)
    unlimited = replace(unlimited, format=wide(_fraction(local, unlimited)))
    limits += causes_results.changes(local, unlimited)
    causes, remaining = needed(local, limits)
    causes = _without_consequences(local, causes)
    found = []
    for cause in causes:
        event, element = _first(cause.spoiled & wrong, cause.spoiled)
        finding = made(local, cause.change.cause, (event, element))
        found.append(
            replace(
                finding,
                evidence=cause.change.evidence(cause.limited, event, element),
                mends=cause.mends,
                advice=cause.change.advice,
                n_explained=int(cause.spoiled.sum()),
                n_remaining=int(remaining.sum()),
            )
        )
    if (remaining & wrong).any():
        found.append(unexplained(local, remaining & wrong))
    return tuple(found)


def _without_consequences(local: Local, causes: list[Needed]) -> list[Needed]:
    """Give the mends of formats that a better weight outgrows to the weight's cause.

    They lose nothing of what the node computes now: hls4ml chose them for the weights it has.
    """
    rooted = [cause for cause in causes if cause.change.cause in {Cause.WEIGHT, Cause.BIAS}]
    if not rooted:
        return causes
    now = values_of(local.recompute(local.node), local.node.format)
    kept, mends = [], rooted[-1].mends
    for cause in causes:
        changed = cause.change.mended(local.node)
        if cause in rooted or (values_of(local.recompute(changed), changed.format) != now).any():
            kept.append(cause)
        else:
            mends += cause.mends
    return [replace(cause, mends=mends) if cause is rooted[-1] else cause for cause in kept]


def made(local: Local, cause: Cause, where: tuple[int, int]) -> Finding:
    """Return a finding at (event, element) with its numbers, and nothing said yet."""
    event, element = where
    node = local.node
    raw = int(local.recompute(node)[event, element])
    expected = float(local.expected[event, element])
    return Finding(
        cause=cause,
        layer=node.name,
        event=event,
        element=element,
        position=position(node, element),
        expected=expected,
        found=raw * node.format.lsb,
        evidence="",
        format=node.format,
        expected_raw=raw_in(expected, node.format),
        found_raw=raw,
        n_values=local.expected.size,
    )


def unexplained(local: Local, remaining: NDArray[np.bool_]) -> Finding:
    """Return what no hypothesis explains, with what is known."""
    event, element = _first(remaining, remaining)
    node = local.node
    inputs = ", ".join(
        f"{name} ({fmt})" for name, fmt in zip(node.inputs, local.sources, strict=True)
    )
    distance = np.abs(values_of(local.recompute(node), node.format) - local.expected)
    evidence = (
        f"no format, mode, weight, table or padding of this {type(node).__name__} that was tried "
        f"gives what is expected; it reads {inputs} and gives {node.format}; the largest distance "
        f"is {distance[remaining].max():.10g}"
    )
    return replace(
        made(local, Cause.UNKNOWN, (event, element)),
        evidence=evidence,
        n_explained=0,
        n_remaining=int(remaining.sum()),
    )


def position(node: Node, element: int) -> tuple[int, ...]:
    """Return where an element is in the shape of a layer."""
    shape = node.shape or (node.n_elements,)
    return tuple(int(i) for i in np.unravel_index(element, shape))


def raw_in(value: float, fmt: FixedPointFormat) -> int | None:
    """Return the raw integer of a number; None if the format does not hold it."""
    try:
        return int(to_raw(value, fmt))
    except InputError:
        return None


def _first(mask: NDArray[np.bool_], otherwise: NDArray[np.bool_]) -> tuple[int, int]:
    chosen = mask if mask.any() else otherwise
    event, element = np.argwhere(chosen)[0]
    return int(event), int(element)


def _softmax(local: Local, wrong: NDArray[np.bool_]) -> tuple[Finding, ...]:
    exact = causes_softmax.exact_values(local)
    remaining = wrong if exact is None else local.differing(exact) & wrong
    found = []
    spoiled = wrong & ~remaining
    if spoiled.any():
        event, element = _first(spoiled, spoiled)
        node, mends = causes_softmax.gentlest(local)
        n_remaining = int(local.wrong(node).sum())
        found.append(
            replace(
                made(local, Cause.SOFTMAX, (event, element)),
                evidence=causes_softmax.evidence(local, event),
                mends=mends,
                advice=causes_softmax.advice(local, n_remaining),
                n_explained=int(spoiled.sum()),
                n_remaining=n_remaining,
            )
        )
    if remaining.any():
        found.append(unexplained(local, remaining))
    return tuple(found)


def _fraction(local: Local, node: Any) -> int:
    """Return the fractional bits of what a node computes before it is cast."""
    fractions = [fmt.fractional_bits for fmt in local.sources]
    if isinstance(node, SumOfProducts):
        fractions = [causes_sums.needed_fraction(local, node), node.accumulator.fractional_bits]
    elif isinstance(node, Pool) and node.kind is PoolKind.AVERAGE:
        fractions = [causes_pooling.average_fraction(local), node.accumulator.fractional_bits]
    elif isinstance(node, Merge):
        product = node.kind is MergeKind.MULTIPLY
        fractions = [sum(fractions) if product else max(fractions) + 1]
    elif isinstance(node, Table):
        fractions = [_fraction_of_table(node, fractions[0])]
    elif isinstance(node, Scale):
        scaled = fractions[0] + node.scale_format.fractional_bits
        fractions = [scaled, node.bias_format.fractional_bits]
    elif isinstance(node, Activation) and node.parameter_format is not None:
        fractions = [max(fractions) + node.parameter_format.fractional_bits + 1]
    return max(fractions)


def _fraction_of_table(node: Table, fraction: int) -> int:
    entry = node.table_format.fractional_bits
    if node.negative_format is not None:
        entry += node.negative_format.fractional_bits
    if node.positive_format is None:
        return entry
    return max(entry, fraction + node.positive_format.fractional_bits)
