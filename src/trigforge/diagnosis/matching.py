"""Which layers of the original a node of the graph stands for.

hls4ml keeps the names of the user's layers. It splits off an activation inside a layer
(``dense_relu``), fuses batch normalisation into the sum before it, drops copies, and makes
nodes of its own; so a node stands for a chain of layers: the one of its name and those
behind it that have no node.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trigforge.core.errors import ComparisonError
from trigforge.core.graph import Gather, Input, Quantise

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trigforge.core.graph import FixedPointGraph, Node
    from trigforge.core.traces import LayerTrace, Original


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A node and what it stands for.

    ``layers`` are computed one after the other; the last gives what is expected of the node.
    ``sources`` are the nodes that stand for what the first of them reads, and ``nodes`` what
    the graph computes from them, the node last. Both are empty if that is not known: such a
    node can only be compared, not recomputed.
    """

    node: str
    layers: tuple[str, ...]
    sources: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    copied: tuple[str, ...] = ()
    """Layers of a node behind that only copies this one: their cast may happen here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """All pairs in order of computation, and what has no counterpart."""

    pairs: tuple[Pair, ...]
    unmatched: tuple[str, ...]
    unmatched_nodes: tuple[str, ...]


def match(graph: FixedPointGraph, original: Original) -> Matching:
    """Match nodes and layers by their names.

    Raises:
        ComparisonError: if a node and its layer have different numbers of elements.
    """
    named = _named(graph, original.layers)
    chains, unmatched = _chains(graph, original.layers, named)
    node_of = {chain[-1]: node for node, chain in chains.items()}
    layers = {layer.name: layer for layer in original.layers}
    pairs = []
    for node in graph:
        if node.name not in chains:
            continue
        pair = Pair(node=node.name, layers=chains[node.name])
        pair = _with_sources(graph, pair, layers, node_of)
        pair = replace(pair, copied=_copied(graph, node, chains))
        _check_size(node, layers[pair.layers[-1]])
        pairs.append(pair)
    covered = {name for pair in pairs for name in (pair.node, *pair.nodes)}
    return Matching(
        pairs=tuple(pairs),
        unmatched=unmatched,
        unmatched_nodes=tuple(node.name for node in graph if node.name not in covered),
    )


def _named(graph: FixedPointGraph, layers: Sequence[LayerTrace]) -> dict[str, str]:
    """Return layer -> node, by equal names, then by the name without hls4ml's suffix."""
    names = {layer.name for layer in layers}
    named = {node.name: node.name for node in graph if node.name in names}
    if layers and not layers[0].inputs:
        named.setdefault(layers[0].name, graph.input.name)
    for node in graph:
        base, separator, _ = node.name.rpartition("_")
        if node.name in names or not separator or base not in names:
            continue
        inner = [
            layer.name
            for layer in layers
            if layer.inputs == (base,) and layer.name.startswith(f"{base}_")
        ]
        for name in (*inner, base):
            if name not in named and not isinstance(node, Input):
                named[name] = node.name
                break
    return named


def _chains(
    graph: FixedPointGraph, layers: Sequence[LayerTrace], named: Mapping[str, str]
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Return node -> the layers it stands for, and the layers that stand nowhere."""
    readers = Counter(name for layer in layers for name in layer.inputs)
    ends: dict[str, str] = {}
    chains: dict[str, tuple[str, ...]] = {}
    unmatched = []
    for layer in layers:
        node = named.get(layer.name)
        if node is not None:
            chains[node], ends[layer.name] = (layer.name,), node
            continue
        source = layer.inputs[0] if len(layer.inputs) == 1 else ""
        carrier = ends.get(source)
        size = layer.values.shape[1]
        alone = carrier is None or readers[source] > 1 or graph[carrier].n_elements != size
        if carrier is None or alone or _computed_elsewhere(graph, carrier, named):
            unmatched.append(layer.name)
            continue
        del ends[source]
        chains[carrier] += (layer.name,)
        ends[layer.name] = carrier
    return chains, tuple(unmatched)


def _computed_elsewhere(graph: FixedPointGraph, carrier: str, named: Mapping[str, str]) -> bool:
    """Tell whether a node of another name reads the carrier and does more than move values.

    The layer behind it may be that node, under a name that is not known.
    """
    matched = set(named.values())
    return any(
        carrier in node.inputs
        and node.name not in matched
        and not isinstance(node, Gather | Quantise)
        for node in graph
    )


def _with_sources(
    graph: FixedPointGraph, pair: Pair, layers: Mapping[str, LayerTrace], node_of: Mapping[str, str]
) -> Pair:
    """Find the nodes between what the first layer reads and the node."""
    sources = tuple(node_of.get(name, "") for name in layers[pair.layers[0]].inputs)
    if not sources or not all(sources):
        return pair
    between: set[str] = set()
    waiting = [pair.node]
    while waiting:
        name = waiting.pop()
        if name in between or name in sources:
            continue
        if isinstance(graph[name], Input):
            return pair
        between.add(name)
        waiting.extend(graph[name].inputs)
    ordered = tuple(node.name for node in graph if node.name in between)
    return replace(pair, sources=sources, nodes=ordered)


def _copied(
    graph: FixedPointGraph, node: Node, chains: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Return the layers of the only reader, if it is a cast that changes nothing.

    The cast of the user's activation may then happen in the node.
    """
    readers = [other for other in graph if node.name in other.inputs]
    if len(readers) != 1 or isinstance(node, Input) or not isinstance(readers[0], Quantise):
        return ()
    fmt, target = node.format, readers[0].format
    gained = target.fractional_bits - fmt.fractional_bits
    low, high = target.saturation_limits
    changes = gained < 0 or fmt.raw_min << gained < low or fmt.raw_max << gained > high
    return () if changes and fmt != target else chains.get(readers[0].name, ())


def _check_size(node: Node, layer: LayerTrace) -> None:
    if layer.values.shape[1] != node.n_elements:
        msg = (
            f"layer {layer.name} gives {layer.values.shape[1]} elements an event, but node "
            f"{node.name} of the graph has {node.n_elements}: they are not the same network"
        )
        raise ComparisonError(msg)
