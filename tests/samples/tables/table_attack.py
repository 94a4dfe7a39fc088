"""Attack the readers of events in this process: ``python table_attack.py FOLDER N``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

import event_files
import mutations
import uproot.deserialization

from trigforge.samples.tables import parquet_files, reading, root_files

LARGEST_GROWTH_BYTES = 2**30
LIBRARIES = (parquet_files, root_files)
"""Loaded before memory is limited."""


def read(path: Path) -> None:
    table = reading.read(path, event_files.SHAPE)
    if table.x.shape[1:] != event_files.SHAPE or not len(table.x) or not np.isfinite(table.x).all():
        msg = f"{path} gave {table.x.shape}"
        raise ValueError(msg)
    if table.y is not None and not (0 <= table.y.min() <= table.y.max() < table.n_classes):
        msg = f"{path} gave labels {table.y}"
        raise ValueError(msg)


def compile_nothing(class_code: str, scope: dict) -> None:
    sys.stdout.write(f"compiled {class_code[:60]!r}\n")


def main(folder: Path, n: int) -> None:
    uproot.deserialization._actually_compile = compile_nothing
    names = list(event_files.write_all(folder))
    mutations.limit_memory(LARGEST_GROWTH_BYTES)
    for name in names:
        outcomes = mutations.attack(read, folder / name, n)
        n_refused = outcomes.total() - outcomes["read"]
        sys.stdout.write(f"{name}: {outcomes['read']} read, {n_refused} refused\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
