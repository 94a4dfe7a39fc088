"""Activations: piecewise linear, from tables, and softmax.

Sources: nnet_activation.h and nnet_activation_stream.h (hls4ml 1.3.0, equal for Vitis and
Vivado); the names are those of the C++ functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.conversion.lowering import binary
from trigforge.conversion.lowering.tables import FUNCTIONS, function_table
from trigforge.core.fixed_point import FixedPointFormat, quantise, to_values
from trigforge.core.graph import Activation, ActivationKind, Node, Quantise, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.conversion.lowering.layer import Layer

_PLAIN = {
    "relu": ActivationKind.RELU,
    "binary_tanh": ActivationKind.BINARY_TANH,
    "ternary_tanh": ActivationKind.TERNARY_TANH,
}
_LIMITS = {"relu1": 1, "relu6": 6}
_WITH_PARAMETER = {
    "leakyrelu": ActivationKind.LEAKY_RELU,
    "leaky_relu": ActivationKind.LEAKY_RELU,
    "thresholdedrelu": ActivationKind.THRESHOLDED_RELU,
    "thresholded_relu": ActivationKind.THRESHOLDED_RELU,
}
_HARD = {
    "hard_sigmoid": ActivationKind.HARD_SIGMOID,
    "hard_tanh": ActivationKind.HARD_TANH,
}
_RANGES = {"sigmoid": 16, "tanh": 8, "softplus": 16, "softsign": 16}
"""Width of the interval around zero that a table covers."""

_SELU_SCALE_FORMAT = FixedPointFormat(signed=False, width=16, integer_bits=1)
_SELU_SCALE = 1.0507009873554805
_MAX_FULL_TABLE_BITS = 16


def activation(layer: Layer) -> tuple[Node, ...]:
    """Lower an activation without parameters.

    Raises:
        ConversionError: if the C++ has no function of this name.
    """
    layer.check_packs()
    function = layer.text("activation")
    if function == "linear":
        return (Quantise(**layer.tensor()),)
    if function == "binary_tanh" and binary.is_bit(layer.result_precision()):
        return binary.sign_bit(layer, layer.inputs)
    if function == "ternary_tanh" and layer.stream:
        return (_ternary_stream(layer),)
    if function in _PLAIN:
        return (Activation(**layer.tensor(), kind=_PLAIN[function]),)
    if function in _LIMITS and not layer.stream:
        limit = np.array([_LIMITS[function]])
        return (Activation(**layer.tensor(), kind=ActivationKind.RELU_MAX, parameters=limit),)
    if function not in FUNCTIONS:
        limits = () if layer.stream else _LIMITS
        known = ", ".join(sorted({*_PLAIN, *FUNCTIONS, *limits, "linear"}))
        layer.refuse(f"hls4ml's C++ has no activation {function}; it has {known}")
    return (_table(layer, function, {}),)


def parametrised(layer: Layer) -> tuple[Node]:
    """Lower leaky and thresholded ReLU and ELU."""
    layer.check_packs()
    function = layer.text("activation")
    fmt = layer.type_format("param")
    parameter = layer.constant("activ_param", fmt)
    if function == "elu":
        return (_table(layer, "elu", {"negative": parameter, "negative_format": fmt}),)
    if function not in _WITH_PARAMETER:
        known = ", ".join(sorted({*_WITH_PARAMETER, "elu"}))
        layer.refuse(f"no activation {function} with a parameter; known: {known}")
    return (
        Activation(
            **layer.tensor(),
            kind=_WITH_PARAMETER[function],
            parameters=np.array([parameter]),
            parameter_format=fmt,
        ),
    )


def prelu(layer: Layer) -> tuple[Node]:
    """Lower a ReLU with a slope for each element."""
    layer.check_packs()
    slopes, fmt = layer.weights("param")
    if len(slopes) != layer.n_elements:
        layer.refuse(
            f"{len(slopes)} slopes for {layer.n_elements} elements; the C++ needs one each "
            "(no shared_axes)"
        )
    return (
        Activation(
            **layer.tensor(), kind=ActivationKind.PRELU, parameters=slopes, parameter_format=fmt
        ),
    )


def hard(layer: Layer) -> tuple[Node]:
    """Lower hard sigmoid and hard tanh."""
    layer.check_packs()
    formats = layer.type_format("slope"), layer.type_format("shift")
    fraction = max(fmt.fractional_bits for fmt in formats)
    integer = max(fmt.integer_bits + (not fmt.signed) for fmt in formats)
    raw = [
        layer.constant(key, fmt) << (fraction - fmt.fractional_bits)
        for key, fmt in zip(("slope", "shift"), formats, strict=True)
    ]
    return (
        Activation(
            **layer.tensor(),
            kind=_HARD[layer.text("activation")],
            parameters=np.array(raw, dtype=np.int64),
            parameter_format=FixedPointFormat(
                signed=True, width=max(integer + fraction, 1), integer_bits=integer
            ),
        ),
    )


def lookup(layer: Layer) -> tuple[Node]:
    """Lower a table that is addressed by all bits of the input (``unary_lut``)."""
    layer.check_packs()
    fmt = layer.source_format()
    entries, table_format = layer.weights("table")
    if len(entries) != 1 << fmt.width:
        layer.refuse(f"a table of {len(entries)} entries for {fmt.width} bits")
    # The bits of a negative number address the upper half.
    ordered = np.roll(entries, -fmt.raw_min)
    return (_full_table(layer, "lookup", ordered, table_format),)


def _table(layer: Layer, function: str, parameters: dict[str, Any]) -> Table:
    """Return the table of a function with the index arithmetic of its C++."""
    size, fmt = layer.integer("table_size"), layer.source_format()
    table_format = layer.type_format("table")
    span = _RANGES.get(function)
    fields: dict[str, Any] = {"offset": 0} if span is None else {"offset": size // 2}
    divisor = -8 if span is None else span
    _check_index(layer, size, abs(divisor), fmt)
    return Table(
        **layer.tensor(),
        function=function,
        table=function_table(function, size, table_format),
        table_format=table_format,
        multiplier=size << max(-fmt.fractional_bits, 0),
        divisor=divisor << max(fmt.fractional_bits, 0),
        **fields,
        **_positive(layer, function, fmt),
        **parameters,
    )


def _positive(layer: Layer, function: str, fmt: FixedPointFormat) -> dict[str, Any]:
    """Return the factor of inputs of zero and above, for functions whose table is half."""
    if function == "elu":
        one = FixedPointFormat(signed=False, width=1, integer_bits=1)
        return {"positive": 1, "positive_format": one}
    if function == "selu":
        factor_format = fmt if layer.stream else _SELU_SCALE_FORMAT
        factor = int(quantise(_SELU_SCALE, factor_format))
        return {"positive": factor, "positive_format": factor_format}
    return {}


def _check_index(layer: Layer, size: int, divisor: int, fmt: FixedPointFormat) -> None:
    """Refuse an index that C++ computes otherwise than the graph does."""
    if fmt.fractional_bits < 0 and size % divisor:
        layer.refuse(f"table_size {size} is no multiple of {divisor} and {fmt} has no ones")
    largest = max(-fmt.raw_min, fmt.raw_max) * size << max(-fmt.fractional_bits, 0)
    if largest // (divisor << max(fmt.fractional_bits, 0)) + size >= 1 << 31:
        layer.refuse(f"inputs of {fmt} overflow the index, an int; narrow the input")


def _ternary_stream(layer: Layer) -> Table:
    """Return the ternary tanh of io_stream, whose thresholds are not those of io_parallel."""
    fmt = layer.source_format()
    if fmt.width > _MAX_FULL_TABLE_BITS:
        layer.refuse(f"its input has {fmt.width} bits, above {_MAX_FULL_TABLE_BITS}")
    x = to_values(np.arange(fmt.raw_min, fmt.raw_max + 1), fmt)
    entries = np.where(x > 1, 1, np.where(x <= -1, -1, 0))
    two_bits = FixedPointFormat(signed=True, width=2, integer_bits=2)
    return _full_table(layer, "ternary_tanh", entries, two_bits)


def _full_table(
    layer: Layer, function: str, entries: NDArray[np.int64], table_format: FixedPointFormat
) -> Table:
    return Table(
        **layer.tensor(),
        function=function,
        table=entries.astype(np.int64),
        table_format=table_format,
        multiplier=1,
        divisor=1,
        offset=-layer.source_format().raw_min,
    )
