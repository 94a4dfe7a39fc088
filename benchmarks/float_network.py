"""The float network of a graph's shape as ONNX: what a physicist runs offline today."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from trigforge.core.graph import Conv, Dense, Pool

if TYPE_CHECKING:
    from trigforge.core.graph import FixedPointGraph


@dataclass(slots=True)
class _Builder:
    nodes: list[NodeProto] = field(default_factory=list)
    weights: list[TensorProto] = field(default_factory=list)

    def add(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], **attributes))
        return name

    def constant(self, raw: Any, fraction: int) -> str:
        name = f"c{len(self.weights)}"
        values = np.ldexp(np.asarray(raw, dtype=np.float32), -fraction)
        self.weights.append(numpy_helper.from_array(values, name))
        return name


def make(graph: FixedPointGraph) -> ModelProto:
    """Return convolutions, pooling and dense layers in float32, ReLU after all but the last."""
    builder = _Builder()
    layers = [node for node in graph if isinstance(node, Conv | Dense | Pool)]
    shape = input_shape(graph)
    last, flat = "x", len(shape) == 1
    for node in layers:
        if isinstance(node, Pool):
            window, strides = list(node.window), list(node.strides)
            last = builder.add("MaxPool", [last], kernel_shape=window, strides=strides)
            continue
        bias = builder.constant(node.bias, node.bias_format.fractional_bits)
        fraction = node.weight_format.fractional_bits
        if isinstance(node, Conv):
            kernel = builder.constant(node.weights.transpose(3, 2, 0, 1), fraction)
            last = builder.add("Conv", [last, kernel, bias])
        else:
            last = last if flat else builder.add("Flatten", [last])
            flat = True
            last = builder.add("Gemm", [last, builder.constant(node.weights, fraction), bias])
        if node is not layers[-1]:
            last = builder.add("Relu", [last])
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *shape])]
    outputs = [helper.make_tensor_value_info(last, TensorProto.FLOAT, None)]
    body = helper.make_graph(builder.nodes, graph.name, inputs, outputs, builder.weights)
    return helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def input_shape(graph: FixedPointGraph) -> tuple[int, ...]:
    """Return the shape of an event, channels first."""
    shape = graph.input.shape
    return (shape[2], *shape[:2]) if len(shape) == 3 else shape


def session(graph: FixedPointGraph) -> onnxruntime.InferenceSession:
    """Return an inference session on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = make(graph).SerializeToString()
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
