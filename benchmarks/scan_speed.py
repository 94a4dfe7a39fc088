"""The same trials of a scan by one worker and by two; no cluster's start is timed.

Designs are drawn at random, so that both try the same ones, whoever ends first. The float
network that all share is trained before.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import shipped_models
import yaml

from trigforge.core.store import Store
from trigforge.core.workspace import Workspace
from trigforge.scan import search, space

if TYPE_CHECKING:
    from pathlib import Path

MODEL = "jet_tagger"
N_TRIALS = 8
SCAN: dict[str, Any] = {
    "scan_version": 1,
    "name": "timed_scan",
    "seed": 1,
    "sampler": "random",
    "objectives": ["accuracy", "ebops"],
    "changes": {
        "training.initial_weights": "float",
        "training.epochs": 12,
        "training.patience_epochs": 12,
        "quantization.input_format": "fixed<7,4>",
    },
    "space": {
        "weights": {
            "keys": ["quantization.weight_format", "quantization.bias_format"],
            "low": 3,
            "high": 9,
            "template": "fixed<{},1>",
        },
        "training.sparsity": {"low": 0.3, "high": 0.9, "step": 0.01},
    },
    "front": {"synthesise": 0},
}


def measure(folder: Path) -> dict[str, float]:
    first = scan(folder / "first", Store(folder / "first" / "store"), n_trials=1, n_workers=1)
    seconds = {}
    for n_workers in (1, 2):
        own = folder / f"{n_workers}"
        shutil.copytree(first.workspace.store.root / "baseline", own / "store" / "baseline")
        done = scan(own, Store(own / "store"), n_trials=N_TRIALS, n_workers=n_workers)
        seconds[n_workers] = seconds_of(done)
    return {
        "scan_trials_per_hour_two_workers": 3600 * N_TRIALS / seconds[2],
        "scan_two_workers_vs_one": seconds[1] / seconds[2],
    }


def scan(folder: Path, store: Store, *, n_trials: int, n_workers: int) -> search.Search:
    """Run a scan in a folder of its own."""
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / "scan.yaml"
    base = shipped_models.MODELS / f"{MODEL}.yaml"
    path.write_text(yaml.safe_dump({**SCAN, "base": str(base), "n_trials": n_trials}))
    workspace = Workspace(
        model=shipped_models.MODELS / MODEL,
        projects=folder / "projects",
        firmware=folder / "firmware",
        reports=folder / "reports",
        store=store,
    )
    found = search.Search(space=space.read(path), workspace=workspace)
    result = search.run(found, n_workers=n_workers)
    if result.failed:
        raise RuntimeError(result.failed[0].error)
    return found


def seconds_of(done: search.Search) -> float:
    """Return how long the trials took, from the start of the first to the end of the last."""
    trials = done.study.optuna.get_trials()
    starts = [trial.datetime_start for trial in trials if trial.datetime_start]
    ends = [trial.datetime_complete for trial in trials if trial.datetime_complete]
    return (max(ends) - min(starts)).total_seconds()
