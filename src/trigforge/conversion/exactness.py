"""Refuse what hls4ml cannot convert exactly, by the layer's name, before it is tried."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import qkeras

from trigforge.conversion.handlers import ACTIVATION_SUFFIX, CLASS_NAMES, does_nothing
from trigforge.core.errors import ConversionError
from trigforge.networks.layers import Standardise
from trigforge.networks.quantisers import (
    DEPTHWISE_LAYERS,
    format_of,
    quantised_weights,
    quantiser_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trigforge.core.config import Hardware

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,59}")

POOLING_LAYERS = (keras.layers.MaxPooling1D, keras.layers.MaxPooling2D)

MOVING_LAYERS = (
    keras.layers.InputLayer,
    keras.layers.Flatten,
    keras.layers.Reshape,
    keras.layers.Permute,
    keras.layers.Concatenate,
    keras.layers.Dropout,
    *POOLING_LAYERS,
)
"""They move values and leave every bit as it is."""

MERGING_LAYERS = (keras.layers.Add, keras.layers.Subtract, keras.layers.Multiply)
"""They compute with as many bits as the result needs."""

ADVICE = {
    "Dense": "use QDense with kernel_quantizer and bias_quantizer",
    "Conv1D": "use QConv1D with kernel_quantizer and bias_quantizer",
    "Conv2D": "use QConv2D with kernel_quantizer and bias_quantizer",
    "DepthwiseConv2D": "use QDepthwiseConv2D with quantisers",
    "Activation": "use QActivation with quantized_relu or quantized_bits",
    "ReLU": "use QActivation with quantized_relu",
    "Softmax": "end in logits: a softmax is a table that can change the decision",
    "BatchNormalization": "fold it: use QDenseBatchnorm or QConv2DBatchnorm",
    "QBatchNormalization": "its fused scale is rounded; use QDenseBatchnorm or QConv2DBatchnorm",
    "AveragePooling1D": "the mean is cut to its input's bits; use MaxPooling1D",
    "AveragePooling2D": "the mean is cut to its input's bits; use MaxPooling2D",
    "ZeroPadding1D": "hls4ml does not read it; use padding='same' in the convolution",
    "ZeroPadding2D": "hls4ml does not read it; use padding='same' in the convolution",
    "UpSampling1D": "hls4ml does not read it; leave it out",
    "UpSampling2D": "hls4ml does not read it; leave it out",
    "Lambda": "it holds code, not arithmetic; write the layers out",
}


def check(model: Any, hardware: Hardware) -> None:
    """Refuse a model that has no exact counterpart in firmware.

    Raises:
        ConversionError: naming every layer that cannot be converted, and why.
    """
    problems = [line for layer in model.layers for line in _layer_problems(layer)]
    problems += [line for layer in model.layers for line in _hardware_problems(layer, hardware)]
    problems += _model_problems(model)
    if problems:
        msg = f"{len(problems)} reason(s) against an exact conversion\n  " + "\n  ".join(problems)
        raise ConversionError(msg)


def absorbing_layer(activation: Any) -> Any | None:
    """Return the layer that takes over the cast of a signed activation, if there is one.

    hls4ml removes a linear activation behind a layer of automatic precision, and its format
    with it.
    """
    if type(activation) in CLASS_NAMES:
        return activation
    producer = _producers(activation)[0]
    if isinstance(producer, Standardise):
        return None if does_nothing(producer) else producer
    return producer if type(producer) in CLASS_NAMES else None


def _where(layer: Any) -> str:
    return f"layer {layer.name} ({type(layer).__name__})"


def _producers(layer: Any) -> list[Any]:
    """Return the layers that a layer reads; Keras has no public way to ask."""
    tensors = layer._inbound_nodes[0].input_tensors  # noqa: SLF001
    return [tensor._keras_history.operation for tensor in tensors]  # noqa: SLF001


def _model_problems(model: Any) -> Iterator[str]:
    """Yield what is wrong with how the layers hang together."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        yield (
            f"model {model.name}: {len(model.inputs)} inputs and {len(model.outputs)} outputs; "
            "firmware here has one of each"
        )
    names = {layer.name for layer in model.layers}
    nodes = [node for depth in model._nodes_by_depth.values() for node in depth]  # noqa: SLF001
    for layer in model.layers:
        if sum(node.operation is layer for node in nodes) > 1:
            yield f"{_where(layer)}: it is used more than once; give each use a layer of its own"
        if f"{layer.name}{ACTIVATION_SUFFIX}" in names and type(layer) in CLASS_NAMES:
            yield f"{_where(layer)}: {layer.name}{ACTIVATION_SUFFIX} is the name of its activation"
        if type(layer) is qkeras.QActivation and _is_cast(layer):
            yield from _shared_producer_problems(layer, nodes, model)


