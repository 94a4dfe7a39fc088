"""Random small networks with random precisions, against the C simulation."""

import itertools
import random

import keras
import numpy as np
import pytest
import simulating
from keras import layers
from lowering_branches import randomise
from lowering_nets import compare_all, model_graph, stimulus_for

from trigforge import emulator, onnx_export
from trigforge.conversion import lowering
from trigforge.core.store import Store
from trigforge.evaluation import evaluate

N_NETWORKS = 8
MIN_OUTPUTS = 10
"""Different results below which a network proves little."""
ROUNDINGS = ("TRN", "TRN_ZERO", "RND", "RND_ZERO", "RND_INF", "RND_MIN_INF", "RND_CONV")
OVERFLOWS = ("WRAP", "SAT", "SAT_ZERO", "SAT_SYM")


def precision(rng, *, widths=(4, 9), spread=3):
    """Any format with a few bits on either side of the point."""
    width = rng.randint(*widths)
    kind = rng.choice(("ap_fixed", "ap_fixed", "ap_ufixed"))
    integer = rng.randint(1, 1 + spread)
    return f"{kind}<{width},{integer},AP_{rng.choice(ROUNDINGS)},AP_{rng.choice(OVERFLOWS)}>"


def sum_precisions(rng):
    return {
        "weight": precision(rng),
        "bias": precision(rng),
        "accum": precision(rng, widths=(6, 12)),
        "result": precision(rng),
    }


def image_layer(rng, name, x, io_type):
    """One layer on an image, and its settings."""
    square = rng.choice((1, 2, 3))
    padding = rng.choice(("same", "valid"))
    stride = rng.choice((1, 2))
    kind = rng.choice(("conv", "deep", "max", "mean", "norm", "pad"))
    height, width = x.shape[1:3]
    if min(height, width) < 3:
        kind, square = "conv", 1
    if kind == "conv":
        filters = rng.randint(1, 3)
        layer = layers.Conv2D(filters, square, strides=stride, padding=padding, name=name)
        return layer, sum_precisions(rng)
    if kind == "deep":
        return layers.DepthwiseConv2D(square, padding=padding, name=name), sum_precisions(rng)
    if kind == "norm":
        scale = {"scale": precision(rng), "bias": precision(rng), "result": precision(rng)}
        return layers.BatchNormalization(name=name), scale
    if kind == "pad":
        return layers.ZeroPadding2D(1, name=name), {"result": precision(rng)}
    pooling = layers.MaxPooling2D if kind == "max" else layers.AveragePooling2D
    # Wide enough for any input: the sum of an array is refused where it is not.
    settings = {"accum": f"ap_fixed<24,10,AP_TRN,AP_{rng.choice(OVERFLOWS)}>"}
    padded = {"padding": padding} if io_type == "io_parallel" else {}
    return pooling(2, name=name, **padded), settings | {"result": precision(rng)}


def vector_layer(rng, name):
    """One layer on a vector, and its settings."""
    result = {"result": precision(rng)}
    kind = rng.choice(("dense", "dense", "relu", "sigmoid", "tanh", "leaky", "elu", "softsign"))
    if kind == "dense":
        return layers.Dense(rng.randint(2, 6), name=name), sum_precisions(rng)
    if kind == "leaky":
        return layers.LeakyReLU(0.3, name=name), result | {"param": "ap_fixed<8,2>"}
    if kind == "elu":
        return layers.ELU(1.3, name=name), result | {"param": "ap_fixed<8,3>"}
    table = {} if kind == "relu" else {"table": precision(rng, widths=(8, 14))}
    return layers.Activation(kind, name=name), result | table


def random_graph(seed):
    """Convert a chain of random layers; its input is an image."""
    rng = random.Random(seed)
    io_type = rng.choice(simulating.IO_TYPES)
    inputs = keras.Input((rng.randint(4, 6), rng.randint(4, 6), rng.randint(1, 2)), name="inputs")
    settings = {"inputs": {"result": precision(rng, widths=(5, 8))}}
    x = inputs
    for index in range(rng.randint(1, 3)):
        name = f"image_{index}"
        layer, settings[name] = image_layer(rng, name, x, io_type)
        x = layer(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(rng.randint(3, 6), name="first")(x)
    settings["first"] = sum_precisions(rng)
    for index in range(rng.randint(1, 3)):
        name = f"vector_{index}"
        layer, settings[name] = vector_layer(rng, name)
        x = layer(x)
    model = keras.Model(inputs, x)
    randomise(model, seed)
    return model_graph(model, settings, io_type)


def says_something(hls_graph):
    """Tell whether the outputs change: narrow random sums often saturate for good."""
    graph = lowering.lower(hls_graph, "net")
    outputs = evaluate(graph, stimulus_for(graph).inputs).outputs
    return len(np.unique(outputs.raw, axis=0)) > MIN_OUTPUTS


@pytest.mark.toolchain
def test_random_networks_give_what_the_simulation_gives(tmp_path, capsys):
    candidates = ((f"seed {seed}", random_graph(seed)) for seed in itertools.count())
    lively = ((name, graph) for name, graph in candidates if says_something(graph))
    graphs = dict(itertools.islice(lively, N_NETWORKS))
    agreements = compare_all(graphs, tmp_path)
    for name, agreement in agreements.items():
        assert agreement.met, (name, agreement.first_difference)
    n_values = sum(agreement.n_values for agreement in agreements.values())
    for hls_graph in graphs.values():
        emulator_and_onnx_agree(lowering.lower(hls_graph, "net"), Store(tmp_path / "emulators"))
    with capsys.disabled():
        print(f"\n{len(graphs)} simulated random networks, {n_values} values: no difference")  # noqa: T201


def emulator_and_onnx_agree(graph, store):
    """What equals the C simulation in the evaluator does so in its other forms."""
    inputs = stimulus_for(graph).inputs
    expected = evaluate(graph, inputs).outputs.raw
    emulated = emulator.load(emulator.build(emulator.generate(graph), store)).run(inputs)
    np.testing.assert_array_equal(emulated.raw, expected)
    np.testing.assert_array_equal(onnx_export.run(onnx_export.export(graph), inputs).raw, expected)
