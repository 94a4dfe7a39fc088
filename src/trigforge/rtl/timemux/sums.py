"""Places for layers of multipliers: ``Reduction, Stream -> Placements`` to choose from."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from trigforge.core import fixed_point
from trigforge.rtl.timemux import casting
from trigforge.rtl.timemux.casting import Number
from trigforge.rtl.timemux.folding import Pairing, fold, foldings, n_multipliers
from trigforge.rtl.timemux.multipliers import operands
from trigforge.rtl.timemux.placements import Placement, Sums
from trigforge.rtl.timemux.streams import ANYTHING, results

if TYPE_CHECKING:
    from trigforge.core.graph import SumOfProducts
    from trigforge.rtl.timemux.folding import Folded, Folding
    from trigforge.rtl.timemux.multipliers import Operands
    from trigforge.rtl.timemux.placements import Site
    from trigforge.rtl.timemux.reductions import Reduction
    from trigforge.rtl.timemux.streams import Stream

SPARE_SHARE = 1.12
"""Foldings with more multipliers than this times the fewest are not looked at ..."""
LEAST_KINDS = 6
"""... unless there are fewer than so many."""
MOST_KINDS = 160
DSP_CYCLES = 2
"""From the cycle in which the last of a cascade reads its operands to that of the sum, but one
for each DSP of the cascade: registers for operands, product and sum, read in the next cycle."""


def candidates(reduction: Reduction, site: Site, cascade: int) -> list[Placement]:
    """Return places for a layer, those with the fewest multipliers first; none if none fits."""
    fitting = {
        pairing: found
        for pairing in Pairing
        for found in [operands(reduction, pairing)]
        if found is not None
    }
    counted = sorted(
        (n_multipliers(reduction, folding), folding.n_slots, folding)
        for folding in foldings(reduction, site.timing.interval_cycles, tuple(fitting))
    )
    return [
        place(reduction, site, cascade, folding, fitting[folding.pairing])
        for folding in _worth_a_look(counted)
    ]


def _worth_a_look(counted: list[tuple[int, int, Folding]]) -> list[Folding]:
    if not counted:
        return []
    limit = counted[0][0] * SPARE_SHARE
    near = [entry for entry in counted if entry[0] <= limit]
    chosen = near if len(near) >= LEAST_KINDS else counted[:LEAST_KINDS]
    return [folding for _, _, folding in chosen[:MOST_KINDS]]


def place(
    reduction: Reduction, site: Site, cascade: int, folding: Folding, fitting: Operands
) -> Placement:
    """Return one place for a layer."""
    stream, timing = site.sources[0], site.timing
    folded = fold(reduction, folding, stream)
    node: SumOfProducts = reduction.node
    most = int(folded.used.sum(axis=1).max(initial=0))
    n_cascades = max(1, -(-most // cascade))
    longest = max(1, -(-most // n_cascades))
    levels = (n_cascades - 1).bit_length() + (fitting.field_bits > 0)
    tree_cycles = -(-levels // timing.adder_levels)
    lows, highs = reduction.ends()
    number = Number(
        fitting.result_bits, True, reduction.fractional_bits, int(lows.min()), int(highs.max())
    )
    casts = casting.chain(number, (node.accumulator, node.format), timing)
    build = Sums(
        reduction=reduction,
        folded=folded,
        operands=fitting,
        cascade=longest,
        n_cascades=n_cascades,
        adder_levels=timing.adder_levels,
        tree_cycles=tree_cycles,
        casts=casts,
    )
    latency = longest + DSP_CYCLES + tree_cycles + casting.cycles(casts)
    result = _with_constants(
        results(folded.table, site.net, stream, latency, brief=True), reduction
    )
    return Placement(
        node=node,
        source=stream,
        table=folded.table,
        build=build,
        result=result,
        lut=_luts(build, folded),
    )


def _with_constants(stream: Stream, reduction: Reduction) -> Stream:
    """Replace the results of channels without weights by their biases.

    A sum is there for one cycle: then the next begins.
    """
    node = reduction.node
    bias = fixed_point.convert(node.bias, node.bias_format, node.accumulator)
    values = fixed_point.convert(bias, node.accumulator, node.format).astype(np.int64)
    empty = ~(reduction.weights != 0).any(axis=0)
    channel = np.arange(len(stream.net)) % reduction.n_channels
    constant = empty[channel]
    zeros = stream.taken(np.full(1, -1))
    return replace(
        stream,
        net=np.where(constant, -1, stream.net),
        lane=np.where(constant, values[channel], stream.lane),
        first=np.where(constant, zeros.first, stream.first),
        n_cycles=np.where(constant, zeros.n_cycles, 1),
    )


def _luts(build: Sums, folded: Folded) -> float:
    """Estimate the LUTs of operand multiplexers, weights, adders and casts."""
    bits = build.reduction.source.width
    elements = folded.table.elements
    n_slots = len(elements)
    flat = elements.reshape(n_slots, -1)
    lanes = np.unique(flat, axis=1)
    kinds = np.sort(lanes, axis=0)
    changes = (np.diff(kinds, axis=0) != 0) & (kinds[:-1] != ANYTHING)
    multiplexers = 0.35 * bits * float(changes.sum())
    weights = folded.weights.reshape(n_slots, -1)
    varying = np.unique(weights, axis=1)
    roms = 0.6 * build.operands.b_bits * float((np.ptp(varying, axis=0) != 0).sum())
    n_units = len(folded.used)
    pair = 2 if build.operands.field_bits else 1
    adders = n_units * (build.n_cascades - 1) * build.operands.sum_bits
    corrections = n_units * (pair - 1) * build.operands.result_bits
    casts = n_units * pair * sum(cast.target.width + 6 for cast in build.casts if cast.stages)
    return multiplexers + roms + adders + corrections + casts
