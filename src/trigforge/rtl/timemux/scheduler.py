"""Choose a place for every node: ``FixedPointGraph, Timing -> Placements``.

Nodes are placed in the order of the graph. Of each several places are tried, and a few of the
best partial schedules are kept: those that no other beats in both cost and time.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.config import Hardware
from trigforge.core.errors import ConversionError
from trigforge.core.graph import (
    Activation,
    Conv,
    FixedPointGraph,
    Gather,
    Merge,
    Node,
    Pool,
    Quantise,
    Scale,
    SumOfProducts,
    Table,
)
from trigforge.rtl.timemux import blocks, elements, pooling, sums
from trigforge.rtl.timemux.clocking import Timing
from trigforge.rtl.timemux.multipliers import PORT_A_BITS, PORT_B_BITS
from trigforge.rtl.timemux.placements import Block, Moves, Placement, Site, Sums
from trigforge.rtl.timemux.reductions import reduction
from trigforge.rtl.timemux.streams import Stream, at_once, joined, on_net

if TYPE_CHECKING:
    from collections.abc import Callable


LUTS_A_DSP = 140
"""LUTs that weigh as much as a DSP: what a VU13P has of both."""
CASCADES = (16, 8, 4, 3, 2, 1)
"""Longest cascades of DSPs that are tried: long ones need fewer adders, short ones less time."""
MOST_KEPT = 10
MOST_ORDERS = 80
INPUT_NET = "held_event"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Places for some or all nodes of a graph."""

    placements: tuple[Placement, ...] = ()
    streams: Mapping[str, Stream] = field(default_factory=dict)

    @property
    def dsp(self) -> int:
        """DSPs of all nodes."""
        return sum(placement.dsp for placement in self.placements)

    @property
    def cost(self) -> float:
        """DSPs, and LUTs as a share of them."""
        return self.dsp + sum(placement.lut for placement in self.placements) / LUTS_A_DSP

    @property
    def ready(self) -> int:
        """The cycle in which the last tensor is complete."""
        return self.placements[-1].last_cycle if self.placements else 0

    def with_(self, placement: Placement) -> Plan:
        """Return the plan with one node more."""
        return Plan(
            placements=(*self.placements, placement),
            streams={**self.streams, placement.node.name: placement.result},
        )


def plan(graph: FixedPointGraph, hardware: Hardware, timing: Timing, most_cycles: int) -> Plan:
    """Return places for all nodes: the cheapest with at most so many cycles, else the fastest.

    Raises:
        ConversionError: naming a node that cannot be scheduled, and why.
    """
    written = blocks.Blocks(graph.name, hardware)
    best: Plan | None = None
    for cascade in CASCADES:
        found = _search(_Chooser(graph, hardware, timing, cascade, written), most_cycles)
        if best is None or found.ready < best.ready:
            best = found
        if found.ready <= most_cycles:
            return found
    if best is None:
        msg = f"graph {graph.name}: there is nothing to schedule"
        raise ConversionError(msg)
    return best


def _search(chooser: _Chooser, most_cycles: int) -> Plan:
    graph = chooser.graph
    kept = [Plan(streams={graph.input.name: input_stream(graph.input, chooser.timing)})]
    before_pooling = _before_pooling(graph)
    for node in graph.nodes[1:]:
        options = [
            entry.with_(placement) for entry in kept for placement in chooser.places(node, entry)
        ]
        kept = _kept(options, pooled=node.name in before_pooling)
    in_time = [entry for entry in kept if entry.ready <= most_cycles]
    if in_time:
        return min(in_time, key=lambda entry: entry.cost)
    return min(kept, key=lambda entry: entry.ready)


def _before_pooling(graph: FixedPointGraph) -> set[str]:
    """Name the layers of multipliers, and what follows them, whose results are pooled."""
    found: set[str] = set()
    for node in reversed(graph.nodes):
        follows = isinstance(node, Pool) or node.name in found
        if follows and not isinstance(node, SumOfProducts):
            found |= {
                source
                for source in node.inputs
                if isinstance(graph[source], SumOfProducts | Activation | Quantise)
            }
    return found


def _kept(options: list[Plan], *, pooled: bool) -> list[Plan]:
    """Keep the best plans; before pooling the best of each order in which results come.

    What pooling will cost is decided by that order.
    """
    if not pooled:
        return _not_beaten(options)
    orders: dict[tuple[object, ...], list[Plan]] = {}
    for option in options:
        orders.setdefault(_order(option), []).append(option)
    ranked = [min(alike, key=lambda entry: (entry.cost, entry.ready)) for alike in orders.values()]
    return sorted(ranked, key=lambda entry: (entry.cost, entry.ready))[:MOST_ORDERS]


