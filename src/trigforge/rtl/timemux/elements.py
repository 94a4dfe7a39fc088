"""Places for nodes without multipliers that work element by element, or on two tensors."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding, cast
from trigforge.core.graph import (
    Activation,
    ActivationKind,
    FixedPointGraph,
    Input,
    Merge,
    MergeKind,
    Quantise,
    Scale,
    Table,
)
from trigforge.core.records import RawTensor
from trigforge.evaluation import evaluate
from trigforge.rtl.timemux import casting
from trigforge.rtl.timemux.casting import Number
from trigforge.rtl.timemux.multipliers import signed_bits
from trigforge.rtl.timemux.netlist import MOST_ROM_BITS
from trigforge.rtl.timemux.placements import Bits, Cast, Elementwise, Placement
from trigforge.rtl.timemux.streams import (
    ANYTHING,
    Stream,
    at_once,
    earliest,
    follow,
    joined,
    results,
)
from trigforge.rtl.timemux.streams import Table as Slots

if TYPE_CHECKING:
    from trigforge.core.graph import Node
    from trigforge.rtl.timemux.clocking import Timing
    from trigforge.rtl.timemux.placements import Site

ROUNDINGS, OVERFLOWS = list(Rounding), list(Overflow)
FULL_TABLE_BITS = 12
"""Functions of so few bits are a table of all their values, whatever they are."""

LUTS_A_CAST = 10
"""Rounding and saturation, beside a LUT for each bit of the result."""

MERGES = {
    MergeKind.ADD: 0,
    MergeKind.AVERAGE: 0,
    MergeKind.SUBTRACT: 1,
    MergeKind.MULTIPLY: 2,
    MergeKind.MAXIMUM: 3,
    MergeKind.MINIMUM: 4,
}


def quantise(node: Quantise, site: Site) -> Placement:
    """Place a cast of every element."""
    casts = casting.chain(Number.of(site.formats[0]), (node.format,), site.timing)
    if site.formats[0] == node.format:
        casts = ()
    return _alone(node, site, _wire(site.formats[0], casts))


def activation(node: Activation, site: Site) -> Placement | None:
    """Place an activation; None for one that the library has no module for."""
    fmt = site.formats[0]
    if node.kind is ActivationKind.RELU:
        number = Number.of(fmt)._replace(low=0)
        exact = casting.holds(number, node.format)
        one = casting.single(
            Number.of(fmt), node.format, site.timing, exact=exact, rectify=fmt.signed
        )
        return _alone(node, site, _wire(fmt, (one,)))
    return _alone(node, site, _activation_module(node, fmt, site.timing))


def table(node: Table, site: Site) -> Placement | None:
    """Place a function read from a table; None where its index needs a real division."""
    fmt = site.formats[0]
    if fmt.width <= FULL_TABLE_BITS and node.format.width << fmt.width <= MOST_ROM_BITS:
        return _alone(node, site, _full_table(node, fmt))
    ratio = _power_of_two(node.multiplier, node.divisor)
    fits = len(node.table) * node.format.width <= MOST_ROM_BITS
    if node.positive is not None or node.negative is not None or ratio is None or not fits:
        return None
    entries = cast(node.table.astype(object), node.table_format.fractional_bits, node.format)
    if node.table_format == node.format:
        entries = node.table
    build = Elementwise(
        module="tm_table",
        parameters={
            **_input(fmt),
            "SHIFT": ratio,
            "OFFSET": node.offset,
            "SIZE": len(entries),
            "OUT_WIDTH": node.format.width,
            "CONTENT": _flat(entries.tolist(), node.format.width),
            "STAGES": 2,
        },
        out_bits=node.format.width,
        out_signed=node.format.signed,
        module_cycles=2,
        operand_bits=(fmt.width,),
    )
    return _alone(node, site, build)


def scale(node: Scale, site: Site) -> Placement:
    """Place a multiplication by and an addition of constants, one of each an element."""
    fmt = site.formats[0]
    product = fmt.fractional_bits + node.scale_format.fractional_bits
    bits = max(product, node.bias_format.fractional_bits)
    scales = np.resize(node.scale, node.n_elements)
    biases = np.resize(node.bias, node.n_elements)
    build = Elementwise(
        module="tm_scale",
        parameters={
            **_input(fmt),
            "PRODUCT_SHIFT": bits - product,
            "BIAS_SHIFT": bits - node.bias_format.fractional_bits,
            "DROPPED": bits - node.format.fractional_bits,
            **_output(node.format),
            "STAGES": site.timing.cast_stages,
        },
        out_bits=node.format.width,
        out_signed=node.format.signed,
        module_cycles=site.timing.cast_stages,
        operand_bits=(fmt.width,),
        constants={
            "scale": (_constant_bits(scales), tuple(scales.tolist())),
            "bias": (_constant_bits(biases), tuple(biases.tolist())),
        },
    )
    return _alone(node, site, build)


def merge(node: Merge, site: Site) -> Placement | None:
    """Place an operation on two tensors; None where the cast depends on which is chosen."""
    left, right = site.formats
    chooses = node.kind in {MergeKind.MAXIMUM, MergeKind.MINIMUM}
    if chooses and left != right and node.format in site.formats and _gives_up_smallest(node):
        return None
    product = node.kind is MergeKind.MULTIPLY
    bits = (
        left.fractional_bits + right.fractional_bits
        if product
        else max(left.fractional_bits, right.fractional_bits)
    )
    shifts = (0, 0) if product else tuple(bits - fmt.fractional_bits for fmt in site.formats)
    low, high = _merged_range(node, site.formats, shifts)
    out_bits = signed_bits(low, high)
    number = Number(out_bits, True, bits + (node.kind is MergeKind.AVERAGE), low, high)
    same = chooses and left == right == node.format
    casts = (
        (casting.single(number, node.format, site.timing, exact=True),)
        if same
        else casting.chain(number, (node.format,), site.timing)
    )
    build = Elementwise(
        module="tm_merge",
        parameters={
            "KIND": MERGES[node.kind],
            "LEFT_WIDTH": left.width,
            "LEFT_SIGNED": int(left.signed),
            "LEFT_SHIFT": shifts[0],
            "RIGHT_WIDTH": right.width,
            "RIGHT_SIGNED": int(right.signed),
            "RIGHT_SHIFT": shifts[1],
            "OUT_WIDTH": out_bits,
        },
        out_bits=out_bits,
        out_signed=True,
        module_cycles=1,
        operand_bits=(left.width, right.width),
        casts=casts,
    )
    n = node.n_elements
    sizes = [len(stream.net) for stream in site.sources]
    source = joined(site.sources)
    pairs = np.stack(
        [np.resize(np.arange(sizes[0]), n), np.resize(np.arange(sizes[1]), n) + sizes[0]], axis=1
    )
    slots = _following_both(source, pairs, site.timing)
    result = results(slots, site.net, source, 1 + casting.cycles(casts))
    return Placement(
        node=node,
        source=source,
        table=slots,
        build=build,
        result=result,
        lut=1.5 * slots.n_units * out_bits,
    )


def _gives_up_smallest(node: Merge) -> bool:
    """Tell whether a cast to the format changes a number that the format can hold.

    Between equal formats the bits are copied, so that it would matter which was chosen.
    """
    return node.format.saturation_limits[0] != node.format.raw_min


def _following_both(source: Stream, pairs: np.ndarray, timing: Timing) -> Slots:
    """Follow the tensor that comes later, and read the other one beside it."""
    lefts, rights = source.taken(pairs[:, 0]), source.taken(pairs[:, 1])
    later = 0 if lefts.last_arrival >= rights.last_arrival else 1
    # What is the same element twice may meet different partners.
    slots = follow((lefts, rights)[later], timing.interval_cycles, apart=True)
    if slots is None:
        elements = pairs[None]
        return Slots(
            elements=elements,
            unit=np.arange(len(pairs)),
            slot=np.zeros(len(pairs), np.int64),
            start=earliest(elements, source),
        )
    unit = slots.unit
    elements = np.full((slots.n_slots, int(unit.max()) + 1, 2), ANYTHING)
    elements[slots.slot, unit] = pairs
    return Slots(elements=elements, unit=unit, slot=slots.slot, start=earliest(elements, source))


def _merged_range(
    node: Merge, formats: tuple[FixedPointFormat, ...], shifts: tuple[int, ...]
) -> tuple[int, int]:
    (a, b), (c, d) = (
        (fmt.raw_min << shift, fmt.raw_max << shift)
        for fmt, shift in zip(formats, shifts, strict=True)
    )
    if node.kind is MergeKind.MULTIPLY:
        ends = (a * c, a * d, b * c, b * d)
        return min(ends), max(ends)
    if node.kind is MergeKind.SUBTRACT:
        return a - d, b - c
    if node.kind in {MergeKind.MAXIMUM, MergeKind.MINIMUM}:
        return min(a, c), max(b, d)
    return a + c, b + d


def _alone(node: Node, site: Site, build: Elementwise) -> Placement:
    """Place a node on the lanes that its input has."""
    source = site.sources[0]
    apart = bool(build.constants)  # the same number may meet different constants
    slots = follow(source, site.timing.interval_cycles, apart=apart) or at_once(source)
    latency = build.module_cycles + casting.cycles(build.casts)
    return Placement(
        node=node,
        source=source,
        table=slots,
        build=build,
        result=results(slots, site.net, source, latency),
        lut=slots.n_units * _luts(build),
    )


def _luts(build: Elementwise) -> float:
    """Estimate the LUTs of one lane."""
    casts = sum(cast.target.width + LUTS_A_CAST for cast in build.casts if cast.stages)
    return casts + (3.0 * build.out_bits if build.module else 0.0)


def _wire(fmt: FixedPointFormat, casts: tuple[Cast, ...]) -> Elementwise:
    """Return no module but casts."""
    return Elementwise(
        module="",
        parameters={},
        out_bits=fmt.width,
        out_signed=fmt.signed,
        module_cycles=0,
        operand_bits=(fmt.width,),
        casts=casts,
    )


def _activation_module(node: Activation, fmt: FixedPointFormat, timing: Timing) -> Elementwise:
    kind = list(ActivationKind).index(node.kind)
    parameters: dict[str, int | Bits] = {
        **_input(fmt),
        "KIND": kind,
        "IN_FRACTION": fmt.fractional_bits,
        "IN_OVERFLOW": OVERFLOWS.index(fmt.overflow),
        **_output(node.format),
        "OUT_FRACTION": node.format.fractional_bits,
    }
    if fmt == node.format and node.kind is ActivationKind.THRESHOLDED_RELU:
        parameters["OVERFLOW"] = OVERFLOWS.index(Overflow.WRAP)  # the bits are copied
    own = node.parameter_format
    stages = timing.cast_stages
    constants: dict[str, tuple[int, tuple[int, ...]]] = {}
    values = [int(value) for value in node.parameters]
    width = 1 if own is None else own.width
    if own is not None:
        parameters |= {
            "PARAMETER_SIGNED": int(own.signed),
            "PARAMETER_FRACTION": own.fractional_bits,
        }
    if node.kind is ActivationKind.RELU_MAX:
        parameters["LIMIT"] = values[0]
    elif node.kind in {ActivationKind.HARD_SIGMOID, ActivationKind.HARD_TANH}:
        parameters |= {"SLOPE": Bits(width, values[0]), "SHIFT": Bits(width, values[1])}
        stages += 1
    elif values:
        stages += node.kind is not ActivationKind.THRESHOLDED_RELU
        numbers = np.resize(np.array(values), node.n_elements)
        constants = {"parameters": (width, tuple(numbers.tolist()))}
    if "parameters" not in constants:
        constants = {"parameters": (width, (0,) * node.n_elements)}
    return Elementwise(
        module="tm_activation",
        parameters={**parameters, "PARAMETER_WIDTH": width, "STAGES": stages},
        out_bits=node.format.width,
        out_signed=node.format.signed,
        module_cycles=stages,
        operand_bits=(fmt.width,),
        constants=constants,
    )


def _full_table(node: Table, fmt: FixedPointFormat) -> Elementwise:
    """Return a table of what a node gives for every number of a format."""
    raw = np.arange(fmt.raw_min, fmt.raw_max + 1).reshape(-1, 1)
    source = Input(name="x", inputs=(), shape=(1,), format=fmt)
    single = replace(node, inputs=("x",), shape=(1,))
    graph = FixedPointGraph(name="table", nodes=(source, single))
    entries = evaluate(graph, RawTensor(format=fmt, raw=raw)).outputs.raw[:, 0]
    return Elementwise(
        module="tm_table",
        parameters={
            **_input(fmt),
            "SHIFT": 0,
            "OFFSET": -fmt.raw_min,
            "SIZE": len(entries),
            "OUT_WIDTH": node.format.width,
            "CONTENT": _flat(entries.tolist(), node.format.width),
            "STAGES": 1,
        },
        out_bits=node.format.width,
        out_signed=node.format.signed,
        module_cycles=1,
        operand_bits=(fmt.width,),
    )


def _input(fmt: FixedPointFormat) -> dict[str, int]:
    return {"IN_WIDTH": fmt.width, "IN_SIGNED": int(fmt.signed)}


def _output(fmt: FixedPointFormat) -> dict[str, int]:
    return {
        "OUT_WIDTH": fmt.width,
        "OUT_SIGNED": int(fmt.signed),
        "ROUNDING": ROUNDINGS.index(fmt.rounding),
        "OVERFLOW": OVERFLOWS.index(fmt.overflow),
    }


def _constant_bits(values: np.ndarray) -> int:
    return signed_bits(min(0, int(values.min())), max(0, int(values.max())))


def _flat(values: list[int], width: int) -> Bits:
    """Return raw integers as one vector, the first in the lowest bits."""
    mask = (1 << width) - 1
    total = int.from_bytes(
        np.packbits(
            np.array([[(v & mask) >> b & 1 for b in range(width)] for v in values], np.uint8),
            bitorder="little",
        ).tobytes(),
        "little",
    )
    return Bits(width * len(values), total)


def _power_of_two(multiplier: int, divisor: int) -> int | None:
    """Return n if ``multiplier / divisor`` is ``2**n``."""
    if multiplier <= 0 or divisor <= 0:
        return None
    ratio = Fraction(multiplier, divisor)
    for part, sign in ((ratio.numerator, 1), (ratio.denominator, -1)):
        other = ratio.denominator if sign > 0 else ratio.numerator
        if other == 1 and part & (part - 1) == 0:
            return sign * (part.bit_length() - 1)
    return None
