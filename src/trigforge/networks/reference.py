"""Evaluate a QKeras network so that floating point cannot blur it.

The model is rebuilt from plain Keras layers in float64. Its weights are those the
quantisers give, computed on integers; activations are quantised by QKeras' own
``quantized_bits`` in float64, without the straight-through sum ``x + (q - x)`` that leaves
the grid when it rounds. Every number is then a dyadic fraction, and as long as no sum needs
more than 53 bits (conversion refuses wider accumulators) every operation is exact, in any
order. Keras' float32 path is not: ``quantized_relu`` casts to float32 whatever the model's
type, and a sum of more than 24 bits is rounded before it is quantised.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import qkeras

from trigforge.core.errors import InputError
from trigforge.core.fixed_point import to_raw, to_values
from trigforge.core.records import Port, Progress, RawTensor, no_progress
from trigforge.networks.quantisers import quantised_weights, quantiser_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

PLAIN_LAYERS: dict[type, type] = {
    qkeras.QDense: keras.layers.Dense,
    qkeras.QDenseBatchnorm: keras.layers.Dense,
    qkeras.QConv1D: keras.layers.Conv1D,
    qkeras.QConv2D: keras.layers.Conv2D,
    qkeras.QConv2DBatchnorm: keras.layers.Conv2D,
    qkeras.QDepthwiseConv2D: keras.layers.DepthwiseConv2D,
    qkeras.QDepthwiseConv2DBatchnorm: keras.layers.DepthwiseConv2D,
}
_SHAPE_KEYS = (
    "units",
    "filters",
    "kernel_size",
    "strides",
    "padding",
    "depth_multiplier",
    "data_format",
)
BATCH = 2048


def evaluate(
    model: Any,
    inputs: RawTensor,
    output: Port,
    *,
    progress: Progress = no_progress,
) -> RawTensor:
    """Return the raw outputs ``(n_events, n_outputs)`` of a QKeras model, exactly.

    ``inputs`` is ``(n_events, n_inputs)``; ``output`` is the port the result is read in.

    Raises:
        InputError: if the inputs or the output have another number of elements than the
            model, or a result does not lie on the grid of the output's format.
    """
    shape = tuple(model.input_shape[1:])
    n_events, n_elements = inputs.raw.shape
    if n_elements != int(np.prod(shape)):
        msg = f"model {model.name} takes {shape}, not {n_elements} elements an event"
        raise InputError(msg)
    if output.n_elements != int(np.prod(model.output_shape[1:])):
        msg = f"model {model.name} gives {model.output_shape[1:]}, not the {output.shape} of a port"
        raise InputError(msg)
    values = to_values(inputs.raw, inputs.format).reshape(n_events, *shape)
    outputs = np.empty((n_events, output.n_elements))
    with float64_numbers():
        exact = exact_model(model)
        for first in range(0, n_events, BATCH):
            batch = values[first : first + BATCH]
            result = keras.ops.convert_to_numpy(exact(batch, training=False))
            outputs[first : first + BATCH] = result.reshape(len(batch), -1)
            progress("evaluating QKeras", first + len(batch), n_events)
    raw = to_raw(outputs, output.format, where=f"output of {model.name}")
    return RawTensor(format=output.format, raw=raw)


def exact_model(model: Any) -> Any:
    """Return the same network of plain float64 Keras layers with quantised weights."""
    clone = keras.models.clone_model(model, clone_function=_plain_layer)
    for layer in model.layers:
        twin = clone.get_layer(layer.name)
        if type(layer) in PLAIN_LAYERS:
            weights = quantised_weights(layer)
            twin.set_weights([weights["kernel"], *([weights["bias"]] if twin.use_bias else [])])
        elif twin.weights:
            twin.set_weights(layer.get_weights())
    return clone


def _plain_layer(layer: Any) -> Any:
    """Return the float64 twin of a layer; called by Keras for each."""
    config = layer.get_config()
    if type(layer) is qkeras.QActivation:
        return keras.layers.Activation(
            _exact_quantiser(quantiser_of(layer, "activation")), name=layer.name, dtype="float64"
        )
    if type(layer) not in PLAIN_LAYERS:
        return type(layer).from_config(config | {"dtype": "float64"})
    quantiser = quantiser_of(layer, "activation")
    folds_bias = hasattr(layer, "batchnorm")
    return PLAIN_LAYERS[type(layer)](
        **{key: config[key] for key in _SHAPE_KEYS if key in config},
        use_bias=layer.use_bias or folds_bias,
        activation=None if quantiser is None else _exact_quantiser(quantiser),
        name=layer.name,
        dtype="float64",
    )


def _exact_quantiser(quantiser: Any) -> Any:
    """Return the QKeras quantiser of the same grid that computes in the model's float type.

    ``quantized_relu`` equals ``quantized_bits`` without negative values, but casts to float32.
    """
    relu = isinstance(quantiser, qkeras.quantized_relu)
    return qkeras.quantized_bits(
        quantiser.bits,
        quantiser.integer,
        symmetric=0 if relu else quantiser.symmetric,
        keep_negative=False if relu else quantiser.keep_negative,
        alpha=1.0,
        use_ste=False,
    )


@contextmanager
def float64_numbers() -> Iterator[None]:
    """Let Keras create and cast to float64 for a while."""
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        yield
    finally:
        keras.config.set_floatx(before)


def n_rounded_in_float32(model: Any, inputs: RawTensor, exact: RawTensor) -> int:
    """Count the events on which Keras' own float32 inference leaves the exact result."""
    values: NDArray[np.float64] = to_values(inputs.raw, inputs.format)
    shape = tuple(model.input_shape[1:])
    single = model.predict(
        values.reshape(len(values), *shape).astype(np.float32), batch_size=BATCH, verbose=0
    )
    expected = to_values(exact.raw, exact.format)
    return int((single.reshape(len(values), -1) != expected).any(axis=1).sum())
