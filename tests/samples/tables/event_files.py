"""Small valid files of every kind, of the same 40 events of 16 features in 5 classes."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import uproot

from trigforge.core.records import Sample
from trigforge.samples import archive
from trigforge.samples.tables.content import Selection

N_EVENTS = 40
SHAPE = (16,)
RANDOM = np.random.default_rng(7)
X = np.round(RANDOM.normal(size=(N_EVENTS, 16)) * 8).astype(np.float32) / 8
Y = RANDOM.integers(0, 5, N_EVENTS)
CLASS_NAMES = ("g", "q", "t", "w", "z")
NAMES = np.array(CLASS_NAMES)[Y]
FEATURES = tuple(f"f{index}" for index in range(16))
COLUMNS = {name: X[:, index] for index, name in enumerate(FEATURES)}
WITHOUT_COUNTER = Selection(columns=("x",), label="y")


def write_all(folder: Path) -> dict[str, Selection]:
    """Write the files; return their names with what to select."""
    _write_numpy(folder)
    _write_parquet(folder)
    _write_root(folder)
    return {path.name: Selection() for path in sorted(folder.iterdir())}


def write_tree(path: Path, columns, tree="events", compression=None) -> Path:
    """Write a ROOT file with one TTree."""
    types = {
        name: "var * float32"
        if isinstance(array, ak.Array)
        else np.dtype((array.dtype, array.shape[1:]))
        for name, array in columns.items()
    }
    with uproot.recreate(path, compression=compression) as file:
        file.mktree(tree, types)
        file[tree].extend(columns)
    return path


def write_ntuple(path: Path, columns, name="events") -> Path:
    """Write a ROOT file with one RNTuple."""
    with uproot.recreate(path) as file:
        file.mkrntuple(name, columns)
    return path


def _write_numpy(folder: Path) -> None:
    np.save(folder / "float.npy", X)
    np.save(folder / "integer.npy", np.asfortranarray(X.astype(">i2")))
    np.savez(folder / "stored.npz", x=X, y=Y)
    np.savez_compressed(folder / "deflated.npz", inputs=X, labels=np.eye(5)[Y])
    sample = Sample(
        kind="jets_hlf",
        digest="ab" * 32,
        feature_names=FEATURES,
        class_names=CLASS_NAMES,
        x_train=X,
        y_train=Y,
        x_test=X,
        y_test=Y,
        provenance="{}",
    )
    archive.save(sample, folder / "sample.npz")


def _write_parquet(folder: Path) -> None:
    pq.write_table(pa.table({**COLUMNS, "label": Y}), folder / "columns.parquet")
    lists = {"x": pa.array(X.tolist(), type=pa.list_(pa.float32())), "y": NAMES}
    pq.write_table(pa.table(lists), folder / "lists.parquet", compression="zstd")
    fixed = {"x": pa.FixedSizeListArray.from_arrays(pa.array(X.ravel()), 16), "y": Y}
    pq.write_table(pa.table(fixed), folder / "fixed.parquet", compression=None)


def _write_root(folder: Path) -> None:
    write_tree(folder / "array.root", {"x": X, "y": Y}, compression=uproot.ZLIB(4))
    write_tree(folder / "branches.root", {**COLUMNS, "y": Y}, "jets/events", uproot.ZSTD(3))
    write_tree(folder / "vector.root", {"x": ak.Array(X.tolist()), "y": Y})
    write_ntuple(folder / "ntuple_array.root", {"x": X, "y": Y})
    vectors = {"x": ak.Array(X.tolist()), "label": ak.Array(NAMES.tolist())}
    write_ntuple(folder / "ntuple_vector.root", vectors)
