"""Named architectures: ``(network, quantization) -> Keras model``.

Each architecture exists as a float baseline and as a QKeras network of the same shape.
Both end in logits: a softmax is monotone in them and costs firmware tables.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import qkeras

from trigforge.core.config import Conv2dNetwork, NetworkSpec, Quantization

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from trigforge.core.fixed_point import FixedPointFormat


@keras.saving.register_keras_serializable(package="trigforge")
class Standardise(keras.layers.Layer):  # type: ignore[misc]
    """Subtract an integer and shift: ``(x - offset) * 2**-shift`` for each element.

    This is the standardisation a trigger can afford: an adder and wires. ``offsets`` and
    ``shifts`` hold one integer for each element of the last axis. They are weights that are
    not trained, so that they travel with the model.
    """

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Create the two integer vectors (as floats, for Keras)."""
        shape = (input_shape[-1],)
        self.offsets = self.add_weight(
            shape=shape, initializer="zeros", trainable=False, name="offsets"
        )
        self.shifts = self.add_weight(
            shape=shape, initializer="zeros", trainable=False, name="shifts"
        )

    def call(self, inputs: Any) -> Any:
        """Standardise; exact in floating point as long as the inputs' bits fit."""
        return (inputs - self.offsets) * keras.ops.power(
            keras.ops.cast(2.0, self.compute_dtype), -self.shifts
        )

    def fit(self, x: ArrayLike) -> None:
        """Set the integers so that means are near 0 and standard deviations in (0.5, 1]."""
        values = np.asarray(x, dtype=np.float64)
        spread = np.maximum(values.std(axis=0), 1e-9)
        self.offsets.assign(np.rint(values.mean(axis=0)))
        self.shifts.assign(np.ceil(np.log2(spread)))


def build_float(network: NetworkSpec, input_shape: tuple[int, ...], n_outputs: int) -> Any:
    """Build the float baseline; its inputs are standardised by a ``Normalization`` layer."""
    inputs = keras.Input(input_shape, name="inputs")
    x = keras.layers.Normalization(name="standardise")(inputs)
    if isinstance(network, Conv2dNetwork):
        for index, block in enumerate(network.blocks):
            x = keras.layers.Conv2D(
                block.filters,
                block.kernel,
                strides=block.stride,
                padding=block.padding,
                activation="relu",
                name=f"conv_{index}",
            )(x)
            if block.pool > 1:
                x = keras.layers.MaxPooling2D(block.pool, name=f"pool_{index}")(x)
    if len(input_shape) > 1:
        x = keras.layers.Flatten(name="flatten")(x)
    for index, units in enumerate(network.hidden_units):
        x = keras.layers.Dense(units, activation="relu", name=f"dense_{index}")(x)
    return keras.Model(inputs, keras.layers.Dense(n_outputs, name="logits")(x), name="float")


def build_quantised(
    network: NetworkSpec,
    quantization: Quantization,
    input_shape: tuple[int, ...],
    n_outputs: int,
) -> Any:
    """Build the QKeras network; its inputs are the values that the link carries."""
    weights = {
        "kernel_quantizer": weight_quantiser(quantization.parsed("weight_format")),
        "bias_quantizer": weight_quantiser(quantization.parsed("bias_format")),
    }
    activation = quantization.parsed("activation_format")
    inputs = keras.Input(input_shape, name="inputs")
    x = inputs
    if quantization.input_format is not None:
        x = Standardise(name="standardise")(x)
        grid = activation_quantiser(quantization.parsed("input_format"))
        x = qkeras.QActivation(grid, name="standardised")(x)
    if isinstance(network, Conv2dNetwork):
        for index, block in enumerate(network.blocks):
            x = qkeras.QConv2D(
                block.filters,
                block.kernel,
                strides=block.stride,
                padding=block.padding,
                name=f"conv_{index}",
                **weights,
            )(x)
            x = qkeras.QActivation(activation_quantiser(activation), name=f"conv_{index}_relu")(x)
            if block.pool > 1:
                x = keras.layers.MaxPooling2D(block.pool, name=f"pool_{index}")(x)
    if len(input_shape) > 1:
        x = keras.layers.Flatten(name="flatten")(x)
    for index, units in enumerate(network.hidden_units):
        x = qkeras.QDense(units, name=f"dense_{index}", **weights)(x)
        x = qkeras.QActivation(activation_quantiser(activation), name=f"dense_{index}_relu")(x)
    return keras.Model(inputs, qkeras.QDense(n_outputs, name="logits", **weights)(x), name="qkeras")


def weight_quantiser(fmt: FixedPointFormat) -> Any:
    """Return the QKeras quantiser onto a signed grid (scale 1, so that it is a format)."""
    return qkeras.quantized_bits(fmt.width, fmt.integer_bits - 1, alpha=1.0)


def activation_quantiser(fmt: FixedPointFormat) -> Any:
    """Return the QKeras quantiser of activations: ReLU if unsigned."""
    if fmt.signed:
        return weight_quantiser(fmt)
    if fmt.integer_bits < 0:  # quantized_relu computes 2**integer_bits on integers and fails
        return qkeras.quantized_bits(fmt.width, fmt.integer_bits, keep_negative=False, alpha=1.0)
    return qkeras.quantized_relu(fmt.width, fmt.integer_bits)
