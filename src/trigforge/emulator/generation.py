"""Write a graph as a C++ library: ``FixedPointGraph -> EmulatorSources``.

The hand-written headers are copied unchanged; what depends on the model is rendered. Each
instruction set has a translation unit of its own, compiled with flags of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trigforge.core.errors import ConversionError
from trigforge.core.files import FileSet
from trigforge.core.graph import FixedPointGraph, Gather, Input, Merge, Pool, Softmax
from trigforge.core.records import Port
from trigforge.emulator import kernels, moves, package, pooling, sequential, softmax, stages, words
from trigforge.emulator.finish import Finish
from trigforge.emulator.layout import Memory, Tensor
from trigforge.emulator.source import Source
from trigforge.emulator.sums import Method

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trigforge.emulator.stages import Stage

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,60}")


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorSources:
    """The C++ of one model and version, and what it takes and gives."""

    name: str
    version: int
    files: FileSet
    input: Port
    output: Port
    metadata: dict[str, Any]
    """What the library says about itself."""

    @property
    def symbol(self) -> str:
        """Namespace of the library, first part of the names of its functions."""
        return f"{self.name}_v{self.version}"


@dataclass(slots=True)
class _Network:
    """The functions of the model, their calls, and the room they need."""

    graph: FixedPointGraph
    tensors: dict[str, Tensor]
    source: Source
    memory: Memory
    calls: list[str]


def generate(graph: FixedPointGraph, *, version: int = 1) -> EmulatorSources:
    """Return the sources of the emulator of a graph.

    Raises:
        ConversionError: naming the node that cannot be computed exactly in 128 bits, or a
            graph whose name is no C++ identifier or whose ports do not fit into 64 bits.
    """
    _check(graph, version)
    groups = stages.grouped(graph)
    tensors = stages.measured(graph, groups)
    groups = stages.pooled(graph, groups, tensors)
    stages.choose_quads(graph, groups, tensors)
    network = _Network(graph, tensors, Source(), Memory(), [])
    _render_stages(network, groups)
    contents = package.Contents(
        name=graph.name,
        version=version,
        input=graph.input.port,
        output=graph.output.port,
        bytes_per_lane=network.memory.bytes_per_lane,
        definitions=network.source.text,
        calls=(*network.calls, _writing(tensors[graph.output.name])),
    )
    return EmulatorSources(
        name=graph.name,
        version=version,
        files=package.files(contents),
        input=contents.input,
        output=contents.output,
        metadata=contents.metadata,
    )


def _check(graph: FixedPointGraph, version: int) -> None:
    if _NAME.fullmatch(graph.name) is None or version < 0:
        msg = f"an emulator needs a C++ identifier and a version, not {graph.name!r} {version}"
        raise ConversionError(msg)
    for node in (graph.input, graph.output):
        if not node.format.signed and node.format.width > 63:
            msg = f"node {node.name}: {node.format} does not fit into a 64-bit port of an emulator"
            raise ConversionError(msg)


def _render_stages(network: _Network, groups: Sequence[Stage]) -> None:
    last_read = _last_reads(network, groups)
    for i, stage in enumerate(groups):
        tensor = network.tensors[stage.result.name]
        inputs = [network.tensors[name] for name in stage.inputs]
        if _is_alias(stage, network.tensors):
            tensor.offset = inputs[0].offset
        else:
            tensor.offset = network.memory.take(tensor.bytes_per_lane)
            _render(network, stage, inputs, f"stage_{i}")
        for name, last in last_read.items():
            if last == i:
                network.memory.give_back(network.tensors[name].offset)


def _is_alias(stage: Stage, tensors: dict[str, Tensor]) -> bool:
    return isinstance(stage.head, Gather) and stages.is_transparent(stage, tensors)


def _last_reads(network: _Network, groups: Sequence[Stage]) -> dict[str, int]:
    """Return the last stage that reads the room of each tensor; the output's is kept."""
    owner: dict[str, str] = {}
    last: dict[str, int] = {}
    for i, stage in enumerate(groups):
        name = stage.result.name
        alias = _is_alias(stage, network.tensors)
        owner[name] = owner[stage.inputs[0]] if alias else name
        for read in stage.inputs:
            last[owner[read]] = i
    last.pop(owner[network.graph.output.name], None)
    return last


def _render(network: _Network, stage: Stage, inputs: list[Tensor], name: str) -> None:
    """Define the functions of a stage and call them."""
    tensor = network.tensors[stage.result.name]
    finish = Finish(
        source=network.source,
        tail=tuple(stage.tail),
        formats=stage.formats(network.graph),
        target=tensor,
    )
    head = stage.head
    if isinstance(head, Input):
        network.calls.append(_reading(tensor))
        return
    if stage.sums is not None:
        _render_sums(network, stage, inputs[0], finish, name)
    elif isinstance(head, Pool):
        render = pooling.render_quads if tensor.quads else pooling.render
        render(head, inputs[0], finish, name)
    elif isinstance(head, Softmax):
        softmax.render(head, inputs[0], finish, name)
    elif isinstance(head, Gather):
        moves.render_gather(head, inputs, finish, name)
    elif isinstance(head, Merge):
        moves.render_merge(head, inputs, finish, name)
    else:
        moves.render_elements(inputs[0], finish, name)
    network.calls.append(f"{name}(work);")


def _reading(tensor: Tensor) -> str:
    kind, place = tensor.c_type, f"(work, {tensor.offset})"
    if tensor.quads:
        arguments = f"events, n_events, {tensor.n_elements // 4}, Raw({tensor.zero})"
        return f"read_quads({arguments}, buffer<int32_t>{place});"
    return f"read_events(events, n_events, N_INPUTS, buffer<{kind}>{place});"


def _writing(tensor: Tensor) -> str:
    planes = f"buffer<{tensor.c_type}>(work, {tensor.offset})"
    return f"write_events({planes}, n_events, N_OUTPUTS, results);"


def _render_sums(
    network: _Network, stage: Stage, tensor: Tensor, finish: Finish, name: str
) -> None:
    plan = stage.sums
    if plan is None or plan.method in {Method.WIDE, Method.ORDERED}:
        if plan is not None:
            sequential.render(plan, tensor, finish, name)
        return
    laid = words.plan(plan, tensor)
    room = network.memory.take(4 * len(laid.built)) if len(laid.built) else 0
    if len(laid.built):
        words.render(laid, tensor, room, network.source, f"{name}_words")
        network.calls.append(f"{name}_words(work);")
        network.memory.give_back(room)
    windows = None if stage.pool is None else pooling.positions(stage.pool)
    kernels.render(kernels.kernel(plan, laid, (tensor, room), windows), finish, name)
