"""Networks in which every layer hangs on its own branch and is seen at the output.

``fans`` cast the input to several formats; a branch puts one layer behind one of them (or a
merging layer behind two). Precisions are those of hls4ml's configuration.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from hls4ml.converters.keras_v3._base import KerasV3LayerHandler, registry
from keras import layers
from lowering_nets import collect, collected

WEIGHTS = {"weight": "ap_fixed<6,2>", "bias": "ap_fixed<7,2>"}
FINE = {"result": "ap_fixed<12,2>"}


@dataclass(frozen=True)
class Branch:
    """A layer, what it reads, its precisions, the io type that alone can have it."""

    layer: Any
    sources: str
    settings: dict[str, Any] = field(default_factory=dict)
    only: str | None = None
    hidden: bool = False
    """Not seen at the output itself: in io_stream a second reader makes hls4ml copy it."""


def network(fans, branches, io_type, *, shape, link):
    """Return a Keras model with random weights and its precisions."""
    inputs = keras.Input(shape, name="inputs")
    precisions = {"inputs": {"result": link}}
    tensors = {}
    for name, (before, fmt) in fans.items():
        precisions[name] = {"result": fmt}
        tensors[name] = layers.Activation("linear", name=name)(tensors.get(before, inputs))
    outputs = []
    for branch in branches:
        if branch.only in {None, io_type}:
            read = [tensors[name] for name in branch.sources.split()]
            result = branch.layer(read[0] if len(read) == 1 else read)
            tensors[branch.layer.name] = result
            precisions[branch.layer.name] = branch.settings
            if not branch.hidden:
                outputs.append(result)
    model = keras.Model(inputs, collect(*outputs))
    randomise(model, seed=1)
    return model, precisions | collected(*outputs)


def randomise(model, seed):
    random = np.random.default_rng(seed)
    for variable in model.weights:
        if variable.dtype == "float32":
            low, high = (0.3, 2.0) if "variance" in variable.path else (-2.5, 2.5)
            variable.assign(random.uniform(low, high, variable.shape))


class HardTanh(keras.layers.Layer):
    """Stands for a hard tanh, which Keras 3 does not have."""

    def call(self, x):
        return x


class HardTanhHandler(KerasV3LayerHandler):
    """Describes it to hls4ml."""

    handles = ()

    def handle(self, layer, in_tensors, out_tensors):
        kind = {"class_name": "HardActivation", "activation": "hard_tanh"}
        return kind | {"n_in": int(np.prod(in_tensors[0].shape[1:])), "slope": 0.3, "shift": 0.25}


registry[f"{HardTanh.__module__}.HardTanh"] = HardTanhHandler()


def ternary_tanh(x):
    return x


def binary_tanh(x):
    return x


def function(name, prefix="act", **settings):
    """An activation that hls4ml knows by its name."""
    kind = {"ternary_tanh": ternary_tanh, "binary_tanh": binary_tanh}.get(name, name)
    return layers.Activation(kind, name=f"{prefix}_{name}")


def activations(io_type):
    """Every activation, on formats that saturate, wrap and round."""
    fans = {
        "a": ("", "ap_fixed<9,4,AP_RND,AP_SAT>"),
        "b": ("", "ap_fixed<7,5>"),
        "c": ("", "ap_ufixed<7,3,AP_TRN,AP_SAT>"),
        "d": ("", "ap_fixed<6,7,AP_RND,AP_WRAP>"),
        "e": ("", "int<5>"),
    }
    slopes = keras.initializers.RandomUniform(-1, 1, seed=1)
    narrow = {"result": "ap_fixed<9,4,AP_RND>", "param": "ap_fixed<9,2>"}
    sharp = {"result": "ap_fixed<10,2,AP_RND,AP_SAT>", "table": "ap_fixed<12,2>"}
    branches = [
        Branch(function("sigmoid"), "a", sharp),
        Branch(function("tanh"), "a", {"result": "ap_fixed<9,2>", "table": "ap_fixed<18,8>"}),
        Branch(function("softplus"), "a", {"result": "ap_fixed<12,5>"}),
        Branch(function("softsign"), "a", {"result": "ap_fixed<12,2>", "TableSize": 512}),
        Branch(function("relu"), "a", {"result": "ap_ufixed<5,2,AP_RND_CONV,AP_SAT>"}),
        Branch(function("selu"), "a", {"result": "ap_fixed<14,6>"}),
        Branch(layers.ELU(0.7, name="elu"), "b", narrow),
        Branch(layers.LeakyReLU(0.3, name="leaky"), "b", narrow),
        Branch(layers.ReLU(threshold=1.3, name="thresholded"), "b", narrow),
        Branch(layers.PReLU(slopes, name="prelu"), "b", narrow),
        Branch(function("hard_sigmoid"), "b", {"result": "ap_fixed<9,2,AP_RND_ZERO>"}),
        Branch(HardTanh(name="hard_tanh"), "b", {"result": "ap_fixed<9,2,AP_RND_ZERO,AP_SAT>"}),
        Branch(function("sigmoid", "unsigned"), "c", {"result": "ap_fixed<9,2>"}),
        Branch(function("selu", "unsigned"), "c", {"result": "ap_fixed<9,4>"}),
        Branch(function("ternary_tanh"), "c", {"result": "ap_fixed<6,1>"}),
        Branch(function("sigmoid", "coarse"), "d", {"result": "ap_fixed<9,2>"}),
        Branch(function("elu", "coarse"), "d", {"result": "ap_fixed<9,8>"}),
        Branch(function("ternary_tanh", "coarse"), "d", {"result": "ap_fixed<6,3>"}),
        Branch(function("binary_tanh"), "d", {"result": "ap_fixed<4,2>"}),
        Branch(function("tanh", "integer"), "e", {"result": "ap_fixed<9,2>"}),
        Branch(function("linear", "integer"), "e", {"result": "ap_fixed<3,2,AP_TRN,AP_SAT_SYM>"}),
        Branch(function("relu6"), "b", {"result": "ap_fixed<9,4>"}, "io_parallel"),
    ]
    return network(fans, branches, io_type, shape=(6,), link="ap_fixed<8,4>")


def images(io_type):
    """Convolutions, pooling and layers that move pixels, with narrow accumulators."""
    fans = {
        "a": ("", "ap_fixed<6,3,AP_RND>"),
        "b": ("", "ap_ufixed<6,2,AP_TRN,AP_SAT>"),
        "c": ("", "ap_fixed<8,4>"),
        "d": ("", "ap_fixed<5,3,AP_RND_CONV,AP_SAT>"),
        "same": ("d", "ap_fixed<6,3>"),
    }
    branches = [*convolutions(), *poolings(), *moves()]
    return network(fans, branches, io_type, shape=(5, 6, 2), link="ap_fixed<7,3>")


def summed(accum, result, **settings):
    return WEIGHTS | {"accum": accum, "result": result} | settings


def convolutions():
    same = {"padding": "same"}
    point = {"ReuseFactor": 2}
    return [
        Branch(
            layers.Conv2D(3, 3, strides=2, name="conv_same", **same),
            "a",
            summed("ap_fixed<8,3,AP_TRN,AP_SAT>", "ap_fixed<9,3,AP_RND>"),
        ),
        Branch(
            layers.Conv2D(2, (2, 3), name="conv_valid"),
            "b",
            summed("ap_fixed<7,3,AP_RND_CONV>", "ap_fixed<6,2,AP_RND,AP_SAT>"),
        ),
        Branch(
            layers.Conv2D(3, 1, name="conv_point"),
            "c",
            summed("ap_fixed<9,4,AP_RND_ZERO,AP_SAT_SYM>", "ap_ufixed<6,2,AP_TRN,AP_SAT>", **point),
        ),
        Branch(
            layers.Conv2D(3, 1, strides=2, name="conv_steps"),
            "c",
            WEIGHTS | point | {"result": "ap_fixed<9,3>"},
        ),
        Branch(
            layers.DepthwiseConv2D(3, name="deep", **same),
            "same",
            summed("ap_fixed<7,3,AP_TRN,AP_SAT>", "ap_fixed<9,3,AP_RND>"),
        ),
        Branch(
            layers.Dense(3, name="rows"), "a", summed("ap_fixed<9,3>", "ap_fixed<8,3>", **point)
        ),
    ]


def poolings():
    def maximum(*window, name, **options):
        return layers.MaxPooling2D(*window, name=name, **options)

    same = {"strides": 2, "padding": "same"}
    sized = {"result": "ap_fixed<8,4>"}
    mean = {"accum": "ap_fixed<8,4>", "result": "ap_fixed<6,3>"}
    cut = {"accum": "ap_ufixed<5,3,AP_RND,AP_WRAP>", "result": "ap_fixed<8,4>"}
    wrapped = {"accum": "ap_fixed<5,2>", "result": "ap_fixed<6,3>"}
    saturated = {"accum": "ap_fixed<7,3,AP_TRN,AP_SAT>", "result": "ap_fixed<6,2,AP_RND>"}
    rounded = {"accum": "ap_fixed<9,4,AP_RND,AP_WRAP>", "result": "ap_fixed<8,3>"}
    array = "io_parallel"
    return [
        Branch(maximum(2, name="pool_max"), "a", wrapped),
        Branch(layers.AveragePooling2D((2, 3), name="pool_mean"), "d", saturated),
        Branch(maximum(3, name="pool_unsigned", **same), "b", sized, array),
        Branch(maximum(3, name="pool_signed", **same), "a", sized, array),
        Branch(layers.AveragePooling2D(3, name="mean_same", **same), "a", mean, array),
        Branch(layers.GlobalMaxPooling2D(name="global_max"), "b", cut),
        Branch(layers.GlobalAveragePooling2D(name="global_mean"), "c", rounded),
    ]


def moves():
    norm = {"scale": "ap_fixed<7,2,AP_RND,AP_SAT>", "bias": "ap_fixed<6,2>"}
    norm |= {"result": "ap_fixed<8,3,AP_RND_INF,AP_SAT>"}
    return [
        Branch(layers.BatchNormalization(name="norm"), "c", norm),
        Branch(layers.ZeroPadding2D(((1, 0), (2, 1)), name="padded"), "d"),
        Branch(layers.Permute((3, 1, 2), name="permuted"), "d"),
        Branch(layers.Permute((2, 1, 3), name="swapped"), "b"),
        Branch(layers.Reshape((10, 6), name="reshaped"), "d"),
        Branch(
            layers.Conv1D(2, 3, strides=2, name="conv1"),
            "reshaped",
            summed("ap_fixed<9,3,AP_RND_MIN_INF,AP_SAT>", "ap_fixed<8,3>"),
        ),
        Branch(
            layers.Conv1D(2, 1, name="conv1_point"),
            "reshaped",
            summed("ap_fixed<9,3>", "ap_fixed<8,3>"),
        ),
        Branch(layers.MaxPooling1D(2, name="pool1_max"), "reshaped"),
        Branch(
            layers.AveragePooling1D(3, strides=2, name="pool1_mean"),
            "reshaped",
            {"accum": "ap_fixed<10,4,AP_RND_CONV,AP_SAT_ZERO>", "result": "ap_fixed<8,3>"},
        ),
    ]


def vectors(io_type):
    """Merging layers, softmax, dense layers, one-dimensional layers."""
    fans = {
        "a": ("", "ap_fixed<6,3,AP_RND>"),
        "b": ("", "ap_ufixed<6,2,AP_TRN,AP_SAT>"),
        "c": ("", "ap_fixed<7,4>"),
        "d": ("", "ap_fixed<9,5>"),
        "e": ("", "ap_fixed<8,3,AP_RND,AP_SAT>"),
        "f": ("", "ap_ufixed<5,2>"),
        "alone": ("e", "ap_fixed<9,4>"),
    }
    branches = [*merges(), *softmaxes(), *denses(), *rows()]
    return network(fans, branches, io_type, shape=(4, 6), link="ap_fixed<8,4>")


def merges():
    def result(text):
        return {"result": text}

    return [
        Branch(layers.Add(name="add"), "a b", result("ap_fixed<5,3,AP_RND,AP_SAT>")),
        Branch(layers.Subtract(name="subtract"), "a b", result("ap_fixed<9,4>")),
        Branch(
            layers.Multiply(name="multiply"), "a b", result("ap_fixed<8,2,AP_TRN_ZERO,AP_SAT_SYM>")
        ),
        Branch(layers.Average(name="average"), "a c", result("ap_fixed<7,3,AP_RND_CONV>")),
        Branch(layers.Maximum(name="maximum"), "f c", result("ap_fixed<7,3>")),
        Branch(layers.Minimum(name="minimum"), "f c", result("ap_fixed<7,3,AP_RND,AP_SAT>")),
        Branch(layers.Concatenate(axis=1, name="below"), "a b", result("ap_fixed<8,3>")),
        Branch(layers.Concatenate(axis=-1, name="beside"), "c b", result("ap_fixed<8,4>")),
        Branch(layers.Concatenate(axis=2, name="beside_too"), "c d", result("ap_fixed<8,4>")),
    ]


def softmaxes():
    def softmax(name, axis=-1):
        return layers.Softmax(axis=axis, name=f"soft_{name}")

    tables = {
        "exp_table": "ap_ufixed<10,1,AP_RND,AP_SAT>",
        "inv_table": "ap_ufixed<12,1,AP_RND,AP_SAT>",
        "inv_inp": "ap_ufixed<10,4>",
        "accum": "ap_ufixed<11,3,AP_RND,AP_SAT>",
    }
    stable = FINE | {"Implementation": "stable"}
    small = {"TableSize": 16}
    latency = FINE | {"Implementation": "latency", "TableSize": 256}
    array = "io_parallel"
    return [
        Branch(softmax("stable"), "c", stable | tables | {"TableSize": 64}),
        Branch(softmax("latency"), "d", latency),
        Branch(softmax("legacy"), "d", FINE | {"Implementation": "legacy"}),
        Branch(softmax("argmax"), "d", FINE | {"Implementation": "argmax"}),
        Branch(softmax("unsigned"), "f", stable | small),
        Branch(softmax("rows", axis=1), "e", stable, array),
        Branch(layers.Activation("softmax", name="soft_all"), "e", stable, array),
    ]


def denses():
    saturating = summed("ap_fixed<9,3,AP_TRN,AP_SAT>", "ap_fixed<9,3>")
    rounding = summed("ap_fixed<8,4,AP_RND_CONV,AP_SAT_ZERO>", "ap_fixed<6,3,AP_RND_INF,AP_SAT>")
    wrapping = summed("ap_fixed<8,4,AP_RND_MIN_INF>", "ap_ufixed<6,3>", ReuseFactor=48)
    ternary = {"result": "ap_fixed<12,6>", "weight": "int<2>", "bias": "int<5>"}
    integer = summed("int<7>", "int<6>", weight="ap_fixed<9,4,AP_TRN_ZERO,AP_SAT_SYM>")
    return [
        Branch(layers.Flatten(name="flat"), "e"),
        Branch(layers.Dense(5, name="dense_saturating"), "flat", saturating),
        Branch(layers.Dense(4, name="dense_rounding"), "flat", rounding),
        Branch(layers.Dense(4, use_bias=False, name="dense_wrapping"), "flat", wrapping),
        Branch(layers.Dense(3, name="dense_ternary"), "flat", ternary),
        Branch(layers.Dense(3, name="dense_integer"), "flat", integer),
    ]


def rows():
    deep = summed("ap_fixed<8,4,AP_RND,AP_SAT>", "ap_fixed<8,4>")
    largest = {"result": "ap_fixed<8,4>", "accum": "ap_fixed<6,2,AP_RND,AP_WRAP>"}
    mean = {"result": "ap_fixed<8,4>", "accum": "ap_fixed<6,3,AP_TRN,AP_SAT>"}
    joined = {"result": "ap_fixed<9,4>"}
    return [
        Branch(layers.GlobalMaxPooling1D(name="largest"), "e", largest),
        Branch(layers.GlobalAveragePooling1D(name="mean"), "a", mean),
        Branch(layers.DepthwiseConv1D(3, name="deep"), "e", deep),
        Branch(layers.Conv1D(3, 4, padding="same", strides=2, name="conv_same"), "alone", deep),
        Branch(layers.ZeroPadding1D((1, 2), name="padded"), "e"),
        Branch(layers.UpSampling1D(2, name="twice"), "e"),
        Branch(layers.Cropping1D((1, 1), name="cropped"), "e", {}, "io_parallel"),
        Branch(layers.Reshape((2, 2, 6), name="shaped"), "d", hidden=True),
        Branch(layers.UpSampling2D((2, 3), name="larger"), "shaped"),
        Branch(layers.Concatenate(axis=2, name="tiled"), "shaped shaped", joined, "io_parallel"),
    ]
