"""The one tree of errors.

Everything a user can cause or mend derives from ``TrigforgeError``; the command line
prints its message without a traceback and exits with code 2. A check that failed is
not an error: it is a result, and exits with code 1; so does a ``SimulationFault``, the one
failed check that leaves no result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class TrigforgeError(Exception):
    """Say what was wrong, where, and what would be right."""


class SpecError(TrigforgeError):
    """A spec cannot be used: a wrong key, an impossible network, an unknown name."""


class InputError(TrigforgeError):
    """A file or an array from outside is not what it should be."""


class StoreError(TrigforgeError):
    """A cached or written artefact is missing, truncated or not what it says it is."""


class ToolError(TrigforgeError):
    """An external program is missing, failed or ran past its limit."""


class ConversionError(TrigforgeError):
    """A layer or a quantiser has no exact counterpart in firmware."""


class ComparisonError(TrigforgeError):
    """Two results cannot be compared: other shapes or other fixed-point formats."""


class SimulationFault(TrigforgeError):  # noqa: N818 - the fault is the design's
    """The design gave a result too many or too few: a check that failed, not a crash.

    ``cycle`` is the first clock cycle that shows it.
    """

    def __init__(self, message: str, cycle: int) -> None:
        super().__init__(message)
        self.cycle = cycle


def unknown_name(what: str, name: str, known: Iterable[str]) -> str:
    """Return the message for a name that is not in the list of known ones."""
    return f"unknown {what} {name!r}; known: {', '.join(sorted(known))}"
