"""Export a graph to ONNX, exactly: ``FixedPointGraph -> ModelProto``.

The model takes and gives int64 tensors of raw integers, ``(n_events, n_elements)``, and
consists of standard operators of opset 13 only. Its arithmetic is that of integers all the
way: float64 where bounds derived from formats and weights stay within ``2**53``, int64
beyond, a refusal where neither is exact. So any runtime that implements the operators as
ONNX defines them gives the integers of the firmware, in any order of its additions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onnx import ModelProto, TensorProto, helper

import trigforge
from trigforge.core.files import write_file
from trigforge.core.graph import (
    Activation,
    Conv,
    Dense,
    Gather,
    Input,
    Merge,
    Pool,
    Quantise,
    Scale,
    Softmax,
    Table,
)
from trigforge.onnx_export import elementwise, pooling, sums, tables
from trigforge.onnx_export.builder import Builder, Wire, is_int_exact
from trigforge.onnx_export.runtime import INPUT_FORMAT, OUTPUT_FORMAT, VALUES_PER_EVENT, run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from onnx import ValueInfoProto

    from trigforge.core.graph import FixedPointGraph, Node

__all__ = ["OPSET", "export", "run", "serialise", "write"]

OPSET = 13
"""ONNX 1.8 of 2020: every operator used here exists in it for float64 and int64."""
_IR_VERSION = 7
_BATCH = "n_events"

EXPORTERS: Mapping[type[Node], Callable[[Builder, Any], Wire]] = {
    Quantise: elementwise.quantise,
    Dense: sums.dense,
    Conv: sums.conv,
    Pool: pooling.pool,
    Scale: elementwise.scale,
    Activation: elementwise.activation,
    Table: tables.table,
    Softmax: tables.softmax,
    Gather: elementwise.gather,
    Merge: elementwise.merge,
}


def export(graph: FixedPointGraph) -> ModelProto:
    """Return the graph as an ONNX model.

    Input and output are named after the graph's first and last node; what a node became is
    named ``node/Operator_number``.

    Raises:
        ConversionError: naming the node whose integers neither float64 nor int64 holds, or
            whose sums would have to be unrolled into too many operators.
    """
    builder = Builder(graph=graph)
    for node in graph:
        builder.node = node.name
        if isinstance(node, Input):
            wire = _input(builder, node)
        else:
            wire = EXPORTERS[type(node)](builder, node)
        builder.wires[node.name] = builder.settled(wire)
    output = _output(builder)
    model = helper.make_model(
        helper.make_graph(
            builder.operators,
            graph.name,
            [_value(graph.input.name, graph.input.n_elements)],
            [_value(output, graph.output.n_elements)],
            initializer=builder.initializers,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR_VERSION,
        producer_name="trigforge",
        producer_version=trigforge.__version__,
        doc_string=_description(graph),
    )
    helper.set_model_props(model, _properties(builder))
    return model


def serialise(graph: FixedPointGraph) -> bytes:
    """Return the content of the ONNX file; the same for the same graph."""
    return bytes(export(graph).SerializeToString(deterministic=True))


def write(graph: FixedPointGraph, path: Path) -> None:
    """Write the graph as an ONNX file, the whole of it or nothing.

    Raises:
        ConversionError: as ``export`` does.
        StoreError: if the file cannot be written.
    """
    write_file(path, serialise(graph))


def _input(builder: Builder, node: Node) -> Wire:
    """Take the event as it comes."""
    fmt = node.format
    for entry in (node, builder.graph.output):
        if not is_int_exact(entry.format.raw_min, entry.format.raw_max):
            msg = f"int64 does not hold the raw integers of {entry.format} of {entry.name}"
            raise builder.refuse(msg)
    return Wire(node.name, fmt.raw_min, fmt.raw_max, integer=True)


def _output(builder: Builder) -> str:
    """Give the result as int64 under the name of the last node."""
    node = builder.graph.output
    wire = builder.wires[node.name]
    name = node.name if len(builder.graph.nodes) > 1 else f"{node.name}/output"
    cast = helper.make_node("Cast", [wire.name], [name], name=name, to=TensorProto.INT64)
    builder.operators.append(cast)
    return name


def _value(name: str, n_elements: int) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.INT64, [_BATCH, n_elements])


def _description(graph: FixedPointGraph) -> str:
    """Say what the integers mean."""
    ends = (("Input", graph.input), ("Output", graph.output))
    return "Raw integers, exactly as the firmware computes them. " + " ".join(
        f"{side} {node.name!r}: {node.n_elements} elements of {node.format}; the integer r "
        f"stands for r * 2**{-node.format.fractional_bits}."
        for side, node in ends
    )


def _properties(builder: Builder) -> dict[str, str]:
    graph = builder.graph
    return {
        "graph": graph.name,
        INPUT_FORMAT: str(graph.input.format),
        OUTPUT_FORMAT: str(graph.output.format),
        "input_shape": ",".join(map(str, graph.input.shape)),
        "output_shape": ",".join(map(str, graph.output.shape)),
        VALUES_PER_EVENT: str(builder.values_per_event),
    }
