"""Scans by real workers; most of them appraise designs by made-up figures, at once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import made_up_designs
import pyarrow.parquet as pq
import pytest
import tiny_models

import scans
from trigforge import pipeline
from trigforge.core.errors import InputError, SpecError
from trigforge.core.scanning import TrialState
from trigforge.core.spec_file import read_spec
from trigforge.core.store import Store
from trigforge.core.workspace import Workspace
from trigforge.scan import designs, front, results, search, table
from trigforge.scan.search import Search


@pytest.fixture
def made_up(monkeypatch):
    """Appraise designs by made-up figures, or by a function that does worse."""

    def use(function):
        monkeypatch.setattr(designs, "evaluate", function)
        monkeypatch.setattr(search, "WORKERS_IMPORT", None)

    use(made_up_designs.evaluate)
    return use


def search_in(folder: Path, **changes) -> Search:
    return scans.search_in(folder, scans.read(folder, **changes))


def rows_of(result):
    return [(trial.number, dict(trial.parameters), dict(trial.figures)) for trial in result.trials]


def test_a_scan_finds_the_front(tmp_path, made_up):
    seen = []
    result = search.run(
        search_in(tmp_path), n_workers=2, progress=lambda *entry: seen.append(entry)
    )
    assert len(result.trials) == result.n_wanted == 8
    assert (result.n_lost, result.failed) == (0, ())
    assert result.base == result.trial(0).figures
    beaten = {
        trial.number
        for trial in result.trials
        for other in result.trials
        if other.figures["accuracy"] >= trial.figures["accuracy"]
        and other.figures["ebops"] <= trial.figures["ebops"]
        and dict(other.figures) != dict(trial.figures)
    }
    assert {trial.number for trial in result.front} == set(range(8)) - beaten
    assert seen[-1] == ("synthesising the front", 0, 0)
    assert ("trials", 8, 8) in seen


def test_the_best_design_is_one_that_its_own_spec_allows(tmp_path, made_up):
    made_up(made_up_designs.refused_by_its_spec)
    found = search_in(tmp_path, front={"synthesise": 0, "largest_loss": 1.0})
    result = search.run(found, n_workers=1)
    refused = {trial.number for trial in result.front if trial.not_met}
    allowed = [trial.number for trial in result.front if not trial.not_met]
    assert refused
    assert list(result.best[: len(allowed)]) == allowed
    assert set(result.best[len(allowed) :]) == refused
    table.write(result, found.folder)
    rows = pq.read_table(found.folder / table.PARQUET).to_pylist()
    marked = {row["number"] for row in rows if row["not_met"]}
    assert marked == {row["number"] for row in rows if row["ebops"] < 2000}


def test_a_scan_that_has_ended_does_nothing_again(tmp_path, made_up):
    first = search.run(search_in(tmp_path), n_workers=1)
    made_up(made_up_designs.refuse_wide)
    assert rows_of(search.run(search_in(tmp_path), n_workers=1)) == rows_of(first)


def test_one_worker_proposes_the_same_again(tmp_path, made_up):
    runs = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        runs.append(rows_of(search.run(search_in(tmp_path / name), n_workers=1)))
    assert runs[0] == runs[1]


def test_a_trial_that_fails_is_a_row_with_its_error(tmp_path, made_up):
    made_up(made_up_designs.refuse_wide)
    wide = {"weights": {**scans.SCAN["space"]["weights"], "low": 6}}
    found = search_in(tmp_path, space=wide, n_trials=12, sampler="random")
    result = search.run(found, n_workers=2)
    errors = {trial.parameters["weights"]: trial.error for trial in result.trials}
    assert errors == {
        "fixed<6,1>": "",
        "fixed<7,1>": "ZeroDivisionError: seven bits are a bug",
        "fixed<8,1>": "eight bits are refused",
    }
    table.write(result, found.folder)
    rows = pq.read_table(found.folder / table.PARQUET).to_pylist()
    assert [row["number"] for row in rows] == list(range(12))
    for row in rows:
        assert row["error"] == (errors[row["weights"]] or None)
        assert (row["state"] == "done") is (row["accuracy"] is not None) is (not row["error"])
    csv = (found.folder / table.CSV).read_text().splitlines()
    assert len(csv) == 13
    assert csv[0].startswith('"number","name","state","on_front","weights","accuracy","ebops"')


def test_a_design_that_is_no_spec_is_a_row_too(tmp_path, made_up):
    few = {"network.hidden_units.0": {"choices": [0, 4]}}
    result = search.run(search_in(tmp_path, space=few, sampler="random"), n_workers=1)
    failed = {trial.parameters["network.hidden_units.0"] for trial in result.failed}
    assert failed == {0}
    assert all("hidden_units.0: Input should be greater" in trial.error for trial in result.failed)
    assert {trial.number for trial in result.front} <= {
        trial.number for trial in result.trials if trial.state is TrialState.DONE
    }


def test_when_every_design_fails_that_is_an_error(tmp_path, made_up):
    made_up(made_up_designs.refuse_wide)
    wide = {"weights": {**scans.SCAN["space"]["weights"], "low": 8}}
    with pytest.raises(InputError, match="no trial came to a result: eight bits are refused"):
        search.run(search_in(tmp_path, space=wide, n_trials=2), n_workers=1)


def test_a_worker_that_is_killed_in_mid_trial_loses_nothing(tmp_path, made_up):
    made_up(made_up_designs.die_once)
    (tmp_path / "killed").mkdir()
    killed = search.run(search_in(tmp_path / "killed"), n_workers=1)
    assert list((tmp_path / "killed").rglob("died"))
    made_up(made_up_designs.evaluate)
    (tmp_path / "left").mkdir()
    left = search.run(search_in(tmp_path / "left"), n_workers=1)
    assert rows_of(killed) == rows_of(left)
    assert killed.n_lost == 0


def test_a_client_that_is_killed_in_mid_scan_loses_nothing(tmp_path, made_up):
    folder = tmp_path / "killed"
    folder.mkdir()
    found = search_in(folder)
    script = Path(__file__).parent / "killed_scan.py"
    command = [sys.executable, str(script), str(folder / "scan.yaml"), str(folder)]
    paths = os.pathsep.join(str(path) for path in (script.parent, script.parent.parent))
    client = subprocess.Popen(
        command, env={**os.environ, "PYTHONPATH": paths}, start_new_session=True
    )
    try:
        deadline = time.monotonic() + 240
        while len(found.study.ended()) < 2 and time.monotonic() < deadline:
            assert client.poll() is None, "the scan ended by itself"
            time.sleep(0.1)
        while not found.study.optuna.get_trials(states=(0,)) and time.monotonic() < deadline:
            time.sleep(0.02)  # a trial is running now
    finally:
        os.killpg(client.pid, signal.SIGKILL)
        client.wait()
    before = rows_of(results.collect(found.space, found.study))
    assert 2 <= len(before) < 8
    again = Search(space=found.space, workspace=found.workspace, grace_s=3)
    result = search.run(again, n_workers=1)
    assert len(result.trials) == 8
    assert rows_of(result)[: len(before)] == before
    lost = result.n_lost
    assert lost <= 1
    numbers = [trial.number for trial in result.trials]
    assert len(set(range(8 + lost)) - set(numbers)) == lost


def test_the_base_must_be_worth_something(tmp_path, monkeypatch):
    model = tiny_models.write_model(tmp_path, Store(tmp_path / "store"), "jets_hlf")
    found = scans.search_of(model, tmp_path, objectives=["efficiency", "ebops"])
    with pytest.raises(
        SpecError, match="base cannot be appraised: tiny_jets: no efficiency; there"
    ):
        search.run(found, n_workers=1)


@pytest.mark.pipeline
@pytest.mark.toolchain
def test_a_scan_of_trained_networks_ends_in_bit_exact_firmware(tmp_path, session_store):
    """Everything is real: training, conversion, schedules, synthesis, and the run of the best."""
    changes = {
        "hardware": {**tiny_models.spec_data("jets_hlf")["hardware"], "implementation": "da"}
    }
    model = tiny_models.write_model(tmp_path / "models", session_store, "jets_hlf", changes)
    found = scans.search_of(
        model,
        tmp_path,
        n_trials=4,
        objectives=["accuracy", "lut", "latency_ns"],
        changes={"training.initial_weights": "float", "acceptance.accuracy_loss": 1e-6},
        front={"synthesise": 1, "largest_loss": 1.0},
        space={
            "weights": scans.SCAN["space"]["weights"],
            "quantization.layers.dense_0.activation_format": {
                "low": 3,
                "high": 6,
                "template": "ufixed<{},2>",
            },
            "hardware.implementation": {"choices": ["da", "timemux"]},
        },
    )
    result = search.run(found, n_workers=2)
    assert [trial.error for trial in result.trials] == [""] * 4
    best = result.trial(result.best[0])
    assert set(best.figures) == {
        "accuracy", "mean_auc", "ebops", "lut", "ff", "dsp", "latency_ns",
    }  # fmt: skip
    assert best.measured["lut"] > 0
    assert result.base_measured["lut"] > 0

    out = tmp_path / "front"
    ((trial, path),) = front.write(found, 1, out)
    assert trial.number == best.number
    spec = read_spec(path)
    workspace = Workspace(
        model=out / spec.name,
        projects=out / "projects",
        firmware=out / "firmware",
        reports=out / "reports",
        store=session_store,
        spec_file=path,
    )
    summary = pipeline.run(spec, workspace)
    assert all(entry.n_different == 0 for entry in summary.agreements)
    assert summary.quantised_metrics.accuracy == pytest.approx(best.figures["accuracy"], abs=1e-12)
    assert summary.resources.lut == best.measured["lut"]
    refused = [entry for entry in summary.checks if not entry.met]
    assert best.not_met == tuple(
        f"{entry.name}: {entry.used}, allowed {entry.allowed}" for entry in refused
    )
    assert next(entry for entry in summary.stages if entry.stage == "training").cached

    path.write_text(path.read_text() + "# changed\n")
    with pytest.raises(InputError, match="is another spec; name another folder by --out"):
        front.write(found, 1, out)
