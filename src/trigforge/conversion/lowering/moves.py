"""Layers that move elements, and operations on two tensors.

Sources: nnet_merge.h, nnet_padding.h, nnet_cropping.h, nnet_image.h, nnet_transpose.h,
nnet_stream.h (repack, broadcast) and their stream kin (hls4ml 1.3.0).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.graph import Gather, Merge, MergeKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.conversion.lowering.layer import Layer

MISPLACED_PADDING = (
    "in io_stream hls4ml puts the padding of a Conv1D into another branch where its input has "
    "several readers: use padding='valid' behind a ZeroPadding1D"
)
_MERGES = {kind.value: kind for kind in MergeKind}


def reshape(layer: Layer) -> tuple[Gather]:
    """Lower a layer that keeps the order of the elements."""
    n_given = int(np.prod(layer.source_shape()))
    if n_given != layer.n_elements:
        layer.refuse(f"{n_given} elements are read as {layer.n_elements}; " + MISPLACED_PADDING)
    return (_gather(layer, "reshape", np.arange(layer.n_elements)),)


def repack(layer: Layer) -> tuple[Gather]:
    """Lower a reshape of io_stream, which writes packs of another size."""
    sizes = [
        int(variable.type.n_elem)
        for variable in (layer.node.get_input_variable(), layer.node.get_output_variable())
    ]
    if max(sizes) % min(sizes):
        layer.refuse(
            f"io_stream cannot pack {sizes[0]} elements into {sizes[1]}: one must divide the other"
        )
    return reshape(layer)


def transpose(layer: Layer) -> tuple[Gather]:
    """Lower a permutation of the axes."""
    axes = tuple(int(axis) for axis in layer.node.get_attr("perm"))
    if layer.stream and axes == (0, 1):
        layer.refuse("io_stream transposes every matrix, even here; leave the layer out")
    return (_gather(layer, "transpose", _indices(layer.source_shape()).transpose(axes)),)


def concatenate(layer: Layer) -> tuple[Gather]:
    """Lower the concatenation of two tensors.

    ``axis`` counts the batch; the C++ takes what it does not know for the first axis.
    """
    left, right = layer.source_shape(0), layer.source_shape(1)
    axis, rank = layer.integer("axis"), len(left)
    if rank > 3:
        layer.refuse(f"{rank} axes; hls4ml concatenates up to 3")
    axis = axis - 1 if axis > 0 else axis + rank
    parts = [_indices(left), _indices(right) + int(np.prod(left))]
    return (_gather(layer, "concatenate", np.concatenate(parts, axis=axis)),)


def zero_padding(layer: Layer) -> tuple[Gather]:
    """Lower zeros around an image."""
    height, width, channels = _image_shape(layer)
    top, bottom = layer.integer("pad_top", 0), layer.integer("pad_bottom", 0)
    left, right = layer.integer("pad_left"), layer.integer("pad_right")
    image = _indices((height, width, channels))
    padding = ((top, bottom), (left, right), (0, 0))
    return (_gather(layer, "zero_padding", np.pad(image, padding, constant_values=-1)),)


def cropping(layer: Layer) -> tuple[Gather]:
    """Lower the removal of the rim of an image."""
    top, left = layer.integer("crop_top", 0), layer.integer("crop_left")
    height, width = layer.integer("out_height", 1), layer.integer("out_width")
    image = _indices(_image_shape(layer))
    return (_gather(layer, "cropping", image[top : top + height, left : left + width]),)


def resize(layer: Layer) -> tuple[Gather]:
    """Lower upsampling by repetition, with the fixed-point steps of ``resize_nearest``."""
    if layer.text("algorithm") != "nearest":
        layer.refuse(f"hls4ml's C++ has no {layer.text('algorithm')} resizing; use nearest")
    if layer.source_format() != layer.result:
        layer.refuse(
            f"its C++ has one type, but reads {layer.source_format()} and gives {layer.result}"
        )
    height, width, channels = _image_shape(layer)
    new_height = layer.integer("out_height", height)
    new_width = layer.integer("out_width")
    if layer.stream and (new_height % height or new_width % width):
        layer.refuse("io_stream repeats whole pixels only; use a whole factor")
    rows, columns = (
        np.arange(new) * ((old << 16) // new + 1) >> 16
        for new, old in ((new_height, height), (new_width, width))
    )
    image = _indices((height, width, channels))
    return (_gather(layer, "upsampling", image[rows[:, None], columns]),)


def broadcast(layer: Layer) -> tuple[Gather]:
    """Lower the repetition of a tensor to the shape of another."""
    indices = np.broadcast_to(_indices(layer.source_shape()), layer.shape)
    return (_gather(layer, "broadcast", indices),)


def merge(layer: Layer) -> tuple[Merge]:
    """Lower an operation on two tensors."""
    layer.check_packs()
    operation = layer.text("op")
    if operation not in _MERGES:
        known = ", ".join(sorted(_MERGES))
        layer.refuse(f"operation {operation} on two tensors; supported: {known}")
    shapes = layer.source_shape(0), layer.source_shape(1)
    if layer.stream and np.prod(shapes[0]) != np.prod(shapes[1]):
        layer.refuse(f"io_stream cannot combine {shapes[0]} and {shapes[1]}")
    return (Merge(**layer.tensor(), kind=_MERGES[operation]),)


def _gather(layer: Layer, kind: str, indices: NDArray[np.int64]) -> Gather:
    if indices.size != layer.n_elements:
        layer.refuse(f"{indices.size} elements, but hls4ml declares {layer.shape}")
    flat = np.array(indices, dtype=np.int64).reshape(-1)
    return Gather(**layer.tensor(), kind=kind, indices=flat)


def _indices(shape: tuple[int, ...]) -> NDArray[np.int64]:
    return np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)


def _image_shape(layer: Layer) -> tuple[int, int, int]:
    if layer.text("data_format", "channels_last") != "channels_last":
        layer.refuse("channels_first; use channels_last")
    return layer.integer("in_height", 1), layer.integer("in_width"), layer.integer("n_chan")
