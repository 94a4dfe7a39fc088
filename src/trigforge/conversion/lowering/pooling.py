"""Pooling over windows and over everything.

Sources: nnet_pooling.h and nnet_pooling_stream.h (hls4ml 1.3.0, Vitis; Vivado is equal).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.conversion.lowering.layer import holds
from trigforge.core.fixed_point import Overflow, Rounding
from trigforge.core.graph import Node, Pool, PoolKind, Quantise, Summation

if TYPE_CHECKING:
    from trigforge.conversion.lowering.layer import Layer
    from trigforge.core.fixed_point import FixedPointFormat

_KINDS = {"max": PoolKind.MAXIMUM, "average": PoolKind.AVERAGE}
_SIDES = ("pad_top", "pad_bottom", "pad_left", "pad_right")


def pool(layer: Layer) -> tuple[Node, ...]:
    """Lower pooling over windows."""
    _check(layer)
    one_dimensional = layer.class_name.endswith("1D")
    width = layer.integer("n_in" if one_dimensional else "in_width")
    window = layer.integer("pool_height", 1), layer.integer("pool_width")
    strides = layer.integer("stride_height", 1), layer.integer("stride_width")
    padding = tuple(layer.integer(side, 0) for side in _SIDES)
    if layer.stream and any(padding):
        layer.refuse("hls4ml pads no pooling in io_stream")
    if layer.stream and not one_dimensional and window != strides:
        layer.refuse("in io_stream windows and strides must be equal")
    geometry = {
        "input_shape": (layer.integer("in_height", 1), width, layer.integer("n_filt")),
        "window": window,
        "strides": strides,
        "padding": padding,
        "count_padding": layer.text("count_pad", "false") == "true",
        "summation": Summation.TREE if layer.stream else Summation.SEQUENTIAL,
    }
    return _nodes(layer, geometry)


def global_pool(layer: Layer) -> tuple[Node, ...]:
    """Lower pooling over all positions."""
    _check(layer)
    one_dimensional = layer.class_name.endswith("1D")
    width = layer.integer("n_in" if one_dimensional else "in_width")
    window = layer.integer("in_height", 1), width
    geometry = {
        "input_shape": (*window, layer.integer("n_filt")),
        "window": window,
        "strides": window,
        "padding": (0, 0, 0, 0),
        "divide_last": layer.stream,
    }
    return _nodes(layer, geometry)


def kind_of(layer: Layer) -> PoolKind:
    """Return what a pooling layer takes of its window."""
    return _KINDS[layer.text("pool_op")]


def _check(layer: Layer) -> None:
    if layer.text("data_format", "channels_last") != "channels_last":
        layer.refuse("channels_first; use channels_last")
    if layer.stream and layer.text("implementation", "linebuffer") != "linebuffer":
        layer.refuse("its implementation is encoded; use LineBuffer")


def _nodes(layer: Layer, geometry: dict[str, Any]) -> tuple[Node, ...]:
    kind, fmt = kind_of(layer), layer.source_format()
    accumulator = layer.type_format("accum")
    fields = layer.tensor()
    before: tuple[Node, ...] = ()
    if not holds(accumulator, fmt):
        if kind is PoolKind.AVERAGE:
            _check_addition(layer, accumulator)
        elif layer.stream:
            # A stream casts to the accumulator before it compares, an array after.
            before = (_cells(layer, accumulator),)
            fields["inputs"] = (before[0].name,)
            fmt = accumulator
    padding_raw = fmt.raw_min if fmt.signed else 1 << (fmt.width - 1)
    node = Pool(**fields, **geometry, kind=kind, accumulator=accumulator, padding_raw=padding_raw)
    if int(np.prod(node.output_shape)) != node.n_elements:
        layer.refuse(f"its geometry gives {node.output_shape}, hls4ml says {layer.shape}")
    return (*before, node)


def _cells(layer: Layer, accumulator: FixedPointFormat) -> Quantise:
    return Quantise(
        name=f"{layer.name}_cells",
        inputs=layer.inputs,
        shape=layer.source_shape(),
        format=accumulator,
    )


def _check_addition(layer: Layer, accumulator: FixedPointFormat) -> None:
    """Refuse sums that depend on whether an element is cast before it is added.

    An array is summed without casting its elements. That is the same where the accumulator
    wraps and rounds by adding a constant.
    """
    harmless = {Rounding.TRN, Rounding.RND}
    if layer.stream or (accumulator.overflow is Overflow.WRAP and accumulator.rounding in harmless):
        return
    layer.refuse(f"its accumulator {accumulator} cannot hold its input {layer.source_format()}")
