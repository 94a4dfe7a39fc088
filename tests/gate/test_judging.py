import dataclasses
from pathlib import Path
from unittest import mock

import pytest
import tiny_models

from trigforge import pipeline
from trigforge.core.errors import SimulationFault, ToolError
from trigforge.core.records import no_progress
from trigforge.core.store import Store
from trigforge.core.workspace import Workspace
from trigforge.gate.judging import Candidate, judge, verdict_of


@pytest.fixture
def candidate(spec_path):
    folder = Path("nowhere")
    return Candidate(
        path=spec_path,
        spec=tiny_models.make_spec("jets_hlf"),
        workspace=Workspace(
            model=folder, projects=folder, firmware=folder, reports=folder, store=Store(folder)
        ),
    )


def judged(candidate, **result):
    with mock.patch.object(pipeline, "run", autospec=True, **result) as run:
        verdict = judge(candidate, no_progress)
    run.assert_called_once_with(candidate.spec, candidate.workspace, progress=no_progress)
    return verdict


def test_a_run_becomes_a_verdict(candidate, summary, spec_path):
    verdict = judged(candidate, return_value=summary)
    assert verdict == verdict_of(summary, spec_path)
    assert (verdict.name, verdict.met, verdict.error) == ("jets", True, None)
    assert [line.name for line in verdict.lines] == ["bit-exact: RTL", "budget: LUT"]


def test_what_is_unknown_is_told_from_other_warnings(estimated, spec_path):
    verdict = verdict_of(estimated, spec_path)
    assert verdict.unknown == ("latency: neither simulated nor reported",)
    assert verdict.notes == ("advice: fewer stages",)
    assert verdict.met


def test_a_run_without_checks_is_not_met(summary, spec_path):
    verdict = verdict_of(dataclasses.replace(summary, checks=()), spec_path)
    assert [line.name for line in verdict.failed] == ["checks"]
    assert not verdict.met


@pytest.mark.parametrize(
    ("error", "message"),
    [(ToolError("yosys is needed"), "yosys is needed"), (MemoryError(), "MemoryError")],
)
def test_an_error_of_a_run_is_a_verdict_too(candidate, error, message):
    verdict = judged(candidate, side_effect=error)
    assert (verdict.name, verdict.error, verdict.met) == ("tiny_jets", message, False)


def test_a_design_without_results_is_a_failed_check(candidate):
    verdict = judged(candidate, side_effect=SimulationFault("no result in 40 cycles", 40))
    assert verdict.error is None
    assert [line.used for line in verdict.failed] == ["no result in 40 cycles"]


def test_a_mistake_of_ours_is_not_taken_for_a_verdict(candidate):
    with pytest.raises(KeyError, match="mistake"):
        judged(candidate, side_effect=KeyError("mistake"))
