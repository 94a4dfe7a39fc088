"""Powers on an axis, as text: formulas take matplotlib a hundred times as long."""

from __future__ import annotations

import math

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def power(base: int, exponent: int) -> str:
    """Write a power: 2⁻³."""
    return f"{base}{str(exponent).translate(_RAISED)}"


def decade(value: float, position: int | None = None) -> str:
    """Write a power of ten; what is none has no label."""
    del position
    exponent = round(math.log10(value)) if value > 0 else 0
    return power(10, exponent) if math.isclose(value, 10.0**exponent) else ""
