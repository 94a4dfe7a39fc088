"""Figures of ``benchmarks/results.json`` as tables: a row a quantity, a column a model."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

NO_MODEL = ""


class Figures:
    """The figures of a results file, each of which is shown once."""

    def __init__(self, results: Path, models: Sequence[str]) -> None:
        self._left: dict[str, float] = json.loads(results.read_text(encoding="utf-8"))
        self._models = tuple(sorted(models, key=len, reverse=True))

    def table(self, patterns: str) -> str:
        """Return the figures whose names match, of those that no table has shown yet.

        ``patterns`` are those of the shell, with spaces between. A name that holds that of a
        model goes into the model's column.

        Raises:
            ValueError: if a pattern matches no figure, unless it is ``*``.
        """
        taken: dict[str, float] = {}
        for pattern in patterns.split():
            matching = [name for name in self._left if fnmatchcase(name, pattern)]
            if not matching and pattern != "*":
                msg = f"no figure of benchmarks/results.json matches {pattern}"
                raise ValueError(msg)
            taken |= {name: self._left.pop(name) for name in matching}
        return "\n".join(_lines(self._pivoted(taken))) if taken else "None."

    def _pivoted(self, figures: Mapping[str, float]) -> dict[str, dict[str, float]]:
        rows: dict[str, dict[str, float]] = {}
        for name, value in figures.items():
            quantity, model = self._split(name)
            rows.setdefault(quantity, {})[model] = value
        return rows

    def _split(self, name: str) -> tuple[str, str]:
        """Part a figure's name into its quantity and its model."""
        for model in self._models:
            before, found, after = f"{name}_".partition(f"_{model}_")
            if found:
                return "_".join(part for part in (before, after.rstrip("_")) if part), model
        return name, NO_MODEL


def _lines(rows: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    models = sorted({model for row in rows.values() for model in row})
    yield "| figure | " + " | ".join(models) + " |"
    yield "|---|" + "---:|" * len(models)
    for quantity, row in rows.items():
        cells = [_number(row[model]) if model in row else "" for model in models]
        yield f"| `{quantity}` | " + " | ".join(cells) + " |"


def _number(value: float) -> str:
    """Write three digits or more, never fewer than the figure has before the point."""
    if float(value).is_integer() or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
