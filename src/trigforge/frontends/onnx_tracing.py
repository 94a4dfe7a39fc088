"""Ask an ONNX or QONNX model what each operator gives: ``(model, values) -> Original``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qonnx.core import onnx_exec

from trigforge.core.traces import LayerTrace, LayerWeights, Original, Values

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray

NODE_NAMES = {
    "Add": ("bnbt_bn_{}", "bn_{}"),
    "BatchNormalization": ("bnbt_{}",),
    "BipolarQuant": ("{}_act",),
    "Conv": ("Conv2D_{}", "Conv1D_{}", "PointwiseConv2D_Conv2D_{}"),
    "MatMul": ("Dense_{}",),
    "Mul": ("bn_{}",),
    "Quant": ("{}_act",),
}
"""How hls4ml calls what it makes of an operator; else as the operator."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Operator:
    """An operator on events: how its layer is called, and whose results it reads."""

    node: Any
    name: str
    inputs: tuple[str, ...]
    tensors: tuple[str, ...]
    """What it reads of those layers."""
    gives_bits: bool
    """hls4ml writes its -1 and 1 as a bit, 0 and 1."""
    reads_bits: bool


def trace(model: Any, values: Values, what: str, nodes: Collection[str]) -> Original:
    """Return the result of every operator that depends on the event, in float32.

    ``model`` is a cleaned ``ModelWrapper`` of one event; ``nodes`` are the names of the
    graph's nodes.
    """
    operators = list(_operators(model, nodes))
    source = model.graph.input[0].name
    shape = model.get_tensor_shape(source)
    contexts = [
        onnx_exec.execute_onnx(
            model, {source: event.reshape(shape).astype(np.float32)}, return_full_exec_context=True
        )
        for event in values
    ]
    layers = [LayerTrace(name=source, values=np.asarray(values, np.float64).copy(), exact=False)]
    for operator in operators:
        results = np.stack([np.ravel(entry[operator.node.output[0]]) for entry in contexts])
        layers.append(
            LayerTrace(
                name=operator.name,
                values=_as_bits(operator, results.astype(np.float64)),
                inputs=operator.inputs,
                exact=operator.gives_bits or (operator.reads_bits and _is_whole(results)),
            )
        )
    known = {operator.name: operator for operator in operators}

    def apply(name: str, given: tuple[Values, ...]) -> Values:
        return _computed(model, known[name], given, contexts[0])

    weights = tuple(entry for operator in operators for entry in _weights(operator, contexts[0]))
    return Original(what=what, layers=tuple(layers), weights=weights, apply=apply)


def _operators(model: Any, nodes: Collection[str]) -> Iterator[_Operator]:
    """Yield the operators whose result depends on the event."""
    source = model.graph.input[0].name
    layer_of: dict[str, str] = {source: source}
    bits: set[str] = set()
    for node in model.graph.node:
        tensors = tuple(tensor for tensor in node.input if tensor in layer_of)
        if not tensors:
            continue  # it computes a constant
        name = _node_name(model, node, nodes)
        layer_of[node.output[0]] = name
        gives_bits = node.op_type == "BipolarQuant"
        bits.update(node.output if gives_bits else ())
        yield _Operator(
            node=node,
            name=name,
            inputs=tuple(layer_of[tensor] for tensor in tensors),
            tensors=tensors,
            gives_bits=gives_bits,
            reads_bits=bits.issuperset(tensors),
        )


def _node_name(model: Any, node: Any, nodes: Collection[str]) -> str:
    """Return the name of the graph's node that an operator ends in."""
    producer = model.find_producer(node.input[0])
    if node.op_type == "BipolarQuant" and producer is not None:
        for pattern in NODE_NAMES.get(producer.op_type, ()):
            merged = pattern.format(producer.name)
            if merged.startswith("bnbt_") and merged in nodes:
                return merged
    names = [pattern.format(node.name) for pattern in NODE_NAMES.get(node.op_type, ())]
    candidates = [name for name in names if name in nodes and not name.startswith("bnbt_")]
    return candidates[0] if candidates else str(node.name)


def _computed(
    model: Any, operator: _Operator, given: tuple[Values, ...], constants: dict[str, Any]
) -> Values:
    """Compute one operator on the given results of the layers that it reads."""
    results = []
    for event in range(len(given[0])):
        context = dict(constants)
        for tensor, values in zip(operator.tensors, given, strict=True):
            shape = model.get_tensor_shape(tensor)
            numbers = 2 * values[event] - 1 if operator.reads_bits else values[event]
            context[tensor] = numbers.reshape(shape).astype(np.float32)
        onnx_exec.execute_node(
            operator.node, context, model.graph, model.model.opset_import[0].version
        )
        results.append(np.ravel(context[operator.node.output[0]]))
    return _as_bits(operator, np.stack(results).astype(np.float64))


def _as_bits(operator: _Operator, results: Values) -> Values:
    return (results > 0).astype(np.float64) if operator.gives_bits else results


def _is_whole(results: Values) -> bool:
    return bool(np.array_equal(results, np.rint(results)))


def _weights(operator: _Operator, constants: dict[str, Any]) -> Iterator[LayerWeights]:
    """Yield weights and biases in the layout of the graph.

    A constant that is added is the bias of the layer before it, or of a node of its own.
    """
    if operator.reads_bits:
        return  # the graph's weights act on the bit, not on -1 and 1
    kind, constant = (
        operator.node.op_type,
        [
            np.asarray(constants[name], dtype=np.float64)
            for name in operator.node.input
            if name not in operator.tensors
        ],
    )
    if kind == "MatMul" and constant:
        yield LayerWeights(layer=operator.name, role="weight", values=constant[0])
    elif kind == "Add" and constant:
        own = operator.name.startswith("bn_")
        layer = operator.name if own else operator.inputs[0]
        yield LayerWeights(layer=layer, role="bias", values=constant[0])
    elif kind == "Conv" and constant:
        yield LayerWeights(layer=operator.name, role="weight", values=_kernel(constant[0]))
        if len(constant) > 1:
            yield LayerWeights(layer=operator.name, role="bias", values=constant[1])


def _kernel(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a kernel ``(filters, height, width, channels)`` with the filters last."""
    return np.ascontiguousarray(np.moveaxis(weights, 0, -1))
