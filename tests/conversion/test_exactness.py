from __future__ import annotations

import keras
import numpy as np
import pytest
import qkeras
from simulating import cast, chain, fill, hardware, relu, weights

from trigforge.conversion.exactness import ADVICE, MERGING_LAYERS, MOVING_LAYERS, check
from trigforge.conversion.handlers import CLASS_NAMES
from trigforge.core.errors import ConversionError
from trigforge.networks.layers import Standardise

layers = keras.layers


def dense(n: int, **options):
    return qkeras.QDense(n, **(weights() | options))


def refusal(model, **changes) -> list[str]:
    with pytest.raises(ConversionError) as caught:
        check(model, hardware(**changes))
    first, *lines = str(caught.value).split("\n  ")
    assert first == f"{len(lines)} reason(s) against an exact conversion"
    return lines


def test_every_reason_is_named_at_once():
    model = chain(
        (6,),
        dense(4, name="good"),
        layers.Dense(4, name="plain"),
        layers.BatchNormalization(name="norm"),
        dense(4, name="unquantised", bias_quantizer=None),
        layers.Activation("relu", name="act"),
        dense(3, name="leaky", activation=qkeras.quantized_relu(4, 1, negative_slope=0.5)),
        dense(3, name="fine"),
        layers.Softmax(name="probabilities"),
    )
    lines = refusal(model)
    assert [line.split()[1].strip(":,") for line in lines] == [
        "plain",
        "norm",
        "unquantised",
        "act",
        "leaky",
        "probabilities",
    ]


def image_layers():
    convolution = {**weights(), "name": "bad"}
    yield layers.Conv2D(2, 2, name="bad"), "use QConv2D with"
    yield layers.DepthwiseConv2D(2, name="bad"), "use QDepthwiseConv2D with"
    yield layers.BatchNormalization(name="bad"), "fold it: use QDenseBatchnorm or"
    yield qkeras.QBatchNormalization(name="bad"), "its fused scale is rounded; use"
    yield layers.AveragePooling2D(2, name="bad"), "the mean is cut to its input's bits"
    yield layers.GlobalAveragePooling2D(name="bad"), "it has no exact fixed-point counterpart"
    yield layers.ZeroPadding2D(1, name="bad"), "use padding='same' in the convolution"
    yield layers.UpSampling2D(2, name="bad"), "hls4ml does not read it; leave it out"
    yield layers.Softmax(name="bad"), "end in logits"
    yield layers.ReLU(name="bad"), "use QActivation with quantized_relu"
    yield layers.Activation("relu", name="bad"), "use QActivation with"
    yield layers.Lambda(lambda x: 2 * x, name="bad"), "it holds code, not arithmetic"
    yield qkeras.QActivation("relu", name="bad"), "relu has no exact fixed-point counterpart"
    yield qkeras.QActivation(qkeras.binary(), name="bad"), "binary has no exact"
    yield (
        qkeras.QConv2D(2, 2, dilation_rate=2, **convolution),
        r"dilation \(2, 2\); hls4ml has none",
    )
    yield qkeras.QConv2D(2, 2, groups=2, **convolution), "2 groups; use QDepthwiseConv2D"
    yield layers.MaxPooling2D(2, padding="same", name="bad"), "pads it wrongly; use padding='valid'"
    yield layers.MaxPooling2D(2, data_format="channels_first", name="bad"), "channels_first; use"


@pytest.mark.filterwarnings("ignore::DeprecationWarning:qkeras")
@pytest.mark.parametrize("number", range(18))
def test_a_layer_without_exact_firmware_is_refused_by_name_with_advice(number):
    layer, advice = list(image_layers())[number]
    inputs = keras.Input((5, 5, 4), name="inputs")
    lines = refusal(keras.Model(inputs, layer(inputs)))
    assert lines[0].startswith("layer bad ")
    with pytest.raises(ConversionError, match=advice):
        check(keras.Model(inputs, layer(inputs)), hardware())


def test_a_depth_multiplier_is_refused():
    layer = qkeras.QDepthwiseConv2D(
        2,
        depth_multiplier=2,
        depthwise_quantizer=qkeras.quantized_bits(4, 0, alpha=1),
        bias_quantizer=qkeras.quantized_bits(4, 0, alpha=1),
        name="deep",
    )
    model = chain((4, 4, 2), layer)
    (line,) = refusal(model)
    assert "layer deep (QDepthwiseConv2D): depth multiplier 2" in line


def test_pooling_that_pads_nothing_is_exact_whatever_its_padding_is_called():
    model = chain((4, 6, 2), relu(), layers.MaxPooling2D((2, 3), padding="same"))
    check(model, hardware())


