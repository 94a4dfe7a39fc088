import dataclasses
from pathlib import Path

import gate_work
import pytest
import tiny_models

from trigforge import gate
from trigforge.core.errors import InputError
from trigforge.core.records import Check, no_progress
from trigforge.core.store import Store
from trigforge.core.verdict import Figure, SpecVerdict
from trigforge.core.workspace import Workspace
from trigforge.gate import Candidate, Demands, baseline

UNREADABLE = SpecVerdict(name="bad.yaml", spec=Path("bad.yaml"), error="bad.yaml: not YAML")


def candidate(name: str) -> Candidate:
    folder = Path("nowhere")
    spec = tiny_models.make_spec("jets_hlf").model_copy(update={"name": name})
    return Candidate(
        path=Path(f"{name}.yaml"),
        spec=spec,
        workspace=Workspace(
            model=folder, projects=folder, firmware=folder, reports=folder, store=Store(folder)
        ),
    )


def check(*candidates, **demands):
    return gate.check(
        candidates, Demands(**demands), n_jobs=2, progress=no_progress, work=gate_work.judge
    )


def verdict(*, met: bool = True, error: str | None = None) -> SpecVerdict:
    line = Check(name="bit-exact", used="", allowed="0", met=met)
    return SpecVerdict(name="jets", spec=Path("jets.yaml"), checks=(line,), error=error)


def test_what_is_wrong_with_one_spec_hides_nothing_of_the_others():
    verdicts = check(candidate("good"), candidate("dies"), UNREADABLE, candidate("fails"))
    assert [entry.name for entry in verdicts] == ["good", "dies", "bad.yaml", "fails"]
    assert [entry.met for entry in verdicts] == [True, False, False, False]
    good, dies, unreadable, fails = verdicts
    assert good.seconds > 0
    assert dies.error == "its process was killed by SIGSEGV"
    assert unreadable == UNREADABLE
    assert [line.name for line in fails.failed] == ["bit-exact"]


def test_strictness_makes_a_failure_of_what_is_unknown():
    (loose,) = check(candidate("unknown"))
    (strict,) = check(candidate("unknown"), strict=True)
    assert loose.met
    assert loose.unknown == ("latency: not simulated",)
    assert [line.name for line in strict.failed] == ["budget: latency"]
    assert strict.unknown == ()


def test_a_baseline_is_asked_about_every_spec_that_was_judged():
    figure = Figure(name="lut", value=5, origin="synthesis")
    recorded = dataclasses.replace(verdict(), name="good", figures=(figure,))
    stored = baseline.record(None, [recorded])
    good, new, dies = check(candidate("good"), candidate("new"), candidate("dies"), baseline=stored)
    assert [line.name for line in good.failed] == ["baseline: LUT"]
    assert [line.name for line in new.failed] == ["baseline: recorded"]
    assert dies.failed == ()
    (recording,) = check(candidate("new"), baseline=stored, recording=True)
    assert recording.met


def test_two_specs_of_one_name_are_refused_before_anything_runs(monkeypatch):
    monkeypatch.setattr(gate, "run_apart", None)
    twin = dataclasses.replace(candidate("good"), path=Path("other/good.yaml"))
    with pytest.raises(InputError, match=r"other/good.yaml: 'good' is also the name of good.yaml"):
        check(candidate("good"), twin)
    with pytest.raises(InputError, match="name each model once"):
        check(UNREADABLE, UNREADABLE)


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([verdict(), verdict()], 0),
        ([verdict(), verdict(met=False)], 1),
        ([verdict(), UNREADABLE], 2),
        ([UNREADABLE, verdict(met=False)], 1),
        ([dataclasses.replace(verdict(), checks=())], 2),
        ([], 2),
    ],
)
def test_the_exit_code_says_failed_before_not_judged_before_met(verdicts, code):
    assert gate.exit_code(verdicts) == code
