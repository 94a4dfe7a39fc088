"""Named architectures: ``(network, quantization) -> Keras model``.

Each architecture exists as a float baseline and as a QKeras network of the same shape, built by
one description of its layers. Classifiers end in logits: a softmax is monotone in them and costs
firmware tables. Anomaly detectors end in a score that the firmware compares with a threshold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import keras
import numpy as np
import qkeras

from trigforge.core.config import Conv2dNetwork, Conv2dStudent, DenseAutoencoder
from trigforge.core.fixed_point import FixedPointFormat, parse_format
from trigforge.networks.layers import Standardise, activation_quantiser, weight_quantiser

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trigforge.core.config import ConvolutionBlock, NetworkSpec, Quantization

ONE = FixedPointFormat(signed=True, width=2, integer_bits=2)
"""The narrowest format of a weight that is 1."""


class _Layers(Protocol):
    """How each kind of layer is built; every method takes a tensor and returns one."""

    def convolution(self, x: Any, block: ConvolutionBlock, name: str) -> Any:
        """Return a convolution with ReLU."""

    def hidden(self, x: Any, units: int, name: str) -> Any:
        """Return a dense layer with ReLU."""

    def linear(self, x: Any, units: int, name: str) -> Any:
        """Return a dense layer without activation."""

    def like_input(self, x: Any, name: str) -> Any:
        """Return values in the format of the standardised inputs."""

    def total(self, x: Any, name: str) -> Any:
        """Return the sum of the elements."""

    def score(self, x: Any, name: str) -> Any:
        """Return a score that is not negative, in the format of scores."""


class _FloatLayers:
    """Plain Keras layers."""

    def convolution(self, x: Any, block: ConvolutionBlock, name: str) -> Any:
        return keras.layers.Conv2D(
            block.filters,
            block.kernel,
            strides=block.stride,
            padding=block.padding,
            activation="relu",
            name=name,
        )(x)

    def hidden(self, x: Any, units: int, name: str) -> Any:
        return keras.layers.Dense(units, activation="relu", name=name)(x)

    def linear(self, x: Any, units: int, name: str) -> Any:
        return keras.layers.Dense(units, name=name)(x)

    def like_input(self, x: Any, name: str) -> Any:
        del name
        return x

    def total(self, x: Any, name: str) -> Any:
        return keras.layers.Dense(
            1, use_bias=False, kernel_initializer="ones", trainable=False, name=name
        )(x)

    def score(self, x: Any, name: str) -> Any:
        del name
        return x


class _QuantisedLayers:
    """QKeras layers in the formats of a spec."""

    def __init__(self, quantization: Quantization, score_format: FixedPointFormat | None) -> None:
        self._formats = quantization
        self._input = quantization.input_format and quantization.parsed("input_format")
        self._score = score_format

    def convolution(self, x: Any, block: ConvolutionBlock, name: str) -> Any:
        x = qkeras.QConv2D(
            block.filters,
            block.kernel,
            strides=block.stride,
            padding=block.padding,
            name=name,
            **self._weights(name),
        )(x)
        return self._relu(x, name)

    def hidden(self, x: Any, units: int, name: str) -> Any:
        return self._relu(self.linear(x, units, name), name)

    def linear(self, x: Any, units: int, name: str) -> Any:
        return qkeras.QDense(units, name=name, **self._weights(name))(x)

    def like_input(self, x: Any, name: str) -> Any:
        return self._cast(x, self._input, name) if self._input else x

    def total(self, x: Any, name: str) -> Any:
        return qkeras.QDense(
            1,
            use_bias=False,
            kernel_initializer="ones",
            kernel_quantizer=weight_quantiser(ONE),
            trainable=False,
            name=name,
        )(x)

    def score(self, x: Any, name: str) -> Any:
        return self._cast(x, self._score, name) if self._score else x

    def _weights(self, layer: str) -> dict[str, Any]:
        """Return the quantisers of a layer's weights."""
        return {
            "kernel_quantizer": weight_quantiser(self._formats.parsed("weight_format", layer)),
            "bias_quantizer": weight_quantiser(self._formats.parsed("bias_format", layer)),
        }

    def _relu(self, x: Any, layer: str) -> Any:
        """Return what a layer's ReLU gives."""
        return self._cast(x, self._formats.parsed("activation_format", layer), f"{layer}_relu")

    @staticmethod
    def _cast(x: Any, fmt: FixedPointFormat, name: str) -> Any:
        """Cast; a format without sign cuts off what is negative."""
        return qkeras.QActivation(activation_quantiser(fmt), name=name)(x)


def build_float(network: NetworkSpec, input_shape: tuple[int, ...], n_outputs: int) -> Any:
    """Build the float baseline; its inputs are standardised by a ``Normalization`` layer."""
    inputs = keras.Input(input_shape, name="inputs")
    x = keras.layers.Normalization(name="standardise")(inputs)
    return keras.Model(inputs, _outputs(network, x, n_outputs, _FloatLayers()), name="float")


def build_quantised(
    network: NetworkSpec,
    quantization: Quantization,
    input_shape: tuple[int, ...],
    n_outputs: int,
) -> Any:
    """Build the QKeras network; its inputs are the values that the link carries."""
    score_format = getattr(network, "score_format", None)
    layers = _QuantisedLayers(quantization, score_format and parse_format(score_format))
    inputs = keras.Input(input_shape, name="inputs")
    x = inputs
    if quantization.input_format is not None:
        x = layers.like_input(Standardise(name="standardise")(x), "standardised")
    return keras.Model(inputs, _outputs(network, x, n_outputs, layers), name="qkeras")


def _outputs(network: NetworkSpec, x: Any, n_outputs: int, layers: _Layers) -> Any:
    """Return the logits, or the score, from standardised inputs."""
    if isinstance(network, DenseAutoencoder):
        return _squared_error(network.hidden_units, x, layers)
    if isinstance(network, Conv2dNetwork | Conv2dStudent):
        for index, block in enumerate(network.blocks):
            x = layers.convolution(x, block, f"conv_{index}")
            if block.pool > 1:
                x = keras.layers.MaxPooling2D(block.pool, name=f"pool_{index}")(x)
    if len(x.shape) > 2:
        x = keras.layers.Flatten(name="flatten")(x)
    x = _hidden(network.hidden_units, x, layers)
    if isinstance(network, Conv2dStudent):
        return layers.score(layers.linear(x, n_outputs, "score_sum"), "score")
    return layers.linear(x, n_outputs, "logits")


def _hidden(units: Sequence[int], x: Any, layers: _Layers) -> Any:
    for index, n_units in enumerate(units):
        x = layers.hidden(x, n_units, f"dense_{index}")
    return x


def _squared_error(hidden_units: tuple[int, ...], x: Any, layers: _Layers) -> Any:
    """Encode, decode, and sum the squares of what is lost; inputs are flat."""
    n_inputs = int(np.prod(x.shape[1:]))
    if len(x.shape) > 2:
        x = keras.layers.Flatten(name="flatten")(x)
    decoded = _hidden((*hidden_units, *reversed(hidden_units[:-1])), x, layers)
    decoded = layers.like_input(layers.linear(decoded, n_inputs, "decoded"), "decoded_cast")
    error = keras.layers.Subtract(name="error")([x, decoded])
    square = keras.layers.Multiply(name="square")([error, error])
    return layers.score(layers.total(square, "score_sum"), "score")