@pytest.mark.parametrize("name", ["2nd", "a-b", "a b", "i", "é1", "x" * 61])
def test_a_name_that_hls4ml_cannot_use_is_refused(name):
    lines = refusal(chain((3,), dense(2, name=name)))
    assert "hls4ml cannot use its name; write two or more letters" in lines[0]


def test_the_name_of_an_inner_activation_must_be_free():
    first = dense(2, name="one", activation=qkeras.quantized_relu(4, 1))
    (line,) = refusal(chain((3,), first, dense(2, name="one_act")))
    assert line == "layer one (QDense): one_act is the name of its activation"


def test_two_outputs_and_two_inputs_are_refused():
    one, two = keras.Input((3,), name="one"), keras.Input((3,), name="two")
    both = layers.Add(name="both")([one, two])
    model = fill(keras.Model([one, two], [dense(2)(both), dense(2)(both)], name="many"))
    assert refusal(model) == ["model many: 2 inputs and 2 outputs; firmware here has one of each"]


def test_standardising_elsewhere_than_at_the_input_is_refused():
    model = chain((3,), relu(), Standardise(name="standardise_late"))
    assert refusal(model) == ["layer standardise_late (Standardise): it must follow the input"]


def test_standardising_by_fractions_is_refused():
    model = chain((3,), Standardise(name="standard"))
    model.layers[1].offsets.assign([0.5, 1, 2])
    assert refusal(model) == ["layer standard (Standardise): offsets and shifts must be integers"]


def test_a_cast_of_what_others_read_uncast_is_refused():
    inputs = keras.Input((3,), name="inputs")
    shared = dense(3, name="shared")(inputs)
    joined = layers.Concatenate(name="joined")([cast(name="narrow")(shared), shared])
    (line,) = refusal(fill(keras.Model(inputs, joined)))
    assert line.startswith("layer narrow (QActivation): shared feeds other layers too, and hls4ml")


def test_a_cast_of_what_is_an_output_too_is_refused():
    inputs = keras.Input((3,), name="inputs")
    shared = dense(3, name="shared")(inputs)
    lines = refusal(fill(keras.Model(inputs, [shared, cast(name="narrow")(shared)])))
    assert "layer narrow (QActivation): shared feeds other layers too" in lines[1]


def test_other_networks_that_use_the_same_layers_do_not_count():
    inputs = keras.Input((3,), name="inputs")
    shared = dense(3, name="shared")(inputs)
    model = fill(keras.Model(inputs, cast(name="narrow")(shared)))
    keras.Model(inputs, relu(name="elsewhere")(shared))
    check(model, hardware())


def test_a_layer_used_twice_is_refused():
    inputs = keras.Input((3,), name="inputs")
    twice = dense(3, name="twice")
    lines = refusal(fill(keras.Model(inputs, twice(twice(inputs)))))
    assert lines == [
        "layer twice (QDense): it is used more than once; give each use a layer of its own"
    ]


def test_merging_three_or_unequal_inputs_is_refused():
    inputs = keras.Input((3,), name="inputs")
    small = dense(1, name="small")(inputs)
    three = layers.Add(name="three")([relu()(inputs), cast()(inputs), inputs])
    model = fill(keras.Model(inputs, layers.Multiply(name="unequal")([three, small])))
    assert refusal(model) == [
        "layer three (Add): 3 inputs; merge two at a time",
        "layer unequal (Multiply): inputs of different shapes; give both the same",
    ]


def test_overlapping_windows_are_refused_in_a_stream_only():
    model = chain((5, 5, 1), relu(), layers.MaxPooling2D(3, strides=2, name="pool"))
    check(model, hardware("io_parallel"))
    (line,) = refusal(model, io_type="io_stream")
    assert line.startswith("layer pool (MaxPooling2D): io_stream pools windows side by side only")


def test_the_resource_strategy_is_refused_for_depthwise_convolutions():
    quantiser = qkeras.quantized_bits(4, 0, alpha=1)
    layer = qkeras.QDepthwiseConv2D(
        2, depthwise_quantizer=quantiser, bias_quantizer=quantiser, name="depthwise"
    )
    model = chain((4, 4, 2), layer)
    check(model, hardware())
    (line,) = refusal(model, strategy="Resource")
    assert line.endswith("hls4ml has no Resource strategy for it; use Latency")


def test_advice_is_given_for_refused_layers_only():
    accepted = {kind.__name__ for kind in (*MOVING_LAYERS, *MERGING_LAYERS, *CLASS_NAMES)}
    assert not accepted & ADVICE.keys()


def test_weights_that_diverged_are_refused_by_name():
    model = chain((3,), dense(2, name="wild"))
    model.layers[1].kernel.assign(np.full((3, 2), np.nan))
    assert refusal(model) == ["layer wild: a weight is not finite; the training diverged"]
