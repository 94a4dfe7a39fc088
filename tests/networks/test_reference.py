from __future__ import annotations

import keras
import numpy as np
import pytest
import qkeras

from trigforge.core.errors import ConversionError, InputError
from trigforge.core.fixed_point import convert, parse_format, to_values
from trigforge.core.records import Port, RawTensor
from trigforge.networks.layers import Standardise
from trigforge.networks.quantisers import quantised_weights
from trigforge.networks.reference import evaluate, exact_model, n_rounded_in_float32

LINK = parse_format("fixed<6,3>")


def bits(width: int, integer: int, **options):
    return qkeras.quantized_bits(width, integer, alpha=1, **options)


def small_weights():
    return {"kernel_quantizer": bits(5, 1), "bias_quantizer": bits(6, 1)}


def model_of(shape, *layers):
    inputs = keras.Input(shape, name="inputs")
    x = inputs
    for layer in layers:
        x = layer(x)
    model = keras.Model(inputs, x, name="small")
    random = np.random.default_rng(4)
    for variable in model.weights:
        if variable.dtype == "float32":
            positive = "variance" in variable.path
            variable.assign(random.uniform(0.5 if positive else -2, 2, variable.shape))
    return model


def dense_model():
    standardise = Standardise(name="standardise")
    model = model_of(
        (6,),
        standardise,
        qkeras.QActivation(bits(6, 2, symmetric=1)),
        qkeras.QDense(5, activation=qkeras.quantized_relu(5, 2), **small_weights()),
        keras.layers.Dropout(0.5),
        qkeras.QDenseBatchnorm(4, use_bias=False, **small_weights()),
        qkeras.QActivation(bits(7, 3, keep_negative=False)),
        qkeras.QDense(3, **small_weights()),
    )
    standardise.offsets.assign(np.arange(-3, 3))
    standardise.shifts.assign([1, 2, -1, 0, 1, -2])
    return model


def image_model():
    depthwise = {"depthwise_quantizer": bits(5, 1), "bias_quantizer": bits(5, 1)}
    return model_of(
        (6, 5, 2),
        qkeras.QConv2D(3, (2, 3), strides=(2, 1), padding="same", **small_weights()),
        qkeras.QActivation(qkeras.quantized_relu(4, 2)),
        qkeras.QConv2DBatchnorm(2, 2, **small_weights()),
        qkeras.QActivation(bits(6, 3)),
        qkeras.QDepthwiseConv2D(2, padding="same", **depthwise),
        qkeras.QActivation(bits(6, 3)),
        qkeras.QDepthwiseConv2DBatchnorm((1, 2), **depthwise),
        qkeras.QActivation(qkeras.quantized_relu(6, 3)),
        keras.layers.MaxPooling2D((2, 1)),
        keras.layers.Permute((2, 1, 3)),
        keras.layers.Flatten(),
        qkeras.QDense(2, use_bias=False, **small_weights()),
    )


def line_model():
    return model_of(
        (8, 2),
        qkeras.QConv1D(3, 3, strides=2, padding="same", **small_weights()),
        qkeras.QActivation(qkeras.quantized_relu(4, 2)),
        keras.layers.MaxPooling1D(2),
        keras.layers.Reshape((6,)),
        qkeras.QDense(2, **small_weights()),
    )


def branched_model():
    inputs = keras.Input((4,), name="inputs")
    one = qkeras.QActivation(bits(5, 1))(inputs)
    two = qkeras.QActivation(qkeras.quantized_relu(4, 2))(inputs)
    layers = keras.layers
    merged = [layers.Add()([one, two]), layers.Subtract()([one, two])]
    joined = layers.Concatenate()([*merged, layers.Multiply()([one, two])])
    return keras.Model(inputs, joined, name="branched")


def random_inputs(model, link=LINK, n_events=300):
    shape = (n_events, int(np.prod(model.input_shape[1:])))
    raw = np.random.default_rng(2).integers(link.raw_min, link.raw_max, shape, endpoint=True)
    return RawTensor(format=link, raw=raw)


