"""What a Keras model file may hold: layers, quantisers and activations by name.

A class is taken from these tables, never imported because a file names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import qkeras

from trigforge.networks.layers import Standardise

if TYPE_CHECKING:
    from collections.abc import Mapping

_KERAS_LAYERS = (
    "Activation",
    "ActivityRegularization",
    "Add",
    "Average",
    "AveragePooling1D",
    "AveragePooling2D",
    "BatchNormalization",
    "Concatenate",
    "Conv1D",
    "Conv2D",
    "Cropping1D",
    "Cropping2D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "Dropout",
    "ELU",
    "Flatten",
    "GaussianDropout",
    "GaussianNoise",
    "GlobalAveragePooling1D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling1D",
    "GlobalMaxPooling2D",
    "InputLayer",
    "LeakyReLU",
    "MaxPooling1D",
    "MaxPooling2D",
    "Maximum",
    "Minimum",
    "Multiply",
    "PReLU",
    "Permute",
    "ReLU",
    "Reshape",
    "SeparableConv1D",
    "SeparableConv2D",
    "Softmax",
    "SpatialDropout1D",
    "SpatialDropout2D",
    "Subtract",
    "UpSampling1D",
    "UpSampling2D",
    "ZeroPadding1D",
    "ZeroPadding2D",
)
_QKERAS_LAYERS = (
    "QActivation",
    "QBatchNormalization",
    "QConv1D",
    "QConv2D",
    "QConv2DBatchnorm",
    "QDense",
    "QDenseBatchnorm",
    "QDepthwiseConv2D",
    "QDepthwiseConv2DBatchnorm",
)
LAYERS: Mapping[str, Any] = {
    **{name: getattr(keras.layers, name) for name in _KERAS_LAYERS},
    **{name: getattr(qkeras, name) for name in _QKERAS_LAYERS},
    "Standardise": Standardise,
}
QUANTISERS: Mapping[str, Any] = {
    name: getattr(qkeras, name)
    for name in (
        "binary",
        "quantized_bits",
        "quantized_linear",
        "quantized_po2",
        "quantized_relu",
        "quantized_relu_po2",
        "quantized_sigmoid",
        "quantized_tanh",
        "ternary",
    )
}
ACTIVATIONS = (
    "elu",
    "exponential",
    "hard_sigmoid",
    "hard_silu",
    "leaky_relu",
    "linear",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
)
MODELS = ("Functional", "Model", "Sequential")

REFUSALS: Mapping[str, str] = {
    "Lambda": (
        "a Lambda layer holds code, and code of a file is never executed; write what it does "
        "as layers, or leave it out and do it before the network"
    ),
    "TFOpLambda": "an operation outside a layer; write it as a layer (Add, Multiply, ...)",
    "SlicingOpLambda": "an operation outside a layer; write it as a layer",
    "Functional": "a model inside the model; write its layers into the outer one",
    "Sequential": "a model inside the model; write its layers into the outer one",
    "Model": "a model inside the model; write its layers into the outer one",
}
"""Why a layer that is often met cannot be read."""
