"""Read ONNX and QONNX models: ``.onnx -> OnnxModel``.

Which operators a file may hold is written down here: qonnx would import a Python module by
the name of an operator's domain. hls4ml wants graphs cleaned (constants folded, channels
last, matrix products and sums instead of Gemm, explicit paddings); the original stays as it
was to compare with.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.channels_last import ConvertToChannelsLastAndClean
from qonnx.transformation.gemm_to_matmul import GemmToMatMul
from qonnx.transformation.remove import RemoveIdentityOps
from qonnx.util.cleanup import cleanup_model

from trigforge.core.errors import InputError, TrigforgeError
from trigforge.frontends.onnx_model import OnnxModel, of_one_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPERATORS = (
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Concat",
    "Constant",
    "Conv",
    "Div",
    "Dropout",
    "Elu",
    "Flatten",
    "Gemm",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "Identity",
    "LeakyRelu",
    "MatMul",
    "MaxPool",
    "Mul",
    "PRelu",
    "Relu",
    "Reshape",
    "Resize",
    "Selu",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "Squeeze",
    "Sub",
    "Tanh",
    "Transpose",
    "Unsqueeze",
)
QUANTISERS = ("BipolarQuant", "IntQuant", "Quant")
STANDARD_DOMAINS = ("", "ai.onnx")
QUANTISER_DOMAINS = ("qonnx.custom_op.general", "finn.custom_op.general", "onnx.brevitas")
SPATIAL = ("AveragePool", "BatchNormalization", "Conv", "GlobalAveragePool", "MaxPool")
MAX_NODES = 2000
MAX_ELEMENTS = 1 << 28


def read(path: Path) -> OnnxModel:
    """Read an ONNX or QONNX model.

    Raises:
        InputError: if it is corrupt, holds an operator that is not known, or has not one
            input and one output.
    """
    try:
        model = onnx.ModelProto.FromString(path.read_bytes())
    except Exception as error:  # protobuf's errors have no common public base
        msg = f"{path} is no readable ONNX model: {' '.join(str(error).split())[:100]}"
        raise InputError(msg) from error
    _check(model, path)
    shape = _input_shape(model, path)
    try:
        onnx.checker.check_model(_without_quantisers(model))
        cleaned = _cleaned(model)
    except TrigforgeError:
        raise
    except Exception as error:  # onnx and qonnx raise whatever their operators' code meets
        reason = " ".join(str(error).split())[:300]
        msg = f"{path} cannot be read: {type(error).__name__}: {reason}"
        raise InputError(msg) from error
    return OnnxModel(original=model, network=cleaned, input_shape=shape)


def _check(model: onnx.ModelProto, path: Path) -> None:
    """Refuse what is no plain network."""
    graph = model.graph
    if not 0 < len(graph.node) <= MAX_NODES:
        msg = f"{path}: {len(graph.node)} operators; from 1 to {MAX_NODES} are read"
        raise InputError(msg)
    if len(model.functions) > 0:
        msg = f"{path}: it defines functions of its own; export it with plain operators"
        raise InputError(msg)
    if len(_inputs(graph)) != 1 or len(graph.output) != 1:
        msg = f"{path}: {len(_inputs(graph))} inputs and {len(graph.output)} outputs; one of each"
        raise InputError(msg)
    for problem in _node_problems(graph):
        msg = f"{path}: {problem}"
        raise InputError(msg)
    n_elements = 0
    for tensor in graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            msg = f"{path}: {tensor.name:.60} lies in another file; save the model as one file"
            raise InputError(msg)
        n_elements += int(np.prod(tensor.dims, dtype=object))
        if n_elements > MAX_ELEMENTS or any(size < 0 for size in tensor.dims):
            msg = f"{path}: {tensor.name:.60} makes it {n_elements} weights, above 2**28"
            raise InputError(msg)
        _check_finite(tensor, path)


def _node_problems(graph: onnx.GraphProto) -> Iterator[str]:
    for node in graph.node:
        quantiser = node.op_type in QUANTISERS and node.domain in QUANTISER_DOMAINS
        known = node.op_type in OPERATORS and node.domain in STANDARD_DOMAINS
        if not (quantiser or known):
            domain = f" of {node.domain:.60}" if node.domain not in STANDARD_DOMAINS else ""
            yield (
                f"operator {node.op_type:.60}{domain} ({node.name:.60}) is not known; known are "
                f"{', '.join((*OPERATORS, *QUANTISERS))}"
            )
        kinds = {attribute.type for attribute in node.attribute}
        if kinds & {onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS}:
            yield f"operator {node.op_type} ({node.name:.60}) holds a graph; write it out"


def _check_finite(tensor: onnx.TensorProto, path: Path) -> None:
    try:
        values = onnx.numpy_helper.to_array(tensor)
    except Exception as error:  # its errors are those of NumPy and of protobuf
        msg = f"{path}: {tensor.name:.60} cannot be read: {' '.join(str(error).split())[:100]}"
        raise InputError(msg) from error
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        msg = f"{path}: {tensor.name:.60} holds a number that is not finite"
        raise InputError(msg)


def _inputs(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """Return the inputs that are no weights (old versions list those too)."""
    weights = {tensor.name for tensor in graph.initializer}
    return [entry for entry in graph.input if entry.name not in weights]


def _input_shape(model: onnx.ModelProto, path: Path) -> tuple[int, ...]:
    """Return the shape of one event; the first dimension counts events."""
    sizes = [entry.dim_value for entry in _inputs(model.graph)[0].type.tensor_type.shape.dim]
    if len(sizes) < 2 or min(sizes[1:]) < 1 or sizes[0] > 1:
        msg = f"{path}: its input is {sizes}; expected (1 or unknown, sizes of one event ...)"
        raise InputError(msg)
    return tuple(int(size) for size in sizes[1:])


def _without_quantisers(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return a model that ONNX's own checker takes: it knows no domains of others."""
    plain = onnx.ModelProto()
    plain.CopyFrom(model)
    for node in plain.graph.node:
        if node.op_type in QUANTISERS:
            outputs, source = list(node.output), node.input[0]
            node.Clear()
            node.op_type = "Identity"
            node.input.append(source)
            node.output.extend(outputs)
    return plain


