"""Where hls4ml's arithmetic is not Keras': what the user should know.

Each was seen by comparing the C simulation of hls4ml 1.3.0 with Keras.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hls4ml.model.types import IntegerPrecisionType

from trigforge.conversion.lowering import pooling, softmax
from trigforge.core.graph import PoolKind, SoftmaxKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trigforge.conversion.lowering.layer import Layer


def deviation_of(layer: Layer) -> str:
    """Return the note on a layer, empty if there is nothing to say."""
    note = NOTES.get(layer.class_name)
    return note(layer) if note is not None else ""


def _pool(layer: Layer) -> str:
    sides = ("pad_top", "pad_bottom", "pad_left", "pad_right")
    padded = any(layer.integer(side, 0) for side in sides)
    signed = layer.source_precision().signed
    if pooling.kind_of(layer) is PoolKind.MAXIMUM and padded and not signed:
        return (
            "max pooling pads an unsigned input with half its range, which beats smaller values; "
            "Keras ignores the padding. Use padding='valid' or a signed input"
        )
    return ""


def _softmax(layer: Layer) -> str:
    n_slice, _ = softmax.slices(layer)
    if len(layer.shape) > 1 and n_slice == layer.n_elements != layer.shape[-1]:
        return "one softmax over all elements; Keras makes one for each row. Use layers.Softmax"
    stable = layer.text("implementation") == SoftmaxKind.STABLE.value
    if stable and layer.source_precision().signed and not layer.has("inp_norm_t"):
        half = 2.0 ** softmax.distance_format(layer).integer_bits
        return f"inputs that lie {half:g} or more below the largest wrap around to close to it"
    return ""


def _hard(layer: Layer) -> str:
    slope = float(layer.node.get_attr("slope"))
    return f"its slope is {slope:g}; Keras 3 has 1/6" if abs(slope - 1 / 6) > 0.01 else ""


def _merge(layer: Layer) -> str:
    small, large = sorted((layer.source_shape(0), layer.source_shape(1)), key=np.prod)
    squeezed = small
    while squeezed and squeezed[0] == 1:
        squeezed = squeezed[1:]
    if squeezed != large[len(large) - len(squeezed) :]:
        return f"{small} is repeated over {large} element by element; Keras repeats it by axes"
    return ""


def _ternary(layer: Layer) -> str:
    if layer.text("activation") != "ternary_tanh":
        return ""
    limits = "at 1" if layer.stream else "at one half, after doubling in the type of the input"
    return f"ternary tanh changes {limits} (the io types differ)"


def _sum(layer: Layer) -> str:
    precision = layer.node.get_weights("weight").type.precision
    ternary = isinstance(precision, IntegerPrecisionType) and precision.width == 2
    if ternary and precision.signed and (layer.weights("weight")[0] == -2).any():
        return "a weight of -2 in ap_int<2> counts as 1"
    return ""


def _activation(layer: Layer) -> str:
    if layer.text("activation") == "selu" and layer.stream:
        fmt = layer.source_format()
        if fmt.fractional_bits < 15:
            return (
                f"its scale 1.0507 is rounded to the type of its input, {fmt}; "
                "in io_parallel it has 15 fractional bits"
            )
    return _ternary(layer)


NOTES: Mapping[str, Callable[[Layer], str]] = {
    "Activation": _activation,
    "Conv1D": _sum,
    "Conv2D": _sum,
    "Dense": _sum,
    "HardActivation": _hard,
    "Merge": _merge,
    "PointwiseConv1D": _sum,
    "PointwiseConv2D": _sum,
    "Pooling1D": _pool,
    "Pooling2D": _pool,
    "Softmax": _softmax,
    "TernaryTanh": _ternary,
}
