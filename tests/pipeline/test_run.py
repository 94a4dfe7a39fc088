"""The pipeline on models that train and compile in seconds, mostly through the command line."""

import dataclasses
import json
import os
import re
import shutil
from itertools import combinations
from pathlib import Path
from unittest import mock

import jsonschema
import keras
import pytest

from trigforge import csim, pipeline, training
from trigforge.report import document
from trigforge.samples import generation

IO_TYPES = ["io_parallel", "io_stream"]
BOTH = {"acceptance": {"io_types": IO_TYPES}}
COMPILES = pytest.mark.toolchain
NO_LATENCY = "unknown: initiation interval and latency: neither simulated nor reported by a tool"


def one_error(result, *parts) -> None:
    """The result is one message without a traceback, and exit code 2."""
    code, out, err = result
    assert (code, out) == (2, ""), err
    assert err.startswith("trigforge: ")
    assert "Traceback" not in err
    for part in parts:
        assert re.search(part, err), f"{part!r} is not in {err!r}"


def fake_compiler(folder: Path) -> Path:
    """Return a g++ that tells what it is but refuses to compile."""
    program = folder / "fake-g++"
    program.write_text(
        '#!/bin/sh\ncase "$1" in --version | -dumpmachine) exec g++ "$1" ;; esac\n'
        'echo "the fake compiler was called" >&2\nexit 1\n'
    )
    program.chmod(0o755)
    return program


def referees(io_type: str) -> list[str]:
    """Name all implementations that a run compares for an io type."""
    made = ("C simulation", "evaluator", "emulator", "ONNX Runtime")
    return ["QKeras, exact", *(f"{name}, {io_type}" for name in made)]


@COMPILES
@pytest.mark.pipeline
@pytest.mark.parametrize("kind", ["jets_hlf", "top_images"])
def test_a_run_agrees_in_both_io_types_and_reports_it(tiny_model, trigforge_says, kind):
    model = tiny_model(kind, BOTH)
    code, out, _ = trigforge_says(*model.command("run", "--quiet"))
    assert code == 0, out
    report = model.report
    jsonschema.validate(report, json.loads(document.SCHEMA.read_text()))
    pairs = [(entry["reference"], entry["candidate"]) for entry in report["agreements"]]
    assert pairs == [pair for io_type in IO_TYPES for pair in combinations(referees(io_type), 2)]
    job = pipeline.Job(spec=model.spec, workspace=model.workspace)
    n_outputs = len(pipeline.prepare(job, None).source.output_names)
    for entry in report["agreements"]:
        assert entry["n_different"] == 0
        assert entry["n_values"] == entry["n_events"] * n_outputs
    name = model.spec.name
    folders = [Path(entry["folder"]).name for entry in report["projects"]]
    assert folders == [name, f"{name}_io_stream"]
    unknown = [line for line in report["warnings"] if "takes at least" not in line]
    assert unknown == [NO_LATENCY]
    assert report["physics"]["n_test"] == len(model.sample.x_test)
    for folder in folders:
        assert f"project: {model.workspace.projects / folder}" in out
    assert f"{name}: all checks met" in out


@COMPILES
def test_the_same_run_again_trains_converts_and_compiles_nothing(
    jets, trigforge_says, monkeypatch, tmp_path
):
    monkeypatch.setenv("CXX", str(fake_compiler(tmp_path)))
    before = jets.report
    code, out, err = trigforge_says(*jets.command("run", "--quiet"))
    assert code == 0, out + err
    report = jets.report
    cached = {entry["stage"] for entry in report["stages"] if entry["cached"]}
    made = ("conversion io_parallel", "csim io_parallel", "emulator io_parallel")
    assert cached == {"samples", "training", *made}
    for part in ("agreements", "physics", "checks", "projects", "provenance"):
        assert report[part] == before[part]


