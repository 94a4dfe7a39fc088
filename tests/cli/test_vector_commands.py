"""The commands about vectors are thin: what needs a network is mocked."""

import json
from pathlib import Path
from unittest import mock

import pytest
from typer.testing import CliRunner

from trigforge.cli.app import app
from trigforge.core.spec_file import read_spec
from trigforge.pipeline import delivery
from trigforge.pipeline.delivery import ComparisonRequest, VectorRequest
from trigforge.vectors import VectorComparison, VectorFile, VectorFolder, VectorFormat

EVENTS = "1 2\n3 4\n"
WRITTEN = VectorFolder(
    folder=Path("vectors"),
    format=VectorFormat.EMP2,
    n_events=3,
    files=tuple(
        VectorFile(path=f"{side}.txt", side=side, first_event=0, n_events=3, n_frames=24)
        for side in ("inputs", "outputs")
    ),
)


def says(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def files(tmp_path):
    """Write two files of events and name them."""

    def write(expected: str, captured: str) -> tuple[Path, Path]:
        paths = tmp_path / "expected.txt", tmp_path / "captured.txt"
        for path, text in zip(paths, (expected, captured), strict=True):
            path.write_text(text)
        return paths

    return write


def test_vectors_are_written_as_asked_for(spec_file):
    with mock.patch.object(delivery, "write_vectors", autospec=True, return_value=WRITTEN) as write:
        result = says("vectors", spec_file, "--format", "emp2", "--out", "vectors", "--events", "3")
    request = VectorRequest(format=VectorFormat.EMP2, out=Path("vectors"), n_events=3)
    write.assert_called_once_with(read_spec(spec_file), mock.ANY, request, mock.ANY)
    assert (result.exit_code, result.stdout) == (
        0,
        "vectors: 3 events as emp2, 1 file(s) of inputs, 1 of outputs\n",
    )


def test_the_record_of_what_was_written_is_json(spec_file):
    with mock.patch.object(delivery, "write_vectors", autospec=True, return_value=WRITTEN):
        result = says("vectors", spec_file, "--format", "apx", "--out", "vectors", "--json")
    assert json.loads(result.stdout)["files"][1]["n_frames"] == 24


def test_every_format_of_the_stage_can_be_asked_for(spec_file):
    for vector_format in VectorFormat:
        with mock.patch.object(delivery, "write_vectors", autospec=True, return_value=WRITTEN) as w:
            says("vectors", spec_file, "--format", vector_format.value, "--out", "vectors")
        assert w.call_args.args[2].format is vector_format


def test_a_format_nobody_writes_and_no_events_are_wrong_usage(spec_file):
    assert says("vectors", spec_file, "--format", "x2o", "--out", "o").exit_code == 2
    options = ("--format", "raw", "--out", "o", "--events", "0")
    assert says("vectors", spec_file, *options).exit_code == 2


def test_frames_without_links_in_the_spec_are_wrong_input(spec_file, tmp_path):
    result = says("vectors", spec_file, "--format", "emp2", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "trigforge: links: the spec needs this section" in result.stderr
    assert "frames_per_crossing: 8" in result.stderr


def test_equal_files_give_exit_code_0(files):
    result = says("compare-vectors", *files(EVENTS, EVENTS))
    assert (result.exit_code, result.stdout) == (0, "2 events compared, 0 differ\n")


def test_a_difference_gives_exit_code_1_and_is_shown(files):
    result = says("compare-vectors", *files(EVENTS, "1 2\n3 5\n"))
    assert result.exit_code == 1
    assert "event 1: another value; output 1 (output 1): expected 4, captured 5" in result.stdout


def test_the_record_of_a_comparison_is_json(files):
    result = says("compare-vectors", *files(EVENTS, "1 2\n3 5\n"), "--json")
    record = json.loads(result.stdout)
    assert (result.exit_code, record["met"], record["n_different"]) == (1, False, 1)


@pytest.mark.parametrize(
    ("captured", "problem"),
    [
        ("", "captured.txt: empty"),
        ("1 2\n3", "captured.txt, line 2: cut short"),
        ("1 2\nx 4\n", "captured.txt, line 2: 'x' is no number"),
        ("1 2 3\n", "2 numbers an event are expected, 3 captured"),
    ],
)
def test_a_file_that_cannot_be_used_gives_exit_code_2_and_one_line(files, captured, problem):
    result = says("compare-vectors", *files(EVENTS, captured))
    assert (result.exit_code, result.stdout) == (2, "")
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("n_different", [0, 1])
def test_a_spec_names_the_outputs(spec_file, files, n_different):
    expected, captured = files(EVENTS, EVENTS)
    found = VectorComparison(
        expected_format="emp2",
        captured_format="apx",
        n_compared=3,
        n_different=n_different,
        n_missing=0,
        n_surplus=0,
        n_different_events=n_different,
    )
    request = ComparisonRequest(expected=expected, captured=captured, words_only=True)
    with mock.patch.object(delivery, "compare_outputs", autospec=True, return_value=found) as asked:
        result = says(
            "compare-vectors", expected, captured, "--spec", spec_file, "--words-only", "--quiet"
        )
    asked.assert_called_once_with(read_spec(spec_file), mock.ANY, request, mock.ANY)
    assert result.exit_code == n_different
