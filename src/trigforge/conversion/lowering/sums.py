"""Dense layers, convolutions and scales.

Sources: nnet_dense_latency.h, nnet_dense_resource.h, nnet_conv{1,2}d_latency.h,
nnet_conv{1,2}d_resource.h, nnet_sepconv{1,2}d_latency.h, nnet_depthwise_product.h,
nnet_conv_stream.h, nnet_batchnorm.h (hls4ml 1.3.0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from hls4ml.model.types import IntegerPrecisionType

from trigforge.conversion.lowering import binary
from trigforge.conversion.lowering.moves import MISPLACED_PADDING
from trigforge.core.graph import Conv, Dense, Scale

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.conversion.lowering.layer import Layer
    from trigforge.core.fixed_point import FixedPointFormat


def dense(layer: Layer) -> tuple[Dense]:
    """Lower a matrix product."""
    n_in, n_out = layer.integer("n_in"), layer.integer("n_out")
    return (
        Dense(
            **layer.tensor(),
            **_sum_of_products(layer, n_in, n_out),
            order=_order(layer, n_in, n_out),
        ),
    )


def conv(layer: Layer) -> tuple[Conv]:
    """Lower a convolution, pointwise ones among them."""
    window, geometry = _geometry(layer)
    n_channels, n_filters = layer.integer("n_chan"), layer.integer("n_filt")
    n_in = window[0] * window[1] * n_channels
    fields = _sum_of_products(layer, n_in, n_filters)
    fields["weights"] = fields["weights"].reshape(*window, n_channels, n_filters)
    order = _order(layer, n_in, n_filters)
    resource = _strategy(layer) == "resource"
    if resource and not layer.stream and layer.integer("reuse_factor") > n_in:
        layer.refuse(f"nnet_conv_resource reads beyond its {n_in} terms with this reuse")
    return (_checked(layer, Conv(**layer.tensor(), **fields, **geometry, order=order)),)


def depthwise(layer: Layer) -> tuple[Conv]:
    """Lower a convolution of each channel with its own filter."""
    window, geometry = _geometry(layer)
    n_channels = layer.integer("n_chan")
    if layer.integer("n_filt") != n_channels:
        layer.refuse("hls4ml has a depth multiplier of 1 only")
    n_cells = window[0] * window[1]
    fields = _sum_of_products(layer, n_cells, n_channels)
    fields["weights"] = fields["weights"].reshape(*window, n_channels, 1)
    order = None
    if _strategy(layer) == "resource":
        if not layer.stream:
            layer.refuse("hls4ml has no Resource strategy for it in io_parallel")
        order = _depthwise_order(layer, n_cells, n_channels)
    node = Conv(**layer.tensor(), **fields, **geometry, order=order, depthwise=True)
    return (_checked(layer, node),)


def scale(layer: Layer) -> tuple[Scale]:
    """Lower a batch normalisation, or a scale that hls4ml split off."""
    layer.check_packs()
    n_filters = layer.integer("n_filt", -1)
    n_expected = layer.n_elements if n_filters == -1 else n_filters
    factors, factor_format = _weights(layer, "scale")
    offsets, offset_format = layer.weights("bias")
    if {len(factors), len(offsets)} != {n_expected}:
        layer.refuse(f"{len(factors)} scales and {len(offsets)} offsets for {n_expected} channels")
    return (
        Scale(
            **layer.tensor(),
            scale=factors,
            scale_format=factor_format,
            bias=offsets,
            bias_format=offset_format,
        ),
    )


def _sum_of_products(layer: Layer, n_in: int, n_out: int) -> dict[str, Any]:
    """Return the fields of the sum, weights as ``(n_in, n_out)``."""
    weights, weight_format = _weights(layer, "weight")
    bias, bias_format = layer.weights("bias")
    if len(weights) != n_in * n_out or len(bias) != n_out:
        layer.refuse(
            f"{len(weights)} weights and {len(bias)} biases for {n_in} x {n_out} products; "
            "groups and dilation are not supported"
        )
    depthwise_like = len(weights) == n_in * n_out and "Depthwise" in layer.class_name
    transposed = bool(layer.node.get_attr("_weights_transposed", False)) and not depthwise_like
    matrix = weights.reshape(n_out, n_in).T if transposed else weights.reshape(n_in, n_out)
    fields = {
        "weights": np.ascontiguousarray(matrix),
        "weight_format": weight_format,
        "bias": bias,
        "bias_format": bias_format,
        "accumulator": layer.type_format("accum"),
    }
    return binary.unfold(layer, fields)


def _weights(layer: Layer, role: str) -> tuple[NDArray[np.int64], FixedPointFormat]:
    """Return factors; the product with a two-bit integer only looks for 0 and -1.

    ``nnet::product::weight_ternary`` takes everything else, -2 too, for 1.
    """
    raw, fmt = layer.weights(role)
    precision = layer.node.get_weights(role).type.precision
    if isinstance(precision, IntegerPrecisionType) and (fmt.width, fmt.signed) == (2, True):
        raw = np.where(raw == -2, 1, raw)
    elif _is_one_bit(precision) and _is_one_bit(layer.source_precision()):
        layer.refuse("products of ap_uint<1> by ap_uint<1> count agreeing bits (xnor)")
    return raw, fmt


def _is_one_bit(precision: Any) -> bool:
    integer = isinstance(precision, IntegerPrecisionType)
    return integer and (precision.width, precision.signed) == (1, False)


def _strategy(layer: Layer) -> str:
    strategy = layer.text("strategy", "latency")
    if strategy not in {"latency", "resource"}:
        layer.refuse(f"strategy {strategy}; supported: Latency, Resource")
    return strategy


def _order(layer: Layer, n_in: int, n_out: int) -> NDArray[np.int64] | None:
    """Return in which order the terms are added, None for ascending.

    With reuse factor R the Resource strategy takes every R-th term, from 0, then from 1 ...;
    beyond ``n_in`` (in multiples of it) the terms of one output ascend again.
    """
    reuse = layer.integer("reuse_factor", 1)
    if _strategy(layer) == "latency" or reuse == 1 or (reuse >= n_in and reuse % n_in == 0):
        return None
    if n_in % reuse:
        layer.refuse(f"reuse factor {reuse} and {n_in} terms do not divide each other")
    terms = np.arange(n_in).reshape(-1, reuse).T.reshape(-1, 1)
    return np.ascontiguousarray(np.broadcast_to(terms, (n_in, n_out)))


def _depthwise_order(layer: Layer, n_cells: int, n_channels: int) -> NDArray[np.int64]:
    """Return the order of the cells of each channel (``depthwise_product_resource_*``).

    Cell and channel count as one index, and every R-th index is taken.
    """
    n_in = n_cells * n_channels
    reuse = min(layer.integer("reuse_factor", 1), n_in)
    if n_in % reuse:
        layer.refuse(f"reuse factor {reuse} and {n_in} terms do not divide each other")
    index = np.arange(n_in).reshape(n_cells, n_channels)
    return np.argsort(index % reuse * n_in + index // reuse, axis=0, kind="stable")


def _geometry(layer: Layer) -> tuple[tuple[int, int], dict[str, Any]]:
    """Return the size of the kernel, and shape, strides and padding of a convolution."""
    if layer.text("data_format", "channels_last") != "channels_last":
        layer.refuse("channels_first; use channels_last")
    if layer.stream and layer.text("implementation", "linebuffer") != "linebuffer":
        layer.refuse("its implementation is encoded; use LineBuffer")
    window = layer.integer("filt_height", 1), layer.integer("filt_width")
    strides = layer.integer("stride_height", 1), layer.integer("stride_width")
    pointwise = layer.class_name.startswith("Pointwise")
    if layer.stream and window[0] == 1 and strides[0] > 1 and not pointwise:
        layer.refuse("a kernel of height 1 ignores the vertical stride in io_stream")
    sides = ("pad_top", "pad_bottom", "pad_left", "pad_right")
    return window, {
        "input_shape": (
            layer.integer("in_height", 1),
            layer.integer("in_width"),
            layer.integer("n_chan"),
        ),
        "strides": strides,
        "padding": tuple(layer.integer(side, 0) for side in sides),
    }


def _checked(layer: Layer, node: Conv) -> Conv:
    """Return the node if what it reads and gives is as large as hls4ml says."""
    n_given = int(np.prod(layer.source_shape()))
    if int(np.prod(node.output_shape)) != node.n_elements or np.prod(node.input_shape) != n_given:
        layer.refuse(
            f"hls4ml declares {n_given} inputs and {layer.shape}, its geometry gives "
            f"{node.input_shape} and {node.output_shape}; dilation is not supported, and "
            + MISPLACED_PADDING
        )
    return node
