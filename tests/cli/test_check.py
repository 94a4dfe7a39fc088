"""``trigforge check`` is thin: what it calls is mocked."""

import json
import os
from pathlib import Path
from unittest import mock
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner

from trigforge import gate
from trigforge.cli.app import app
from trigforge.core.records import Check
from trigforge.core.verdict import Figure, SpecVerdict
from trigforge.gate import Candidate, Demands, baseline


def verdict(name: str = "tiny_jets", *, met: bool = True, lut: int = 100) -> SpecVerdict:
    return SpecVerdict(
        name=name,
        spec=Path("tiny_jets.yaml"),
        checks=(Check(name="bit-exact", used="0 differ", allowed="0", met=met),),
        figures=(Figure(name="lut", value=lut, origin="logic synthesis, Yosys"),),
    )


def says(*arguments, **environment):
    environment = {"GITHUB_ACTIONS": None, **environment}
    return CliRunner().invoke(app, ["check", *map(str, arguments)], env=environment)


@pytest.fixture
def judged():
    with mock.patch.object(gate, "check", autospec=True, return_value=(verdict(),)) as check:
        yield check


@pytest.fixture
def baseline_file(tmp_path):
    path = tmp_path / "baseline.json"
    baseline.write(baseline.record(None, [verdict(), verdict("images")]), path)
    return path


def test_check_judges_all_specs_at_once(judged, spec_file):
    result = says(spec_file, spec_file, "--quiet")
    assert result.exit_code == 0, result.output
    (candidates, demands), options = judged.call_args
    assert [entry.path for entry in candidates] == [spec_file, spec_file]
    assert all(isinstance(entry, Candidate) for entry in candidates)
    assert candidates[0].workspace.model == spec_file.parent / "tiny_jets"
    assert demands == Demands()
    assert options == {"n_jobs": os.cpu_count(), "progress": mock.ANY}
    assert "1 of 1 specs met all checks" in result.stdout


def test_a_spec_that_cannot_be_read_is_handed_on_as_not_judged(judged, spec_file, tmp_path):
    says(tmp_path / "none.yaml", spec_file, "--jobs", "3")
    (candidates, _), options = judged.call_args
    unreadable, readable = candidates
    assert isinstance(unreadable, SpecVerdict)
    assert "No such file" in unreadable.error
    assert readable.path == spec_file
    assert options["n_jobs"] == 3


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ((verdict(met=False),), 1),
        ((verdict(), SpecVerdict(name="x", spec=Path("x.yaml"), error="no tool")), 2),
    ],
)
def test_the_exit_code_is_that_of_the_gate(judged, spec_file, verdicts, code):
    judged.return_value = verdicts
    assert says(spec_file).exit_code == code


def test_the_baseline_is_read_before_anything_runs(judged, spec_file, baseline_file):
    result = says(spec_file, "--baseline", baseline_file, "--strict")
    assert result.exit_code == 0
    demands = judged.call_args.args[1]
    assert demands == Demands(baseline=baseline.read(baseline_file), strict=True)
    assert f"{baseline_file}: images is in the baseline but was not checked" in result.stderr


@pytest.mark.parametrize("option", ["--baseline", "--write-baseline"])
def test_an_unreadable_baseline_is_wrong_input_and_nothing_runs(
    judged, spec_file, tmp_path, option
):
    path = tmp_path / "baseline.json"
    path.write_text("{")
    result = says(spec_file, option, path, "--junit", tmp_path / "junit.xml")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"trigforge: {path}: not a baseline")
    judged.assert_not_called()
    assert list(tmp_path.glob("junit*")) == []
    assert path.read_text() == "{"


@pytest.mark.parametrize("option", ["--junit", "--write-baseline"])
def test_a_folder_is_no_file_to_write(judged, spec_file, tmp_path, option):
    result = says(spec_file, option, tmp_path)
    assert result.exit_code == 2
    assert "is a folder" in result.stderr
    judged.assert_not_called()


def test_a_baseline_is_written_of_what_met_all_checks(judged, spec_file, tmp_path):
    path = tmp_path / "new" / "baseline.json"
    judged.return_value = (verdict(), verdict("images", met=False))
    result = says(spec_file, "--write-baseline", path)
    assert result.exit_code == 1
    assert sorted(baseline.read(path).specs) == ["tiny_jets"]
    assert judged.call_args.args[1] == Demands(recording=True)
    assert f"{path}: figures of tiny_jets\n" in result.stderr
    assert f"{path}: images is not written: not all checks were met" in result.stderr


def test_writing_over_a_baseline_keeps_what_was_not_checked(judged, spec_file, baseline_file):
    judged.return_value = (verdict(lut=5),)
    assert says(spec_file, "--write-baseline", baseline_file).exit_code == 0
    specs = baseline.read(baseline_file).specs
    assert (specs["tiny_jets"].lut.value, specs["images"].lut.value) == (5, 100)


def test_json_is_one_record_a_spec_and_nothing_else(judged, spec_file):
    judged.return_value = (verdict(), verdict("images", met=False))
    result = says(spec_file, "--json", GITHUB_ACTIONS="true")
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert (first["name"], first["figures"][0]["value"]) == ("tiny_jets", 100)
    assert second["checks"][0]["met"] is False
    assert "::error file=tiny_jets.yaml" in result.stderr


def test_junit_holds_the_verdicts(judged, spec_file, tmp_path):
    path = tmp_path / "junit.xml"
    says(spec_file, "--junit", path)
    assert ET.parse(path).getroot().get("tests") == "2"


@pytest.mark.parametrize(("value", "annotated"), [("true", True), ("", False), (None, False)])
def test_annotations_are_for_github_alone(judged, spec_file, value, annotated):
    judged.return_value = (verdict(met=False),)
    result = says(spec_file, GITHUB_ACTIONS=value)
    assert ("\n::error file=tiny_jets.yaml,title=" in result.stdout) is annotated
    assert "::error" not in result.stderr


def test_no_spec_is_wrong_usage(judged):
    assert says().exit_code == 2
    judged.assert_not_called()
