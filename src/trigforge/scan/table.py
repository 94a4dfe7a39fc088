"""All trials of a scan as a table: Parquet, which keeps the types, and CSV."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import csv, parquet

from trigforge.core.files import write_file

if TYPE_CHECKING:
    from pathlib import Path

    from trigforge.core.scanning import ScanResult, Trial

PARQUET, CSV = "trials.parquet", "trials.csv"


def write(result: ScanResult, folder: Path) -> None:
    """Write one row a trial, the failed ones with their error.

    Columns: number, name, state, on_front, the parameters, the figures, what synthesis
    measured (``lut_measured``), not_met, seconds, worker, error. What is not known is null.

    Raises:
        StoreError: if the disk is full or the folder cannot be written.
    """
    table = make(result)
    as_parquet, as_csv = io.BytesIO(), io.BytesIO()
    parquet.write_table(table, as_parquet)
    csv.write_csv(table, as_csv)
    write_file(folder / PARQUET, as_parquet.getvalue())
    write_file(folder / CSV, as_csv.getvalue())


def make(result: ScanResult) -> pa.Table:
    """Return the table; trials come in the order of their numbers."""
    trials = sorted(result.trials, key=lambda trial: trial.number)
    parameters = dict.fromkeys(name for trial in trials for name in trial.parameters)
    figures = dict.fromkeys(name for trial in trials for name in trial.figures)
    measured = dict.fromkeys(name for trial in trials for name in trial.measured)
    columns = {
        "number": [trial.number for trial in trials],
        "name": [trial.name for trial in trials],
        "state": [trial.state.value for trial in trials],
        "on_front": [trial.on_front for trial in trials],
        **{name: _parameter(trials, name) for name in parameters},
        **{name: [trial.figures.get(name) for trial in trials] for name in figures},
        **{f"{name}_measured": [trial.measured.get(name) for trial in trials] for name in measured},
        "not_met": ["; ".join(trial.not_met) or None for trial in trials],
        "seconds": [trial.seconds for trial in trials],
        "worker": [trial.worker for trial in trials],
        "error": [trial.error or None for trial in trials],
    }
    types = {"number": pa.int64(), "on_front": pa.bool_(), "seconds": pa.float64()}
    types |= dict.fromkeys(figures, pa.float64())
    types |= dict.fromkeys((f"{name}_measured" for name in measured), pa.float64())
    types |= dict.fromkeys(("name", "state", "not_met", "worker", "error"), pa.string())
    return pa.table(
        {name: pa.array(values, type=types.get(name)) for name, values in columns.items()}
    )


def _parameter(trials: list[Trial], name: str) -> list[object]:
    """Return a parameter's values; of mixed types they become text."""
    values = [trial.parameters.get(name) for trial in trials]
    kinds = {type(value) for value in values if value is not None}
    return values if len(kinds) < 2 else [None if v is None else str(v) for v in values]
