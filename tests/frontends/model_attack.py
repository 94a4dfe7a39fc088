"""Attack the readers of models in this process: ``python model_attack.py FOLDER N``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
sys.path.insert(0, str(Path(__file__).parents[1]))

import model_files
import mutations
import numpy as np

from trigforge.frontends import open_model

LARGEST_GROWTH_BYTES = 3 << 30
LIMIT_S = 20.0


def reader_of(weights: Path | None):
    def read(path: Path) -> None:
        model = open_model(path, weights)
        if model.n_outputs < 1 or not np.prod(model.input_shape):
            msg = f"{path} gave {model.input_shape} and {model.n_outputs}"
            raise ValueError(msg)

    return read


def main(folder: Path, n: int) -> None:
    written = model_files.write_all(folder)
    for name, weights in written.items():
        reader_of(weights)(folder / name)
    mutations.limit_memory(LARGEST_GROWTH_BYTES)
    for name, weights in written.items():
        read = reader_of(weights)
        outcomes = mutations.attack(read, folder / name, n, limit_s=LIMIT_S)
        n_refused = outcomes.total() - outcomes["read"]
        sys.stdout.write(f"{name}: {outcomes['read']} read, {n_refused} refused\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
