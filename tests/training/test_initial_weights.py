"""A quantised network that starts from the float one computes nearly what that computes."""

import numpy as np
import pytest
import tiny_models

from trigforge import training
from trigforge.core.errors import SpecError, StoreError
from trigforge.core.fixed_point import to_values
from trigforge.training import quantised

FINE = {
    "weight_format": "fixed<24,8>",
    "bias_format": "fixed<24,8>",
    "activation_format": "ufixed<24,12>",
}


def baseline_of(kind, **changes):
    spec = tiny_models.make_spec(kind, {"quantization": FINE, **changes})
    sample = tiny_models.make_sample(spec)
    return spec, sample, training.train_baseline(spec, sample)


def started(spec, sample, baseline, monkeypatch):
    """Return the quantised network before its first step, and the values the link carries."""
    fits = []
    monkeypatch.setattr(quantised, "fit", lambda model, x, *_: fits.append((model, x)) or {})
    training.train_quantised(spec, sample, baseline)
    return fits[0]


@pytest.mark.parametrize("kind", ["jets_hlf", "top_images", "calorimeter_regions"])
def test_with_fine_formats_it_starts_as_the_float_network(kind, monkeypatch):
    wide = {"jets_hlf": {"quantization": {**FINE, "input_format": "fixed<24,12>"}}}
    changes = {"training": {"initial_weights": "float"}, **wide.get(kind, {})}
    spec, sample, baseline = baseline_of(kind, **changes)
    model, x = started(spec, sample, baseline, monkeypatch)
    seen = sample.x_train[sample.y_train == 0] if kind == "calorimeter_regions" else sample.x_train
    expected = np.asarray(baseline.float_model(seen.astype(np.float32)))
    found = np.asarray(model(x))
    if kind == "calorimeter_regions":  # a score is cut off below 0
        expected = np.maximum(expected, 0)
    np.testing.assert_allclose(found, expected, atol=0.05 * max(1.0, np.abs(expected).max()))


def test_random_weights_are_the_default_and_give_something_else(monkeypatch):
    spec, sample, baseline = baseline_of("jets_hlf")
    assert spec.training.initial_weights == "random"
    model, x = started(spec, sample, baseline, monkeypatch)
    expected = np.asarray(baseline.float_model(sample.x_train.astype(np.float32)))
    assert np.abs(np.asarray(model(x)) - expected).max() > 0.5


def test_the_default_leaves_no_trace_in_digests():
    spec = tiny_models.make_spec("jets_hlf")
    assert "initial_weights" not in spec.training.model_dump(mode="json")
    assert "layers" not in spec.quantization.model_dump(mode="json")
    other = tiny_models.make_spec("jets_hlf", {"training": {"initial_weights": "float"}})
    assert training.training_key(other) != training.training_key(spec)


def test_an_autoencoder_cannot_start_from_the_float_one():
    with pytest.raises(SpecError, match="a dense_autoencoder starts from random ones"):
        tiny_models.make_spec("trigger_objects", {"training": {"initial_weights": "float"}})


@pytest.mark.parametrize(
    "change",
    [
        {"quantization": {"weight_format": "fixed<4,1>"}},
        {"quantization": {"layers": {"dense_0": {"weight_format": "fixed<3,1>"}}}},
        {"training": {"sparsity": 0.5}},
        {"training": {"initial_weights": "float"}},
        {"hardware": {"clock_mhz": 240}},
    ],
)
def test_what_concerns_the_quantised_network_alone_leaves_the_baseline(change):
    spec = tiny_models.make_spec("jets_hlf")
    other = tiny_models.make_spec("jets_hlf", change)
    assert training.baseline_key(other) == training.baseline_key(spec)


@pytest.mark.parametrize(
    "change",
    [{"training": {"epochs": 4}}, {"network": {"hidden_units": [7]}}, {"sample": {"seed": 9}}],
)
def test_what_concerns_the_float_network_changes_the_baseline(change):
    spec = tiny_models.make_spec("jets_hlf")
    other = tiny_models.make_spec("jets_hlf", change)
    assert training.baseline_key(other) != training.baseline_key(spec)


