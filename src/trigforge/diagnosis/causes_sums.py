"""Causes in sums of products and in scales: weights, biases, the accumulator."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.diagnosis import Cause, precision
from trigforge.core.fixed_point import FixedPointFormat, Overflow, cast, quantise
from trigforge.core.graph import Scale, SumOfProducts
from trigforge.core.grids import fraction_of
from trigforge.core.traces import Values
from trigforge.diagnosis.changes import Change
from trigforge.diagnosis.formats import (
    WIDE_BITS,
    fits,
    integer_bits_of,
    resized,
    smallest_format,
    wide,
)
from trigforge.diagnosis.local import values_of
from trigforge.diagnosis.terms import products_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from trigforge.diagnosis.changes import Grade
    from trigforge.diagnosis.local import Local

_FINE_BITS = 10
"""Fractional bits that a float weight is given beyond its format's, at most ..."""
_MOST_PRODUCT_BITS = 44
"""... so many in a product: the rest of 60 bits is left to the range of the sums."""
_MOST_WEIGHT_BITS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """One tensor of constants of a node and what the original holds instead."""

    role: str
    """What hls4ml's configuration calls it."""
    field: str
    """What the node calls it."""
    cause: Cause
    original: Values
    format: FixedPointFormat
    """What the node has."""
    exact: bool
    spare_bits: int
    """Fractional bits that a float model's numbers are given beyond the format's."""

    @property
    def fine(self) -> FixedPointFormat:
        """A format that holds the original's numbers, or nearly."""
        fraction = fraction_of(self.original)
        least = self.format.fractional_bits
        if fraction is None or (not self.exact and fraction > least + self.spare_bits):
            fraction = least + self.spare_bits
        fraction = max(fraction, least)
        integer = integer_bits_of(self.original, signed=True, fractional_bits=fraction)
        return FixedPointFormat(
            signed=True, width=max(integer + fraction, 2), integer_bits=max(integer, 2 - fraction)
        )

    def put(self, node: Any, fmt: FixedPointFormat) -> Any:
        """Return the node with the original's numbers in a format."""
        raw = quantise(self.original, fmt).astype(np.int64)
        return replace(node, **{self.field: raw, f"{_name(self.field)}_format": fmt})


def _name(field: str) -> str:
    return "weight" if field == "weights" else field


def changes(local: Local) -> list[Change]:
    """Return the limits of a sum of products or a scale, the result's apart."""
    node = local.node
    found = [_representation(local, entry) for entry in constants(local)]
    if isinstance(node, SumOfProducts):
        found += [_rounding(local, node), _overflow(local)]
    return found


def constants(local: Local) -> list[Constants]:
    """Return the constants that the original's numbers are known of."""
    node = local.node
    if isinstance(node, SumOfProducts):
        fields = (("weight", "weights", Cause.WEIGHT), ("bias", "bias", Cause.BIAS))
    elif isinstance(node, Scale):
        fields = (("scale", "scale", Cause.WEIGHT), ("bias", "bias", Cause.BIAS))
    else:
        return []
    found = []
    fraction = local.sources[0].fractional_bits
    for role, field, cause in fields:
        values = local.weights.get(role)
        if values is None:
            continue
        raw = getattr(node, field)
        if values.size != raw.size:
            continue
        fmt = getattr(node, f"{_name(field)}_format")
        found.append(
            Constants(
                role=role,
                field=field,
                cause=cause,
                original=values.reshape(raw.shape),
                format=fmt,
                exact=local.exact,
                spare_bits=min(
                    max(_MOST_PRODUCT_BITS - fraction - fmt.fractional_bits, 0), _FINE_BITS
                ),
            )
        )
    return found


def needed_fraction(local: Local, node: SumOfProducts) -> int:
    """Return the fractional bits that hold all products and the bias, mended or not."""
    formats = {"weights": node.weight_format, "bias": node.bias_format}
    fractions = {name: fmt.fractional_bits for name, fmt in formats.items()}
    for entry in constants(local):
        fractions[entry.field] = max(fractions[entry.field], entry.fine.fractional_bits)
    return max(local.sources[0].fractional_bits + fractions["weights"], fractions["bias"])


def _representation(local: Local, entry: Constants) -> Change:
    def grades(node: Any) -> Iterator[Grade]:
        for fmt in _weight_formats(entry):
            yield entry.put(node, fmt), (precision(node.name, entry.role, fmt),)

    def evidence(node: Any, event: int, element: int) -> str:
        del event, element
        return _off_the_grid(entry, getattr(node, entry.field))

    return Change(
        cause=entry.cause,
        mended=lambda node: entry.put(node, entry.fine),
        grades=grades,
        evidence=evidence,
        advice="" if local.exact else "or clip the weight in training",
    )


def _weight_formats(entry: Constants) -> Iterator[FixedPointFormat]:
    """Yield formats to try, the nearest first: rounding, more integer bits, all exactly."""
    fmt = entry.format
    plain = FixedPointFormat(fmt.signed, fmt.width, fmt.integer_bits)
    signed = bool((entry.original < 0).any())
    if signed and not fmt.signed:
        plain = FixedPointFormat(signed, fmt.width + 1, fmt.integer_bits + 1)
    integer = integer_bits_of(
        entry.original, signed=plain.signed, fractional_bits=fmt.fractional_bits
    )
    more = max(integer - plain.integer_bits, 0)
    exact = smallest_format(entry.original)
    if entry.exact and exact is not None:
        fraction = max(exact.fractional_bits - plain.fractional_bits, 0)
        if plain.width + more + fraction <= _MOST_WEIGHT_BITS:
            yield resized(plain, integer=more, fraction=fraction)
        return
    yield resized(plain, integer=more)
    for fraction in range(1, _FINE_BITS + 1):
        yield resized(plain, integer=more, fraction=fraction)


