from __future__ import annotations

import keras
import numpy as np
import pytest

from trigforge.core.config import Conv2dNetwork, DenseNetwork, Quantization
from trigforge.core.fixed_point import parse_format
from trigforge.networks.layers import Standardise, activation_quantiser, weight_quantiser
from trigforge.networks.quantisers import format_of, weight_format
from trigforge.networks.zoo import build_float, build_quantised

FORMATS = Quantization(
    link_format="fixed<12,12>",
    input_format="fixed<8,4>",
    weight_format="fixed<6,1>",
    bias_format="fixed<7,2>",
    activation_format="ufixed<5,2>",
)
IMAGE_FORMATS = Quantization(
    link_format="ufixed<8,2>",
    weight_format="fixed<6,1>",
    bias_format="fixed<6,1>",
    activation_format="ufixed<6,2>",
)
DENSE = DenseNetwork(architecture="dense", hidden_units=(7, 4))
CONV = Conv2dNetwork(
    architecture="conv2d",
    blocks=[
        {"filters": 3, "kernel": 3, "padding": "valid", "pool": 2},
        {"filters": 2, "kernel": 2, "padding": "same", "stride": 2},
    ],
    hidden_units=(6,),
)


def modes(text: str):
    return parse_format(text.replace(">", ",RND_CONV,SAT>"))


def shapes(model) -> list[tuple[int, ...]]:
    return [tuple(layer.output.shape[1:]) for layer in model.layers]


def test_a_dense_network_has_its_layers_in_both_versions():
    baseline = build_float(DENSE, (16,), 5)
    quantised = build_quantised(DENSE, FORMATS, (16,), 5)
    assert shapes(baseline) == [(16,), (16,), (7,), (4,), (5,)]
    assert shapes(quantised) == [(16,), (16,), (16,), (7,), (7,), (4,), (4,), (5,)]
    assert quantised.layers[-1].name == baseline.layers[-1].name == "logits"
    assert [w.shape for w in baseline.trainable_weights] == [
        w.shape for w in quantised.trainable_weights
    ]


def test_a_convolutional_network_has_its_layers_in_both_versions():
    baseline = build_float(CONV, (8, 8, 1), 1)
    quantised = build_quantised(CONV, IMAGE_FORMATS, (8, 8, 1), 1)
    maps = [(8, 8, 1), (6, 6, 3), (3, 3, 3), (2, 2, 2), (8,), (6,), (1,)]
    assert list(dict.fromkeys(shapes(baseline))) == maps
    assert list(dict.fromkeys(shapes(quantised))) == maps


def test_every_layer_of_a_network_has_the_formats_of_the_spec():
    model = build_quantised(DENSE, FORMATS, (16,), 5)
    assert format_of(model.get_layer("standardised").activation, "a") == modes("fixed<8,4>")
    for name in ("dense_0", "dense_1", "logits"):
        assert weight_format(model.get_layer(name), "kernel") == modes("fixed<6,1>")
        assert weight_format(model.get_layer(name), "bias") == modes("fixed<7,2>")
    for name in ("dense_0_relu", "dense_1_relu"):
        assert format_of(model.get_layer(name).activation, "a") == modes("ufixed<5,2>")


@pytest.mark.parametrize("text", ["fixed<6,1>", "fixed<4,6>", "fixed<8,-1>", "fixed<2,1>"])
def test_the_quantiser_of_weights_has_the_format_it_was_made_for(text):
    assert format_of(weight_quantiser(parse_format(text)), "a") == modes(text)


@pytest.mark.parametrize("text", ["fixed<6,1>", "ufixed<6,2>", "ufixed<4,9>", "ufixed<6,-2>"])
def test_the_quantiser_of_activations_has_the_format_it_was_made_for_and_runs(text):
    quantiser = activation_quantiser(parse_format(text))
    fmt = format_of(quantiser, "a")
    assert fmt == modes(text)
    largest = keras.ops.convert_to_numpy(quantiser(np.array([1e4, -1e4], np.float32)))
    assert largest.tolist() == [fmt.raw_max * fmt.lsb, fmt.raw_min * fmt.lsb]


def fitted(x) -> Standardise:
    layer = Standardise()
    layer(x)
    layer.fit(x)
    return layer


def test_a_standardised_feature_has_a_mean_near_zero_and_a_spread_up_to_one():
    random = np.random.default_rng(1)
    x = np.rint(random.normal([5, -300, 1000], [3, 40, 700], size=(4000, 3))).astype(np.float32)
    standard = np.asarray(fitted(x)(x))
    spread = standard.std(axis=0)
    assert (np.abs(standard.mean(axis=0)) * 2 <= 1).all()
    assert ((spread > 0.5) & (spread <= 1)).all()


def test_standardising_subtracts_an_integer_and_shifts_exactly():
    x = np.random.default_rng(2).integers(-2048, 2048, (500, 4)).astype(np.float32)
    layer = fitted(x * [1, 1, 0.01, 0.5])
    offsets, shifts = np.asarray(layer.offsets), np.asarray(layer.shifts)
    np.testing.assert_array_equal(offsets, np.rint(offsets))
    np.testing.assert_array_equal(shifts, np.rint(shifts))
    expected = np.ldexp(x.astype(np.float64) - offsets, -shifts.astype(int))
    np.testing.assert_array_equal(np.asarray(layer(x)), expected)


def test_a_feature_that_never_changes_is_standardised_to_zero():
    x = np.full((10, 1), 7, np.float32)
    np.testing.assert_array_equal(np.asarray(fitted(x)(x)), 0)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras
def test_the_standardisation_travels_with_the_weights_and_is_not_trained(tmp_path):
    model = build_quantised(DENSE, FORMATS, (3,), 2)
    x = np.random.default_rng(3).integers(-900, 900, (50, 3)).astype(np.float32)
    model.get_layer("standardise").fit(x)
    model.save_weights(tmp_path / "model.weights.h5")
    other = build_quantised(DENSE, FORMATS, (3,), 2)
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))
    assert len(other.get_layer("standardise").non_trainable_weights) == 2
    assert not other.get_layer("standardise").trainable_weights
