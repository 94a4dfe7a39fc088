"""Models small enough to train and compile in seconds, and made-up events for them.

The events are no physics: each class has a mean of its own, so that a network has something
to learn, and no generator is needed.
"""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from trigforge.core.config import CrossingSample, Spec
from trigforge.core.config.sample import CROSSING_VARIABLES
from trigforge.core.records import Sample
from trigforge.core.spec_file import parse_spec, read_spec
from trigforge.core.store import Store
from trigforge.core.workspace import Workspace
from trigforge.samples import archive

N_TRAIN, N_TEST = 400, 150
N_FEATURES = 16
CLASS_NAMES = {
    "jets_hlf": ("gluon", "light_quark", "w", "z", "top"),
    "top_images": ("qcd", "top"),
    "calorimeter_regions": ("zero_bias", "top_pair", "higgs_tau_tau"),
    "trigger_objects": ("zero_bias", "top_pair", "higgs_tau_tau"),
}
N_OBJECT_NUMBERS = 57
_SHARED: dict[str, Any] = {
    "spec_version": 1,
    "training": {
        "seed": 7,
        "epochs": 3,
        "batch_size": 64,
        "learning_rate": 0.01,
        "patience_epochs": 5,
        "validation_fraction": 0.2,
    },
    "hardware": {"part": "xcvu13p-flga2577-2-e", "clock_mhz": 320, "io_type": "io_parallel"},
    "budget": {
        "latency_ns": 150,
        "lut_share": 0.05,
        "ff_share": 0.05,
        "dsp_share": 0.05,
        "bram_share": 0.05,
    },
    "acceptance": {"io_types": ["io_parallel"], "signal_efficiency": 0.5},
}
_JETS: dict[str, Any] = {
    "name": "tiny_jets",
    "sample": {
        "kind": "jets_hlf",
        "jets_per_class": 110,
        "test_fraction": 0.25,
        "seed": 3,
        "jet_radius": 0.8,
        "multi_parton_interactions": False,
        "parton_pt_gev": [950, 1050],
        "boson_source": "scalar",
    },
    "network": {"architecture": "dense", "hidden_units": [6]},
    "quantization": {
        "link_format": "fixed<12,12>",
        "input_format": "fixed<8,4>",
        "weight_format": "fixed<6,1>",
        "bias_format": "fixed<6,1>",
        "activation_format": "ufixed<6,2>",
    },
}
_IMAGES: dict[str, Any] = {
    "name": "tiny_images",
    "sample": {
        "kind": "top_images",
        "jets_per_class": 275,
        "test_fraction": 0.25,
        "seed": 3,
        "jet_radius": 0.8,
        "multi_parton_interactions": False,
        "jet_pt_gev": [550, 650],
        "n_pixels": 8,
        "image_width": 1.6,
        "tower_size": 0.1,
        "normalise": "none",
        "pixel_bits": 8,
        "pixel_lsb": 1.0,
    },
    "network": {
        "architecture": "conv2d",
        "blocks": [{"filters": 2, "kernel": 3, "padding": "valid", "pool": 2}],
    },
    "quantization": {
        "link_format": "ufixed<8,2>",
        "weight_format": "fixed<6,1>",
        "bias_format": "fixed<6,1>",
        "activation_format": "ufixed<6,2>",
    },
}
_CROSSINGS: dict[str, Any] = {
    "zero_bias_events": 500,
    "signal_events": 50,
    "signals": ["top_pair", "higgs_tau_tau"],
    "pileup": 20,
    "pool_collisions": 100,
    "test_fraction": 0.2,
    "seed": 3,
}
_REGIONS: dict[str, Any] = {
    "name": "tiny_regions",
    "sample": {
        "kind": "calorimeter_regions",
        "region_bits": 8,
        "region_lsb_gev": 0.5,
        **_CROSSINGS,
    },
    "network": {
        "architecture": "conv2d_student",
        "blocks": [{"filters": 2, "kernel": 4, "stride": 4, "padding": "valid"}],
        "hidden_units": [3],
        "teacher": {"filters": [4], "latent_units": 4, "epochs": 2},
        "score_per_e_fold": 8,
        "score_format": "ufixed<10,6>",
    },
    "quantization": {
        "link_format": "ufixed<8,2>",
        "weight_format": "fixed<6,1>",
        "bias_format": "fixed<6,1>",
        "activation_format": "ufixed<6,2>",
    },
}
_OBJECTS: dict[str, Any] = {
    "name": "tiny_objects",
    "sample": {"kind": "trigger_objects", **_CROSSINGS},
    "network": {
        "architecture": "dense_autoencoder",
        "hidden_units": [4, 2],
        "score_format": "ufixed<14,10>",
    },
    "quantization": {
        "link_format": "fixed<13,13>",
        "input_format": "fixed<6,3>",
        "weight_format": "fixed<5,1>",
        "bias_format": "fixed<5,1>",
        "activation_format": "ufixed<5,2>",
    },
}
_SPECS = {
    "jets_hlf": _JETS,
    "top_images": _IMAGES,
    "calorimeter_regions": _REGIONS,
    "trigger_objects": _OBJECTS,
}


