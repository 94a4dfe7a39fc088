"""Inputs that the link's format cannot hold: the graph saw others than the original."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.diagnosis import Cause, Finding, precision
from trigforge.core.fixed_point import Overflow
from trigforge.core.grids import fraction_of
from trigforge.diagnosis.analysis import position, raw_in
from trigforge.diagnosis.formats import integer_bits_of, resized
from trigforge.diagnosis.local import values_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.core.graph import Node
    from trigforge.core.records import RawTensor
    from trigforge.core.traces import LayerTrace

MOST_INPUT_BITS = 32
"""The widest link that is proposed."""


def findings(node: Node, inputs: RawTensor, given: LayerTrace) -> tuple[Finding, ...]:
    """Return what became of inputs that are not in the format: out of range, between steps.

    A float model's inputs lie between steps as a rule: of them only the range counts.
    """
    fmt = inputs.format
    held = values_of(inputs.raw, fmt)
    low, high = fmt.raw_min * fmt.lsb, fmt.raw_max * fmt.lsb
    outside = (given.values < low) | (given.values >= high + fmt.lsb)
    between = ~outside & (np.floor(given.values / fmt.lsb) * fmt.lsb != given.values)
    if not given.exact:
        between &= np.abs(held - given.values) > fmt.lsb
    enough = _enough(given, fmt, all_steps=bool(between.any()))
    found = []
    for cause, mask in ((Cause.INPUT_OUT_OF_RANGE, outside), (Cause.INPUT_OFF_THE_GRID, between)):
        if mask.any():
            found.append(_finding(node, inputs, given, (cause, mask), enough))
    return tuple(found)


def _enough(
    given: LayerTrace, fmt: FixedPointFormat, *, all_steps: bool
) -> FixedPointFormat | None:
    """Return the format with as many bits more as hold all inputs, if there is one."""
    fraction = fraction_of(given.values) if all_steps else fmt.fractional_bits
    if fraction is None:
        return None
    fraction = max(fraction, fmt.fractional_bits)
    signed = fmt.signed or bool((given.values < 0).any())
    integer = integer_bits_of(given.values, signed=signed, fractional_bits=fraction)
    more = max(integer - fmt.integer_bits, 0)
    if fmt.width + more + fraction - fmt.fractional_bits > MOST_INPUT_BITS:
        return None
    wider = resized(fmt, integer=more, fraction=fraction - fmt.fractional_bits)
    return type(fmt)(signed, wider.width, wider.integer_bits, fmt.rounding, fmt.overflow)


def _finding(
    node: Node,
    inputs: RawTensor,
    given: LayerTrace,
    what: tuple[Cause, NDArray[np.bool_]],
    enough: FixedPointFormat | None,
) -> Finding:
    cause, mask = what
    fmt = inputs.format
    event, element = (int(i) for i in np.argwhere(mask)[0])
    value, raw = float(given.values[event, element]), int(inputs.raw[event, element])
    nearest = min(max(round(value / fmt.lsb), fmt.raw_min), fmt.raw_max) * fmt.lsb
    if cause is Cause.INPUT_OUT_OF_RANGE:
        action = "wraps" if fmt.overflow is Overflow.WRAP else "saturates"
        why = (
            f"beyond {fmt} (from {fmt.raw_min * fmt.lsb:g} to {fmt.raw_max * fmt.lsb:g}), "
            f"which {action}; inputs lie between {given.values.min():.10g} and "
            f"{given.values.max():.10g}"
        )
    else:
        why = f"between two steps ({fmt.lsb:g}) of {fmt}"
    return Finding(
        cause=cause,
        layer=node.name,
        event=event,
        element=element,
        position=position(node, element),
        expected=value,
        found=raw * fmt.lsb,
        evidence=(
            f"feature {element} of event {event} is {value:.10g}, {why}; the graph sees "
            f"{raw * fmt.lsb:.10g}, the nearest it could see is {nearest:.10g}; "
            f"{int(mask.sum())} of {mask.size} inputs are so"
        ),
        format=fmt,
        expected_raw=raw_in(value, fmt),
        found_raw=raw,
        mends=() if enough is None else (precision(node.name, "result", enough),),
        advice=(
            f"no format of {MOST_INPUT_BITS} bits holds all inputs: round them to the link's "
            "grid before the original sees them"
            if enough is None
            else "or round the inputs to the link's grid before the original sees them"
        ),
        n_values=mask.size,
        n_explained=int(mask.sum()),
    )
