"""Small models in every kind of file that is read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import onnx
import qkeras
from onnx import TensorProto, helper

PUBLIC = Path(__file__).parents[1] / "public_models"


def quantised_network() -> Any:
    """A QKeras network of two layers."""
    quantisers = {
        "kernel_quantizer": qkeras.quantized_bits(5, 0, alpha=1.0),
        "bias_quantizer": qkeras.quantized_bits(5, 0, alpha=1.0),
    }
    inputs = keras.Input((3,), name="inputs")
    x = qkeras.QDense(4, name="first", **quantisers)(inputs)
    x = qkeras.QActivation(qkeras.quantized_relu(4, 1), name="relu")(x)
    model = keras.Model(inputs, qkeras.QDense(2, name="second", **quantisers)(x))
    return seeded(model)


def float_network() -> Any:
    """A convolution, a normalisation and a softmax."""
    inputs = keras.Input((6, 6, 1), name="inputs")
    x = keras.layers.Conv2D(2, 3, padding="same", activation="relu", name="conv")(inputs)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.MaxPooling2D(2, name="pool")(x)
    x = keras.layers.Dropout(0.1, name="dropout")(keras.layers.Flatten(name="flat")(x))
    return seeded(keras.Model(inputs, keras.layers.Dense(3, activation="softmax", name="out")(x)))


def seeded(model: Any) -> Any:
    random = np.random.default_rng(7)
    for variable in model.weights:
        if variable.dtype == "float32":
            low = 0.5 if "variance" in variable.path else -0.9
            variable.assign(random.uniform(low, 0.9, variable.shape))
    return model


def keras_2(folder: Path, name: str) -> tuple[Path, Path]:
    """The architecture and weights of a public model of Keras 2, as they were published."""
    architecture, weights = f"{name}.json", f"{name}_weights.h5"
    for file in (architecture, weights):
        shutil.copyfile(PUBLIC / file, folder / file)
    return folder / architecture, folder / weights


def keras_2_whole(folder: Path, name: str = "qkeras_3layer") -> Path:
    """The same in one HDF5 file, as ``model.save`` of Keras 2 writes it."""
    path = folder / f"{name}.h5"
    with h5py.File(path, "w") as whole, h5py.File(PUBLIC / f"{name}_weights.h5") as weights:
        group = whole.create_group("model_weights")
        for key, value in weights.attrs.items():
            group.attrs[key] = value
        for key in weights:
            weights.copy(key, group)
        whole.attrs["model_config"] = (PUBLIC / f"{name}.json").read_text()
        whole.attrs["keras_version"] = "2.4.0"
    return path


def float_onnx(path: Path, *, batch: int | str = 1, pads: bool = True) -> Path:
    """A convolution, a pooling and a matrix product, channels first as PyTorch has them."""
    random = np.random.default_rng(3)
    weights = {
        "w0": random.normal(size=(2, 1, 3, 3)),
        "b0": random.normal(size=2),
        "w1": random.normal(size=(18, 3)),
        "b1": random.normal(size=3),
    }
    padding: dict[str, Any] = {"pads": [1, 1, 1, 1]} if pads else {"auto_pad": "SAME_UPPER"}
    nodes = [
        helper.make_node("Conv", ["x", "w0", "b0"], ["c"], "conv", kernel_shape=[3, 3], **padding),
        helper.make_node("Relu", ["c"], ["r"], "relu"),
        helper.make_node("MaxPool", ["r"], ["p"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p"], ["f"], "flatten", axis=1),
        helper.make_node("Gemm", ["f", "w1", "b1"], ["y"], "gemm"),
    ]
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 1, 6, 6])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 3])],
        [
            onnx.numpy_helper.from_array(value.astype(np.float32), name)
            for name, value in weights.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def write_all(folder: Path) -> dict[str, Path | None]:
    """Write one file of each kind; return the weights that belong to it."""
    quantised_network().save(folder / "quantised.keras")
    float_network().save(folder / "float.keras")
    keras_2_whole(folder)
    architecture, weights = keras_2(folder, "KERAS_3layer")
    float_onnx(folder / "float.onnx")
    shutil.copyfile(PUBLIC / "bnn_model_fc_1layer.onnx", folder / "binary.onnx")
    return {
        "quantised.keras": None,
        "float.keras": None,
        "qkeras_3layer.h5": None,
        architecture.name: weights,
        "float.onnx": None,
        "binary.onnx": None,
    }


def edited(path: Path, change: Any) -> Path:
    """Change the JSON of an architecture in place."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path
