"""Layers and quantisers that the named architectures share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import qkeras

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
