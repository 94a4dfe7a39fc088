from __future__ import annotations

import keras
import numpy as np
import pytest
import qkeras

from trigforge.core.errors import ConversionError
from trigforge.core.fixed_point import Overflow, parse_format, quantise, to_values
from trigforge.networks.quantisers import (
    folded_weights,
    format_of,
    quantised_weights,
    quantiser_of,
    weight_format,
)

BITS = [
    qkeras.quantized_bits(bits, integer, symmetric, keep_negative, alpha=alpha, use_ste=False)
    for bits, integer in ((2, 0), (4, 1), (6, -2), (5, 7), (8, 3), (12, 11), (16, 2))
    for symmetric in (0, 1)
    for keep_negative in (True, False)
    for alpha in (None, 1, 1.0)
]
RELUS = [
    qkeras.quantized_relu(bits, integer, use_ste=False, **options)
    for bits, integer in ((1, 0), (1, 1), (4, 1), (6, 2), (5, 7), (8, 0), (12, 12), (16, 4))
    for options in ({}, {"relu_upper_bound": 6}, {"is_quantized_clip": False})
]


def telling_values(fmt) -> np.ndarray:
    """Every value of the grid, every tie between two, beyond the ends, and chance."""
    low, high = max(fmt.raw_min, -5_000) - 3, min(fmt.raw_max, 5_000) + 3
    ties = np.arange(2 * low, 2 * high) / 2 * fmt.lsb
    near = np.concatenate([np.nextafter(ties, np.inf), np.nextafter(ties, -np.inf)])
    reach = 2 * (fmt.raw_max + 1) * fmt.lsb
    chance = np.random.default_rng(3).uniform(-reach, reach, 5_000)
    return np.concatenate([ties, near, chance]).astype(np.float32)


@pytest.mark.parametrize("quantiser", BITS + RELUS, ids=str)
def test_the_format_casts_as_the_quantiser_rounds_and_clips(quantiser):
    fmt = format_of(quantiser, "here")
    values = telling_values(fmt)
    expected = keras.ops.convert_to_numpy(quantiser(values))
    np.testing.assert_array_equal(to_values(quantise(values, fmt), fmt), expected)
    assert len(np.unique(expected)) > 1


@pytest.mark.parametrize(
    ("quantiser", "expected"),
    [
        (qkeras.quantized_bits(6, 0, alpha=1), "fixed<6,1,RND_CONV,SAT>"),
        (qkeras.quantized_bits(6, 0, 1, alpha=1), "fixed<6,1,RND_CONV,SAT_SYM>"),
        (qkeras.quantized_bits(6, 2, keep_negative=False, alpha=1), "ufixed<6,2,RND_CONV,SAT>"),
        (qkeras.quantized_bits(6, -3, alpha=1), "fixed<6,-2,RND_CONV,SAT>"),
        (qkeras.quantized_bits(4, 9, alpha=1), "fixed<4,10,RND_CONV,SAT>"),
        (qkeras.quantized_relu(6, 2), "ufixed<6,2,RND_CONV,SAT>"),
    ],
    ids=str,
)
def test_a_quantiser_is_a_format(quantiser, expected):
    assert format_of(quantiser, "here") == parse_format(expected)


def test_symmetry_costs_the_smallest_value():
    fmt = format_of(qkeras.quantized_bits(4, 0, 1, alpha=1), "here")
    assert fmt.overflow is Overflow.SAT_SYM
    assert quantise(-9.0, fmt) == -7


