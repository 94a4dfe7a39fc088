"""Two small networks, converted by the hls4ml of this project."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import qkeras

from trigforge.conversion import convert, project
from trigforge.core.config import Hardware
from trigforge.core.fixed_point import parse_format
from trigforge.core.graph import FixedPointGraph
from trigforge.core.records import HlsProject, RawTensor
from trigforge.evaluation import evaluate

LINK = parse_format("fixed<6,3>")
IO_TYPES = ("io_parallel", "io_stream")


@dataclass(frozen=True, kw_only=True)
class Traced:
    """A written project, its exact arithmetic and inputs for both."""

    project: HlsProject
    graph: FixedPointGraph
    inputs: RawTensor


def _weights() -> dict[str, Any]:
    return {
        f"{role}_quantizer": qkeras.quantized_bits(5, 1, alpha=1.0) for role in ("kernel", "bias")
    }


def _relu(name: str) -> Any:
    return qkeras.QActivation(qkeras.quantized_relu(5, 2), name=name)


def dense() -> Any:
    """4-3-2 with a ReLU."""
    layers = [
        qkeras.QDense(3, name="fc1", **_weights()),
        _relu("relu1"),
        qkeras.QDense(2, name="fc2", **_weights()),
    ]
    return _model((4,), layers)


def conv() -> Any:
    """A 5x5 image: convolution, ReLU, pooling and a dense layer."""
    layers = [
        qkeras.QConv2D(2, 3, name="conv1", **_weights()),
        _relu("relu1"),
        keras.layers.MaxPooling2D((3, 1), name="pool1"),
        keras.layers.Flatten(name="flatten1"),
        qkeras.QDense(2, name="fc2", **_weights()),
    ]
    return _model((5, 5, 1), layers)


NETS = {"dense": dense, "conv": conv}


def write(net: str, io_type: str, folder: Path) -> Traced:
    """Convert a network, write its project and draw inputs over the whole grid."""
    hardware = Hardware(part="xcvu13p-flga2577-2-e", clock_mhz=320, io_type=io_type)
    conversion = convert.convert(NETS[net](), "net", LINK, hardware)
    assert conversion.graph is not None
    raw = np.random.default_rng(3).integers(
        LINK.raw_min, LINK.raw_max, (70, conversion.input.n_elements), endpoint=True
    )
    inputs = RawTensor(format=LINK, raw=raw)
    expected = evaluate(conversion.graph, inputs).outputs
    files = project.assemble(conversion, inputs, expected)
    return Traced(
        project=project.write(folder, files, "digest"), graph=conversion.graph, inputs=inputs
    )


def _model(shape: tuple[int, ...], layers: list[Any]) -> Any:
    inputs = keras.Input(shape, name="inputs")
    x = inputs
    for layer in layers:
        x = layer(x)
    model = keras.Model(inputs, x)
    random = np.random.default_rng(1)
    for variable in model.weights:
        if variable.dtype == "float32":
            variable.assign(random.uniform(-1.5, 1.5, variable.shape))
    return model
