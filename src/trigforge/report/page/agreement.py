"""Who was compared with whom: the matrix of referees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigforge.report.entries import AgreementEntry

if TYPE_CHECKING:
    from trigforge.report.entries import Report

_REFEREES = (
    ("QKeras", "the trained network itself, computed exactly"),
    ("model", "the imported model, computed exactly"),
    ("C simulation", "hls4ml's C++, compiled with g++"),
    ("evaluator", "the graph of integers, in NumPy"),
    ("emulator", "generated C++, as for an experiment's software"),
    ("ONNX Runtime", "the exported ONNX model"),
    ("RTL", "the firmware, simulated clock cycle by clock cycle"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Referee:
    """One implementation, its place in the matrix, and what it is."""

    number: int
    name: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """Referees and, for each, its comparison with each one before it; None: not compared."""

    referees: tuple[Referee, ...]
    cells: tuple[tuple[AgreementEntry | None, ...], ...]
    first_wrong: AgreementEntry | None


def matrix(report: Report) -> Matrix:
    """Return who agrees with whom, in the order of the report."""
    names = list(
        dict.fromkeys(
            name for entry in report.agreements for name in (entry.reference, entry.candidate)
        )
    )
    found = {frozenset((entry.reference, entry.candidate)): entry for entry in report.agreements}
    wrong = (entry for entry in report.agreements if entry.first_difference is not None)
    return Matrix(
        referees=tuple(
            Referee(number=number, name=name, what=_what(name))
            for number, name in enumerate(names, start=1)
        ),
        cells=tuple(
            tuple(found.get(frozenset((name, other))) for other in names[:row])
            for row, name in enumerate(names)
        ),
        first_wrong=next(wrong, None),
    )


def agrees(entry: AgreementEntry) -> bool:
    """Tell whether every value was equal, and there were values."""
    return entry.n_different == 0 and entry.n_values > 0


def _what(name: str) -> str:
    return next((text for prefix, text in _REFEREES if name.startswith(prefix)), "")
