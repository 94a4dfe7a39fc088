"""The command line is thin: these tests mock what it calls and look at what it says."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest
import tiny_models
import yaml
from typer.testing import CliRunner

import trigforge
from trigforge import pipeline
from trigforge.cli.app import app
from trigforge.core.errors import ToolError
from trigforge.core.records import (
    Agreement,
    Check,
    ClassMetrics,
    HlsProject,
    Metrics,
    Port,
    RunSummary,
)
from trigforge.core.spec_file import read_spec
from trigforge.core.store import Store
from trigforge.core.workspace import Workspace
from trigforge.samples import archive, generation

METRICS = Metrics(
    n_events=150,
    accuracy=0.75,
    classes=(ClassMetrics(name="top", auc=0.9, signal_efficiency=0.5, background_rejection=20.0),),
)
AGREED = Agreement(
    reference="QKeras", candidate="C simulation", n_events=2, n_values=10, n_different=0
)
DIFFERENT = dataclasses.replace(AGREED, n_different=3)


def trigforge_says(*arguments, **options):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], **options)


def summary(*, met: bool) -> RunSummary:
    return RunSummary(
        name="tiny_jets",
        n_train=400,
        n_test=150,
        sample_origin="made up",
        float_metrics=METRICS,
        quantised_metrics=METRICS,
        agreements=(AGREED,),
        checks=(Check(name="bit-exact", used="0", allowed="0", met=met),),
        projects=(),
        stages=(),
        provenance=(),
    )


def workspace_of(spec_file: Path) -> Workspace:
    return Workspace(
        model=spec_file.parent / "tiny_jets",
        projects=Path("hls_projects"),
        firmware=Path("firmware"),
        reports=Path("reports"),
        store=Store(Path(".trigforge")),
    )


@pytest.fixture
def mocked_run():
    with mock.patch.object(pipeline, "run", autospec=True) as run:
        run.return_value = summary(met=True)
        yield run


def test_run_calls_the_pipeline_once_a_spec(mocked_run, spec_file):
    result = trigforge_says("run", spec_file, spec_file, "--sample", "mine.npz")
    assert result.exit_code == 0
    call = mock.call(
        read_spec(spec_file),
        workspace_of(spec_file),
        sample_file=Path("mine.npz"),
        progress=mock.ANY,
    )
    assert mocked_run.call_args_list == [call, call]
    assert result.stdout.count("tiny_jets: all checks met") == 2


def test_the_folders_can_be_chosen(mocked_run, spec_file, tmp_path):
    names = {"--store": "s", "--projects": "p", "--firmware": "f", "--reports": "r"}
    options = [part for option, name in names.items() for part in (option, tmp_path / name)]
    assert trigforge_says(*options, "run", spec_file).exit_code == 0
    (_, workspace), _ = mocked_run.call_args
    assert workspace == Workspace(
        model=spec_file.parent / "tiny_jets",
        projects=tmp_path / "p",
        firmware=tmp_path / "f",
        reports=tmp_path / "r",
        store=Store(tmp_path / "s"),
    )


def test_the_store_can_come_from_the_environment(mocked_run, spec_file, tmp_path):
    assert trigforge_says("run", spec_file, env={"TRIGFORGE_STORE": str(tmp_path)}).exit_code == 0
    (_, workspace), _ = mocked_run.call_args
    assert workspace.store == Store(tmp_path)


def test_one_failed_check_of_many_makes_exit_code_1(mocked_run, spec_file):
    mocked_run.side_effect = [summary(met=True), summary(met=False), summary(met=True)]
    result = trigforge_says("run", spec_file, spec_file, spec_file)
    assert result.exit_code == 1
    assert mocked_run.call_count == 3
    assert "tiny_jets: FAILED: bit-exact" in result.stdout


def test_json_is_all_that_standard_output_holds(mocked_run, spec_file):
    def talking(*_, progress, **__):
        progress("training", 0, 3)
        progress("training", 3, 3)
        return summary(met=False)

    mocked_run.side_effect = talking
    result = trigforge_says("run", "--json", spec_file, spec_file)
    assert result.exit_code == 1
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["met"] for record in records] == [False, False]
    assert result.stderr == "training (3) ...\ntraining: done\n" * 2


def test_quiet_says_nothing_of_progress(mocked_run, spec_file):
    mocked_run.side_effect = lambda *_, progress, **__: (
        progress("training", 0, 3) or summary(met=True)
    )
    assert trigforge_says("run", "--quiet", spec_file).stderr == ""


def test_off_a_terminal_there_are_plain_lines(mocked_run, spec_file):
    text = trigforge_says("run", spec_file).output
    assert "\x1b" not in text
    assert "\r" not in text


def test_train_calls_the_pipeline(spec_file):
    with mock.patch.object(pipeline, "train", autospec=True) as train:
        train.return_value = (METRICS, METRICS)
        result = trigforge_says("train", spec_file)
    assert result.exit_code == 0
    train.assert_called_once_with(read_spec(spec_file), workspace_of(spec_file), None, mock.ANY)
    assert "tiny_jets: accuracy float 0.7500, quantised 0.7500" in result.stdout
    assert "(150 held-out events)" in result.stdout


def test_convert_calls_the_pipeline(spec_file):
    port = Port(
        name="x", shape=(1,), format=read_spec(spec_file).quantization.parsed("link_format")
    )
    written = HlsProject(
        name="tiny_jets",
        folder=Path("hls_projects/tiny_jets"),
        backend="Vitis",
        io_type="io_parallel",
        input=port,
        output=port,
    )
    with mock.patch.object(pipeline, "convert_all", autospec=True) as convert:
        convert.return_value = (written,)
        result = trigforge_says("convert", spec_file, "--sample", "mine.npz")
    convert.assert_called_once_with(
        read_spec(spec_file), workspace_of(spec_file), Path("mine.npz"), mock.ANY
    )
    assert (result.exit_code, result.stdout) == (
        0,
        "hls_projects/tiny_jets: Vitis, io_parallel\n",
    )


@pytest.mark.parametrize(("agreement", "code"), [(AGREED, 0), (DIFFERENT, 1)])
def test_csim_calls_the_pipeline_and_fails_on_a_difference(spec_file, agreement, code):
    with mock.patch.object(pipeline, "simulate_all", autospec=True) as simulate:
        simulate.return_value = (AGREED, agreement)
        result = trigforge_says("csim", spec_file)
    assert result.exit_code == code
    simulate.assert_called_once_with(read_spec(spec_file), workspace_of(spec_file), None, mock.ANY)
    assert "values compared" in result.stdout


@pytest.fixture
def mocked_generation(spec_file):
    sample = tiny_models.make_sample(read_spec(spec_file))
    with (
        mock.patch.object(generation, "generate", autospec=True, return_value=sample) as generate,
        mock.patch.object(archive, "save", autospec=True) as save,
    ):
        yield generate, save, sample


def test_samples_generates_and_saves(mocked_generation, spec_file):
    generate, save, sample = mocked_generation
    result = trigforge_says("samples", spec_file, "--out", "jets.npz", "--processes", "3")
    assert result.exit_code == 0, result.output
    generate.assert_called_once_with(
        read_spec(spec_file).sample, Store(Path(".trigforge")), n_processes=3, progress=mock.ANY
    )
    save.assert_called_once_with(sample, Path("jets.npz"))
    assert result.stdout.startswith("jets.npz: 400 train and 150 test examples of gluon, ")


def test_samples_can_be_smaller_than_the_spec_says(mocked_generation, spec_file):
    generate, save, _ = mocked_generation
    options = ("--out", "jets.npz", "--jets-per-class", "100", "--keep", "50", "20")
    result = trigforge_says("samples", spec_file, *options)
    assert result.exit_code == 0, result.output
    (wanted, _), _ = generate.call_args
    assert wanted == read_spec(spec_file).sample.model_copy(update={"jets_per_class": 100})
    (kept, _), _ = save.call_args
    assert (len(kept.x_train), len(kept.x_test)) == (50, 20)


@pytest.mark.parametrize(
    "options",
    [
        ("--keep", "0", "20"),
        ("--keep", "10", "-1"),
        ("--jets-per-class", "99"),
        ("--processes", "0"),
    ],
)
def test_samples_refuses_impossible_sizes(mocked_generation, spec_file, options):
    generate, _, _ = mocked_generation
    result = trigforge_says("samples", spec_file, "--out", "jets.npz", *options)
    assert result.exit_code == 2
    assert options[0] in result.stderr
    generate.assert_not_called()


@pytest.mark.parametrize(
    "arguments", [["--wrong"], ["run", "--wrong"], ["run"], ["fly"], ["--quiet"], ["--debug"], []]
)
def test_wrong_usage_is_exit_code_2(arguments):
    assert trigforge_says(*arguments).exit_code == 2


def test_a_wrong_spec_lists_all_its_problems(tmp_path):
    data = tiny_models.spec_data("jets_hlf")
    data["training"]["epochs"] = 0
    data["hardware"].pop("clock_mhz")
    data["colour"] = "red"
    path = tmp_path / "wrong.yaml"
    path.write_text(yaml.safe_dump(data))
    result = trigforge_says("run", path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"trigforge: {path}: 3 problem(s)\n")
    for problem in ("training.epochs: ", "hardware.clock_mhz: missing", "colour: unknown key"):
        assert problem in result.stderr


def test_no_spec_is_run_if_one_of_them_is_wrong(mocked_run, spec_file, tmp_path):
    assert trigforge_says("run", spec_file, tmp_path / "none.yaml").exit_code == 2
    mocked_run.assert_not_called()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ToolError("g++ is needed"), "g++ is needed"),
        (OSError(28, "No space left on device", "/tmp/x"), "No space left on device: '/tmp/x'"),
        (MemoryError(), "MemoryError"),
        (KeyboardInterrupt(), "interrupted; what was finished is kept, run again to go on"),
    ],
)
def test_an_error_is_one_line_and_exit_code_2(mocked_run, spec_file, error, line):
    mocked_run.side_effect = error
    result = trigforge_says("run", spec_file)
    assert (result.exit_code, result.stdout) == (2, "")
    (only,) = result.stderr.splitlines()
    assert only.startswith("trigforge: ")
    assert only.endswith(line)


def test_debug_shows_where_an_error_came_from(mocked_run, spec_file):
    mocked_run.side_effect = ToolError("g++ is needed")
    result = trigforge_says("--debug", "run", spec_file)
    assert result.exit_code == 2
    assert result.stderr.startswith("Traceback (most recent call last):\n")
    assert result.stderr.endswith("\ntrigforge: g++ is needed\n")


def test_a_defect_of_ours_is_not_hidden(mocked_run, spec_file):
    mocked_run.side_effect = ZeroDivisionError
    assert isinstance(trigforge_says("run", spec_file).exception, ZeroDivisionError)


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_simple_questions_wait_for_no_heavy_library(option):
    code = (
        "import sys, time\n"
        "started = time.perf_counter()\n"
        "from trigforge.cli import main\n"
        "try:\n"
        f"    sys.argv = ['trigforge', '{option}']\n"
        "    main()\n"
        "finally:\n"
        "    print(f'{time.perf_counter() - started:.3f} s', file=sys.stderr)\n"
        "    print(*sorted(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, modules = done.stderr.splitlines()
    sys.stdout.write(f"trigforge {option}: {seconds}\n")
    heavy = {"keras", "tensorflow", "hls4ml", "pythia8mc", "fastjet", "numpy", "numba", "pydantic"}
    assert heavy.isdisjoint(modules.split())
    if option == "--version":
        assert done.stdout == f"trigforge {trigforge.__version__}\n"
    else:
        assert "Commands:" in done.stdout


def test_the_installed_command_prints_the_traceback_only_if_asked(tmp_path):
    program = Path(sys.executable).with_name("trigforge")
    missing = tmp_path / "none.yaml"
    plain = subprocess.run([program, "run", missing], capture_output=True, text=True, check=False)
    assert (plain.returncode, plain.stdout) == (2, "")
    assert plain.stderr == (
        f"trigforge: {missing}: cannot read the spec: No such file or directory\n"
    )
    debug = subprocess.run(
        [program, "--debug", "run", missing], capture_output=True, text=True, check=False
    )
    assert debug.returncode == 2
    assert "Traceback (most recent call last)" in debug.stderr


@pytest.mark.parametrize(("agreement", "code"), [(AGREED, 0), (DIFFERENT, 1)])
def test_verify_runs_the_pipeline_and_shows_every_pair(mocked_run, spec_file, agreement, code):
    other = dataclasses.replace(agreement, reference="evaluator", candidate="emulator")
    mocked_run.return_value = dataclasses.replace(summary(met=True), agreements=(AGREED, other))
    result = trigforge_says("verify", spec_file)
    assert result.exit_code == code
    mocked_run.assert_called_once_with(
        read_spec(spec_file), workspace_of(spec_file), sample_file=None, progress=mock.ANY
    )
    assert "evaluator" in result.stdout


def test_emulate_calls_the_pipeline(spec_file):
    with mock.patch.object(pipeline, "emulate", autospec=True, return_value=(7, 5)) as emulate:
        files = ("--events", "in.npy", "--out", "out.npy", "--threads", "3")
        result = trigforge_says("emulate", spec_file, *files)
    assert (result.exit_code, result.stdout) == (0, "out.npy: 7 events, 5 raw scores each\n")
    emulate.assert_called_once_with(
        read_spec(spec_file),
        workspace_of(spec_file),
        (Path("in.npy"), Path("out.npy")),
        n_threads=3,
        progress=mock.ANY,
    )


def test_export_writes_the_form_that_is_asked_for(spec_file):
    spec, workspace = read_spec(spec_file), workspace_of(spec_file)
    with mock.patch.object(pipeline, "export_onnx", autospec=True) as onnx:
        assert trigforge_says("export", "onnx", spec_file, "--out", "n.onnx").exit_code == 0
    onnx.assert_called_once_with(spec, workspace, Path("n.onnx"), mock.ANY)
    with mock.patch.object(pipeline, "export_emulator", autospec=True) as emulator:
        options = ("--out", "cpp", "--model-version", "4")
        assert trigforge_says("export", "emulator", spec_file, *options).exit_code == 0
    emulator.assert_called_once_with(spec, workspace, Path("cpp"), 4, mock.ANY)
