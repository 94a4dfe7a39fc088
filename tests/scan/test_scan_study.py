import time

import pytest
from optuna.trial import TrialState

import scans
from trigforge.core.errors import InputError, ToolError
from trigforge.scan import study as studies
from trigforge.scan.study import open_study


@pytest.fixture
def opened(tmp_path):
    """Open the study of a scan, again and again with the same database."""

    def open_it(grace_s=60, **changes):
        found = scans.read(tmp_path, **changes)
        return open_study(found, f"sqlite:///{tmp_path / 'study.db'}", grace_s=grace_s)

    return open_it


def tell(study, trial):
    bits, units = trial.params["weights"], trial.params["network.hidden_units.0"]
    kept = 1 - trial.params["training.sparsity"]
    study.tell(trial, {"accuracy": 1 - 1 / (bits * units), "ebops": bits * units * kept})


def all_of(study):
    proposed = []
    while (trial := study.ask()) is not None:
        proposed.append(trial.params)
        tell(study, trial)
    return proposed


def test_the_base_comes_first_and_then_as_many_as_are_wanted(opened):
    proposed = all_of(opened())
    assert len(proposed) == 8
    assert proposed[0] == {"weights": 6, "network.hidden_units.0": 6, "training.sparsity": 0.0}
    assert len({str(entry) for entry in proposed}) > 4


@pytest.mark.parametrize("sampler", ["tpe", "nsga2", "random"])
def test_the_same_seed_gives_the_same_proposals(tmp_path, sampler):
    runs = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        found = scans.read(folder, sampler=sampler)
        runs.append(all_of(open_study(found, f"sqlite:///{folder / 'study.db'}")))
    assert runs[0] == runs[1]
    folder = tmp_path / "other"
    folder.mkdir()
    other = scans.read(folder, sampler=sampler, seed=6)
    assert all_of(open_study(other, f"sqlite:///{folder / 'study.db'}")) != runs[0]


def test_a_study_that_is_opened_again_goes_on_as_if_it_had_not_been_closed(opened, tmp_path):
    study = opened()
    first = []
    for _ in range(3):
        trial = study.ask()
        first.append(trial.params)
        tell(study, trial)
    (tmp_path / "whole").mkdir()
    whole = open_study(scans.read(tmp_path / "whole"), f"sqlite:///{tmp_path / 'whole.db'}")
    assert first + all_of(opened()) == all_of(whole)


def test_more_trials_can_be_wanted_later(opened):
    assert len(all_of(opened())) == 8
    assert all_of(opened()) == []
    assert len(all_of(opened(n_trials=10))) == 2


def test_a_failed_trial_keeps_its_error_and_counts(opened):
    study = opened(n_trials=2)
    study.tell_failed(study.ask(), "it does not fit", seconds=1.5)
    tell(study, study.ask())
    assert study.ask() is None
    failed, done = study.ended()
    assert failed.user_attrs == {"error": "it does not fit", "seconds": 1.5}
    assert (failed.state, done.state) == (TrialState.FAIL, TrialState.COMPLETE)
    assert (study.n_lost(), study.front()) == (0, {1})


def test_of_equal_designs_the_first_is_on_the_front(opened):
    weights = {**scans.SCAN["space"]["weights"], "high": 3}
    others = {"network.hidden_units.0": {"choices": [4]}, "training.sparsity": {"choices": [0.0]}}
    study = opened(n_trials=2, space={"weights": weights, **others})
    tell(study, study.ask())
    tell(study, study.ask())
    assert study.front() == {0}


def test_trials_that_are_given_up_run_again(opened):
    study = opened(n_trials=2)
    given_up = study.ask().params
    study.give_up()
    assert study.ended() == []
    again = opened(n_trials=2)
    assert again.ask().params == given_up
    assert again.n_lost() == 1


def test_a_trial_whose_client_died_runs_again_when_it_gives_no_sign_of_life(opened, monkeypatch):
    monkeypatch.setattr(studies, "SIGN_OF_LIFE_S", 1)
    died = opened(grace_s=2, n_trials=2)
    lost = died.ask()
    died.watch()
    lives = opened(grace_s=2, n_trials=2)
    other = lives.ask()
    assert other.params != lost.params
    assert lives.ask() is None  # one is under way elsewhere, for all that is known
    deadline = time.monotonic() + 30
    while (again := lives.ask()) is None and time.monotonic() < deadline:
        lives.watch()  # its own trial lives on
        time.sleep(0.2)
    assert again.params == lost.params
    assert set(lives.running) == {other.number, again.number}
    tell(died, lost)  # comes back from the dead: nobody listens
    assert [trial.number for trial in lives.ended()] == []


def test_a_study_of_another_space_is_refused(opened):
    opened()
    with pytest.raises(InputError, match="holds a study tiny_scan of another base, space or obj"):
        opened(seed=6)
    opened(n_trials=100, front={"synthesise": 3})


def test_a_database_that_cannot_be_reached_is_an_error(tmp_path):
    found = scans.read(tmp_path)
    with pytest.raises(ToolError, match=r"study tiny_scan cannot be kept at sqlite:///.*nowhere"):
        open_study(found, f"sqlite:///{tmp_path}/nowhere/study.db")
    with pytest.raises(ToolError, match=r"trigforge\[postgresql\]"):
        open_study(found, "postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(ToolError, match="cannot be kept at study"):
        open_study(found, "study")


def test_notes_outlive_the_client(opened):
    study = opened()
    assert study.note("base") is None
    study.note("base", {"accuracy": 0.75})
    assert opened().note("base") == {"accuracy": 0.75}
