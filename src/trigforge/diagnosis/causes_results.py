"""Causes in the cast of a result: its modes and its bits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, product
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigforge.core.diagnosis import Cause, precision
from trigforge.core.fixed_point import (
    MAX_WIDTH,
    FixedPointFormat,
    Overflow,
    Rounding,
    cast,
    n_overflowing,
)
from trigforge.core.grids import fraction_of
from trigforge.diagnosis.changes import Change
from trigforge.diagnosis.formats import integer_bits_of
from trigforge.diagnosis.local import values_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trigforge.core.traces import Values
    from trigforge.diagnosis.changes import Grade
    from trigforge.diagnosis.local import Local

_PROBES = 48
"""Values of each kind, right and wrong, on which formats are tried before all."""

ROLES = {
    Cause.RESULT_ROUNDING: "rounding",
    Cause.RESULT_OVERFLOW: "overflow",
    Cause.RESULT_INTEGER_BITS: "integer",
    Cause.RESULT_FRACTIONAL_BITS: "fraction",
}
"""Cause -> the field of a format that it lies in."""


def changes(local: Local, unlimited: Any) -> list[Change]:
    """Return the limits of a result's format.

    ``unlimited`` is the node with all its other limits taken away and a result that holds
    whatever it computes.
    """
    raw = local.recompute(unlimited)
    right = _right_format(local, raw, unlimited)
    current = local.node.format
    if right == local.grid and current.fractional_bits > right.fractional_bits:
        return [_left_out(local, right, (raw, unlimited.format))]
    found = []
    for cause, field in ROLES.items():
        if _field(right, field) != _field(current, field):
            found.append(_change(local, cause, right, (raw, unlimited.format)))
    return found


def _left_out(
    local: Local, right: FixedPointFormat, exact: tuple[NDArray[Any], FixedPointFormat]
) -> Change:
    """Return the cast that the original makes and the node does not."""

    def mended(node: Any) -> Any:
        return replace(node, format=right)

    def grades(node: Any) -> Iterator[Grade]:
        yield mended(node), (precision(node.name, "result", right),)

    def evidence(node: Any, event: int, element: int) -> str:
        del node
        value = float(values_of(exact[0][event, element], exact[1]))
        return (
            f"the original casts {value:.10g} to its quantiser's {right}; the node has "
            f"{local.node.format}, and casts to it nowhere"
        )

    return Change(cause=Cause.CAST_LEFT_OUT, mended=mended, grades=grades, evidence=evidence)


def _field(fmt: FixedPointFormat, field: str) -> Any:
    """Return a part of a format; the sign belongs to the integer bits."""
    parts: dict[str, Any] = {
        "rounding": fmt.rounding,
        "overflow": fmt.overflow,
        "integer": (fmt.signed, fmt.integer_bits),
        "fraction": fmt.fractional_bits,
    }
    return parts[field]


def _with_field(fmt: FixedPointFormat, field: str, value: Any) -> FixedPointFormat:
    if field in {"rounding", "overflow"}:
        return replace(fmt, **{field: value})
    signed, integer, fraction = fmt.signed, fmt.integer_bits, fmt.fractional_bits
    if field == "integer":
        signed, integer = value
    else:
        fraction = value
    width = min(max(integer + fraction, 1), MAX_WIDTH)
    return replace(fmt, signed=signed, width=width, integer_bits=width - fraction)


def _change(
    local: Local,
    cause: Cause,
    right: FixedPointFormat,
    exact: tuple[NDArray[Any], FixedPointFormat],
) -> Change:
    field = ROLES[cause]

    def with_value(node: Any, value: Any) -> Any:
        return replace(node, format=_with_field(node.format, field, value))

    def grades(node: Any) -> Iterator[Grade]:
        if right == local.grid:
            yield replace(node, format=right), (precision(node.name, "result", right),)
            return
        for value in _between(node.format, right, field):
            graded = with_value(node, value)
            yield graded, (precision(node.name, "result", graded.format),)

    def evidence(node: Any, event: int, element: int) -> str:
        del node
        value = float(values_of(exact[0][event, element], exact[1]))
        return f"the exact result is {value:.10g}; " + _sentence(cause, local, right, exact)

    return Change(
        cause=cause,
        mended=lambda node: with_value(node, _field(right, field)),
        grades=grades,
        evidence=evidence,
    )


def _between(current: FixedPointFormat, right: FixedPointFormat, field: str) -> Iterator[Any]:
    """Yield values of a field from the present one to the right one."""
    if field in {"rounding", "overflow"}:
        yield _field(right, field)
        return
    if field == "fraction":
        start, end = current.fractional_bits, right.fractional_bits
        step = 1 if end > start else -1
        yield from range(start + step, end + step, step)
        return
    start, end = current.integer_bits, right.integer_bits
    step = 1 if end >= start else -1
    for bits in range(start, end + step, step):
        if (right.signed, bits) != (current.signed, start):
            yield right.signed, bits


def _sentence(
    cause: Cause,
    local: Local,
    right: FixedPointFormat,
    exact: tuple[NDArray[Any], FixedPointFormat],
) -> str:
    """Say what the present format does and what the original does."""
    fmt = local.node.format
    if cause is Cause.RESULT_ROUNDING:
        return f"{fmt} rounds by {fmt.rounding}, the original by {right.rounding}"
    if cause is Cause.RESULT_FRACTIONAL_BITS:
        return f"{fmt} has steps of {fmt.lsb:g}, the original's values lie {right.lsb:g} apart"
    numbers = values_of(*exact)
    number = n_overflowing(exact[0], exact[1].fractional_bits, fmt)
    action = "wraps" if fmt.overflow is Overflow.WRAP else "saturates"
    reach = (
        f"{fmt} goes from {fmt.raw_min * fmt.lsb:g} to {fmt.raw_max * fmt.lsb:g} and {action}; "
        f"{number} of {local.expected.size} results are beyond, all lie between "
        f"{numbers.min():.10g} and {numbers.max():.10g}"
    )
    if number == 0:
        return (
            f"{fmt} goes from {fmt.raw_min * fmt.lsb:g} to {fmt.raw_max * fmt.lsb:g}, the original "
            f"{right.overflow} at {right.raw_min * right.lsb:g} and {right.raw_max * right.lsb:g}"
        )
    if cause is Cause.RESULT_OVERFLOW:
        return f"{reach}; the original's mode is {right.overflow}"
    return reach


def _right_format(local: Local, raw: NDArray[Any], unlimited: Any) -> FixedPointFormat:
    """Return the format that makes exact results what is expected, as near as one can be."""
    exact: FixedPointFormat = unlimited.format
    values = values_of(raw, exact)
    holding = _holding(local, unlimited)
    if not local.differing(values).any() or not local.exact:
        return holding
    tried = _Tried.of(local, raw, values, exact.fractional_bits)
    if local.grid is not None and tried.works(local.grid):
        return local.grid
    for candidate in _candidates(local):
        if tried.works(candidate):
            return candidate
    options = [holding] if local.grid is None else [holding, local.grid]
    return min(options, key=tried.n_wrong)


def _holding(local: Local, unlimited: Any) -> FixedPointFormat:
    """Return the present format with as many bits more as the exact results need."""
    current = local.node.format
    numbers = [_numbers(entry, unlimited) for entry in (local, local.rehearsal) if entry]
    reached = np.concatenate(numbers)
    fraction = current.fractional_bits
    if local.exact:
        expected = fraction_of(local.expected[local.comparable])
        fraction = max(fraction, fraction if expected is None else expected)
    signed = current.signed or bool((reached < 0).any())
    integer = integer_bits_of(reached, signed=signed, fractional_bits=fraction)
    integer = max(integer, current.integer_bits + (signed and not current.signed))
    width = min(max(integer + fraction, 1), MAX_WIDTH)
    return replace(current, signed=signed, width=width, integer_bits=width - fraction)


def _numbers(local: Local, unlimited: Any) -> Values:
    """Return all that a result must hold: what is computed and, nearly the same, expected."""
    computed = values_of(local.recompute(unlimited), unlimited.format)[local.comparable]
    if local.exact:
        return computed.ravel()
    return np.concatenate([computed.ravel(), local.expected[local.comparable].ravel()])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tried:
    """The exact results and what must become of them; a few first, then all."""

    raw: NDArray[Any]
    expected: NDArray[np.float64]
    probes: NDArray[np.int64]
    fractional_bits: int

    @classmethod
    def of(cls, local: Local, raw: NDArray[Any], values: Values, fractional_bits: int) -> _Tried:
        """Choose results that a format has to change, and some that it must leave."""
        flat, expected = raw[local.comparable].ravel(), local.expected[local.comparable].ravel()
        changed = np.flatnonzero(values[local.comparable].ravel() != expected)
        kept = np.flatnonzero(values[local.comparable].ravel() == expected)
        extremes = np.array([expected.argmin(), expected.argmax(), flat.argmin(), flat.argmax()])
        probes = np.concatenate([changed[:_PROBES], kept[:_PROBES], extremes])
        return cls(raw=flat, expected=expected, probes=probes, fractional_bits=fractional_bits)

    def works(self, fmt: FixedPointFormat) -> bool:
        """Tell whether a cast to a format gives what is expected, everywhere."""
        few = cast(self.raw[self.probes], self.fractional_bits, fmt)
        if not np.array_equal(values_of(few, fmt), self.expected[self.probes]):
            return False
        return self.n_wrong(fmt) == 0

    def n_wrong(self, fmt: FixedPointFormat) -> int:
        """Count the results that a cast to a format does not make right."""
        found = values_of(cast(self.raw, self.fractional_bits, fmt), fmt)
        return int((found != self.expected).sum())


def _candidates(local: Local) -> Iterator[FixedPointFormat]:
    """Yield formats near the present one, those with one change first."""
    current = local.node.format
    fraction = fraction_of(local.expected[local.comparable])
    fractions = {fraction if fraction is not None else current.fractional_bits}
    fractions |= {current.fractional_bits + more for more in range(-3, 7)}
    integers = [current.integer_bits + more for more in (1, 2, 3, 4, 5, 6, -1, -2)]
    options: dict[str, list[Any]] = {
        "overflow": [mode for mode in Overflow if mode is not current.overflow],
        "rounding": [mode for mode in Rounding if mode is not current.rounding],
        "integer": [(signed, bits) for bits in integers for signed in (True, False)]
        + [(not current.signed, current.integer_bits)],
        "fraction": sorted(fractions - {current.fractional_bits}),
    }
    make: Callable[..., FixedPointFormat] = _with_field
    for n_changes in range(1, 5):
        for fields in combinations(options, n_changes):
            for values in product(*(options[field] for field in fields)):
                candidate = current
                for field, value in zip(fields, values, strict=True):
                    candidate = make(candidate, field, value)
                yield candidate
