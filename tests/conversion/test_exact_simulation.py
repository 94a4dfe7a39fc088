"""Every kind of layer that is accepted is compiled, run and equal to the exact reference."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import qkeras
from simulating import IO_TYPES, Case, agreements, cast, chain, fill, hardware, relu, weights

from trigforge.conversion.exactness import MERGING_LAYERS, MOVING_LAYERS
from trigforge.conversion.handlers import CLASS_NAMES
from trigforge.core.fixed_point import parse_format
from trigforge.networks.layers import Standardise

pytestmark = pytest.mark.toolchain

layers = keras.layers
N_RANDOM = 6


def dense(n: int, **options):
    return qkeras.QDense(n, **(weights() | options))


def depthwise(kind, kernel, **options):
    quantiser = qkeras.quantized_bits(6, 1, alpha=1)
    return kind(kernel, depthwise_quantizer=quantiser, bias_quantizer=quantiser, **options)


def image_network():
    return chain(
        (9, 7, 2),
        qkeras.QConv2D(3, (3, 2), strides=(1, 2), padding="same", **weights()),
        relu(),
        layers.MaxPooling2D(2),
        depthwise(qkeras.QDepthwiseConv2D, (1, 2), padding="same"),
        cast(6, 2),
        layers.Permute((2, 1, 3)),
        qkeras.QConv2DBatchnorm(2, (1, 2), **weights(6, 1)),
        layers.Dropout(0.2),
        cast(6, 3),
        depthwise(qkeras.QDepthwiseConv2DBatchnorm, (2, 2)),
        relu(5, 3),
        qkeras.QConv2D(
            2, 1, use_bias=False, activation=qkeras.quantized_bits(5, 2, alpha=1), **weights()
        ),
        layers.Flatten(),
        layers.Dropout(0.2),
        qkeras.QDenseBatchnorm(3, **weights(6, 1)),
    )


def line_network():
    return chain(
        (9, 2),
        layers.Dropout(0.1),
        qkeras.QConv1D(3, 3, strides=2, padding="same", **weights()),
        relu(),
        layers.MaxPooling1D(2, strides=1),
        qkeras.QConv1D(2, 2, padding="causal", **weights()),
        cast(6, 3),
        layers.MaxPooling1D(2),
        layers.Reshape((4,)),
        dense(4),
        relu(),
        layers.Reshape((2, 2)),
        dense(3),
        cast(),
    )


def branched_network():
    inputs = keras.Input((4, 4, 1), name="inputs")
    stem = relu(name="stem_relu")(
        qkeras.QConv2D(2, 3, padding="same", name="stem", **weights())(inputs)
    )
    side = cast(6, 2, name="side_cast")(qkeras.QConv2D(2, 1, name="side", **weights())(stem))
    total = layers.Add(name="total")([stem, side])
    joined = layers.Concatenate(name="joined")([cast(5, 2, name="total_cast")(total), stem])
    flat = layers.Flatten(name="flat")(layers.MaxPooling2D(2, name="pool")(joined))
    one = cast(6, 2, name="one_cast")(dense(3, name="one")(flat))
    two = relu(4, 1, name="two_relu")(dense(3, name="two")(flat))
    product = layers.Multiply(name="product")([one, two])
    difference = layers.Subtract(name="difference")([two, one])
    return fill(keras.Model(inputs, layers.Concatenate(name="out")([product, difference])))


def cast_network():
    """Casts as hls4ml would lose them, saturate both ways, and drop more bits than there are."""
    return chain(
        (5,),
        Standardise(name="standardise"),
        cast(5, 2, symmetric=1),
        dense(6),
        layers.Dropout(0.1),
        cast(4, 2),
        cast(3, 2, symmetric=1),
        dense(5, use_bias=False),
        qkeras.QActivation(qkeras.quantized_bits(5, -2, keep_negative=False, alpha=1)),
        dense(4),
        qkeras.QActivation(qkeras.quantized_bits(6, -3, alpha=1)),
        dense(4, activation=qkeras.quantized_relu(3, 2)),
        dense(3),
        cast(4, 1),
    )


def coarse_network():
    """The first cast rounds to steps of 64, above all that six bits hold."""
    model = chain((4,), Standardise(name="standardise"), cast(3, 8), dense(2))
    model.layers[1].offsets.assign(np.zeros(4))
    model.layers[1].shifts.assign(np.zeros(4))
    return model


def wide_network():
    sixteen = {**weights(16, 1), "bias_quantizer": qkeras.quantized_bits(12, -3, alpha=1)}
    return chain((5,), cast(16, 3), qkeras.QDense(3, **sixteen), relu(18, 6), dense(2))


def overlapping_network():
    return chain(
        (7, 7, 1), relu(), layers.MaxPooling2D((3, 2), strides=(2, 3)), layers.Flatten(), dense(2)
    )


def resource_network():
    return chain(
        (5, 5, 2),
        qkeras.QConv2D(4, 2, **weights()),
        relu(),
        layers.Flatten(),
        dense(8),
        relu(),
        dense(4),
    )


def random_network(seed: int):
    """A chain of layers and formats drawn by chance."""
    random = np.random.default_rng(seed)
    shape = (int(random.integers(3, 9)),)
    drawn = []
    if seed % 3:
        shape = (*random.integers(4, 7, size=2).tolist(), int(random.integers(1, 3)))
        for _ in range(random.integers(1, 3)):
            kernel = tuple(random.integers(1, 4, size=2).tolist())
            stride = tuple(random.integers(1, 3, size=2).tolist())
            filters = int(random.integers(1, 4))
            drawn += [
                qkeras.QConv2D(
                    filters, kernel, strides=stride, padding="same", **random_weights(random)
                ),
                random_activation(random),
            ]
        drawn += [layers.Flatten()]
    for _ in range(random.integers(1, 4)):
        drawn += [
            dense(int(random.integers(1, 8)), **random_weights(random)),
            random_activation(random),
        ]
    return chain(
        shape, *drawn, dense(int(random.integers(1, 4)), **random_weights(random)), seed=seed
    )


def random_weights(random):
    bits = [int(n) for n in random.integers(2, 9, size=2)]
    return {
        "kernel_quantizer": qkeras.quantized_bits(bits[0], int(random.integers(-2, 3)), alpha=1),
        "bias_quantizer": qkeras.quantized_bits(bits[1], int(random.integers(-2, 3)), 1, alpha=1),
    }


def random_activation(random):
    bits, integer = int(random.integers(2, 9)), int(random.integers(0, 5))
    if random.random() < 0.5:
        return relu(bits, integer)
    return cast(bits, integer, symmetric=int(random.integers(0, 2)))


def all_cases() -> dict[str, Case]:
    networks = (image_network, line_network, branched_network, cast_network)
    cases = {
        f"{make.__name__}_{io_type}": Case(model=make(), hardware=hardware(io_type))
        for make in networks
        for io_type in IO_TYPES
    }
    cases |= {
        "coarse_network": Case(model=coarse_network()),
        "wide_network": Case(model=wide_network(), link=parse_format("ufixed<17,3,RND,SAT>")),
        "overlapping_network": Case(model=overlapping_network()),
        "sequential": Case(model=fill(keras.Sequential([keras.Input((3,)), dense(2), cast()]))),
        "vivado": Case(model=chain((3,), dense(2)), hardware=hardware(backend="Vivado")),
    }
    for io_type, reuse in zip(IO_TYPES, (2, 4), strict=True):
        settings = hardware(io_type, strategy="Resource", reuse_factor=reuse)
        cases[f"resource_{reuse}"] = Case(model=resource_network(), hardware=settings)
    for seed in range(N_RANDOM):
        link = parse_format(("fixed<8,4>", "ufixed<7,2>")[seed % 2])
        settings = hardware(IO_TYPES[seed // 2 % 2])
        cases[f"random_{seed}"] = Case(model=random_network(seed), link=link, hardware=settings)
    return cases


@pytest.fixture(scope="module")
def cases():
    return all_cases()


@pytest.fixture(scope="module")
def results(cases, tmp_path_factory):
    return agreements(cases, tmp_path_factory.mktemp("simulation"))


def test_every_network_is_exact_in_c_simulation(results):
    n_values = sum(entry.n_values for entry in results.values())
    print(f"{len(results)} networks ({N_RANDOM} random), {n_values} values compared")  # noqa: T201
    wrong = {name: entry.first_difference for name, entry in results.items() if not entry.met}
    assert not wrong
    assert n_values > 20_000


def test_every_accepted_kind_of_layer_is_among_the_networks_in_both_io_types(cases):
    accepted = {*MOVING_LAYERS, *MERGING_LAYERS, *CLASS_NAMES}
    for io_type in IO_TYPES:
        seen = {
            type(layer)
            for case in cases.values()
            if case.hardware.io_type == io_type and case.hardware.backend == "Vitis"
            for layer in case.model.layers
        }
        assert not accepted - seen
