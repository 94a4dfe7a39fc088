"""Rates and efficiencies of a whole run, and what is said where there can be none."""

import dataclasses
import json
from unittest import mock

import jsonschema
import numpy as np
import pytest
import yaml
from test_public_models import PUBLIC
from trigger_sections import allow_rate

from trigforge import pipeline
from trigforge.core.errors import SpecError
from trigforge.core.records import Agreement, no_progress
from trigforge.core.spec_file import parse_spec
from trigforge.core.store import Store
from trigforge.core.workspace import Workspace
from trigforge.pipeline import importing, rates, trigger
from trigforge.pipeline.firmware import Built
from trigforge.pipeline.referees import REFERENCE, exact_outputs
from trigforge.pipeline.spec_folder import ImportRequest
from trigforge.pipeline.trigger import Verified
from trigforge.report import document

NAMES = ["float network", "quantised network", "firmware"]


def prepared(model):
    job = pipeline.Job(spec=model.spec, workspace=model.workspace)
    ready = pipeline.prepare(job, None)
    (project, *_) = pipeline.write_projects(job, ready)
    return job, ready, project


def examined(model, *, met=True):
    job, ready, project = prepared(model)
    expected = exact_outputs(job, ready, project.output)
    agreement = Agreement(
        reference=REFERENCE,
        candidate="C simulation, io_parallel",
        n_events=1,
        n_values=1,
        n_different=0 if met else 1,
    )
    verified = Verified(project=project, expected=expected, agreements=(agreement,))
    return trigger.examine(job, ready, built(), verified)


def built() -> Built:
    """Nothing of RTL."""
    return Built(firmware=None, simulated=None, costs=mock.Mock())


@pytest.mark.toolchain
@pytest.mark.pipeline
def test_a_run_reports_rates_and_efficiencies(tiny_model, trigforge_says):
    model = tiny_model("jets_hlf")
    allow_rate(model, accept={"efficiency_loss": 0.9})
    code, out, err = trigforge_says(*model.command("run", "--quiet"))
    assert code == 0, out + err
    report = model.report
    jsonschema.validate(report, json.loads(document.SCHEMA.read_text()))
    found = report["trigger"]
    assert (found["background"], found["working_rate_khz"]) == ("gluon, light_quark", 10)
    assert found["variable"] == "feature_3"
    assert [signal["name"] for signal in found["signals"]] == ["top", "w"]
    for signal in found["signals"]:
        assert [result["implementation"] for result in signal["results"]] == NAMES
        _, quantised, firmware = signal["results"]
        assert quantised == firmware | {"implementation": "quantised network"}
        assert firmware["threshold"] == int(firmware["threshold"])
        assert firmware["rate_khz"]["value"] <= 10
        assert len(firmware["turn_on"]["x"]) == 4
        assert [loss["reference"] for loss in signal["losses"]] == NAMES[:1] * 2
    assert "trigger: signal accepted at 10 kHz of gluon, light_quark" in out
    assert "loss of efficiency at 10 kHz" in [check["name"] for check in report["checks"]]


@pytest.mark.toolchain
@pytest.mark.pipeline
def test_the_simulated_rtl_is_the_firmware_that_is_measured(tiny_model):
    model = tiny_model("jets_hlf", {"hardware": {"implementation": "da"}})
    allow_rate(model)
    job, ready, project = prepared(model)
    outputs = exact_outputs(job, ready, project.output)
    verified = Verified(project=project, expected=outputs, agreements=())
    broken = dataclasses.replace(outputs, raw=np.zeros_like(outputs.raw))
    simulated = mock.Mock(outputs=broken)
    rtl = dataclasses.replace(built(), simulated=simulated)
    found = trigger.examine(job, ready, rtl, verified).physics
    assert [r.efficiency.value for r in found.signals[0].results][2] == 0
    lost = dataclasses.replace(built(), simulated=mock.Mock(outputs=None))
    found = trigger.examine(job, ready, lost, verified).physics
    assert [result.implementation for result in found.signals[0].results] == NAMES[:2]


@pytest.mark.toolchain
def test_a_simulation_that_differs_runs_once_more(tiny_model):
    model = tiny_model("jets_hlf")
    allow_rate(model)
    job, ready, project = prepared(model)
    outputs = exact_outputs(job, ready, project.output)
    wrong = dataclasses.replace(outputs, raw=np.roll(outputs.raw, 1, axis=0))
    with mock.patch.object(trigger, "simulated", autospec=True, return_value=wrong) as called:
        same, other = examined(model).physics, examined(model, met=False).physics
    assert called.call_count == 1
    assert same.signals[0].results[2].auc == same.signals[0].results[1].auc
    assert other.signals[0].results[2].auc != other.signals[0].results[1].auc


@pytest.mark.toolchain
def test_the_sum_of_the_pixels_is_known_of_an_image(tiny_model):
    model = tiny_model("top_images")
    allow_rate(model)
    found = examined(model).physics
    (signal,) = found.signals
    assert (signal.name, signal.discriminant) == ("top", "output")
    sums = model.sample.x_test[model.sample.y_test == 1].reshape(signal.n_events, -1).sum(axis=1)
    assert np.mean(signal.results[0].turn_on.x) == pytest.approx(sums.mean(), rel=0.05)


