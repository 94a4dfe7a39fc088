"""Estimate a project of high-level synthesis: ``FixedPointGraph, Hardware -> Estimate``.

The rule is EBOPs = LUT + 55 DSP (arXiv:2405.00645, HGQ2), for the multipliers that
hls4ml 1.3.0 builds:

- a convolution, or a dense layer that takes its input row by row, has the multipliers of
  one output position and computes one position after another;
- with reuse factor r a position of n multiplications, z of them by zero, has
  ``ceil(n / r) - z // r`` multipliers (``multiplier_limit``, core_templates.py), with the
  Resource strategy ``ceil(n / r)`` (nnet_dense_resource.h);
- with r = 1 each weight is a constant and costs its effective bits; a shared multiplier
  needs the whole width of the weights' format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trigforge.core import propagation
from trigforge.core.costs import Estimate
from trigforge.core.graph import (
    Conv,
    Input,
    Merge,
    MergeKind,
    Scale,
    Softmax,
    SumOfProducts,
    Table,
)
from trigforge.estimation import none
from trigforge.estimation.operations import effective_bits, operand_bits, variable_bits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trigforge.core.config import Hardware
    from trigforge.core.graph import FixedPointGraph, Node
    from trigforge.core.intervals import Intervals

LUT_PER_DSP = 55
"""What one DSP saves (arXiv:2405.00645)."""

NARROWEST_DSP_BITS = 9
"""hls4ml 1.3.0 takes multiplications by weights of fewer bits to be built of LUTs
(optimization/dsp_aware_pruning/objectives/vivado_objectives.py); Vitis documents no limit."""

_DSP_WIDE, _DSP_NARROW = 27, 18
"""Widths of the signed operands of a DSP48E2 (AMD UG579)."""

_LOW, _HIGH, _HIGH_SHARED = 0.5, 2.0, 3.0
"""Of the rule, assumed and not fitted: it was drawn through designs of io_parallel without
its scatter being published. Streams add buffers, shared multipliers select their operands."""

_FF_PER_LUT = 0.1, 0.5, 1.5
"""Assumed: the depth of the pipeline, which the tool chooses, decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Multipliers:
    """The multipliers of one node, as hls4ml has them built.

    ``constant_bits`` and ``variable_bits`` are the declared widths of the operands.
    """

    name: str
    count: int
    ebops: int
    constant_bits: int
    variable_bits: int

    @property
    def dsp_each(self) -> int:
        """How many DSPs one multiplier takes if it is built of them."""
        wide = max(self.constant_bits, self.variable_bits)
        narrow = min(self.constant_bits, self.variable_bits)
        return -(-wide // _DSP_WIDE) * -(-narrow // _DSP_NARROW)

    @property
    def likely_dsp(self) -> int:
        """DSPs if both operands are wide enough for them."""
        wide = min(self.constant_bits, self.variable_bits) >= NARROWEST_DSP_BITS
        return self.count * self.dsp_each * wide

    @property
    def highest_dsp(self) -> int:
        """DSPs if one wide operand is enough."""
        wide = max(self.constant_bits, self.variable_bits) >= NARROWEST_DSP_BITS
        return self.count * self.dsp_each * wide


def estimates(graph: FixedPointGraph, hardware: Hardware) -> tuple[Estimate, ...]:
    """Return the ranges of an hls4ml project.

    They are wide: which multiplications become DSPs is the vendor tool's choice, and each
    DSP stands for 55 LUTs. The C synthesis report itself is 2 to 7 times the routed LUTs.

    Raises:
        InputError: if the graph has a node without a rule (``core.propagation``).
    """
    built = multipliers(graph, hardware)
    total = sum(entry.ebops for entry in built)
    likely = sum(entry.likely_dsp for entry in built)
    highest = sum(entry.highest_dsp for entry in built)
    fixed = hardware.reuse_factor > 1  # a shared multiplier cannot become shifts and additions
    dsp = Estimate(
        resource="dsp",
        low=likely if fixed else 0,
        likely=likely,
        high=highest,
        method=(
            f"{sum(entry.count for entry in built):,} multipliers at reuse factor "
            f"{hardware.reuse_factor}; likely a DSP where both operands have at least "
            f"{NARROWEST_DSP_BITS} bits, at most where one has"
            + ("" if fixed else ", none if constants become additions")
        ),
    )
    lut = _lut(total, dsp, hardware)
    shares = zip(_FF_PER_LUT, (lut.low, lut.likely, lut.high), strict=True)
    low, middle, high = (share * count for share, count in shares)
    method = "FF = 0.1 to 1.5 of the estimated LUT, assumed: the tool chooses the pipeline"
    ff = Estimate(resource="ff", low=low, likely=middle, high=high, method=method)
    return (lut, ff, dsp, _bram(graph, hardware), none("uram", "hls4ml asks for none"))


def interval_cycles(graph: FixedPointGraph, hardware: Hardware) -> int:
    """Return the least initiation interval hls4ml's structure allows; the tool may add to it.

    The slowest layer decides: it takes the reuse factor for each output position, and a
    stream brings one input position a cycle.
    """
    slowest = max((_n_positions(node) for node in graph), default=1)
    if hardware.io_type == "io_stream":
        slowest = max(slowest, int(np.prod(graph.input.shape[:-1], dtype=np.int64)))
    return slowest * hardware.reuse_factor


def multipliers(graph: FixedPointGraph, hardware: Hardware) -> tuple[Multipliers, ...]:
    """Return the multipliers of each node that has some."""
    intervals = propagation.intervals(graph)
    found = (_built(graph, node, intervals, hardware) for node in graph)
    return tuple(entry for entry in found if entry is not None and entry.count > 0)


def _built(
    graph: FixedPointGraph, node: Node, intervals: Mapping[str, Intervals], hardware: Hardware
) -> Multipliers | None:
    operands = [intervals[name] for name in node.inputs]
    widths = [source.format.width for source in graph.sources(node)]
    if isinstance(node, SumOfProducts):
        return _weighted(node, operands[0], widths[0], hardware)
    if isinstance(node, Scale):
        spans = effective_bits(node.scale[np.arange(node.n_elements) % len(node.scale)])
        bits = variable_bits(operands[0])
        declared = node.scale_format.width, widths[0]
    elif isinstance(node, Merge) and node.kind is MergeKind.MULTIPLY:
        bits, spans = (operand_bits(x)[np.arange(node.n_elements) % len(x.low)] for x in operands)
        declared = min(widths), max(widths)
    else:
        return None
    channels = node.shape[-1] if hardware.io_type == "io_stream" else node.n_elements
    costs = (bits * spans).reshape(-1, channels).max(axis=0)
    return Multipliers(
        name=node.name,
        count=int((costs > 0).sum()),
        ebops=int(costs.sum()),
        constant_bits=declared[0],
        variable_bits=declared[1],
    )


def _weighted(
    node: SumOfProducts, x: Intervals, activation_bits: int, hardware: Hardware
) -> Multipliers:
    weights, reuse = propagation.weight_matrix(node), hardware.reuse_factor
    widest = propagation.cells(node, variable_bits(x)).max(axis=0)  # over positions
    if widest.ndim == 1:
        widest = np.broadcast_to(widest[:, None], weights.shape)
    n_zero = int((weights == 0).sum())
    count = -(-weights.size // reuse)
    if reuse == 1:
        # Multiplications by constant zero are removed, whatever the strategy.
        spans = effective_bits(weights)
        count, ebops = int(((spans > 0) & (widest > 0)).sum()), int((spans * widest).sum())
    else:
        count -= n_zero // reuse if hardware.strategy == "Latency" else 0
        ebops = count * node.weight_format.width * int(widest.max(initial=0))
    return Multipliers(
        name=node.name,
        count=count,
        ebops=ebops,
        constant_bits=node.weight_format.width,
        variable_bits=activation_bits,
    )


def _lut(total: int, dsp: Estimate, hardware: Hardware) -> Estimate:
    shared = hardware.io_type == "io_stream" or hardware.reuse_factor > 1
    low, high = _LOW, _HIGH_SHARED if shared else _HIGH
    return Estimate(
        resource="lut",
        low=low * max(0.0, total - LUT_PER_DSP * dsp.high),
        likely=max(0.0, total - LUT_PER_DSP * dsp.likely),
        high=high * max(0.0, total - LUT_PER_DSP * dsp.low),
        method=(
            f"{total:,} EBOPs of the multipliers built = LUT + {LUT_PER_DSP} DSP (HGQ2's rule); "
            f"{low:g} to {high:g} of it, assumed; "
            f"{total:,} LUT if no DSP is used"
        ),
    )


def _bram(graph: FixedPointGraph, hardware: Hardware) -> Estimate:
    """Count memories of 18 kb: 36 bits of 512 words, or 18 of 1,024 on each of two ports."""
    streamed = hardware.io_type == "io_stream"
    likely = high = 0
    for node in graph:
        if isinstance(node, SumOfProducts):
            depth = hardware.reuse_factor
            if hardware.strategy == "Resource" and depth > 1:
                word = -(-node.weights.size // depth) * node.weight_format.width
                likely += _blocks(word, depth, 36)
                high += max(_blocks(word, depth, 36), _blocks(word, depth, 18))
        elif isinstance(node, Table | Softmax):
            copies = node.shape[-1] if streamed else node.n_elements
            blocks = sum(_blocks(bits, depth, 18) for bits, depth in _tables(node))
            likely, high = likely + -(-copies // 2) * blocks, high + copies * blocks
        if streamed and not isinstance(node, Input) and len(node.shape) > 1:
            depth = node.n_elements // node.shape[-1]
            high += _blocks(node.format.width * node.shape[-1], depth, 36)
    return Estimate(
        resource="bram_18k",
        low=0,
        likely=likely,
        high=high,
        method=(
            "weights of the Resource strategy, width x depth, and activation tables, two reads "
            "each; none if the tool builds them of LUTs; at most with narrow ports, a table a "
            "read and a memory for each stream"
        ),
    )


def _blocks(word_bits: int, depth: int, port_bits: int) -> int:
    return -(-word_bits // port_bits) * -(-depth // (512 * 36 // port_bits))


def _tables(node: Table | Softmax) -> tuple[tuple[int, int], ...]:
    """Return the width and depth of the tables of a node."""
    if isinstance(node, Table):
        return ((node.table_format.width, len(node.table)),)
    return (
        (node.exponential_format.width, len(node.exponentials)),
        (node.inverse_format.width, len(node.inverses)),
    )


def _n_positions(node: Node) -> int:
    if isinstance(node, Conv):
        return int(np.prod(node.output_shape[:2], dtype=np.int64))
    if isinstance(node, SumOfProducts):
        return node.n_elements // node.shape[-1]
    return 1
