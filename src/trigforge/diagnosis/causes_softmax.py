"""Softmax: hls4ml computes it from two tables, and what they lose adds up."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.diagnosis import Mend, hls_format, precision
from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding, quantise
from trigforge.core.graph import Softmax, SoftmaxKind
from trigforge.diagnosis.formats import resized
from trigforge.diagnosis.functions import softmax
from trigforge.diagnosis.local import values_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from trigforge.core.traces import Values
    from trigforge.diagnosis.local import Local

_SIZES = (1024, 4096, 16384, 65536)
_UNIT_BITS = 18
_BEYOND = 2.0**1000
ADVICE = (
    "a trigger rarely needs probabilities: end the network in logits and cut on them, or on an "
    "exact monotone score"
)


def exact_values(local: Local) -> Values | None:
    """Return the softmax of the node's inputs in float64; None for another node."""
    node = local.node
    if not isinstance(node, Softmax):
        return None
    x = values_of(local.source(), local.sources[0])
    slices = x.reshape(len(x), -1, node.n_slice, node.n_inner).swapaxes(2, 3)
    return softmax(slices).swapaxes(2, 3).reshape(len(x), -1)


def exact_spread(node: Softmax, x: Values) -> Values:
    """Return how far the inputs of one event lie below the largest of their slice."""
    slices = x.reshape(-1, node.n_slice, node.n_inner)
    return np.asarray(slices.max(axis=1, keepdims=True) - slices)


def advice(local: Local, remaining: int) -> str:
    """Say what to do about a softmax, and what no change of its tables reaches."""
    if not remaining:
        return ADVICE
    return (
        f"{remaining} values stay wrong with every table tried: its input {local.sources[0]} has "
        f"more bits than address a table, narrow it "
        f"(LayerName.{local.node.inputs[0]}.Precision.result); {ADVICE}"
    )


def gentlest(local: Local) -> tuple[Any, tuple[Mend, ...]]:
    """Return the first configuration that agrees, and the node it makes."""
    remaining = int(local.wrong(local.node).sum())
    best: tuple[Any, tuple[Mend, ...]] = (local.node, ())
    for node, mends in _candidates(local):
        count = int(local.wrong(node).sum())
        if count == 0:
            return node, mends
        if count < remaining:
            remaining, best = count, (node, mends)
    return best


def evidence(local: Local, event: int) -> str:
    """Say what the tables make of one slice."""
    node = local.node
    if not isinstance(node, Softmax):
        return ""
    x = values_of(local.source(), local.sources[0])[event]
    largest = float(x.max())
    text = f"{node.kind} softmax of {node.n_slice} inputs, the largest {largest:.10g}: "
    if node.kind is SoftmaxKind.ARGMAX:
        return text + "it gives 1 to the largest and 0 to the rest"
    limit = node.exponential_format.raw_max * node.exponential_format.lsb
    if node.kind is SoftmaxKind.LATENCY and np.exp(largest) > limit:
        return text + (
            f"its exponential {np.exp(largest):.6g} is beyond {node.exponential_format} (to "
            f"{limit:g})"
        )
    reach = node.distance_format.raw_max * node.distance_format.lsb
    furthest = float((exact_spread(node, x)).max())
    if node.kind is SoftmaxKind.STABLE and furthest > reach:
        return text + (
            f"an input lies {furthest:.10g} below it, beyond {node.distance_format} (to "
            f"{reach:g}), and wraps around to close to it"
        )
    step = _address_step(node, local)
    total = node.sum_format.lsb * 2.0 ** (
        node.sum_format.width - (max(len(node.inverses), 2) - 1).bit_length()
    )
    return text + (
        f"{len(node.exponentials)} exponentials one each {step:g} and {len(node.inverses)} "
        f"inverses one each {total:g} of the sum are read from tables of {node.exponential_format} "
        f"and {node.inverse_format}"
    )


def _address_step(node: Softmax, local: Local) -> float:
    fmt = node.distance_format if node.kind is SoftmaxKind.STABLE else local.sources[0]
    n_bits = (max(len(node.exponentials), 2) - 1).bit_length()
    return fmt.lsb * 2.0 ** max(fmt.width - n_bits, 0)


