"""How numbers are written on the page."""

from __future__ import annotations

import math
from typing import Protocol


class Interval(Protocol):
    """A value and the ends of its 68 % interval."""

    @property
    def value(self) -> float:
        """The best value."""

    @property
    def low(self) -> float:
        """The lower end."""

    @property
    def high(self) -> float:
        """The upper end."""


MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"


def count(number: float | None) -> str:
    """Write a whole number with separators."""
    return "" if number is None else _signed(f"{number:,.0f}")


def number(value: float | None, digits: int = 3) -> str:
    """Write a number with so many significant digits, without an exponent where it fits."""
    if value is None or not math.isfinite(value):
        return "" if value is None else "\N{INFINITY}"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size >= digits:
        return _signed(f"{value:,.0f}")
    text = f"{value:.{max(0, digits - 1 - size)}f}" if size > -5 else f"{value:.2g}"
    return _signed(text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text)


def percent(share: float | None, digits: int = 3) -> str:
    """Write a share in per cent."""
    return "" if share is None else f"{number(100 * share, digits)}{NO_BREAK}%"


def coarse_percent(part: int, whole: int) -> str:
    """Write a share in whole per cent; what is less than one is not none."""
    if not whole:
        return ""
    return f"<1{NO_BREAK}%" if 0 < part < whole / 100 else f"{100 * part / whole:.0f}{NO_BREAK}%"


def measured(entry: Interval, scale: float = 1.0) -> str:
    """Write a value with its uncertainty: two digits of it, and as many of the value."""
    below, above = scale * (entry.value - entry.low), scale * (entry.high - entry.value)
    places = _places(max(below, above, 0.0), scale * entry.value)
    value, lower, upper = (f"{x:.{places}f}" for x in (scale * entry.value, below, above))
    if lower == upper:
        return f"{_signed(value)} ± {upper}"
    return f"{_signed(value)} +{upper} {MINUS}{lower}"


def plural(n: int, noun: str) -> str:
    """Write a count and its noun."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def listed(names: list[str] | tuple[str, ...]) -> str:
    """Write names as one does in a sentence."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _places(uncertainty: float, value: float) -> int:
    """Return decimals that show two digits of an uncertainty; of the value if there is none."""
    shown, digits = (uncertainty, 2) if uncertainty > 0 else (abs(value), 3)
    if not shown:
        return 0
    return min(6, max(0, digits - 1 - math.floor(math.log10(shown))))


def _signed(text: str) -> str:
    return text.replace("-", MINUS)