def _off_the_grid(entry: Constants, raw: NDArray[np.int64]) -> str:
    held = values_of(raw, entry.format)
    distance = np.abs(held - entry.original)
    worst = np.unravel_index(int(distance.argmax()), distance.shape)
    index = tuple(int(i) for i in worst)
    limit = 0.0 if entry.exact else entry.format.lsb
    low, high = (entry.format.lsb * r for r in (entry.format.raw_min, entry.format.raw_max))
    return (
        f"{entry.role} {index} is {entry.original[worst]:.10g}, {entry.format} (step "
        f"{entry.format.lsb:g}, from {low:g} to {high:g}) makes it {held[worst]:.10g}; "
        f"{int((distance > limit).sum())} of {raw.size} are not representable"
    )


def _rounding(local: Local, node: SumOfProducts) -> Change:
    fraction = needed_fraction(local, node)

    def mended(node: SumOfProducts) -> SumOfProducts:
        more = max(fraction - node.accumulator.fractional_bits, 0)
        more = min(more, 64 - node.accumulator.width)
        return replace(node, accumulator=resized(node.accumulator, fraction=more))

    def grades(node: SumOfProducts) -> Iterator[Grade]:
        fmt = node.accumulator
        for more in range(1, fraction - fmt.fractional_bits + 1):
            if fits(fmt, fraction=more):
                wider = resized(fmt, fraction=more)
                yield (
                    replace(node, accumulator=wider),
                    (precision(node.name, "accum", wider),),
                )

    def evidence(node: SumOfProducts, event: int, element: int) -> str:
        exact, kept = _exact_and_kept(local, node, event, element)
        fmt = local.node.accumulator if isinstance(local.node, SumOfProducts) else node.accumulator
        return (
            f"the products have {local.sources[0].fractional_bits} + "
            f"{node.weight_format.fractional_bits} fractional bits, the accumulator {fmt} keeps "
            f"{fmt.fractional_bits} of each ({fmt.rounding}): the exact sum is {exact:.10g}, the "
            f"accumulator holds {kept:.10g}"
        )

    return Change(cause=Cause.ACCUMULATOR_ROUNDING, mended=mended, grades=grades, evidence=evidence)


def _exact_and_kept(
    local: Local, node: SumOfProducts, event: int, element: int
) -> tuple[float, float]:
    """Return one sum exactly and as the accumulator holds it."""
    fraction = needed_fraction(local, node)
    unlimited = replace(node, accumulator=wide(fraction), format=wide(fraction))
    kept = replace(node, format=wide(node.accumulator.fractional_bits))
    first = values_of(local.recompute(unlimited)[event, element], unlimited.format)
    return float(first), float(values_of(local.recompute(kept)[event, element], kept.format))


def _overflow(local: Local) -> Change:
    def mended(node: SumOfProducts) -> SumOfProducts:
        fmt = node.accumulator
        more = WIDE_BITS - fmt.width
        signed = replace(fmt, signed=True)
        return replace(node, accumulator=resized(signed, integer=max(more, 0)))

    def grades(node: SumOfProducts) -> Iterator[Grade]:
        fmt = replace(node.accumulator, signed=True)
        for more in range(not node.accumulator.signed, WIDE_BITS - fmt.width + 1):
            if more or not node.accumulator.signed:
                wider = resized(fmt, integer=more)
                yield replace(node, accumulator=wider), (precision(node.name, "accum", wider),)

    def evidence(node: SumOfProducts, event: int, element: int) -> str:
        return _left_the_range(local, node, event, element)

    return Change(cause=Cause.ACCUMULATOR_OVERFLOW, mended=mended, grades=grades, evidence=evidence)


def _left_the_range(local: Local, node: SumOfProducts, event: int, element: int) -> str:
    """Say after which term a sum leaves the accumulator, and where all sums lie."""
    source = local.sources[0]
    fmt = local.node.accumulator if isinstance(local.node, SumOfProducts) else node.accumulator
    fraction = needed_fraction(local, node)
    terms, products = products_of(node, local.source()[event], element)
    shift = fraction - source.fractional_bits - node.weight_format.fractional_bits
    bias = int(node.bias[element % len(node.bias)]) << (fraction - node.bias_format.fractional_bits)
    low = fmt.raw_min << max(fraction - fmt.fractional_bits, 0)
    high = fmt.raw_max << max(fraction - fmt.fractional_bits, 0)
    total, after = bias, "already with its bias"
    reached = total
    for count, (term, product) in enumerate(zip(terms, products, strict=True), start=1):
        if not low <= total <= high:
            break
        total += product << shift
        reached, after = total, f"after term {count} of {len(terms)} (term {term})"
    becomes = cast(np.array([reached], dtype=object), fraction, fmt)[0]
    unlimited = replace(node, accumulator=wide(fraction), format=wide(fraction))
    sums = values_of(local.recompute(unlimited), unlimited.format)
    action = "wraps" if fmt.overflow is Overflow.WRAP else "saturates"
    step = 2.0**-fraction
    return (
        f"the sum of element {element} in event {event} reaches {reached * step:.10g} {after}, "
        f"beyond {fmt} (from {fmt.raw_min * fmt.lsb:g} to {fmt.raw_max * fmt.lsb:g}), and "
        f"{action} to {int(becomes) * fmt.lsb:.10g}; over all events and elements sums end "
        f"between {sums.min():.10g} and {sums.max():.10g}"
    )