def _order(option: Plan) -> tuple[object, ...]:
    """Return the loops of the last layer of multipliers."""
    last = next(
        placement.build
        for placement in reversed(option.placements)
        if isinstance(placement.build, Sums | Block)
    )
    return tuple(last.folded.folding[:7]) if isinstance(last, Sums) else ()


def _not_beaten(options: list[Plan]) -> list[Plan]:
    """Keep plans that no other beats in both cost and time; the cheapest ones first."""
    kept: list[Plan] = []
    for option in sorted(options, key=lambda entry: (entry.cost, entry.ready, _mean(entry))):
        if all(option.ready < other.ready or _mean(option) < _mean(other) for other in kept):
            kept.append(option)
    if len(kept) <= MOST_KEPT:
        return kept
    fastest = min(kept, key=lambda entry: (entry.ready, _mean(entry)))
    return [*kept[: MOST_KEPT - 1], fastest]


def _mean(entry: Plan) -> float:
    """Return when elements of the last tensor come, on average."""
    first = entry.placements[-1].result.first
    return float(np.maximum(first, 0).mean())


def input_stream(node: Node, timing: Timing) -> Stream:
    """Return the registers that take an event from the port and hold it for an interval."""
    n_elements = node.n_elements
    return on_net(
        INPUT_NET,
        np.arange(n_elements),
        np.ones(n_elements, np.int64),
        np.full(n_elements, timing.interval_cycles),
    )


@dataclass(frozen=True, slots=True)
class _Chooser:
    """Finds the places that one node can have in a plan."""

    graph: FixedPointGraph
    hardware: Hardware
    timing: Timing
    cascade: int
    written: blocks.Blocks

    def places(self, node: Node, plan: Plan) -> list[Placement]:
        site = Site(
            sources=tuple(plan.streams[name] for name in node.inputs),
            formats=tuple(self.graph[name].format for name in node.inputs),
            timing=self.timing,
            net=net_of(self.graph, node),
        )
        if isinstance(node, SumOfProducts):
            return self._sums(node, site)
        if isinstance(node, Gather):
            return [self._moves(node, site.sources)]
        found = pooling.pool(node, site) if isinstance(node, Pool) else _elementwise(node, site)
        if not isinstance(found, str):
            return found
        if len(site.sources) > 1:
            msg = f"graph {self.graph.name}, node {node.name} ({type(node).__name__}): {found}"
            raise ConversionError(msg)
        return [self.written.whole(node, site, found)]

    def _sums(self, node: SumOfProducts, site: Site) -> list[Placement]:
        multipliers = self.hardware.multipliers_of(node.name)
        arithmetic = reduction(node, site.formats[0])
        if multipliers == "da":
            return [self._unrolled(node, site, "the spec asks for it")]
        if isinstance(arithmetic, str):
            return [self._unrolled(node, site, arithmetic)]
        found = sums.candidates(arithmetic, site, self.cascade)
        if not found:
            why = f"its numbers do not fit a multiplier of {PORT_A_BITS} by {PORT_B_BITS} bits"
            return [self._unrolled(node, site, why)]
        if multipliers == "auto":
            found.append(self._unrolled(node, site, "takes less of the part than DSPs"))
        return found

    def _unrolled(self, node: SumOfProducts, site: Site, why: str) -> Placement:
        if isinstance(node, Conv) and not node.depthwise:
            return self.written.folded(node, site, why)
        return self.written.whole(node, site, why)

    def _moves(self, node: Gather, sources: tuple[Stream, ...]) -> Placement:
        source = joined(sources)
        result = source.taken(node.indices)
        return Placement(
            node=node,
            source=source,
            table=at_once(result),
            build=Moves(),
            result=result,
            lut=0,
        )


def _elementwise(node: Node, site: Site) -> list[Placement] | str:
    """Return the place of a node that the library has a module for, or that it has none."""
    for kind, place in _ELEMENTWISE.items():
        if isinstance(node, kind) and (found := place(node, site)) is not None:
            return [found]
    return "the library has no module for it"


_ELEMENTWISE: dict[type[Node], Callable[..., Placement | None]] = {
    Quantise: elements.quantise,
    Activation: elements.activation,
    Table: elements.table,
    Scale: elements.scale,
    Merge: elements.merge,
}


def net_of(graph: FixedPointGraph, node: Node) -> str:
    """Return the identifier of what a node gives: its number and its name, made harmless."""
    number = graph.nodes.index(node)
    return f"n{number}_" + re.sub(r"\W", "_", node.name, flags=re.ASCII)
