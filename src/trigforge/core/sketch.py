"""The network as a drawing needs it: what each node is, what it reads and what it costs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SketchNode:
    """One node of the graph and the tensor it gives."""

    name: str
    kind: str
    """Of the node, and of what it does where there are several: ``Dense``, ``Pool maximum``."""
    inputs: tuple[str, ...]
    """Names of the nodes it reads."""
    shape: tuple[int, ...]
    format: str
    """Of each element: ``ufixed<6,2,RND_CONV,SAT>``."""
    n_weights: int
    """Trained constants it holds: weights, biases, scales; entries of tables are none."""
    n_zero_weights: int
    n_multiplications: int
    """Products of an event that are computed: those with a zero left out."""
    n_products: int
    """All products of an event, those with a zero among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A whole network, in an order in which it can be computed."""

    nodes: tuple[SketchNode, ...]