@pytest.mark.parametrize(
    ("quantiser", "reason"),
    [
        (qkeras.quantized_bits(6, 0, alpha="auto"), "its scale alpha is auto; write alpha=1"),
        (qkeras.quantized_bits(6, 0, alpha="auto_po2"), "its scale alpha is "),
        (qkeras.quantized_bits(6, 0, alpha=0.5), "its scale alpha is "),
        (qkeras.quantized_bits(6, 0, alpha=np.array([1.0, 2.0])), "its scale alpha is "),
        (qkeras.quantized_bits(6, 0, 2, alpha=1), "symmetric is 2; write 0 or 1"),
        (qkeras.quantized_bits(1, 0, alpha=1), "makes it binary; use 2 bits"),
        (qkeras.quantized_bits(6.5, 0, alpha=1), "its bits are no whole numbers"),
        (qkeras.quantized_relu(6, 0.5), "its bits are no whole numbers"),
        (
            qkeras.quantized_bits(6, 0, alpha=1, use_stochastic_rounding=True),
            "it rounds at random; firmware cannot",
        ),
        (qkeras.quantized_bits(6, 0, alpha=1, qnoise_factor=0.5), "qnoise_factor is not 1"),
        (qkeras.quantized_relu(6, 2, use_stochastic_rounding=True), "it rounds at random"),
        (qkeras.quantized_relu(6, 2, use_sigmoid=1), "use_sigmoid is a smooth function"),
        (qkeras.quantized_relu(6, 2, negative_slope=0.25), "use negative_slope=0"),
        (
            qkeras.quantized_relu(6, 2, relu_upper_bound=3, is_quantized_clip=False),
            "relu_upper_bound clips off the grid",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else type(value).__name__,
)
def test_a_quantiser_without_an_equal_format_is_refused_with_the_reason(quantiser, reason):
    with pytest.raises(ConversionError, match=f"^layer a, kernel: .*{reason}"):
        format_of(quantiser, "layer a, kernel")


@pytest.mark.parametrize(
    ("quantiser", "name"),
    [
        (qkeras.binary(), "binary"),
        (qkeras.ternary(), "ternary"),
        (qkeras.stochastic_ternary(), "stochastic_ternary"),
        (qkeras.quantized_po2(4), "quantized_po2"),
        (qkeras.quantized_relu_po2(4), "quantized_relu_po2"),
        (qkeras.quantized_tanh(4), "quantized_tanh"),
        (qkeras.quantized_sigmoid(4), "quantized_sigmoid"),
        (qkeras.quantized_ulaw(4), "quantized_ulaw"),
        (keras.activations.relu, "relu"),
        ("quantized_bits(4,0,alpha=1)", "str"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "quantiser",
)
def test_what_is_no_grid_of_even_steps_is_refused_by_name(quantiser, name):
    with pytest.raises(ConversionError, match=f"^layer a: {name} has no exact fixed-point"):
        format_of(quantiser, "layer a")


def dense(**options):
    quantisers = {
        "kernel_quantizer": qkeras.quantized_bits(4, 0, alpha=1),
        "bias_quantizer": qkeras.quantized_bits(5, 1, alpha=1),
    }
    layer = qkeras.QDense(3, **(quantisers | options), name="dense")
    layer(np.zeros((1, 2), np.float32))
    return layer


def test_a_layer_names_its_quantisers_by_role():
    layer = dense(activation=qkeras.quantized_relu(3, 1))
    assert weight_format(layer, "kernel") == parse_format("fixed<4,1,RND_CONV,SAT>")
    assert weight_format(layer, "bias") == parse_format("fixed<5,2,RND_CONV,SAT>")
    assert quantiser_of(layer, "activation").bits == 3
    assert quantiser_of(dense(), "activation") is None
    assert quantiser_of(dense(activation="linear"), "activation") is None


@pytest.mark.filterwarnings("ignore::DeprecationWarning:qkeras")  # of pyparsing
def test_quantisers_written_as_text_are_understood():
    layer = dense(kernel_quantizer="quantized_bits(4,0,alpha=1)", activation="quantized_relu(3,1)")
    assert weight_format(layer, "kernel") == parse_format("fixed<4,1,RND_CONV,SAT>")
    assert format_of(quantiser_of(layer, "activation"), "a").width == 3


@pytest.mark.parametrize("role", ["kernel", "bias"])
def test_weights_without_a_quantiser_are_refused(role):
    layer = dense(**{f"{role}_quantizer": None})
    with pytest.raises(ConversionError, match=f"layer dense: its {role} is not quantised; give it"):
        quantised_weights(layer)


def test_a_kernel_quantiser_without_alpha_is_refused_because_qkeras_makes_it_auto_po2():
    layer = dense(kernel_quantizer=qkeras.quantized_bits(4, 0))
    with pytest.raises(ConversionError, match=r"layer dense, kernel: .*write alpha=1"):
        quantised_weights(layer)


def test_weights_that_are_not_finite_are_refused():
    layer = dense()
    layer.kernel.assign(np.full((2, 3), np.nan))
    with pytest.raises(ConversionError, match="layer dense: a weight is not finite"):
        quantised_weights(layer)


def test_quantised_weights_are_those_that_the_layer_applies():
    layer = dense()
    random = np.random.default_rng(1)
    layer.kernel.assign(random.uniform(-1.5, 1.5, (2, 3)))
    layer.bias.assign(random.uniform(-3, 3, 3))
    weights = quantised_weights(layer)
    np.testing.assert_array_equal(np.asarray(layer(np.zeros((1, 2))))[0], weights["bias"])
    np.testing.assert_array_equal(np.asarray(layer(np.eye(2))), weights["kernel"] + weights["bias"])
    assert np.unique(weights["kernel"]).size > 2


def test_a_layer_without_a_bias_has_none():
    assert quantised_weights(dense(use_bias=False)).keys() == {"kernel"}


def folding_layers():
    bits = qkeras.quantized_bits(9, 2, alpha=1)
    for use_bias in (True, False):
        common = {"bias_quantizer": bits, "use_bias": use_bias, "name": "folded"}
        yield qkeras.QDenseBatchnorm(3, kernel_quantizer=bits, **common), (4,)
        yield qkeras.QConv2DBatchnorm(3, 2, kernel_quantizer=bits, **common), (4, 4, 2)
        yield (
            qkeras.QDepthwiseConv2DBatchnorm(2, depthwise_quantizer=bits, **common),
            (4, 4, 3),
        )


@pytest.mark.parametrize("folding_mode", ["ema_stats_folding", "batch_stats_folding"])
@pytest.mark.parametrize("number", range(6))
def test_batch_normalisation_is_folded_as_the_layer_itself_does(number, folding_mode):
    layer, shape = list(folding_layers())[number]
    layer.folding_mode = folding_mode
    random = np.random.default_rng(number)
    layer(np.zeros((1, *shape), np.float32))
    for variable in layer.weights:
        if "iteration" not in variable.path:
            low = 0.1 if "variance" in variable.path else -1.5
            variable.assign(random.uniform(low, 1.5, variable.shape))
    weights = quantised_weights(layer)
    assert set(weights) == {"kernel", "bias"}
    assert folded_weights(layer)[0].shape == weights["kernel"].shape

    x = random.integers(-8, 8, (20, *shape)).astype(np.float32)
    if x.ndim == 2:
        expected = x @ weights["kernel"] + weights["bias"]
    else:
        conv = keras.ops.conv if layer.weights[0].shape[-1] == 3 else keras.ops.depthwise_conv
        conv = keras.ops.depthwise_conv if "depthwise" in layer.weights[0].path else conv
        expected = np.asarray(conv(x.astype(np.float64), weights["kernel"])) + weights["bias"]
    np.testing.assert_array_equal(np.asarray(layer(x, training=False)), expected)
    assert np.unique(expected).size > 20


def test_a_layer_without_batch_normalisation_folds_nothing():
    assert folded_weights(dense()) is None
