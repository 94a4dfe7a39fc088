"""The shipped models, from their samples and weights, through every implementation."""

import json
from pathlib import Path
from unittest import mock

import jsonschema
import pytest
import yaml

from trigforge.report import document
from trigforge.samples import generation

ROOT = Path(__file__).parents[2]
COMPILES = pytest.mark.toolchain
SHIPPED = sorted((ROOT / "models").glob("*.yaml"))


@COMPILES
@pytest.mark.pipeline
@pytest.mark.parametrize("spec_file", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_model_is_bit_exact_and_within_its_limits(
    spec_file, session_store, trigforge_says, tmp_path
):
    """From the shipped sample and weights, as ``make run`` does it; both io types."""
    folders = {"--store": session_store.root, "--projects": tmp_path, "--reports": tmp_path / "r"}
    options = [str(part) for pair in folders.items() for part in pair]
    with mock.patch.object(generation, "generate", autospec=True) as generate:
        code, out, err = trigforge_says(*options, "run", "--quiet", spec_file)
    generate.assert_not_called()
    assert code == 0, out + err
    name = spec_file.stem
    report = json.loads((tmp_path / "r" / name / "report.json").read_text())
    jsonschema.validate(report, json.loads(document.SCHEMA.read_text()))
    assert report["met"] is True
    assert [entry["io_type"] for entry in report["projects"]] == ["io_parallel", "io_stream"]
    assert report["physics"]["n_test"] >= 3000
    for entry in report["agreements"]:
        assert entry["n_events"] > report["physics"]["n_test"]
        assert entry["n_different"] == 0
    losses = {entry["name"]: entry["met"] for entry in report["checks"] if "loss" in entry["name"]}
    limited = yaml.safe_load(spec_file.read_text())["acceptance"].keys() & {
        "accuracy_loss",
        "auc_loss",
    }
    assert len(losses) == len(limited) > 0
    assert all(losses.values())
    training_stage = next(entry for entry in report["stages"] if entry["stage"] == "training")
    assert training_stage["cached"] is True