@pytest.mark.toolchain
def test_an_anomaly_score_is_measured_against_every_signal(tiny_model, tmp_path):
    model = tiny_model("trigger_objects")
    allow_rate(model)
    found = examined(model)
    assert [signal.name for signal in found.physics.signals] == ["top_pair", "higgs_tau_tau"]
    assert found.physics.variable == "generated_ht_gev"
    assert found.warnings == ()
    np.save(tmp_path / "zero_bias.npy", model.sample.x_train)
    request = rates.RatesRequest(files=(tmp_path / "zero_bias.npy",))
    rates.count(model.spec, model.workspace, request, no_progress)
    for signal in examined(model).physics.signals:
        assert signal.streamed.n_events == len(model.sample.x_train)
        assert signal.streamed.efficiency is not None
    path = model.workspace.model / "rates.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"graph": "0"}))
    other = examined(model)
    assert {signal.streamed for signal in other.physics.signals} == {None}
    assert other.warnings == (f"{path} belongs to another network: `trigforge rates` counts anew",)


@pytest.mark.toolchain
def test_a_rate_below_one_event_is_said_to_be_out_of_sight(tiny_model):
    model = tiny_model("trigger_objects")
    allow_rate(model, rate_khz=1)
    found = examined(model)
    n_background = found.physics.n_background
    each = found.physics.background_rate_khz / n_background
    assert found.warnings[0] == (
        f"trigger, top_pair, higgs_tau_tau: each of {n_background} background events stands for "
        f"{each:.3g} kHz, so that 1 kHz cannot be seen; `trigforge rates` counts more events"
    )


@pytest.mark.toolchain
def test_a_score_at_the_end_of_its_range_cannot_be_cut(tiny_model):
    """Too few bits for the score: much of the background has the largest one."""
    model = tiny_model("trigger_objects")
    allow_rate(model)
    job, ready, project = prepared(model)
    outputs = exact_outputs(job, ready, project.output)
    highest = dataclasses.replace(outputs, raw=np.full_like(outputs.raw, outputs.format.raw_max))
    agreement = Agreement(
        reference=REFERENCE,
        candidate="C simulation, io_parallel",
        n_events=1,
        n_values=1,
        n_different=0,
    )
    verified = Verified(project=project, expected=highest, agreements=(agreement,))
    (line,) = trigger.examine(job, ready, built(), verified).warnings
    assert "has the largest score there is: no threshold of the firmware" in line


def test_an_unknown_variable_is_named_before_anything_is_built(tiny_model):
    model = tiny_model("jets_hlf")
    allow_rate(model, turn_on={"variable": "ht"})
    message = "turn_on.variable: ht is not known; known: feature_0, feature_1, "
    with (
        mock.patch.object(pipeline, "write_projects", side_effect=AssertionError),
        pytest.raises(SpecError, match=message),
    ):
        pipeline.run(model.spec, model.workspace)


def test_without_a_section_or_labels_there_are_no_rates(tiny_model):
    model = tiny_model("jets_hlf")
    job, ready, project = prepared(model)
    verified = Verified(project=project, expected=None, agreements=())
    assert trigger.examine(job, ready, built(), verified) == trigger.Examined()
    allow_rate(model)
    job = dataclasses.replace(job, spec=model.spec)
    with mock.patch.object(type(ready.source), "labelled", return_value=None):
        found = trigger.examine(job, ready, built(), verified)
    assert (found.physics, found.warnings) == (None, (trigger.NO_LABELS,))


@pytest.mark.toolchain
def test_an_imported_model_is_measured_as_it_came_and_as_firmware(tmp_path):
    random = np.random.default_rng(1)
    labels = random.integers(0, 2, 400)
    np.savez(tmp_path / "events.npz", x=random.normal(size=(400, 10)) + labels[:, None], y=labels)
    taken = importing.take_in(
        ImportRequest(
            model=PUBLIC / "two_layer_keras.onnx",
            inputs=tmp_path / "events.npz",
            out=tmp_path / "out",
        )
    )
    data = yaml.safe_load(taken.spec.read_text())
    data["trigger"] = {
        "background_classes": ["class_0"],
        "background_rate_khz": 100,
        "rate_khz": 20,
        "turn_on": {"variable": "input_9"},
    }
    spec = parse_spec(data, where="it")
    workspace = Workspace(
        model=taken.spec.parent / spec.name,
        projects=tmp_path / "projects",
        firmware=tmp_path / "firmware",
        reports=tmp_path / "reports",
        store=Store(tmp_path / "store"),
    )
    job = pipeline.Job(spec=spec, workspace=workspace)
    ready = pipeline.prepare(job, None)
    (project, *_) = pipeline.write_projects(job, ready)
    verified = Verified(project=project, expected=None, agreements=())
    (signal,) = trigger.examine(job, ready, built(), verified).physics.signals
    assert signal.name == "class_1"
    assert [result.implementation for result in signal.results] == ["float network", "firmware"]
    assert signal.results[1].auc.value == pytest.approx(signal.results[0].auc.value, abs=0.02)
    assert len(signal.results[1].turn_on.x) == 12