def _cleaned(model: onnx.ModelProto) -> Any:
    """Return the graph as hls4ml reads it."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrapped = cleanup_model(ModelWrapper(of_one_event(model)))
        _write_attributes(wrapped)
        ranks = [len(wrapped.get_tensor_shape(node.input[0]) or ()) for node in wrapped.graph.node]
        if any(
            node.op_type in SPATIAL and rank > 2
            for node, rank in zip(wrapped.graph.node, ranks, strict=True)
        ):
            wrapped = wrapped.transform(ConvertToChannelsLastAndClean())
        wrapped = wrapped.transform(GemmToMatMul()).transform(RemoveIdentityOps())
        return cleanup_model(wrapped)


def _write_attributes(wrapped: Any) -> None:
    """Write strides and paddings as numbers: hls4ml reads no ``auto_pad`` and no defaults."""
    read = onnx.helper.get_attribute_value
    for node in wrapped.graph.node:
        if node.op_type not in {"Conv", "MaxPool", "AveragePool"}:
            continue
        given = {entry.name: read(entry) for entry in node.attribute}
        window = list(given.get("kernel_shape") or wrapped.get_tensor_shape(node.input[1])[2:])
        given.setdefault("kernel_shape", window)
        given.setdefault("strides", [1] * len(window))
        if node.op_type == "Conv":
            given.setdefault("dilations", [1] * len(window))
            given.setdefault("group", 1)
        automatic = given.pop("auto_pad", b"NOTSET").decode()
        if "pads" not in given:
            sizes = wrapped.get_tensor_shape(node.input[0])[2:]
            given["pads"] = _paddings(automatic, sizes, window, given["strides"])
        del node.attribute[:]
        node.attribute.extend(onnx.helper.make_attribute(*entry) for entry in given.items())


def _paddings(automatic: str, sizes: list[int], window: list[int], strides: list[int]) -> list[int]:
    """Return the paddings, first those before each axis, that ``auto_pad`` stands for."""
    if not automatic.startswith("SAME"):
        return [0] * (2 * len(window))
    totals = [
        max((-(-size // stride) - 1) * stride + width - size, 0)
        for size, stride, width in zip(sizes, strides, window, strict=True)
    ]
    less = [total // 2 for total in totals]
    more = [total - total // 2 for total in totals]
    return less + more if automatic == "SAME_UPPER" else more + less
