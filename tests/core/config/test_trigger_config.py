"""The ``trigger`` section of a spec: rates and names of classes are checked when it is read."""

from __future__ import annotations

from pathlib import Path

import pytest
import tiny_models

from trigforge.core.config import Trigger
from trigforge.core.errors import SpecError
from trigforge.core.spec_file import parse_spec, read_spec

MODELS = Path(__file__).parents[3] / "models"
JETS = {"background_classes": ["gluon", "light_quark"], "background_rate_khz": 100, "rate_khz": 5}
CROSSINGS = {"background_classes": ["zero_bias"], "rate_khz": 10}
IMPORTED = {
    key: value for key, value in tiny_models.spec_data("jets_hlf").items() if key in
    {"spec_version", "hardware", "budget", "acceptance"}
} | {
    "name": "imported",
    "model": {"file": "model.keras", "formats": "formats.yaml"},
    "inputs": {
        "file": "events.npz",
        "n_events": 100,
        "link_format": "fixed<12,4>",
        "seed": 1,
        "class_names": ["qcd", "top"],
    },
}  # fmt: skip


def spec_with(trigger, kind="jets_hlf", **sections):
    return parse_spec(tiny_models.spec_data(kind, sections) | {"trigger": trigger}, where="it")


def message_of(trigger, kind="jets_hlf", **sections) -> str:
    with pytest.raises(SpecError) as error:
        spec_with(trigger, kind, **sections)
    return str(error.value)


def test_every_colliding_crossing_is_background_unless_a_rate_is_given():
    trigger = spec_with(CROSSINGS, "calorimeter_regions").trigger
    assert trigger.input_rate_khz == pytest.approx(11.2456 * 2544)
    assert trigger.accepted_share == pytest.approx(10 / 28608.8, rel=1e-4)
    assert (trigger.turn_on, trigger.signals) == (None, None)


def test_a_seeded_network_has_the_rate_of_its_seeds():
    trigger = spec_with(JETS).trigger
    assert (trigger.input_rate_khz, trigger.accepted_share) == (100, 0.05)
    assert trigger.signals_of(("gluon", "light_quark", "w", "z", "top")) == ("w", "z", "top")


def test_a_spec_needs_no_trigger():
    assert parse_spec(tiny_models.spec_data("jets_hlf"), where="it").trigger is None


@pytest.mark.parametrize("name", ["jet_tagger", "top_tagger"])
def test_the_shipped_classifiers_say_what_they_may_accept(name):
    trigger = read_spec(MODELS / f"{name}.yaml").trigger
    assert trigger.accepted_share == 0.01


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"rate_khz": 100}, "rate_khz: 100 is no less than the 100 kHz of background"),
        ({"background_classes": []}, "trigger.background_classes: Tuple should have at least 1"),
        (
            {"background_classes": ["gluons"]},
            (
                "trigger.background_classes: there is no class gluons; the classes are gluon, "
                "light_quark, w, z, top"
            ),
        ),
        ({"signals": ["top", "h"]}, "trigger.signals: there is no class h; the classes are"),
        ({"signals": ["top", "top"]}, "trigger.signals: top is named twice"),
        ({"signals": ["gluon"]}, "gluon is among the background_classes too"),
        (
            {"background_classes": ["gluon", "light_quark", "w", "z", "top"]},
            "they leave no signal of the classes",
        ),
        ({"rate_khz": -1}, "trigger.rate_khz: Input should be greater than 0"),
        ({"n_colliding_bunches": 4000}, "trigger.n_colliding_bunches: Input should be less"),
        ({"turn_on": {"variable": "ht", "n_bins": 1}}, "trigger.turn_on.n_bins: Input should be"),
        ({"rate": 1}, "trigger.rate: unknown key"),
    ],
)
def test_a_wrong_value_is_named(changes, problem):
    assert problem in message_of({**JETS, **changes})


@pytest.mark.parametrize(
    ("kind", "background"), [("top_images", "qcd"), ("calorimeter_regions", "zero_bias")]
)
def test_one_output_tells_from_the_first_class(kind, background):
    names = tiny_models.CLASS_NAMES[kind]
    rates = {"background_rate_khz": 100, "rate_khz": 1}
    assert spec_with({"background_classes": [background], **rates}, kind).trigger is not None
    message = message_of({"background_classes": [names[1]], **rates}, kind)
    assert f"of a network with one output the background is [{background}]" in message


def test_a_loss_of_efficiency_needs_a_working_rate():
    limit = {"efficiency_loss": 0.02}
    assert "there is no trigger" in message_of(None, acceptance=limit)
    assert spec_with(JETS, acceptance=limit).acceptance.efficiency_loss == 0.02


def test_a_score_has_no_accuracy_that_could_be_lost():
    message = message_of(CROSSINGS, "trigger_objects", acceptance={"accuracy_loss": 0.01})
    assert "acceptance.accuracy_loss: an anomaly score has no accuracy" in message


def test_an_imported_model_may_have_a_trigger_if_its_classes_have_names():
    trigger = {"background_classes": ["qcd"], "background_rate_khz": 100, "rate_khz": 1}
    spec = parse_spec(IMPORTED | {"trigger": trigger}, where="it")
    assert spec.trigger == Trigger(background_classes=("qcd",), background_rate_khz=100, rate_khz=1)
    unnamed = IMPORTED | {"inputs": {**IMPORTED["inputs"], "class_names": []}}
    with pytest.raises(SpecError, match="have no names; write inputs.class_names"):
        parse_spec(unnamed | {"trigger": trigger}, where="it")
