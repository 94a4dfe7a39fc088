"""Group the nodes of a graph into stages: a node and the element-wise nodes fused to it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigforge.core.errors import ConversionError
from trigforge.core.graph import (
    Activation,
    ActivationKind,
    FixedPointGraph,
    Gather,
    Input,
    Merge,
    Node,
    Pool,
    Quantise,
    Softmax,
    SumOfProducts,
)
from trigforge.emulator import elementwise, moves, pooling, softmax, sums
from trigforge.emulator.expressions import Expression
from trigforge.emulator.finish import Finish
from trigforge.emulator.layout import Tensor
from trigforge.emulator.ranges import of_format
from trigforge.emulator.source import Body, Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trigforge.core.fixed_point import FixedPointFormat


@dataclass(slots=True, kw_only=True)
class Stage:
    """What one function of the generated code computes: ``head``, then ``tail``.

    ``head`` is None for element-wise nodes on their own; ``inputs`` are the tensors read.
    """

    head: Node | None
    tail: list[Node]
    inputs: tuple[str, ...]
    sums: sums.Sums | None = None
    pool: Pool | None = None
    """Takes the largest sums of each window before ``tail`` is applied to them."""

    @property
    def nodes(self) -> list[Node]:
        """All nodes of the stage."""
        return [node for node in (self.head, *self.tail, self.pool) if node is not None]

    @property
    def result(self) -> Node:
        """The node whose tensor the stage writes."""
        return self.nodes[-1]

    def formats(self, graph: FixedPointGraph) -> tuple[FixedPointFormat, ...]:
        """Return the format of what each fused node reads."""
        return tuple(graph[node.inputs[0]].format for node in self.tail)


def grouped(graph: FixedPointGraph) -> list[Stage]:
    """Return the stages in an order in which they can be computed."""
    n_readers = Counter(name for node in graph for name in node.inputs)
    stages: list[Stage] = []
    by_result: dict[str, Stage] = {}
    for node in graph:
        fused = isinstance(node, elementwise.TYPES)
        before = by_result.get(node.inputs[0]) if fused else None
        if before is not None and _can_grow(before) and n_readers[node.inputs[0]] == 1:
            del by_result[before.result.name]
            before.tail.append(node)
            by_result[node.name] = before
            continue
        stage = Stage(
            head=None if fused else node, tail=[node] if fused else [], inputs=node.inputs
        )
        stages.append(stage)
        by_result[node.name] = stage
    return stages


def _can_grow(stage: Stage) -> bool:
    return stage.head is None or isinstance(stage.head, SumOfProducts | Merge)


def measured(graph: FixedPointGraph, stages: Sequence[Stage]) -> dict[str, Tensor]:
    """Return the tensor each stage writes, with its range; plan the sums of products.

    Raises:
        ConversionError: naming the node the emulator cannot compute.
    """
    tensors: dict[str, Tensor] = {}
    for stage in stages:
        try:
            values = _values(graph, stage, [tensors[name] for name in stage.inputs])
        except ConversionError as error:
            names = ", ".join(node.name for node in stage.nodes)
            msg = f"graph {graph.name}, node {names}: {error}"
            raise ConversionError(msg) from error
        interval = values[0].range
        for value in values[1:]:
            interval = interval | value.range
        node = stage.result
        tensors[node.name] = Tensor(
            name=node.name, n_elements=node.n_elements, range=interval, format=node.format
        )
    return tensors


def _values(graph: FixedPointGraph, stage: Stage, inputs: list[Tensor]) -> list[Expression]:
    """Return what a stage's values come to, without keeping the code."""
    body, scratch = Body(), Source()
    finish = Finish(source=scratch, tail=tuple(stage.tail), formats=stage.formats(graph))
    heads = _head_values(stage, inputs, scratch, body)
    return [finish.applied(body, "e", value) for value in heads]


def _head_values(
    stage: Stage, inputs: list[Tensor], scratch: Source, body: Body
) -> list[Expression]:
    head, x = stage.head, [Expression("x", t.range, t.fraction) for t in inputs]
    if isinstance(head, Input):
        return [Expression("x", of_format(head.format), head.format.fractional_bits)]
    if isinstance(head, SumOfProducts):
        stage.sums = sums.plan(head, inputs[0])
        return [stage.sums.bounded(scratch)]
    if isinstance(head, Pool):
        return [pooling.bounded(head, inputs[0], scratch)]
    if isinstance(head, Softmax):
        return softmax.values(head, scratch, body, x * head.n_slice, inputs[0].format)
    return _moved_values(head, inputs, x, body)