def spec_data(kind: str, changes: dict[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return the spec of a kind as nested mappings, with the keys of some sections changed."""
    data = copy.deepcopy({**_SHARED, **_SPECS[kind]})
    for section, values in (changes or {}).items():
        data[section] |= values
    return data


def make_spec(kind: str, changes: dict[str, dict[str, Any]] | None = None) -> Spec:
    return parse_spec(spec_data(kind, changes), where=f"tiny {kind}")


def make_sample(spec: Spec) -> Sample:
    """Return made-up events that claim to be drawn from the sample of the spec."""
    random = np.random.default_rng(spec.sample.seed)
    names = CLASS_NAMES[spec.sample.kind]
    parts = {}
    crossings = isinstance(spec.sample, CrossingSample)
    for side, n in (("train", N_TRAIN), ("test", N_TEST)):
        n_seen = 1 if crossings and side == "train" else len(names)
        y = np.arange(n, dtype=np.int64) % n_seen
        random.shuffle(y)
        parts[f"y_{side}"] = y
        parts[f"x_{side}"] = _MAKERS[spec.sample.kind](y, random)
    if crossings:
        made_up = random.exponential(scale=50.0, size=(N_TEST, len(CROSSING_VARIABLES)))
        parts["variables_test"] = made_up.astype(np.float32)
        parts["variable_names"] = CROSSING_VARIABLES
    provenance = {
        "spec": spec.sample.model_dump(mode="json"),
        "seed": spec.sample.seed,
        "n_generated": 550,
    }
    return Sample(
        kind=spec.sample.kind,
        digest="made up",
        feature_names=(
            ("transverse_energy",)
            if parts["x_test"].ndim > 2
            else tuple(f"feature_{i}" for i in range(parts["x_test"].shape[1]))
        ),
        class_names=names,
        provenance=json.dumps(provenance),
        **parts,
    )


def _features(y, random):
    means = np.random.default_rng(0).normal(size=(len(CLASS_NAMES["jets_hlf"]), N_FEATURES))
    scales = 10.0 ** np.linspace(-2, 2, N_FEATURES)
    x = (means[y] + random.normal(scale=0.7, size=(len(y), N_FEATURES))) * scales
    return x.astype(np.float32)


def _images(y, random):
    energy = random.exponential(scale=8.0, size=(len(y), 8, 8, 1))
    energy[:, 3:5, 3:5] += 60.0 * y[:, None, None, None]
    return np.clip(energy, 0, 255).astype(np.uint8)


def _regions(y, random):
    energy = random.exponential(scale=6.0, size=(len(y), 18, 14, 1))
    energy[:, 4:8, 4:8] += 60.0 * y[:, None, None, None]
    return np.clip(energy, 0, 255).astype(np.uint8)


def _objects(y, random):
    x = random.normal(scale=np.linspace(2, 90, N_OBJECT_NUMBERS), size=(len(y), N_OBJECT_NUMBERS))
    x[:, :9] += 60.0 * y[:, None]
    return np.clip(np.rint(x), -225, 4095).astype(np.int16)


_MAKERS = {
    "jets_hlf": _features,
    "top_images": _images,
    "calorimeter_regions": _regions,
    "trigger_objects": _objects,
}


@dataclass(frozen=True)
class TinyModel:
    """A spec file with its sample beside it, and a workspace of its own."""

    spec_file: Path
    workspace: Workspace

    @property
    def spec(self) -> Spec:
        return read_spec(self.spec_file)

    @property
    def sample(self) -> Sample:
        return archive.load(self.workspace.sample_file)

    @property
    def report(self) -> dict[str, Any]:
        path = self.workspace.reports / self.spec.name / "report.json"
        return json.loads(path.read_text())

    def change(self, changes: dict[str, dict[str, Any]]) -> None:
        """Edit the spec; the sample beside it stays."""
        self.spec_file.write_text(yaml.safe_dump(spec_data(self.spec.sample.kind, changes)))

    def command(self, *arguments: str) -> list[str]:
        """Return the arguments of ``trigforge`` in this workspace; the spec comes last."""
        folders = {
            "--store": self.workspace.store.root,
            "--projects": self.workspace.projects,
            "--firmware": self.workspace.firmware,
            "--reports": self.workspace.reports,
        }
        options = [str(part) for pair in folders.items() for part in pair]
        return [*options, *arguments, str(self.spec_file)]


def write_model(
    folder: Path, store: Store, kind: str, changes: dict[str, dict[str, Any]] | None = None
) -> TinyModel:
    """Write spec and sample below a folder."""
    spec = make_spec(kind, changes)
    model = TinyModel(
        spec_file=folder / f"{spec.name}.yaml",
        workspace=Workspace(
            model=folder / spec.name,
            projects=folder / "hls_projects",
            firmware=folder / "firmware",
            reports=folder / "reports",
            store=store,
        ),
    )
    folder.mkdir(parents=True, exist_ok=True)
    model.spec_file.write_text(yaml.safe_dump(spec_data(kind, changes)))
    archive.save(make_sample(spec), model.workspace.sample_file)
    return model
