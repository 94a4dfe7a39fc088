"""The folder in which the commands of the documentation run: small models under its names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import tiny_models
import yaml

from trigforge.core.spec_file import parse_spec
from trigforge.samples import archive

if TYPE_CHECKING:
    from pathlib import Path

LINKS = {"inputs": [0], "outputs": [0], "frames_per_crossing": 8}
TRIGGER = {
    "background_classes": ["gluon", "light_quark"],
    "background_rate_khz": 100,
    "rate_khz": 5,
}
SCAN: dict[str, Any] = {
    "scan_version": 1,
    "name": "jet_tagger_scan",
    "base": "../models/jet_tagger.yaml",
    "n_trials": 2,
    "seed": 1,
    "objectives": ["accuracy", "ebops"],
    "space": {"training.sparsity": {"low": 0.0, "high": 0.5, "step": 0.1}},
    "front": {"synthesise": 0, "largest_loss": 1.0},
}
ANOMALY_TRIGGER = {"background_classes": ["zero_bias"], "rate_khz": 1000}
SMALL = {
    "hardware": {"implementation": "da"},
    "network": {"hidden_units": [2]},
}
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "models/jet_tagger.yaml": ("jets_hlf", SMALL),
    "my_model.yaml": ("jets_hlf", SMALL),
    "my_anomaly.yaml": ("trigger_objects", {}),
}
"""Spec file: kind of the tiny model that stands in for it, and what it changes."""


def make(folder: Path) -> None:
    """Write specs with their samples, events, and a trained model of somebody else's."""
    for name, (kind, changes) in MODELS.items():
        spec_file = folder / name
        spec_file.parent.mkdir(parents=True, exist_ok=True)
        data = tiny_models.spec_data(kind, changes)
        trigger = TRIGGER if kind == "jets_hlf" else ANOMALY_TRIGGER
        data |= {"name": spec_file.stem, "links": LINKS, "trigger": trigger}
        spec_file.write_text(yaml.safe_dump(data))
        sample = tiny_models.make_sample(parse_spec(data, where=name))
        archive.save(sample, spec_file.parent / spec_file.stem / "sample.npz")
    (folder / "scans").mkdir()
    (folder / "scans" / "jet_tagger.yaml").write_text(yaml.safe_dump(SCAN))
    jets = archive.load(folder / "my_model" / "sample.npz")
    np.save(folder / "events.npy", jets.x_test)
    np.save(folder / "background.npy", jets.x_test[jets.y_test < 2])
    columns = dict(zip(jets.feature_names, jets.x_test.T, strict=True))
    (folder / "jets").mkdir()
    pq.write_table(
        pa.table(columns | {"run": np.arange(len(jets.x_test))}), folder / "jets/a.parquet"
    )
    limits = np.random.default_rng(5).integers(-2048, 2048, size=(50, jets.x_test.shape[1]))
    np.save(folder / "inputs.npy", limits)
    somebodys_network().save(folder / "my_model.keras")
    np.savez(folder / "events.npz", x=np.random.default_rng(6).normal(size=(200, 3)))


def somebodys_network() -> Any:
    """Return a quantised network as somebody else trained it."""
    import keras
    import qkeras

    quantisers = {
        "kernel_quantizer": qkeras.quantized_bits(5, 0, alpha=1.0),
        "bias_quantizer": qkeras.quantized_bits(5, 0, alpha=1.0),
    }
    keras.utils.set_random_seed(3)
    inputs = keras.Input((3,), name="inputs")
    hidden = qkeras.QDense(2, name="hidden", **quantisers)(inputs)
    hidden = qkeras.QActivation(qkeras.quantized_relu(4, 1), name="relu")(hidden)
    return keras.Model(inputs, qkeras.QDense(2, name="scores", **quantisers)(hidden))
