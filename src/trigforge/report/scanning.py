"""What people and programs see of a scan: ``ScanResult -> page, table on a terminal, JSON``."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from trigforge.report.page.scan import publish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from trigforge.core.scanning import ScanResult, Trial

__all__ = ["describe", "dump", "publish", "summarise"]

_PHYSICS = {"accuracy", "mean_auc", "efficiency"}


def summarise(result: ScanResult) -> RenderableType:
    """Return the front beside the base, and how many designs were tried."""
    table = Table(title=f"{result.name}: the front", title_justify="left")
    table.add_column("design")
    for name in result.objectives:
        table.add_column(name, justify="right")
    table.add_column("LUT, synthesised", justify="right")
    table.add_column("changes")
    rows = [
        (result.base_name, result.base, result.base_measured, "the base, as shipped"),
        *(
            (
                trial.name,
                trial.figures,
                trial.measured,
                _changes(trial),
            )
            for trial in result.front
        ),
    ]
    for design, figures, measured, changes in rows:
        counted = f"{measured['lut']:,.0f}" if "lut" in measured else ""
        shown = [_written(name, figures.get(name)) for name in result.objectives]
        table.add_row(design, *shown, counted, changes)
    parts: list[RenderableType] = [table]
    parts += [Text(f"failed: {trial.name}: {trial.error}") for trial in result.failed[:5]]
    lost = f", {result.n_lost} ran again after being lost" if result.n_lost else ""
    parts.append(
        Text(
            f"{len(result.trials)} of {result.n_wanted} designs, {len(result.failed)} failed{lost}"
        )
    )
    if result.best:
        best = result.trial(result.best[0])
        parts.append(Text(f"best: {best.name}: {describe(best, result.objectives)}"))
    return Group(*parts)


def describe(trial: Trial, objectives: Sequence[str]) -> str:
    """Return a design's figures in one line."""
    said = [f"{name} {_written(name, trial.figures.get(name))}" for name in objectives]
    if "lut" in trial.measured:
        said.append(f"{trial.measured['lut']:,.0f} LUT after synthesis")
    return ", ".join(said)


def dump(result: ScanResult) -> str:
    """Return the result as one line of JSON."""
    return json.dumps(dataclasses.asdict(result), default=str)


def _changes(trial: Trial) -> str:
    said = [f"{name} {value}" for name, value in trial.parameters.items()]
    return "; ".join([", ".join(said), *(f"NOT MET: {line}" for line in trial.not_met)])


def _written(name: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if name in _PHYSICS else f"{value:,.0f}"