def _is_cast(layer: Any) -> bool:
    try:
        return format_of(quantiser_of(layer, "activation"), layer.name).signed
    except ConversionError:
        return False  # reported with the layer


def _shared_producer_problems(layer: Any, nodes: list[Any], model: Any) -> Iterator[str]:
    producer = absorbing_layer(layer)
    if producer is None:
        return
    tensors = [tensor for node in nodes for tensor in node.input_tensors] + list(model.outputs)
    n_uses = sum(tensor._keras_history.operation is producer for tensor in tensors)  # noqa: SLF001
    if n_uses > 1:
        yield (
            f"{_where(layer)}: {producer.name} feeds other layers too, and hls4ml would quantise "
            "it for all of them; quantise a copy of its own"
        )


def _layer_problems(layer: Any) -> Iterator[str]:
    where = _where(layer)
    if _NAME.fullmatch(layer.name) is None:
        yield (
            f"{where}: hls4ml cannot use its name; write two or more letters, digits and "
            "underscores, a letter first"
        )
    if getattr(layer, "data_format", "channels_last") == "channels_first":
        yield f"{where}: channels_first; use channels_last"
    try:
        if isinstance(layer, Standardise):
            yield from _standardise_problems(layer, where)
        elif type(layer) is qkeras.QActivation:
            format_of(quantiser_of(layer, "activation"), where)
        elif type(layer) in CLASS_NAMES:
            quantised_weights(layer)
            yield from _weighted_problems(layer, where)
        elif type(layer) in (*MERGING_LAYERS, keras.layers.Concatenate):
            yield from _merging_problems(layer, where)
        elif type(layer) in POOLING_LAYERS:
            yield from _pooling_problems(layer, where)
        elif type(layer) not in MOVING_LAYERS:
            advice = ADVICE.get(type(layer).__name__, "it has no exact fixed-point counterpart")
            yield f"{where}: {advice}"
    except ConversionError as error:
        yield str(error)


def _standardise_problems(layer: Any, where: str) -> Iterator[str]:
    values = np.concatenate([np.asarray(layer.offsets), np.asarray(layer.shifts)])
    if not np.array_equal(values, np.rint(values)):
        yield f"{where}: offsets and shifts must be integers"
    if not isinstance(_producers(layer)[0], keras.layers.InputLayer):
        yield f"{where}: it must follow the input"


def _weighted_problems(layer: Any, where: str) -> Iterator[str]:
    activation = quantiser_of(layer, "activation")
    if activation is not None:
        format_of(activation, f"{where}, activation")
    dilation = np.atleast_1d(getattr(layer, "dilation_rate", 1))
    if (dilation != 1).any():
        yield f"{where}: dilation {tuple(dilation.tolist())}; hls4ml has none"
    if getattr(layer, "groups", 1) != 1:
        yield f"{where}: {layer.groups} groups; use QDepthwiseConv2D or one group"
    if isinstance(layer, DEPTHWISE_LAYERS) and layer.depth_multiplier != 1:
        yield f"{where}: depth multiplier {layer.depth_multiplier}; hls4ml computes only 1 rightly"


def _merging_problems(layer: Any, where: str) -> Iterator[str]:
    tensors = layer._inbound_nodes[0].input_tensors  # noqa: SLF001  (no public way to ask)
    if len(tensors) != 2:
        yield f"{where}: {len(tensors)} inputs; merge two at a time"
    shapes = {tuple(tensor.shape) for tensor in tensors}
    if len(shapes) != 1 and not isinstance(layer, keras.layers.Concatenate):
        yield f"{where}: inputs of different shapes; give both the same"


def _pooling_problems(layer: Any, where: str) -> Iterator[str]:
    """hls4ml pads unsigned values with half of their largest, and streams not at all."""
    sizes = layer.input.shape[1:-1]
    windows = zip(sizes, layer.pool_size, layer.strides, strict=True)
    pads = any(max(-(-n // s) * s - s + w, n) > n for n, w, s in windows)
    if layer.padding == "same" and pads:
        yield f"{where}: hls4ml pads it wrongly; use padding='valid'"


def _hardware_problems(layer: Any, hardware: Hardware) -> Iterator[str]:
    """Yield what only some interfaces and strategies cannot do."""
    if (
        hardware.io_type == "io_stream"
        and type(layer) is keras.layers.MaxPooling2D
        and tuple(layer.pool_size) != tuple(layer.strides)
    ):
        yield (
            f"{_where(layer)}: io_stream pools windows side by side only; use strides "
            f"{tuple(layer.pool_size)} or io_parallel"
        )
    if hardware.strategy == "Resource" and isinstance(layer, DEPTHWISE_LAYERS):
        yield f"{_where(layer)}: hls4ml has no Resource strategy for it; use Latency"
