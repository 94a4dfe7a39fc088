"""Figures of ``benchmarks/results.json`` as tables: quantities against what they are of."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

LAYER = r"(?:dense|conv)_\d[\dx_]*"
"""A single layer: ``dense_16x16``, ``conv_16x16x4_3x3x8``."""
INTERVAL = r"(?:_interval_\d+)?"


class Figures:
    """The figures of a results file, each of which is shown once."""

    def __init__(self, results: Path, models: Sequence[str]) -> None:
        self._left: dict[str, float] = json.loads(results.read_text(encoding="utf-8"))
        names = "|".join(sorted(models, key=len, reverse=True))
        self._subject = re.compile(rf"(?:^|_)((?:{names}){INTERVAL}|{LAYER})(?=_|$)")

    def by_quantity(self, patterns: str) -> str:
        """Return a table of figures that none has shown yet: a row a quantity, a column a model.

        ``patterns`` of their names are those of the shell, with spaces between. What a name
        says of a model or a layer is left out in its row.

        Raises:
            ValueError: if a pattern matches no figure, unless it is ``*``.
        """
        return "\n".join(_lines(self._taken(patterns)))

    def by_model(self, patterns: str) -> str:
        """Return such a table with a row a model (or layer) and a column a quantity.

        Raises:
            ValueError: if a pattern matches no figure, unless it is ``*``.
        """
        cells = {(model, quantity): v for (quantity, model), v in self._taken(patterns).items()}
        return "\n".join(_lines(cells))

    def _taken(self, patterns: str) -> dict[tuple[str, str], float]:
        """Take the figures that match; return them by quantity and model."""
        taken: dict[str, float] = {}
        for pattern in patterns.split():
            matching = [name for name in self._left if fnmatchcase(name, pattern)]
            if not matching and pattern != "*":
                msg = f"no figure of benchmarks/results.json matches {pattern}"
                raise ValueError(msg)
            taken |= {name: self._left.pop(name) for name in matching}
        return {self._split(name): value for name, value in taken.items()}

    def _split(self, name: str) -> tuple[str, str]:
        """Part a figure's name into its quantity and its model."""
        match = self._subject.search(name)
        if match is None:
            return name, ""
        return (name[: match.start()] + name[match.end() :]).strip("_"), match[1]


def _lines(cells: Mapping[tuple[str, str], float]) -> Iterator[str]:
    """Yield the lines of a table of values by row and column."""
    if not cells:
        yield "None."
        return
    rows, columns = (sorted({key[i] for key in cells}, key=_natural) for i in (0, 1))
    yield "| | " + " | ".join(f"`{column}`" if column else "" for column in columns) + " |"
    yield "|---|" + "---:|" * len(columns)
    for row in rows:
        values = [_number(cells[row, c]) if (row, c) in cells else "" for c in columns]
        yield f"| `{row}` | " + " | ".join(values) + " |"


def _natural(name: str) -> list[tuple[int, str]]:
    """Order numbers in names by their size."""
    parts = re.findall(r"\d+|\D+", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _number(value: float) -> str:
    """Write three digits, or all before the point."""
    if float(value).is_integer() or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