@COMPILES
def test_the_fake_compiler_would_have_been_noticed(jets, trigforge_says, monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", str(fake_compiler(tmp_path)))
    source = jets.workspace.projects / "tiny_jets" / "firmware" / "tiny_jets.cpp"
    source.write_text(source.read_text() + "// by hand\n")
    one_error(
        trigforge_says(*jets.command("run", "--quiet")),
        "compiling the C simulation of .*tiny_jets",
        "the fake compiler was called",
    )


@COMPILES
@pytest.mark.pipeline
def test_one_flipped_weight_bit_on_disk_is_found_and_named(jets, trigforge_says):
    folder = jets.workspace.projects / "tiny_jets"
    weights = min((folder / "firmware" / "weights").glob("w*.h"))
    weights.write_text(with_one_bit_flipped(weights.read_text()))
    code, out, err = trigforge_says(*jets.command("run", "--quiet"))
    assert code == 1, out + err
    report = jets.report
    assert report["met"] is False
    differing = [entry for entry in report["agreements"] if entry["n_different"]]
    simulation = "C simulation, io_parallel"
    assert all(simulation in (entry["reference"], entry["candidate"]) for entry in differing)
    assert len(differing) == len(referees("io_parallel")) - 1
    agreement = differing[0]
    first = agreement["first_difference"]
    assert 0 < agreement["n_different"] < agreement["n_values"]
    assert first["reference"] != first["candidate"]
    assert first["output_name"] in jets.sample.class_names
    name = f"firmware/weights/{weights.name}"
    assert report["projects"][0]["modified"] == [name]
    changed = f"{folder}: changed since it was written: {name}"
    assert report["warnings"] == [changed, NO_LATENCY]
    assert (
        f"first difference in event {first['event']} ({first['origin']}), "
        f"output {first['output']} ({first['output_name']})"
    ) in out
    assert f"warning: {folder}: changed since it was written: {name}" in out
    assert "tiny_jets: FAILED: bit-exact: C simulation, io_parallel" in out


def with_one_bit_flipped(text: str) -> str:
    """Change the largest weight of an array by the step of its lowest bit."""
    declaration, values = text.split("{")
    numbers = values.split("}")[0].split(",")
    index = max(range(len(numbers)), key=lambda i: abs(float(numbers[i])))
    numbers[index] = f"{float(numbers[index]) - 2.0**-5 * (1 if float(numbers[index]) > 0 else -1)}"
    return f"{declaration}{{{', '.join(numbers)}}};\n\n#endif\n"


@COMPILES
def test_a_changed_quantisation_trains_and_writes_anew(jets, trigforge_says):
    weights = jets.workspace.projects / "tiny_jets" / "manifest.json"
    before = weights.read_text(), jets.report
    jets.change({"quantization": {"activation_format": "ufixed<5,2>"}})
    code, out, _ = trigforge_says(*jets.command("convert", "--quiet"))
    assert (code, out) == (0, f"{weights.parent}: Vitis, io_parallel\n")
    assert weights.read_text() != before[0]


def test_a_given_sample_of_another_kind_is_refused(tiny_model, trigforge_says):
    images = tiny_model("top_images")
    jets = tiny_model("jets_hlf")
    sample = images.workspace.sample_file
    one_error(
        trigforge_says(*jets.command("run", "--sample", sample)),
        f"{sample} holds top_images, but the spec asks for jets_hlf",
    )


def test_a_given_sample_is_used_whatever_it_was_drawn_from(tiny_model):
    model = tiny_model("jets_hlf")
    given = model.workspace.sample_file
    model.change({"sample": {"seed": 99}})
    job = pipeline.Job(spec=model.spec, workspace=model.workspace)
    sample, origin = pipeline.open_sample(job, job.spec, given)
    assert (sample.digest, origin) == ("made up", str(given))


def test_a_shipped_sample_is_ignored_when_the_spec_asks_for_another(tiny_model):
    model = tiny_model("jets_hlf")
    job = pipeline.Job(spec=model.spec, workspace=model.workspace)
    with mock.patch.object(generation, "generate", autospec=True) as generate:
        sample, origin = pipeline.open_sample(job, job.spec, None)
        assert origin == f"{model.workspace.sample_file}, part of 550 events"
        generate.assert_not_called()
        model.change({"sample": {"seed": 99}})
        job = pipeline.Job(spec=model.spec, workspace=model.workspace)
        generate.return_value = sample
        assert pipeline.open_sample(job, job.spec, None) == (sample, "generated")
    generate.assert_called_once_with(
        model.spec.sample,
        model.workspace.store,
        n_processes=os.cpu_count(),
        progress=job.progress,
    )


@pytest.mark.parametrize("stage", ["training", "csim", "conversion"])
def test_an_interrupted_run_is_one_line_and_leaves_nothing_half_done(
    tiny_model, own_store, trigforge_says, monkeypatch, stage
):
    """Another seed, so that the store has nothing of it yet."""
    changes = {"training": {"seed": 1000 + len(stage), "epochs": 1}}
    model = tiny_model("jets_hlf", changes, own_store)

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    where = {
        "training": (keras.Model, "fit"),
        "csim": (csim.program.toolchain, "run"),
        "conversion": (pipeline.project, "assemble"),
    }[stage]
    if stage == "csim":
        monkeypatch.setattr(csim.program.toolchain, "compiler_version", lambda: "g++")
    kept = files_below(own_store.root)
    monkeypatch.setattr(*where, interrupted)
    code, out, err = trigforge_says(*model.command("run", "--quiet"))
    assert (code, out) == (2, "")
    assert err == "trigforge: interrupted; what was finished is kept, run again to go on\n"
    added = files_below(own_store.root) - kept
    assert {path.split("/")[0] for path in added} <= (
        {"baseline", "training"} if stage != "training" else set()
    )
    if stage == "conversion":
        assert not files_below(model.workspace.projects)
    assert not model.workspace.reports.exists()


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@COMPILES
def test_an_interrupted_run_goes_on(tiny_model, own_store, trigforge_says, monkeypatch):
    model = tiny_model("jets_hlf", {}, own_store)
    with monkeypatch.context() as interrupting:
        interrupting.setattr(csim, "run", mock.Mock(side_effect=KeyboardInterrupt))
        assert trigforge_says(*model.command("run", "--quiet"))[0] == 2
    assert trigforge_says(*model.command("run", "--quiet"))[0] == 0


@pytest.mark.parametrize(
    ("write", "what"),
    [
        ((Path, "write_bytes"), r"writing .*tiny_jets failed: No space left on device"),
        ((os, "fsync"), r"writing .*report.json failed: No space left on device"),
    ],
)
@COMPILES
def test_a_full_disk_is_one_line(jets, trigforge_says, monkeypatch, write, what):
    shutil.rmtree(jets.workspace.projects)
    shutil.rmtree(jets.workspace.reports)
    full = OSError(28, "No space left on device", "somewhere")
    with monkeypatch.context() as filling:
        filling.setattr(*write, mock.Mock(side_effect=full))
        result = trigforge_says(*jets.command("run", "--quiet"))
    one_error(result, what)
    assert len(result[2].splitlines()) == 1
    assert not files_below(jets.workspace.projects.parent) & {"reports/tiny_jets/report.json"}


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", None])
def test_a_corrupt_sample_says_which_file_and_what_to_do(tiny_model, trigforge_says, content):
    model = tiny_model("jets_hlf")
    path = model.workspace.sample_file
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    one_error(
        trigforge_says(*model.command("run")),
        f"{path} is not a sample file that can be trusted: .*; make it again",
    )


@pytest.fixture
def shipped(tiny_model, session_store):
    """The tiny jet model with its weights beside it, as a model is shipped."""
    model = tiny_model("jets_hlf")
    job = pipeline.Job(spec=model.spec, workspace=model.workspace)
    networks, _ = pipeline.obtain_networks(job, job.spec, model.sample)
    training.save(networks, model.workspace.model)
    return model


def test_shipped_weights_are_taken_before_those_of_the_store(shipped, tmp_path):
    model = shipped
    job = pipeline.Job(spec=model.spec, workspace=model.workspace)
    with mock.patch.object(training, "train", autospec=True) as train:
        _, cached = pipeline.obtain_networks(job, job.spec, model.sample)
    assert cached
    train.assert_not_called()


@pytest.mark.parametrize("name", [*training.WEIGHTS.values(), training.RECORD])
def test_corrupt_weights_say_which_file_and_what_to_do(shipped, trigforge_says, name):
    path = shipped.workspace.model / name
    path.write_bytes(path.read_bytes()[:-100])
    one_error(trigforge_says(*shipped.command("run")), re.escape(str(path)), "train again")


def test_training_anew_mends_corrupt_weights(shipped, trigforge_says):
    (shipped.workspace.model / training.RECORD).write_text("{")
    code, out, _ = trigforge_says(*shipped.command("train", "--quiet"))
    assert code == 0
    assert "(150 held-out events)" in out
    card = (shipped.workspace.model / "card.md").read_text()
    assert "Trained on 400 events (jets_hlf, Pythia seed 3)" in card
    assert training.find(shipped.workspace.model, shipped.spec, shipped.sample) is not None


@COMPILES
@pytest.mark.parametrize("name", ["csim/*/csim", f"training/*/{training.RECORD}"])
def test_a_corrupt_store_says_which_file_and_what_to_do(
    jets, own_store, tiny_model, trigforge_says, name
):
    model = tiny_model("jets_hlf", {}, own_store)
    for path in own_store.root.glob(name):
        path.write_bytes(path.read_bytes() + b"\n")
    one_error(
        trigforge_says(*model.command("run", "--quiet")),
        f"corrupt store: .*{Path(name).name} is missing, new or changed",
        f"remove {own_store.root}.* and run again",
    )


def test_a_missing_compiler_is_found_before_the_training(tiny_model, trigforge_says, monkeypatch):
    model = tiny_model("jets_hlf", {"training": {"seed": 4321}})
    with mock.patch.object(training, "train", autospec=True) as train:
        monkeypatch.setenv("CXX", "/nonexistent/g++")
        one_error(
            trigforge_says(*model.command("run")),
            "/nonexistent/g\\+\\+ is needed to compile C\\+\\+, but no such program is there",
            "set CXX to one",
        )
        monkeypatch.delenv("CXX")
        monkeypatch.setenv("PATH", "/nonexistent")
        one_error(trigforge_says(*model.command("csim")), r"in PATH \(/nonexistent\)", "install it")
    train.assert_not_called()


def test_a_backend_that_cannot_be_simulated_is_refused_before_the_training(
    tiny_model, trigforge_says
):
    model = tiny_model("jets_hlf", {"hardware": {"backend": "Catapult"}})
    one_error(
        trigforge_says(*model.command("run")),
        "hardware.backend: the C\\+\\+ of Catapult needs the vendor's compiler",
        "Vitis and Vivado",
    )


def test_debug_shows_the_traceback_of_an_error(tiny_model, trigforge_says):
    model = tiny_model("jets_hlf")
    model.workspace.sample_file.write_bytes(b"")
    code, out, err = trigforge_says("--debug", *model.command("run"))
    assert (code, out) == (2, "")
    assert "Traceback (most recent call last)" in err
    assert "in open_sample" in err
    assert "is not a sample file that can be trusted" in err.splitlines()[-1]


def test_a_folder_that_is_no_project_is_left_alone(tiny_model, trigforge_says):
    model = tiny_model("jets_hlf")
    folder = model.workspace.projects / "tiny_jets"
    folder.mkdir(parents=True)
    (folder / "thesis.tex").write_text("years of work")
    one_error(
        trigforge_says(*model.command("convert", "--quiet")),
        f"{folder} is not a folder written here .*; move it away",
    )
    assert (folder / "thesis.tex").read_text() == "years of work"


def test_each_io_type_is_verified_once_the_delivered_one_first(tiny_model):
    io_types = ["io_stream", "io_parallel", "io_stream"]
    model = tiny_model("jets_hlf", {"acceptance": {"io_types": io_types}})
    assert pipeline.ordered_io_types(model.spec) == ("io_parallel", "io_stream")


def test_what_is_known_to_differ_and_float32_rounding_are_warnings(jets):
    job = pipeline.Job(spec=jets.spec, workspace=jets.workspace)
    ready = pipeline.prepare(job, None)
    (project,) = pipeline.write_projects(job, ready)
    exact = pipeline.exact_outputs(job, ready, project.output)
    with mock.patch.object(pipeline.reference, "n_rounded_in_float32", autospec=True) as rounded:
        rounded.return_value = 3
        deviating = dataclasses.replace(project, deviations=("layer pool: pads otherwise",))
        known, line = pipeline.warnings_of([deviating], ready, exact)
    assert known == f"{project.folder}: layer pool: pads otherwise"
    assert re.search(r"float32 .* on 3 of 683 events; the firmware follows the exact one", line)
