"""The command only asks the scan, and shows what it says."""

import json
from pathlib import Path
from unittest import mock

import pytest
import yaml
from typer.testing import CliRunner

from trigforge.cli.app import app
from trigforge.core.scanning import ScanResult, Trial, TrialState
from trigforge.scan import front, search

SCAN = {
    "scan_version": 1,
    "name": "tiny_scan",
    "base": "tiny_jets.yaml",
    "n_trials": 3,
    "seed": 5,
    "objectives": ["accuracy", "ebops"],
    "space": {"training.sparsity": {"low": 0.0, "high": 0.5}},
}
TRIAL = Trial(
    number=7,
    name="tiny_jets_7",
    state=TrialState.DONE,
    parameters={"training.sparsity": 0.25},
    figures={"accuracy": 0.75, "ebops": 1234.0},
    measured={"lut": 900.0, "ff": 400.0, "dsp": 0.0},
    seconds=1.0,
    worker="",
    on_front=True,
)
RESULT = ScanResult(
    name="tiny_scan",
    base_name="tiny_jets",
    objectives=("accuracy", "ebops"),
    base={"accuracy": 0.76, "ebops": 4000.0},
    base_measured={"lut": 3000.0, "ff": 900.0, "dsp": 0.0},
    trials=(TRIAL,),
    best=(7,),
    largest_loss=0.05,
    n_wanted=1,
    n_lost=0,
    provenance=(("seed", "5"),),
)


@pytest.fixture
def scan_file(spec_file):
    path = spec_file.with_name("scan.yaml")
    path.write_text(yaml.safe_dump(SCAN))
    return path


@pytest.fixture
def ran(monkeypatch):
    run = mock.Mock(return_value=RESULT)
    monkeypatch.setattr(search, "run", run)
    return run


def invoke(tmp_path, *arguments):
    options = ["--reports", str(tmp_path / "reports"), "--store", str(tmp_path / "store")]
    return CliRunner().invoke(app, [*options, "scan", *map(str, arguments)])


@pytest.mark.parametrize("command", [(), ("run",)])
def test_a_scan_shows_the_front_and_writes_table_and_page(tmp_path, scan_file, ran, command):
    options = ("--workers", 3, "--scheduler", "tcp://x:1", "--storage", "sqlite:///a", "--quiet")
    done = invoke(tmp_path, *command, scan_file, *options)
    assert done.exit_code == 0, done.output
    assert "best: tiny_jets_7: accuracy 0.7500, ebops 1,234, 900 LUT after synthesis" in done.output
    folder = tmp_path / "reports" / "tiny_scan"
    for name in ("trials.parquet", "trials.csv", "scan.html"):
        assert (folder / name).exists()
        assert str(folder / name) in done.output
    (asked,) = ran.call_args.args
    assert (asked.space.scan.name, asked.storage) == ("tiny_scan", "sqlite:///a")
    assert asked.workspace.model == scan_file.parent / "tiny_jets"
    assert ran.call_args.kwargs["n_workers"] == 3
    assert ran.call_args.kwargs["scheduler"] == "tcp://x:1"


def test_json_is_one_line(tmp_path, scan_file, ran):
    done = invoke(tmp_path, scan_file, "--json", "--quiet")
    assert json.loads(done.stdout)["trials"][0]["figures"]["ebops"] == 1234


def test_the_best_designs_are_named_with_their_specs(tmp_path, scan_file, monkeypatch):
    write = mock.Mock(return_value=((TRIAL, Path("designs/tiny_jets_7.yaml")),))
    monkeypatch.setattr(front, "write", write)
    done = invoke(tmp_path, "front", scan_file, "--take", 1, "--out", tmp_path / "designs")
    assert done.exit_code == 0, done.output
    assert done.output.startswith("designs/tiny_jets_7.yaml: accuracy 0.7500, ebops 1,234")
    assert write.call_args.args[1:3] == (1, tmp_path / "designs")


def test_a_front_before_any_scan_is_an_error(tmp_path, scan_file):
    done = invoke(tmp_path, "front", scan_file, "--take", 1, "--out", tmp_path / "designs")
    assert done.exit_code == 2
    assert "no trial has come to a result yet; run the scan first" in done.output
    assert not (tmp_path / "designs").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objectives": ["speed", "ebops"]}, "objectives.0: Input should be 'accuracy'"),
        ({"base": "other.yaml"}, "other.yaml: cannot read the spec"),
    ],
)
def test_a_wrong_scan_is_one_message(tmp_path, scan_file, ran, changes, message):
    scan_file.write_text(yaml.safe_dump({**SCAN, **changes}))
    done = invoke(tmp_path, scan_file)
    assert (done.exit_code, ran.called) == (2, False)
    assert message in done.output
    assert "Traceback" not in done.output


def test_no_file_is_wrong_usage(tmp_path):
    assert invoke(tmp_path, "run").exit_code == 2
    assert invoke(tmp_path, tmp_path / "none.yaml").exit_code == 2
