"""What each layer of a model gives, exactly and as Keras computes it."""

import keras
import numpy as np
import pytest
import qkeras
from keras import layers

from trigforge.core.errors import InputError
from trigforge.core.fixed_point import parse_format, to_raw, to_values
from trigforge.core.records import Port, RawTensor
from trigforge.networks import reference, tracing

LINK = parse_format("fixed<8,4>")


def filled(model, seed=4):
    random = np.random.default_rng(seed)
    for variable in model.weights:
        positive = "variance" in variable.path
        values = random.uniform(0.5 if positive else -1.2, 2 if positive else 1.2, variable.shape)
        variable.assign(values)
    return model


def chain(shape, *stack):
    x = inputs = keras.Input(shape, name="inputs")
    for layer in stack:
        x = layer(x)
    return filled(keras.Model(inputs, x))


def events(n_elements, n_events=40):
    raw = np.random.default_rng(1).integers(-128, 127, size=(n_events, n_elements), endpoint=True)
    return RawTensor(format=LINK, raw=raw)


def weights():
    return {
        "kernel_quantizer": qkeras.quantized_bits(5, 0, alpha=1),
        "bias_quantizer": qkeras.quantized_bits(5, 0, alpha=1),
    }


def quantised_network():
    return chain(
        (5, 4, 2),
        qkeras.QConv2D(3, (2, 3), name="conv", **weights()),
        qkeras.QActivation(qkeras.quantized_relu(5, 2), name="act"),
        layers.MaxPooling2D(2, name="pool"),
        layers.Flatten(name="flat"),
        qkeras.QDense(3, name="last", activation=qkeras.quantized_bits(6, 2, alpha=1), **weights()),
    )


def by_name(traces):
    return {layer.name: layer for layer in traces}


def test_a_quantised_model_is_traced_exactly_to_its_output():
    model, inputs = quantised_network(), events(40)
    original = tracing.trace(model, to_values(inputs.raw, LINK))
    assert (original.what, original.exact) == ("QKeras, exact", True)
    assert [layer.name for layer in original.layers] == [
        "inputs", "conv", "act", "pool", "flat", "last", "last_act",
    ]  # fmt: skip
    grid = parse_format("fixed<6,3,RND_CONV,SAT>")
    port = Port(name="out", shape=(3,), format=grid)
    expected = reference.evaluate(model, inputs, port)
    np.testing.assert_array_equal(to_raw(original.layers[-1].values, grid), expected.raw)


def test_a_quantiser_s_grid_and_what_a_layer_reads_are_known():
    traces = by_name(tracing.trace(quantised_network(), events(40).raw / 16).layers)
    assert str(traces["act"].format) == "ap_ufixed<5,2,AP_RND_CONV,AP_SAT>"
    assert str(traces["last_act"].format) == "ap_fixed<6,3,AP_RND_CONV,AP_SAT>"
    assert traces["conv"].format is traces["last"].format is traces["flat"].format is None
    assert traces["last_act"].inputs == ("last",)
    assert traces["last"].inputs == ("flat",)
    assert traces["inputs"].inputs == ()


def test_one_layer_alone_gives_what_it_gave_in_the_network():
    original = tracing.trace(quantised_network(), events(40).raw / 16)
    traces = by_name(original.layers)
    for layer in original.layers[1:]:
        given = tuple(traces[name].values for name in layer.inputs)
        np.testing.assert_array_equal(original.apply(layer.name, given), layer.values)


def test_weights_come_in_the_layout_of_the_graph_and_on_their_grids():
    original = tracing.trace(quantised_network(), events(40).raw / 16)
    held = {(entry.layer, entry.role): entry.values for entry in original.weights}
    assert {key: values.shape for key, values in held.items()} == {
        ("conv", "weight"): (2, 3, 2, 3),
        ("conv", "bias"): (3,),
        ("last", "weight"): (6, 3),
        ("last", "bias"): (3,),
    }
    for values in held.values():
        to_raw(values, parse_format("fixed<5,1>"))


def test_a_float_model_is_close_to_float32_and_not_exact():
    model = chain(
        (8, 2),
        layers.Conv1D(3, 3, activation="relu", name="conv"),
        layers.BatchNormalization(name="norm"),
        layers.Flatten(name="flat"),
        layers.Dense(2, activation="softmax", name="last"),
    )
    x = np.random.default_rng(2).normal(size=(30, 16))
    original = tracing.trace(model, x)
    assert (original.what, original.exact) == ("Keras, float64", False)
    traces, single = by_name(original.layers), by_name(original.single)
    assert list(single) == ["conv_relu", "norm", "flat", "last_softmax"]
    for name, layer in single.items():
        np.testing.assert_allclose(layer.values, traces[name].values, rtol=1e-4, atol=1e-5)
    assert any((layer.values != traces[name].values).any() for name, layer in single.items())
    held = {(entry.layer, entry.role): entry.values for entry in original.weights}
    assert held["conv", "weight"].shape == (1, 3, 2, 3)
    before = traces["conv_relu"].values.reshape(-1, 3)
    normalised = before * held["norm", "scale"] + held["norm", "bias"]
    np.testing.assert_allclose(normalised.reshape(30, -1), traces["norm"].values, rtol=1e-9)


