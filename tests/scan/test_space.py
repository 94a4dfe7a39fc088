import pytest
import tiny_models
import yaml
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

import scans
from trigforge.core.errors import SpecError
from trigforge.scan import space


def test_a_design_is_the_base_with_its_keys_changed(tmp_path):
    found = scans.read(tmp_path, changes={"training.epochs": 9, "hardware.clock_mhz": 240})
    numbers = {"weights": 5, "network.hidden_units.0": 8, "training.sparsity": 0.30000000000000004}
    spec = found.spec("tiny_jets_3", numbers)
    assert spec.name == "tiny_jets_3"
    assert spec.quantization.weight_format == spec.quantization.bias_format == "fixed<5,1>"
    assert spec.network.hidden_units == (8,)
    assert (spec.training.sparsity, spec.training.epochs) == (0.3, 9)
    assert spec.hardware.clock_mhz == 240
    unchanged = {"sample", "budget", "acceptance"}
    assert spec.model_dump(include=unchanged) == found.base.model_dump(include=unchanged)


def test_formats_of_a_layer_can_be_set_that_the_base_does_not_name(tmp_path):
    key = "quantization.layers.dense_0.weight_format"
    found = scans.read(tmp_path, space={key: {"choices": ["fixed<3,1>", "fixed<6,1>"]}})
    spec = found.spec("x", {key: "fixed<3,1>"})
    assert spec.quantization.parsed("weight_format", "dense_0").width == 3
    assert spec.quantization.parsed("weight_format", "logits").width == 6
    assert found.of_base() == {key: "fixed<6,1>"}


def test_optuna_gets_each_kind_of_parameter(tmp_path):
    assert scans.read(tmp_path).distributions == {
        "weights": IntDistribution(3, 8),
        "network.hidden_units.0": IntDistribution(4, 8, step=2),
        "training.sparsity": FloatDistribution(0.0, 0.8, step=0.1),
    }
    found = scans.read(
        tmp_path,
        space={
            "hardware.implementation": {"choices": ["da", "timemux"]},
            "training.learning_rate": {"low": 0.001, "high": 0.1, "log": True},
        },
    )
    assert found.distributions == {
        "hardware.implementation": CategoricalDistribution(("da", "timemux")),
        "training.learning_rate": FloatDistribution(0.001, 0.1, log=True),
    }


def test_the_base_is_found_in_the_space_or_not(tmp_path):
    assert scans.read(tmp_path).of_base() == {
        "weights": 6,
        "network.hidden_units.0": 6,
        "training.sparsity": 0.0,
    }
    assert (
        scans.read(tmp_path, space={"network.hidden_units.0": {"choices": [4, 8]}}).of_base()
        is None
    )
    apart = {"keys": ["quantization.weight_format", "quantization.input_format"]}
    wide = {"x": {**apart, "low": 3, "high": 8, "template": "fixed<{},1>"}}
    assert scans.read(tmp_path, space=wide).of_base() is None


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"network.hidden_units.1": {"low": 2, "high": 4}}, "hidden_units.1: the base has 1 there"),
        ({"quantization.weigth_format": {"choices": ["fixed<3,1>"]}}, "weigth_format: unknown key"),
        ({"training.epochs.first": {"low": 2, "high": 4}}, "training.epochs of the base is 3"),
        ({"sample.seed": {"low": -2, "high": -1}}, "sample.seed: Input should be greater"),
    ],
)
def test_keys_that_the_base_has_not_are_refused_before_anything_runs(tmp_path, parameters, message):
    with pytest.raises(SpecError, match=message):
        scans.read(tmp_path, space=parameters)


def test_a_space_may_have_corners_that_are_no_specs(tmp_path):
    corner = {"network.hidden_units.0": {"low": 0, "high": 4}}
    found = scans.read(tmp_path, space=corner)
    with pytest.raises(SpecError, match="hidden_units.0: Input should be greater"):
        found.spec("x", {"network.hidden_units.0": 0})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"objectives": ["ebops", "accuracy"]}, "ebops stands where one of accuracy, mean_auc"),
        ({"objectives": ["accuracy", "lut", "dsp"]}, "dsp stands where one of latency_ns"),
        ({"changes": {"training.sparsity": 0.1}}, "space: training.sparsity is set twice"),
        ({"space": {}}, "space: Dictionary should have at least 1 item"),
        ({"space": {"bits": {"choices": [1]}}}, "space.bits: is no key of a spec; give its keys"),
        ({"space": {"a.b": {"low": 1}}}, "write either choices, or low and high"),
        ({"space": {"a.b": {"low": 2, "high": 1}}}, "low 2 is above high 1"),
        ({"space": {"a.b": {"choices": [1, 1]}}}, "a value is written twice"),
        ({"space": {"a.b": {"choices": [1], "step": 2}}}, "belong to numbers from low to high"),
        ({"space": {"a.b": {"low": 0.5, "high": 1, "template": "{}"}}}, "once, for integers"),
        ({"space": {"a.b": {"low": 0, "high": 1, "log": True}}}, "low must be above 0"),
        ({"n_trial": 3}, "n_trial: unknown key"),
        ({"base": "nowhere.yaml"}, "nowhere.yaml: cannot read the spec"),
    ],
)
def test_a_wrong_scan_is_refused_with_its_key(tmp_path, changes, message):
    with pytest.raises(SpecError, match=message):
        scans.read(tmp_path, **changes)


def test_a_scan_that_is_a_list_is_refused(tmp_path):
    (tmp_path / "scan.yaml").write_text("[1]")
    with pytest.raises(SpecError, match="a scan is a mapping with the keys scan_version"):
        space.read(tmp_path / "scan.yaml")


def test_a_long_name_leaves_room_for_the_number(tmp_path):
    path = scans.write(tmp_path)
    data = tiny_models.spec_data("jets_hlf")
    (tmp_path / "tiny_jets.yaml").write_text(yaml.safe_dump({**data, "name": "a" * 40}))
    found = space.read(path)
    assert found.spec(found.design_name(1234), {}).name == "a" * 35 + "_1234"
