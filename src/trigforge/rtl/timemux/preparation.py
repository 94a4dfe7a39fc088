"""Graph to graph: what makes a network simpler to schedule."""

from __future__ import annotations

from dataclasses import replace

from trigforge.core.graph import FixedPointGraph, Gather, Node, Quantise


def casts_before_moves(graph: FixedPointGraph) -> FixedPointGraph:
    """Return a graph whose moves cast nothing: nodes that cast go before them."""
    nodes: list[Node] = []
    for node in graph.nodes:
        if not isinstance(node, Gather):
            nodes.append(node)
            continue
        inputs = []
        for number, source in enumerate(graph.sources(node)):
            if source.format == node.format:
                inputs.append(source.name)
                continue
            name = f"{node.name}__cast_{number}"
            nodes.append(
                Quantise(name=name, inputs=(source.name,), shape=source.shape, format=node.format)
            )
            inputs.append(name)
        nodes.append(replace(node, inputs=tuple(inputs)))
    return FixedPointGraph(name=graph.name, nodes=tuple(nodes))
