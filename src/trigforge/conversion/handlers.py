"""Teach hls4ml 1.3 the layers of qkeras-v3 and our own.

Each handler hands over weights that already lie on the grid of their quantiser, under the
class name of the plain Keras layer; their formats go into the configuration. hls4ml's own
QKeras path applies the quantisers again in float32 and, where a format has no fractional
bits, drops rounding and saturation; this path leaves it nothing to decide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import qkeras
from hls4ml.converters.keras_v3._base import KerasV3LayerHandler, registry
from hls4ml.converters.keras_v3.conv import ConvHandler
from hls4ml.converters.keras_v3.core import DenseHandler

from trigforge.networks.layers import Standardise
from trigforge.networks.quantisers import folded_weights, format_of, quantised_weights, quantiser_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

ACTIVATION_SUFFIX = "_act"
"""Name of the activation inside a layer: ``<layer>_act``."""


class _QuantisedWeights(KerasV3LayerHandler):  # type: ignore[misc]
    """Load weights as their quantisers give them, and split off a quantised activation."""

    def default_class_name(self, layer: Any) -> str:
        """Name the plain layer that computes the same from quantised weights."""
        return CLASS_NAMES[type(layer)]

    def load_weight(self, layer: Any, key: str) -> NDArray[np.float64]:
        """Return the weights on the grid."""
        weights = quantised_weights(layer)
        return weights["bias"] if key == "bias" else weights["kernel"]

    def maybe_get_activation_config(
        self, layer: Any, out_tensors: Sequence[Any]
    ) -> tuple[dict[str, Any] | None, str | None]:
        """Describe the activation as a layer of its own, if there is one."""
        quantiser = quantiser_of(layer, "activation")
        if quantiser is None:
            return None, None
        between = f"{out_tensors[0].name}_before_activation"
        name = f"{layer.name}{ACTIVATION_SUFFIX}"
        config = activation_config(name, quantiser)
        config |= {
            "input_keras_tensor_names": [between],
            "output_keras_tensor_names": [out_tensors[0].name],
        }
        return config, between


class QDenseHandler(_QuantisedWeights, DenseHandler):  # type: ignore[misc]
    """QDense and QDenseBatchnorm, the latter folded before quantisation."""

    handles = ()

    def handle(
        self, layer: Any, in_tensors: Sequence[Any], out_tensors: Sequence[Any]
    ) -> dict[str, Any]:
        """Describe the layer to hls4ml."""
        config: dict[str, Any] = super().handle(layer, in_tensors, out_tensors)
        return _with_bias(config, layer)


class QConvHandler(_QuantisedWeights, ConvHandler):  # type: ignore[misc]
    """QConv1D, QConv2D, QDepthwiseConv2D and the kinds with folded batch normalisation."""

    handles = ()

    def handle(
        self, layer: Any, in_tensors: Sequence[Any], out_tensors: Sequence[Any]
    ) -> dict[str, Any]:
        """Describe the layer to hls4ml."""
        config: dict[str, Any] = super().handle(layer, in_tensors, out_tensors)
        return _with_bias(config, layer)


class QActivationHandler(KerasV3LayerHandler):  # type: ignore[misc]
    """QActivation: a cast, through zero for a ReLU."""

    handles = ()

    def handle(
        self, layer: Any, in_tensors: Sequence[Any], out_tensors: Sequence[Any]
    ) -> dict[str, Any]:
        """Describe the layer to hls4ml."""
        del in_tensors, out_tensors
        return activation_config(layer.name, quantiser_of(layer, "activation"))

    def maybe_get_activation_config(
        self, layer: Any, out_tensors: Sequence[Any]
    ) -> tuple[None, None]:
        """The layer is the activation; there is no second one."""
        del layer, out_tensors
        return None, None


class StandardiseHandler(KerasV3LayerHandler):  # type: ignore[misc]
    """Our ``Standardise``: a scale of powers of two and an offset, element by element."""

    handles = ()

    def handle(
        self, layer: Any, in_tensors: Sequence[Any], out_tensors: Sequence[Any]
    ) -> dict[str, Any]:
        """Describe the layer to hls4ml."""
        del in_tensors
        if does_nothing(layer):
            return _unchanged(out_tensors)
        scale, bias = standardise_weights(layer)
        return {"class_name": "ApplyAlpha", "scale_data": scale, "bias_data": bias, "n_filt": -1}


class DropoutHandler(KerasV3LayerHandler):  # type: ignore[misc]
    """Dropout: nothing in inference; hls4ml's own handler would cast to 16 bits."""

    handles = ()

    def handle(
        self, layer: Any, in_tensors: Sequence[Any], out_tensors: Sequence[Any]
    ) -> dict[str, Any]:
        """Describe the layer to hls4ml."""
        del layer, in_tensors
        return _unchanged(out_tensors)


def _unchanged(out_tensors: Sequence[Any]) -> dict[str, Any]:
    """Describe a layer that does nothing as a reshape, which keeps format and shape."""
    return {"class_name": "Reshape", "target_shape": list(out_tensors[0].shape[1:])}


def standardise_weights(layer: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return scale and bias of ``x * 2**-shift - offset * 2**-shift``, exactly."""
    shifts = np.asarray(layer.shifts, dtype=np.float64)
    scale = np.exp2(-shifts)
    return scale, -np.asarray(layer.offsets, dtype=np.float64) * scale


def does_nothing(layer: Any) -> bool:
    """Tell whether a ``Standardise`` neither subtracts nor shifts.

    hls4ml would remove it, and with it a cast that was merged into it.
    """
    return not (np.asarray(layer.offsets).any() or np.asarray(layer.shifts).any())


def activation_config(name: str, quantiser: Any) -> dict[str, Any]:
    """Describe a quantiser as an hls4ml activation."""
    kind = "linear" if format_of(quantiser, name).signed else "relu"
    return {"name": name, "class_name": "Activation", "activation": kind}


def _with_bias(config: dict[str, Any], layer: Any) -> dict[str, Any]:
    """Give a layer that folds batch normalisation its bias, whatever ``use_bias`` says."""
    if folded_weights(layer) is not None:
        config |= {"bias_data": quantised_weights(layer)["bias"], "use_bias": True}
    return config


CLASS_NAMES: Mapping[type, str] = {
    qkeras.QDense: "Dense",
    qkeras.QDenseBatchnorm: "Dense",
    qkeras.QConv1D: "Conv1D",
    qkeras.QConv2D: "Conv2D",
    qkeras.QConv2DBatchnorm: "Conv2D",
    qkeras.QDepthwiseConv2D: "DepthwiseConv2D",
    qkeras.QDepthwiseConv2DBatchnorm: "DepthwiseConv2D",
}

HANDLERS: Mapping[type, type[KerasV3LayerHandler]] = {
    qkeras.QDense: QDenseHandler,
    qkeras.QDenseBatchnorm: QDenseHandler,
    qkeras.QConv1D: QConvHandler,
    qkeras.QConv2D: QConvHandler,
    qkeras.QConv2DBatchnorm: QConvHandler,
    qkeras.QDepthwiseConv2D: QConvHandler,
    qkeras.QDepthwiseConv2DBatchnorm: QConvHandler,
    qkeras.QActivation: QActivationHandler,
    keras.layers.Dropout: DropoutHandler,
    Standardise: StandardiseHandler,
}


def register() -> None:
    """Enter our handlers into hls4ml's table, by the full name of the class."""
    for layer_class, handler in HANDLERS.items():
        registry[f"{layer_class.__module__}.{layer_class.__name__}"] = handler()