@pytest.mark.parametrize("kind", ["jets_hlf", "calorimeter_regions"])
def test_a_baseline_survives_the_store(kind, tmp_path):
    spec, sample, baseline = baseline_of(kind)
    training.save_baseline(baseline, tmp_path)
    found = training.find_baseline(tmp_path, spec, sample)
    pairs = zip(found.float_model.get_weights(), baseline.float_model.get_weights(), strict=True)
    assert all((first == second).all() for first, second in pairs)
    assert found.histories == baseline.histories
    if baseline.scores is None:
        assert found.scores is None
    else:
        np.testing.assert_array_equal(found.scores, baseline.scores)


def test_each_layer_has_its_own_formats():
    spec = tiny_models.make_spec(
        "jets_hlf",
        {
            "quantization": {
                "layers": {
                    "dense_0": {"weight_format": "fixed<3,1>", "activation_format": "ufixed<4,1>"},
                    "logits": {"bias_format": "fixed<5,2>"},
                }
            }
        },
    )
    sample = tiny_models.make_sample(spec)
    model = training.train(spec, sample).quantised_model
    layer = model.get_layer("dense_0")
    assert (layer.kernel_quantizer_internal.bits, layer.bias_quantizer_internal.bits) == (3, 6)
    assert model.get_layer("dense_0_relu").activation.bits == 4
    logits = model.get_layer("logits")
    assert (logits.kernel_quantizer_internal.bits, logits.bias_quantizer_internal.bits) == (6, 5)
    values = to_values(np.arange(-4, 4), spec.quantization.parsed("weight_format", "dense_0"))
    kernel = np.asarray(layer.kernel_quantizer_internal(layer.kernel))
    assert np.isin(kernel, values).all()


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ({"dense_9": {}}, "no layer dense_9; there are dense_0, logits"),
        ({"logits": {"activation_format": "ufixed<4,1>"}}, "it ends without a ReLU"),
        (
            {"dense_0": {"weight_format": "ufixed<4,1>"}},
            "layers.dense_0.weight_format: ufixed<4,1>",
        ),
        ({"dense_0": {"width": 4}}, "layers.dense_0.width: unknown key"),
    ],
)
def test_formats_of_layers_are_checked(layers, message):
    with pytest.raises(SpecError, match=message):
        tiny_models.make_spec("jets_hlf", {"quantization": {"layers": layers}})


def test_a_shipped_float_network_is_the_baseline_of_other_quantisations(tmp_path):
    spec, sample, baseline = baseline_of("jets_hlf")
    training.save(training.train_quantised(spec, sample, baseline), tmp_path)
    other = tiny_models.make_spec(
        "jets_hlf", {"training": {"quantised_epochs": 1, "initial_weights": "float"}}
    )
    found = training.find_shipped_baseline(tmp_path, other, sample)
    pairs = zip(found.float_model.get_weights(), baseline.float_model.get_weights(), strict=True)
    assert all((first == second).all() for first, second in pairs)
    longer = tiny_models.make_spec("jets_hlf", {"training": {"epochs": 4}})
    assert training.find_shipped_baseline(tmp_path, longer, sample) is None
    assert training.find_shipped_baseline(tmp_path / "nowhere", other, sample) is None
    weights = tmp_path / training.WEIGHTS["float"]
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(StoreError, match="is not the file"):
        training.find_shipped_baseline(tmp_path, other, sample)


def test_a_students_float_network_is_no_baseline_without_its_teachers_scores(tmp_path):
    spec, sample, baseline = baseline_of("calorimeter_regions")
    training.save(training.train_quantised(spec, sample, baseline), tmp_path)
    assert training.find_shipped_baseline(tmp_path, spec, sample) is None


def test_the_quantised_network_may_have_fewer_epochs():
    spec = tiny_models.make_spec("jets_hlf", {"training": {"quantised_epochs": 1}})
    histories = training.train(spec, tiny_models.make_sample(spec)).provenance["training"]
    assert (histories["float"]["epochs"], histories["quantised"]["epochs"]) == (3, 1)
