"""Binary networks: one bit stands for -1 or 1.

hls4ml writes such a tensor as ``ap_uint<1>``, 0 for -1. Products of bits count how many
agree, and ``nnet::cast`` turns the count into the sum; here the same sums are written with
weights that act on the bit itself. Sources: nnet_mult.h, nnet_activation.h,
nnet_batchnorm.h (hls4ml 1.3.0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hls4ml.model.types import XnorPrecisionType

from trigforge.core.fixed_point import FixedPointFormat, Overflow
from trigforge.core.graph import Activation, ActivationKind, Node, Scale

if TYPE_CHECKING:
    from trigforge.conversion.lowering.layer import Layer

SIGN = FixedPointFormat(signed=True, width=2, integer_bits=2)
BIT = FixedPointFormat(signed=False, width=1, integer_bits=1)
_HALF = FixedPointFormat(signed=False, width=1, integer_bits=0)
_INTEGER = FixedPointFormat(signed=True, width=32, integer_bits=32)


def is_bit(precision: Any) -> bool:
    """Tell whether a tensor's bits stand for -1 and 1."""
    return isinstance(precision, XnorPrecisionType)


def sign_bit(layer: Layer, inputs: tuple[str, ...]) -> tuple[Node, ...]:
    """Return ``x >= 0`` as a bit: the sign, -1 or 1, halved and moved to 0 or 1."""
    sign = Activation(
        name=f"{layer.name}_sign",
        inputs=inputs,
        shape=layer.shape,
        format=SIGN,
        kind=ActivationKind.BINARY_TANH,
    )
    half = np.ones(1, dtype=np.int64)
    bit = Scale(
        **layer.tensor() | {"inputs": (sign.name,)},
        scale=half,
        scale_format=_HALF,
        bias=half,
        bias_format=_HALF,
    )
    return (sign, bit)


def threshold(layer: Layer) -> tuple[Node, ...]:
    """Lower a batch normalisation merged with a binary tanh: ``x >= threshold``."""
    if layer.integer("quantize") != 2:
        layer.refuse("a ternary tanh merged with its normalisation is not expressed here")
    limits, fmt = layer.weights("threshold")
    source = layer.source_format()
    if fmt.fractional_bits != source.fractional_bits:
        layer.refuse(f"its thresholds are {fmt}, what it compares is {source}")
    wide = max(source.integer_bits, fmt.integer_bits) + 2
    distance = Scale(
        name=f"{layer.name}_distance",
        inputs=layer.inputs,
        shape=layer.shape,
        format=FixedPointFormat(signed=True, width=wide + fmt.fractional_bits, integer_bits=wide),
        scale=np.ones_like(limits),
        scale_format=BIT,
        bias=-limits,
        bias_format=FixedPointFormat(
            signed=True, width=fmt.width + 1, integer_bits=fmt.integer_bits + 1
        ),
    )
    return (distance, *sign_bit(layer, (distance.name,)))


def unfold(layer: Layer, fields: dict[str, Any]) -> dict[str, Any]:
    """Rewrite a sum of products of bits as one of plain integers.

    ``fields`` holds weights ``(n_in, n_out)``, bias, their formats and the accumulator.

    Raises:
        ConversionError: if the C++ would lose bits on the way.
    """
    result = layer.result_precision()
    if is_bit(result):
        layer.refuse(f"its result is {result} ({type(result).__name__}): a sum is no sign")
    bit_weights = is_bit(layer.node.get_weights("weight").type.precision)
    bit_data = is_bit(layer.source_precision())
    if bit_data and "Dense" not in layer.class_name:
        layer.refuse("a convolution of bits pads with -1 where Keras pads with 0")
    if bit_weights:
        fields = fields | {"weights": 2 * fields["weights"] - 1, "weight_format": SIGN}
    if bit_weights and bit_data:
        return _agreeing(layer, fields)
    return _signs(layer, fields) if bit_data else fields


def _agreeing(layer: Layer, fields: dict[str, Any]) -> dict[str, Any]:
    """Return ``2 * count - n`` of the bits that agree: ``sum (2 x - 1) w``."""
    weights, accumulator = fields["weights"], fields["accumulator"]
    n_in = len(weights)
    if fields["bias"].any():
        layer.refuse("it adds a bias to the count of agreeing bits")
    if accumulator.raw_max >> max(accumulator.fractional_bits, 0) < n_in:
        layer.refuse(f"its accumulator {accumulator} cannot count to {n_in}")
    return fields | {
        "weights": 2 * weights,
        "weight_format": _INTEGER,
        "bias": -weights.sum(axis=0),
        "bias_format": _INTEGER,
        "accumulator": _INTEGER,
    }


def _signs(layer: Layer, fields: dict[str, Any]) -> dict[str, Any]:
    """Return ``sum (2 x - 1) w + b`` for bits x: ``sum 2 w x + (b - sum w)``."""
    weights, accumulator = fields["weights"], fields["accumulator"]
    weight_bits = fields["weight_format"].fractional_bits
    bias_bits = fields["bias_format"].fractional_bits
    fraction = max(weight_bits, bias_bits)
    if accumulator.fractional_bits < fraction or accumulator.overflow is not Overflow.WRAP:
        layer.refuse(f"its accumulator {accumulator} rounds or saturates signed weights")
    moved = (fields["bias"] << (fraction - bias_bits)) - (
        weights.sum(axis=0) << (fraction - weight_bits)
    )
    width = fields["weight_format"].width
    return fields | {
        "weights": 2 * weights,
        "weight_format": FixedPointFormat(
            signed=True, width=width + 2, integer_bits=width + 2 - weight_bits
        ),
        "bias": moved,
        "bias_format": FixedPointFormat(signed=True, width=60, integer_bits=60 - fraction),
    }
