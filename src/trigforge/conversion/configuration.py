"""Write hls4ml's configuration: every format explicit where a quantiser states it.

What is left at ``auto`` (accumulators, sums) is what hls4ml infers wide enough to hold
every result exactly.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import qkeras
from hls4ml.utils.config import config_from_keras_model

from trigforge.conversion.exactness import absorbing_layer
from trigforge.conversion.handlers import ACTIVATION_SUFFIX, CLASS_NAMES, standardise_weights
from trigforge.core.errors import ConversionError
from trigforge.core.fixed_point import MAX_WIDTH, FixedPointFormat
from trigforge.networks.layers import Standardise
from trigforge.networks.quantisers import format_of, quantiser_of, weight_format

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trigforge.core.config import Hardware


def configure(model: Any, link: FixedPointFormat, hardware: Hardware) -> dict[str, Any]:
    """Return the ``hls_config`` of a checked model, layer by layer.

    ``link`` is the format of the model's input; bits on a link know no rounding modes.
    """
    config: dict[str, Any] = config_from_keras_model(
        model,
        granularity="name",
        backend=hardware.backend,
        default_reuse_factor=hardware.reuse_factor,
    )
    config["Model"]["Strategy"] = hardware.strategy
    names = config["LayerName"]
    for layer in names.values():
        if "ReuseFactor" in layer:
            layer["Strategy"] = hardware.strategy
    names[model.layers[0].name]["Precision"]["result"] = str(_stored(link))
    for layer in model.layers:
        for name, role, fmt in stated_formats(layer):
            names[name]["Precision"][role] = str(fmt)
    return config


def stated_formats(layer: Any) -> Iterator[tuple[str, str, FixedPointFormat]]:
    """Yield (layer name in hls4ml, which tensor, format) for all that a quantiser fixes."""
    if isinstance(layer, Standardise):
        scale, bias = standardise_weights(layer)
        yield layer.name, "scale", smallest_format(scale)
        yield layer.name, "bias", smallest_format(bias)
    elif type(layer) is qkeras.QActivation:
        yield from _activation_formats(layer, layer.name)
    elif type(layer) in CLASS_NAMES:
        yield layer.name, "weight", _stored(weight_format(layer, "kernel"))
        bias_quantised = quantiser_of(layer, "bias") is not None
        yield (
            layer.name,
            "bias",
            (
                _stored(weight_format(layer, "bias"))
                if bias_quantised
                else FixedPointFormat(signed=True, width=2, integer_bits=2)
            ),
        )
        if quantiser_of(layer, "activation") is not None:
            yield from _activation_formats(layer, f"{layer.name}{ACTIVATION_SUFFIX}")


def _activation_formats(layer: Any, name: str) -> Iterator[tuple[str, str, FixedPointFormat]]:
    """Give the cast to the activation and, for a plain cast, to the layer before it too.

    hls4ml removes a linear activation behind a layer of automatic precision, and its format
    with it; said twice, the cast happens in the layer and the activation is an empty copy.
    """
    quantiser = quantiser_of(layer, "activation")
    fmt = format_of(quantiser, f"layer {layer.name}")
    yield name, "result", fmt
    if not fmt.signed:
        return
    producer = absorbing_layer(layer)
    if producer is not None:
        yield producer.name, "result", fmt


def _stored(fmt: FixedPointFormat) -> FixedPointFormat:
    """Return the grid without modes: weights lie on it already."""
    return FixedPointFormat(fmt.signed, fmt.width, fmt.integer_bits)


def smallest_format(values: np.ndarray[Any, Any]) -> FixedPointFormat:
    """Return the narrowest format that holds dyadic numbers exactly.

    Raises:
        ConversionError: if 64 bits do not suffice.
    """
    numbers = np.asarray(values, dtype=np.float64).ravel()
    nonzero = numbers[numbers != 0]
    if nonzero.size == 0:
        return FixedPointFormat(signed=False, width=1, integer_bits=1)
    ratios = [float(number).as_integer_ratio() for number in nonzero]
    trailing = min((top & -top).bit_length() - bottom.bit_length() for top, bottom in ratios)
    raws = [int(Fraction(*ratio) / Fraction(2) ** trailing) for ratio in ratios]
    low, high = min(0, *raws), max(0, *raws)
    signed = low < 0
    width = max(high.bit_length(), (-low - signed).bit_length()) + signed
    if width > MAX_WIDTH:
        msg = (
            f"numbers between {nonzero.min():g} and {nonzero.max():g} need {width} bits, "
            f"above {MAX_WIDTH}"
        )
        raise ConversionError(msg)
    return FixedPointFormat(signed, width, width + trailing)