def port_of(model, text="fixed<53,30>"):
    return Port(name="out", shape=tuple(model.output_shape[1:]), format=parse_format(text))


@pytest.mark.parametrize("make", [dense_model, image_model, line_model, branched_model])
def test_the_exact_model_is_that_of_keras_where_float32_is_exact(make):
    model = make()
    inputs = random_inputs(model)
    exact = evaluate(model, inputs, port_of(model))
    single = model.predict(
        to_values(inputs.raw, inputs.format).reshape(-1, *model.input_shape[1:]), verbose=0
    )
    np.testing.assert_array_equal(
        to_values(exact.raw, exact.format), single.reshape(len(single), -1)
    )
    assert np.unique(exact.raw).size > 50
    assert n_rounded_in_float32(model, inputs, exact) == 0


def wide_model():
    wide = {"kernel_quantizer": bits(16, 0), "bias_quantizer": bits(16, 0)}
    return model_of(
        (12,),
        qkeras.QDense(4, **wide),
        qkeras.QActivation(qkeras.quantized_relu(18, 3)),
        qkeras.QDense(3, **wide),
    )


def test_the_exact_model_is_that_of_integers_where_float32_rounds():
    model = wide_model()
    link = parse_format("fixed<16,1>")
    inputs = random_inputs(model, link)
    x = inputs.raw.astype(object)
    sums = []
    for layer, fraction in ((model.layers[1], 15), (model.layers[3], 15)):
        weights = quantised_weights(layer)
        kernel = np.array((weights["kernel"] * 2**15).astype(np.int64), dtype=object)
        bias = np.array((weights["bias"] * 2**15).astype(np.int64), dtype=object)
        sums.append(x @ kernel + bias * 2**fraction)
        x = convert(
            sums[-1].astype(np.int64),
            parse_format("fixed<40,10>"),
            parse_format("ufixed<18,3,RND_CONV,SAT>"),
        ).astype(object)
    exact = evaluate(model, inputs, port_of(model, "fixed<53,23>"))
    np.testing.assert_array_equal(exact.raw, sums[-1].astype(np.int64))
    assert n_rounded_in_float32(model, inputs, exact) > 100


def test_outputs_off_the_grid_of_the_port_are_refused():
    model = dense_model()
    port = port_of(model, "fixed<8,8>")
    with pytest.raises(InputError, match=r"output of small: .* is not representable"):
        evaluate(model, random_inputs(model), port)


@pytest.mark.parametrize("fails", [False, True])
def test_the_float_type_of_keras_is_restored(fails):
    model = dense_model()
    if fails:
        model.layers[3].kernel.assign(np.full((6, 5), np.inf))
        with pytest.raises(ConversionError, match="a weight is not finite"):
            evaluate(model, random_inputs(model), port_of(model))
    else:
        evaluate(model, random_inputs(model), port_of(model))
    assert keras.config.floatx() == "float32"
    assert model.layers[-1].dtype == "float32"


def test_an_event_of_another_size_is_refused():
    model = dense_model()
    inputs = RawTensor(format=LINK, raw=np.zeros((3, 5), dtype=np.int64))
    with pytest.raises(InputError, match=r"model small takes \(6,\), not 5 elements an event"):
        evaluate(model, inputs, port_of(model))


def test_a_port_of_another_size_is_refused():
    model = dense_model()
    port = Port(name="out", shape=(5,), format=LINK)
    with pytest.raises(InputError, match=r"model small gives \(3,\), not the \(5,\) of a port"):
        evaluate(model, random_inputs(model), port)


def test_progress_is_told_to_the_last_event():
    model, told = branched_model(), []
    inputs = random_inputs(model, n_events=2050)
    evaluate(
        model, inputs, port_of(model), progress=lambda what, done, total: told.append((done, total))
    )
    assert told == [(2048, 2050), (2050, 2050)]


def test_the_model_itself_is_left_as_it_was():
    model = dense_model()
    before = [np.asarray(variable) for variable in model.weights]
    twin = exact_model(model)
    assert twin is not model
    for variable, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(np.asarray(variable), value)