def test_what_a_quantised_model_computes_by_smooth_functions_is_not_exact():
    model = chain(
        (6,),
        qkeras.QDense(3, name="dense", **weights()),
        layers.Softmax(name="probabilities"),
    )
    original = tracing.trace(model, events(6).raw / 16)
    assert [layer.exact for layer in original.layers] == [True, True, False]
    assert not original.exact


@pytest.mark.parametrize(("size", "exact"), [(2, True), (3, False)])
def test_a_mean_is_exact_where_it_divides_by_a_power_of_two(size, exact):
    model = chain(
        (6, 2),
        qkeras.QActivation(qkeras.quantized_relu(5, 2), name="act"),
        layers.AveragePooling1D(size, name="mean"),
    )
    original = tracing.trace(model, events(12).raw / 16)
    assert original.layers[-1].exact is exact


def test_a_quantiser_without_a_format_is_computed_by_the_model_s_own_layers():
    model = chain(
        (6,),
        qkeras.QActivation(qkeras.quantized_tanh(6), name="squashed"),
        qkeras.QDense(3, name="dense", **weights()),
    )
    original = tracing.trace(model, events(6).raw / 16)
    assert (original.what, original.exact) == ("QKeras, float64", False)
    assert original.weights == ()
    assert all(layer.format is None for layer in original.layers)


def test_two_branches_keep_the_order_of_their_inputs():
    inputs = keras.Input((4,), name="inputs")
    left = layers.Dense(3, name="left")(inputs)
    right = layers.Dense(3, name="right")(inputs)
    model = filled(keras.Model(inputs, layers.Subtract(name="difference")([right, left])))
    original = tracing.trace(model, events(4).raw / 16)
    traces = by_name(original.layers)
    assert traces["difference"].inputs == ("right", "left")
    np.testing.assert_allclose(
        traces["difference"].values, traces["right"].values - traces["left"].values
    )


def test_a_sequential_model_is_traced_too_and_stays_as_it_is():
    model = filled(keras.Sequential([
        keras.Input((4,), name="inputs"), layers.Dense(2, activation="relu", name="dense"),
    ]))  # fmt: skip
    before = model.get_weights()
    original = tracing.trace(model, events(4).raw / 16)
    assert [layer.name for layer in original.layers][1:] == ["dense", "dense_relu"]
    assert model.get_layer("dense").activation is keras.activations.relu
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert keras.config.floatx() == "float32"


def test_many_events_are_computed_in_batches(monkeypatch):
    model, values = quantised_network(), events(40).raw / 16
    whole = tracing.trace(model, values)
    monkeypatch.setattr(tracing, "BATCH", 7)
    for left, right in zip(whole.layers, tracing.trace(model, values).layers, strict=True):
        np.testing.assert_array_equal(left.values, right.values)


def test_values_of_another_size_are_refused():
    model = chain((4,), layers.Dense(2, name="dense"))
    with pytest.raises(InputError, match=r"takes \(4,\), 4 elements an event, not .* \(3, 5\)"):
        tracing.trace(model, np.zeros((3, 5)))


def test_two_inputs_are_refused():
    one, two = keras.Input((3,), name="one"), keras.Input((3,), name="two")
    model = keras.Model([one, two], layers.Add(name="sum")([one, two]))
    with pytest.raises(InputError, match="2 inputs; firmware here has one"):
        tracing.trace(model, np.zeros((3, 3)))


def test_a_layer_used_twice_is_refused():
    inputs = keras.Input((3,), name="inputs")
    twice = layers.Dense(3, name="twice")
    model = keras.Model(inputs, twice(twice(inputs)))
    with pytest.raises(InputError, match="layer twice is used more than once"):
        tracing.trace(model, np.zeros((3, 3)))


def test_a_layer_that_is_not_there_cannot_be_computed():
    original = tracing.trace(chain((4,), layers.Dense(2, name="dense")), np.zeros((3, 4)))
    with pytest.raises(InputError, match="unknown layer 'other'; known: dense, inputs"):
        original.apply("other", (np.zeros((3, 4)),))
