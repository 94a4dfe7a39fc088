"""Softmax in each of hls4ml's implementations (nnet_activation.h, hls4ml 1.3.0)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.conversion.lowering import tables
from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.graph import Softmax, SoftmaxKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.conversion.lowering.layer import Layer

_LEGACY_FORMAT = FixedPointFormat(signed=True, width=18, integer_bits=8)
_LEGACY_SIZE = 1024
"""What ``activ_config`` says, and the template of softmax does not override."""


def softmax(layer: Layer) -> tuple[Softmax]:
    """Lower a softmax.

    Raises:
        ConversionError: if its tables cannot be addressed by the bits of their types.
    """
    layer.check_packs()
    kind = SoftmaxKind(layer.text("implementation"))
    fields: dict[str, Any] = {
        "accumulator": layer.type_format("accum"),
        "exponential_format": layer.type_format("exp_table"),
        "inverse_format": layer.type_format("inv_table"),
        "sum_format": _sum_format(layer),
        "distance_format": FixedPointFormat(signed=True, width=1, integer_bits=0),
    }
    fields |= {"exponentials": np.zeros(0, np.int64), "inverses": np.zeros(0, np.int64)}
    if kind is SoftmaxKind.LEGACY:
        fields |= _legacy(layer)
    elif kind is not SoftmaxKind.ARGMAX:
        fields |= _addressed(layer, kind, fields)
    n_slice, n_inner = slices(layer)
    return (Softmax(**layer.tensor(), kind=kind, n_slice=n_slice, n_inner=n_inner, **fields),)


def slices(layer: Layer) -> tuple[int, int]:
    """Return the number of elements of one softmax, and how far they are apart."""
    n_inner, n_outer = layer.integer("n_inner", 1), layer.integer("n_outer", 1)
    if not layer.stream:
        return layer.n_elements // n_inner // n_outer, n_inner
    if n_inner != 1 or layer.integer("axis", -1) != -1:
        layer.refuse("io_stream has a softmax over the last axis only, written axis=-1")
    return layer.shape[-1], 1


def distance_format(layer: Layer) -> FixedPointFormat:
    """Return the type of the distance to the largest element (stable softmax).

    Its default has one bit less than a signed input, so distances above half the range of
    the input wrap.
    """
    if layer.has("inp_norm_t"):
        return layer.type_format("inp_norm")
    fmt = layer.source_format()
    if fmt.width - fmt.signed < 1:
        layer.refuse(f"its input {fmt} is too narrow")
    return FixedPointFormat(
        signed=False, width=fmt.width - fmt.signed, integer_bits=fmt.integer_bits - fmt.signed
    )


def _sum_format(layer: Layer) -> FixedPointFormat:
    unset = str(layer.node.get_attr("inv_inp_t").name) == "model_default_t"
    return layer.type_format("exp_table" if unset else "inv_inp")


def _addressed(layer: Layer, kind: SoftmaxKind, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the tables of the latency and the stable implementation."""
    stable = kind is SoftmaxKind.STABLE
    index_format = distance_format(layer) if stable else layer.source_format()
    inverse_size = _size(layer, "inv_table_size")
    size = _size(layer, "exp_table_size")
    if stable and layer.source_format().signed and not layer.has("inp_norm_t"):
        size = min(inverse_size, 1 << index_format.width)
    for what, entries, fmt in (
        ("exponentials", size, index_format),
        ("inverses", inverse_size, fields["sum_format"]),
    ):
        _check_address(layer, what, entries, fmt)
    scale = float(layer.node.get_attr("exp_scale", 1.0))
    exponentials = tables.exponentials(size, index_format, scale, negative=stable)
    inverses = tables.inverses(inverse_size, fields["sum_format"])
    return {
        "distance_format": index_format if stable else fields["distance_format"],
        "exponentials": tables.raw_entries(exponentials, fields["exponential_format"]),
        "inverses": tables.raw_entries(inverses, fields["inverse_format"]),
    }


def _legacy(layer: Layer) -> dict[str, NDArray[np.int64] | FixedPointFormat]:
    """Return the tables of the legacy implementation, which has a type of its own."""
    sizes = [
        _LEGACY_SIZE if layer.stream else _size(layer, key)
        for key in ("exp_table_size", "inv_table_size")
    ]
    return {
        "exponential_format": _LEGACY_FORMAT,
        "inverse_format": _LEGACY_FORMAT,
        "exponentials": tables.raw_entries(tables.legacy_exponentials(sizes[0]), _LEGACY_FORMAT),
        "inverses": tables.raw_entries(tables.legacy_inverses(sizes[1]), _LEGACY_FORMAT),
    }


def _size(layer: Layer, key: str) -> int:
    return layer.integer(key if layer.has(key) else "table_size")


def _check_address(layer: Layer, what: str, size: int, fmt: FixedPointFormat) -> None:
    if size < 2 or size & (size - 1):
        layer.refuse(f"its table of {what} has {size} entries; use a power of two")
    if (size - 1).bit_length() > fmt.width:
        layer.refuse(f"{fmt} cannot address {size} {what}; use a smaller table_size")
