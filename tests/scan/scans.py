"""Small scans on made-up events."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import tiny_models
import yaml
from tiny_models import TinyModel

from trigforge.core.store import Store
from trigforge.core.workspace import Workspace
from trigforge.scan import space
from trigforge.scan.search import Search

SCAN: dict[str, Any] = {
    "scan_version": 1,
    "name": "tiny_scan",
    "base": "tiny_jets.yaml",
    "n_trials": 8,
    "seed": 5,
    "n_random": 4,
    "objectives": ["accuracy", "ebops"],
    "space": {
        "weights": {
            "keys": ["quantization.weight_format", "quantization.bias_format"],
            "low": 3,
            "high": 8,
            "template": "fixed<{},1>",
        },
        "network.hidden_units.0": {"low": 4, "high": 8, "step": 2},
        "training.sparsity": {"low": 0.0, "high": 0.8, "step": 0.1},
    },
    "front": {"synthesise": 0},
}


def scan_data(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SCAN), **changes}


def write(folder: Path, **changes: Any) -> Path:
    """Write a scan and the tiny base that it changes."""
    base = tiny_models.spec_data("jets_hlf")
    (folder / "tiny_jets.yaml").write_text(yaml.safe_dump(base))
    path = folder / "scan.yaml"
    path.write_text(yaml.safe_dump(scan_data(**changes)))
    return path


def read(folder: Path, **changes: Any) -> space.Space:
    return space.read(write(folder, **changes))


def search_in(folder: Path, found: space.Space) -> Search:
    """Return the search of a scan whose base has neither sample nor networks."""
    workspace = Workspace(
        model=folder / "tiny_jets",
        projects=folder / "projects",
        firmware=folder / "firmware",
        reports=folder / "reports",
        store=Store(folder / "store"),
    )
    return Search(space=found, workspace=workspace)


def search_of(model: TinyModel, folder: Path, **changes: Any) -> Search:
    """Return the search of a scan whose base is a tiny model with its sample."""
    path = folder / "scan.yaml"
    path.write_text(yaml.safe_dump(scan_data(base=str(model.spec_file), **changes)))
    workspace = replace(model.workspace, reports=folder / "reports")
    return Search(space=space.read(path), workspace=workspace)