def _candidates(local: Local) -> Iterator[tuple[Softmax, tuple[Mend, ...]]]:
    """Yield configurations, the least different first: stable, larger, then finer types.

    The type of a distance to the largest input has one bit less than a signed input; an
    integer bit more of the input keeps far ones from wrapping. hls4ml cuts tables to as many
    entries as the input and an inverse have bits for (fix_softmax_table_size.py).
    """
    node = local.node
    if not isinstance(node, Softmax):
        return
    stable = Mend(path=f"LayerName.{node.name}.Implementation", value="stable")
    implementation = () if node.kind is SoftmaxKind.STABLE else (stable,)
    present = max(len(node.inverses), len(node.exponentials))
    source = local.sources[0]
    wider = precision(node.inputs[0], "result", resized(source, integer=1))
    sizes = sorted({present, *(size for size in _SIZES if size > present)})
    for fine, widened, size in product((False, True), (False, True), sizes):
        read = resized(source, integer=1) if widened else source
        entries = min(size, 1 << min(read.width, _UNIT_BITS if fine else node.inverse_format.width))
        if entries < size != present:
            continue
        typed, mends = _fine_types(node, entries) if fine else (node, ())
        made = _stable(typed, read, entries)
        if made is not None:
            inputs = (wider,) if widened else ()
            larger = Mend(path=f"LayerName.{node.name}.TableSize", value=str(size))
            tables = (larger,) if size != present else ()
            yield made, (*inputs, *implementation, *tables, *mends)


def _fine_types(node: Softmax, size: int) -> tuple[Softmax, tuple[Mend, ...]]:
    """Give it types without a bit to spare: for numbers up to 1, for sums up to their count."""
    bits = node.n_slice.bit_length()
    modes = (Rounding.RND, Overflow.SAT)
    unit = FixedPointFormat(False, _UNIT_BITS, 1, *modes)
    total = FixedPointFormat(False, _UNIT_BITS - 1 + bits, bits, *modes)
    address = FixedPointFormat(
        False, (size - 1).bit_length(), (node.n_slice - 1).bit_length(), *modes
    )
    rounded = replace(node.format, rounding=Rounding.RND)
    typed = replace(
        node,
        exponential_format=unit,
        inverse_format=unit,
        accumulator=total,
        sum_format=address,
        format=rounded,
    )
    path = f"LayerName.{node.name}."
    return typed, (
        Mend(path=f"{path}exp_table_t", value=hls_format(unit)),
        Mend(path=f"{path}inv_table_t", value=hls_format(unit)),
        Mend(path=f"{path}inv_inp_t", value=hls_format(address)),
        precision(node.name, "accum", total),
        precision(node.name, "result", rounded),
    )


def _stable(node: Softmax, source: FixedPointFormat, size: int) -> Softmax | None:
    """Return the stable implementation with tables of a size; None if they cannot be so large."""
    distance = FixedPointFormat(
        False, max(source.width - source.signed, 1), source.integer_bits - source.signed
    )
    n_bits = (size - 1).bit_length()
    if n_bits > node.sum_format.width:
        return None
    n_exponentials = min(size, 1 << distance.width)
    exponentials = np.exp(-_addressed(n_exponentials, distance))
    with np.errstate(divide="ignore"):
        inverses = 1.0 / _addressed(size, node.sum_format)
    return replace(
        node,
        kind=SoftmaxKind.STABLE,
        distance_format=distance,
        exponentials=_entries(exponentials, node.exponential_format),
        inverses=_entries(inverses, node.inverse_format),
    )


def _entries(values: Values, fmt: FixedPointFormat) -> NDArray[np.int64]:
    finite = np.where(np.isfinite(values), values, _BEYOND)
    return quantise(finite, fmt).astype(np.int64)


def _addressed(size: int, fmt: FixedPointFormat) -> Values:
    """Return the numbers whose top bits are 0, 1, ... (of two's complement)."""
    pattern = np.arange(size, dtype=np.int64) << (fmt.width - (size - 1).bit_length())
    wrapped = np.where(pattern > fmt.raw_max, pattern - (1 << fmt.width), pattern)
    return values_of(wrapped, fmt)
