"""Read the quantisers of a QKeras model as fixed-point formats; refuse what has none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import qkeras

from trigforge.core.errors import ConversionError
from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding, quantise, to_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDING_LAYERS = (
    qkeras.QDenseBatchnorm,
    qkeras.QConv2DBatchnorm,
    qkeras.QDepthwiseConv2DBatchnorm,
)
DEPTHWISE_LAYERS = (qkeras.QDepthwiseConv2D, qkeras.QDepthwiseConv2DBatchnorm)


def quantiser_of(layer: Any, role: str) -> Any:
    """Return the quantiser of ``kernel``, ``bias`` or ``activation``, or None."""
    if role == "activation":
        activation = getattr(layer, "activation", None)
        return None if activation is keras.activations.linear else activation
    name = "depthwise" if role == "kernel" and isinstance(layer, DEPTHWISE_LAYERS) else role
    return getattr(layer, f"{name}_quantizer_internal", None)


def format_of(quantiser: Any, where: str) -> FixedPointFormat:
    """Return the format whose casts equal a quantiser, rounding to even and saturating.

    Raises:
        ConversionError: naming ``where`` and why no fixed-point format is equal to it.
    """
    name = getattr(quantiser, "__name__", type(quantiser).__name__)
    if isinstance(quantiser, qkeras.quantized_relu):
        problem = _relu_problem(quantiser)
        signed, integer_bits, overflow = False, quantiser.integer, Overflow.SAT
    elif isinstance(quantiser, qkeras.quantized_bits):
        problem = _bits_problem(quantiser)
        signed = bool(quantiser.keep_negative)
        integer_bits = quantiser.integer + signed
        overflow = Overflow.SAT_SYM if quantiser.symmetric else Overflow.SAT
    else:
        msg = (
            f"{where}: {name} has no exact fixed-point counterpart; "
            "use quantized_bits or quantized_relu"
        )
        raise ConversionError(msg)
    if problem:
        msg = f"{where}: {name} cannot be converted exactly: {problem}"
        raise ConversionError(msg)
    return FixedPointFormat(
        signed, int(quantiser.bits), int(integer_bits), Rounding.RND_CONV, overflow
    )


def _bits_problem(quantiser: Any) -> str:
    if quantiser.alpha is not None and not np.array_equal(quantiser.alpha, 1):
        return f"its scale alpha is {quantiser.alpha}; write alpha=1"
    if quantiser.symmetric not in {0, 1}:
        return f"symmetric is {quantiser.symmetric}; write 0 or 1"
    if quantiser.bits - bool(quantiser.keep_negative) < 1:
        return "one signed bit makes it binary; use 2 bits"
    return _common_problem(quantiser)


def _relu_problem(quantiser: Any) -> str:
    if quantiser.use_sigmoid:
        return "use_sigmoid is a smooth function; leave it out"
    if quantiser.negative_slope:
        return "a leaky slope rounds twice; use negative_slope=0"
    if quantiser.relu_upper_bound and not quantiser.is_quantized_clip:
        return "relu_upper_bound clips off the grid; the bits of the quantiser clip already"
    return _common_problem(quantiser)


def _common_problem(quantiser: Any) -> str:
    if quantiser.use_stochastic_rounding:
        return "it rounds at random; firmware cannot"
    if float(quantiser.qnoise_factor) != 1.0:
        return "qnoise_factor is not 1: its output is not quantised"
    if not all(float(number).is_integer() for number in (quantiser.bits, quantiser.integer)):
        return "its bits are no whole numbers"
    return ""


def folded_weights(layer: Any) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Return kernel and bias with batch normalisation folded in, or None if there is none.

    The float32 operations are those of the layer's own inference path, in its order, so
    that quantising the result gives the weights the layer applies.
    """
    if not isinstance(layer, FOLDING_LAYERS):
        return None
    ops, norm = keras.ops, layer.batchnorm
    depthwise = isinstance(layer, DEPTHWISE_LAYERS)
    variance = norm.moving_variance + norm.epsilon
    inverse = ops.rsqrt(variance) if depthwise else 1 / ops.sqrt(variance)
    if norm.gamma is not None:
        inverse = inverse * norm.gamma
    bias = layer.bias if layer.use_bias else 0.0
    folded_bias = inverse * (bias - norm.moving_mean)
    if norm.beta is not None:
        folded_bias = folded_bias + norm.beta
    kernel = layer.depthwise_kernel if depthwise else layer.kernel
    if depthwise:
        inverse = ops.reshape(inverse, kernel.shape[2:])
    folded_kernel = ops.convert_to_numpy(inverse * kernel)
    return folded_kernel, ops.convert_to_numpy(folded_bias)


def quantised_weights(layer: Any) -> dict[str, NDArray[np.float64]]:
    """Return ``kernel`` and ``bias`` on their grids, in float64, computed exactly.

    Raises:
        ConversionError: if a quantiser is missing or has no exact format.
    """
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32] | None
    folded = folded_weights(layer)
    if folded is not None:
        kernel, bias = folded
    else:
        name = "depthwise_kernel" if isinstance(layer, DEPTHWISE_LAYERS) else "kernel"
        kernel = np.asarray(getattr(layer, name))
        bias = np.asarray(layer.bias) if layer.use_bias else None
    weights = {"kernel": _on_grid(kernel, weight_format(layer, "kernel"), layer.name)}
    if bias is not None:
        weights["bias"] = _on_grid(bias, weight_format(layer, "bias"), layer.name)
    return weights


def weight_format(layer: Any, role: str) -> FixedPointFormat:
    """Return the format of ``kernel`` or ``bias``.

    Raises:
        ConversionError: if the layer has no quantiser for it, or no exact one.
    """
    quantiser = quantiser_of(layer, role)
    if quantiser is None:
        msg = (
            f"layer {layer.name}: its {role} is not quantised; "
            f"give it {role}_quantizer=quantized_bits(..., alpha=1)"
        )
        raise ConversionError(msg)
    return format_of(quantiser, f"layer {layer.name}, {role}")


def _on_grid(values: NDArray[Any], fmt: FixedPointFormat, name: str) -> NDArray[np.float64]:
    if not np.isfinite(values).all():
        msg = f"layer {name}: a weight is not finite; the training diverged"
        raise ConversionError(msg)
    return to_values(quantise(values, fmt), fmt)
