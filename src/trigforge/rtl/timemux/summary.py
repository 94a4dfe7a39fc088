"""A plan in words and numbers: ``Plan -> Schedule``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigforge.core.graph import SumOfProducts
from trigforge.core.schedule import LayerSchedule, Schedule
from trigforge.rtl.timemux import casting
from trigforge.rtl.timemux.placements import Block, Elementwise, Moves, Pooling, Sums
from trigforge.rtl.timemux.reductions import count_multiplications
from trigforge.rtl.timemux.sums import DSP_CYCLES

if TYPE_CHECKING:
    from trigforge.core.graph import FixedPointGraph
    from trigforge.rtl.timemux.clocking import Timing
    from trigforge.rtl.timemux.placements import Build, Placement
    from trigforge.rtl.timemux.scheduler import Plan


def summarise(
    graph: FixedPointGraph, plan: Plan, timing: Timing, latency: int, buffer_bits: int
) -> Schedule:
    """Return the schedule of a plan."""
    return Schedule(
        name=graph.name,
        clock_mhz=timing.clock_mhz,
        interval_cycles=timing.interval_cycles,
        latency_cycles=latency,
        latency_bound_cycles=_bound(graph, plan),
        buffer_bits=buffer_bits,
        layers=tuple(_layer(placement, timing.interval_cycles) for placement in plan.placements),
    )


def _layer(placement: Placement, interval: int) -> LayerSchedule:
    build, node = placement.build, placement.node
    wanted, products = count_multiplications(node) if isinstance(node, SumOfProducts) else (0, 0)
    used = build.folded.n_used_slots if isinstance(build, Sums) else 0
    return LayerSchedule(
        name=node.name,
        kind=type(node).__name__,
        built_as=_built_as(build),
        folding=str(build.folded.folding) if isinstance(build, Sums) else "",
        first_cycle=placement.first_cycle,
        n_slots=placement.table.n_slots,
        last_cycle=placement.last_cycle,
        pipeline_cycles=registers(build),
        n_multiplications=wanted,
        n_products=products,
        n_dsp=placement.dsp,
        n_slots_used=used,
        n_slots_idle=placement.dsp * interval - used,
        n_lut_estimated=round(placement.lut),
        reason=placement.reason,
    )


def _built_as(build: Build) -> str:
    names = {
        Sums: "dsp",
        Block: "distributed arithmetic",
        Elementwise: "logic",
        Pooling: "logic",
        Moves: "wires",
    }
    return names[type(build)]


def registers(build: Build) -> int:
    """Return how many registers lie between the operands and the result of a node."""
    if isinstance(build, Sums):
        adders = build.tree_cycles + casting.cycles(build.casts)
        return build.cascade + DSP_CYCLES + adders
    if isinstance(build, Elementwise | Pooling):
        return build.module_cycles + casting.cycles(build.casts)
    if isinstance(build, Block):
        return build.design.latency_cycles
    return 0


def _bound(graph: FixedPointGraph, plan: Plan) -> int:
    """Return the registers on the longest way from input to output."""
    depth = {graph.input.name: 1}
    for placement in plan.placements:
        node = placement.node
        before = max(depth[name] for name in node.inputs)
        depth[node.name] = before + registers(placement.build)
    return depth[graph.output.name]
