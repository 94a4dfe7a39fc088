"""Which tensors of a float model need a format: ``ModelGraph -> FreeTensor ...``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.formats import FreeTensor

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

WEIGHTED = (
    "ApplyAlpha",
    "BatchNormalization",
    "Conv1D",
    "Conv2D",
    "Dense",
    "DepthwiseConv1D",
    "DepthwiseConv2D",
    "PReLU",
    "PointwiseConv1D",
    "PointwiseConv2D",
    "SeparableConv1D",
    "SeparableConv2D",
)
COMPUTING = (
    *WEIGHTED,
    "Activation",
    "HardActivation",
    "Merge",
    "ParametrizedActivation",
    "Softmax",
)
"""Layers whose results are numbers of their own; the others move or choose what they read."""

_KEEPS_ITS_INPUT = ("linear", "binary_tanh", "ternary_tanh")


def free_tensors(model_graph: Any, names: Collection[str]) -> tuple[FreeTensor, ...]:
    """Return results and weights that no quantiser fixes; ``names`` are the configuration's.

    A result that only a ReLU reads is left to hls4ml, which keeps every bit of the sum.
    """
    return tuple(tensor for layer in model_graph.get_layers() for tensor in _of_layer(layer, names))


def _of_layer(layer: Any, names: Collection[str]) -> Iterator[FreeTensor]:
    key = configured_name(str(layer.name), names)
    if layer.class_name in WEIGHTED:
        for role, weights in layer.weights.items():
            values = np.asarray(weights.data, dtype=np.float64).ravel()
            if values.any():
                yield FreeTensor(layer=str(layer.name), key=key, role=str(role), values=values)
    averages = "Pooling" in layer.class_name and layer.get_attr("pool_op") == "Average"
    computes = layer.class_name in COMPUTING or averages
    keeps = str(layer.get_attr("activation", "")).lower() in _KEEPS_ITS_INPUT
    if computes and not (keeps and layer.class_name == "Activation") and not _feeds_relu(layer):
        yield FreeTensor(
            layer=str(layer.name),
            key=key,
            role="result",
            span=(0.0, 1.0) if layer.class_name == "Softmax" else None,
            differences=any(reader.class_name == "Softmax" for reader in layer.get_output_nodes()),
        )


def _feeds_relu(layer: Any) -> bool:
    readers = layer.get_output_nodes()
    return len(readers) == 1 and str(readers[0].get_attr("activation", "")).lower() == "relu"


def configured_name(name: str, names: Collection[str]) -> str:
    """Return under which name the configuration knows a layer.

    hls4ml calls what it makes of an ONNX operator ``Dense_<operator>``, ``bn_<operator>``,
    and takes the operator's settings.
    """
    shorter = name
    while shorter not in names and "_" in shorter:
        shorter = shorter.partition("_")[2]
    return shorter if shorter in names else name


def softmax_settings(n_elements: int) -> dict[str, str]:
    """Return settings for the tables of a softmax of so many elements, but for ``accum``.

    hls4ml's own have 8 integer bits for exponentials and inverses, which are at most 1, and
    for their sum: half of each table is never read.
    """
    sum_bits = max(1, n_elements.bit_length())
    return {
        "exp_table_t": "ufixed<18,1,RND,SAT>",
        "inv_table_t": "ufixed<18,1,RND,SAT>",
        "inv_inp_t": f"ufixed<18,{sum_bits},RND,SAT>",
    }


def softmax_accumulator(n_elements: int) -> str:
    """Return the type of the sum of so many exponentials."""
    sum_bits = max(1, n_elements.bit_length())
    return f"ufixed<{17 + sum_bits},{sum_bits},RND,SAT>"
