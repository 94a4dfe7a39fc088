"""What may be written into Tcl: names are restricted, not escaped."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from trigforge.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCE_ENDINGS = {"verilog": (".v", ".sv"), "vhdl": (".vhd", ".vhdl")}
"""How the names of the sources of a language end."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_SOURCE = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*/)*[A-Za-z0-9_][A-Za-z0-9_.-]*")


def name(text: str) -> str:
    """Return the name of a top module or function.

    Raises:
        InputError: if it is not made of letters, digits and underscores.
    """
    return _checked(_NAME, text, "top", "letters, digits and underscores, no digit first")


def part(text: str) -> str:
    """Return the name of a part.

    Raises:
        InputError: if it is not made of letters, digits, underscores and hyphens.
    """
    return _checked(_PART, text, "part", "letters, digits, underscores and hyphens")


def sources(paths: Sequence[str], language: str) -> tuple[str, ...]:
    """Return source files of a language: relative paths, in the order given.

    Raises:
        InputError: if the language is unknown, there is no file, a path leaves its folder or
            holds other than letters, digits, ``_ . - /``, or its ending is not the language's.
    """
    if language not in SOURCE_ENDINGS:
        msg = f"unknown language {language!r}; known: {', '.join(SOURCE_ENDINGS)}"
        raise InputError(msg)
    if not paths:
        msg = f"there is no {language} source to read"
        raise InputError(msg)
    for path in paths:
        _checked(_SOURCE, path, "source", "a relative path of letters, digits, _ . - and /")
        if not path.endswith(SOURCE_ENDINGS[language]):
            msg = f"source {path!r} is no {language}; write {' or '.join(SOURCE_ENDINGS[language])}"
            raise InputError(msg)
    return tuple(paths)


def period_ns(clock_mhz: float) -> str:
    """Return the period of a clock in ns with three decimals, never longer than asked.

    Vivado counts time in ps: 360 MHz is 2.777 ns, not 2.778.

    Raises:
        InputError: if the clock is not above 0 and at most 1000 MHz.
    """
    if not 0 < clock_mhz <= 1000:
        msg = f"a clock of {clock_mhz} MHz cannot be constrained; write one above 0, up to 1000"
        raise InputError(msg)
    return f"{math.floor(1e6 / clock_mhz + 1e-6) / 1000:.3f}"


def _checked(allowed: re.Pattern[str], text: str, what: str, right: str) -> str:
    if allowed.fullmatch(text) is None:
        msg = f"{what} {text!r} cannot be written into Tcl; write {right}"
        raise InputError(msg)
    return text