def _moved_values(
    head: Node | None, inputs: list[Tensor], x: list[Expression], body: Body
) -> list[Expression]:
    if head is None:
        return x
    if isinstance(head, Gather):
        return moves.gathered(head, inputs)
    if isinstance(head, Merge):
        return [moves.merged(head, body, (x[0], x[1]), [t.format for t in inputs])]
    msg = f"the emulator has no rule for {type(head).__name__}"
    raise ConversionError(msg)


def pooled(
    graph: FixedPointGraph, stages: Sequence[Stage], tensors: dict[str, Tensor]
) -> list[Stage]:
    """Let sums take the maxima that are only read from them: fewer values are then cast.

    The largest sum gives the largest result if no cast on the way reverses two values.
    """
    n_readers = Counter(name for node in graph for name in node.inputs)
    kept: list[Stage] = []
    by_result: dict[str, Stage] = {}
    for stage in stages:
        before = by_result.get(stage.inputs[0]) if isinstance(stage.head, Pool) else None
        if (
            before is not None
            and isinstance(stage.head, Pool)
            and n_readers[stage.inputs[0]] == 1
            and _can_pool(graph, before, stage.head, tensors[stage.inputs[0]])
        ):
            before.pool = stage.head
            by_result[stage.result.name] = before
            continue
        kept.append(stage)
        by_result[stage.result.name] = stage
    return kept


def _can_pool(graph: FixedPointGraph, stage: Stage, pool: Pool, tensor: Tensor) -> bool:
    plan = stage.sums
    return (
        plan is not None
        and stage.pool is None
        and plan.method in {sums.Method.QUADS, sums.Method.PAIRS}
        and plan.n_positions > 1
        and pooling.only_chooses(pool, tensor)
        and all(isinstance(node, Quantise) or _is_relu(node) for node in stage.tail)
        and plan.keeps_order()
        and _tail_keeps_order(graph, stage, plan)
    )


def _is_relu(node: Node) -> bool:
    return isinstance(node, Activation) and node.kind is ActivationKind.RELU


def _tail_keeps_order(graph: FixedPointGraph, stage: Stage, plan: sums.Sums) -> bool:
    value = plan.bounded(Source())
    for node, fmt in zip(stage.tail, stage.formats(graph), strict=True):
        value = value.at_least_zero() if _is_relu(node) else value
        if fmt != node.format and not value.keeps_order_in(node.format):
            return False
        value = value.convert(fmt, node.format)
    return True


def choose_quads(
    graph: FixedPointGraph, stages: Sequence[Stage], tensors: dict[str, Tensor]
) -> None:
    """Store tensors as quads where the producer can write and every reader can read them."""
    chosen = {
        stage.result.name
        for stage in stages
        if stage.result is not graph.output
        and tensors[stage.result.name].fits_bytes
        and _can_write(stage, tensors)
    }
    while True:
        kept = {name for name in chosen if _all_read(name, stages, tensors, chosen)}
        kept -= {
            stage.result.name
            for stage in stages
            if isinstance(stage.head, Pool | Gather) and stage.inputs[0] not in kept
        }
        if kept == chosen:
            break
        chosen = kept
    for stage in stages:
        tensor = tensors[stage.result.name]
        tensor.quads = tensor.name in chosen
        if isinstance(stage.head, Pool | Gather) and tensor.quads:
            tensor.zero = tensors[stage.inputs[0]].zero
        else:
            tensor.zero = tensor.byte_zero if tensor.quads else 0


def _can_write(stage: Stage, tensors: dict[str, Tensor]) -> bool:
    head, n_elements = stage.head, tensors[stage.result.name].n_elements
    if isinstance(head, Pool | Gather):
        return is_transparent(stage, tensors)
    if stage.sums is not None:
        fast = stage.sums.method in {sums.Method.QUADS, sums.Method.PAIRS}
        return fast and (stage.sums.n_positions == 1 or stage.sums.n_channels % 4 == 0)
    return (head is None or isinstance(head, Input)) and n_elements % 4 == 0


def _all_read(
    name: str, stages: Sequence[Stage], tensors: dict[str, Tensor], chosen: set[str]
) -> bool:
    readers = [stage for stage in stages if name in stage.inputs]
    return bool(readers) and all(
        stage.sums.method is sums.Method.QUADS
        if stage.sums is not None
        else is_transparent(stage, tensors) and stage.result.name in chosen
        for stage in readers
    )


def is_transparent(stage: Stage, tensors: dict[str, Tensor]) -> bool:
    """Tell whether a stage can hand quads on as they are."""
    tensor = tensors[stage.inputs[0]] if stage.inputs else None
    if tensor is None or stage.tail:
        return False
    if isinstance(stage.head, Pool):
        return pooling.moves_quads(stage.head, tensor)
    return isinstance(stage.head, Gather) and moves.is_alias(stage.head, tensor)
