"""Time-multiplexed RTL over clocks, and over sizes of single layers.

Most of it is schedules, which take seconds; a few layers are simulated and synthesised too.
Weights of single layers are drawn (``calorimeter_network.Layers``). Each has a ReLU behind it,
which casts its sums, and before it the registers that hold the event: both count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import calorimeter_network
import numpy as np
import timemux_build

from trigforge import comparison
from trigforge.core.config import Budget
from trigforge.core.crossing import clocks_per_crossing
from trigforge.core.records import RawTensor

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console
    from rich.table import Table
    from timemux_build import Network

    from trigforge.core.config import Hardware
    from trigforge.core.graph import FixedPointGraph
    from trigforge.core.schedule import Schedule
    from trigforge.core.store import Store

CLOCKS_MHZ = (40, 80, 160, 240, 320, 360, 480)
SIDES = (16, 32, 64, 128, 256)
"""Inputs and outputs of the dense layers."""
IMAGES = ((16, 1, 4), (16, 4, 8), (32, 4, 8))
"""Side and channels of the image, filters of 3x3."""
SYNTHESISED = ("dense_16x16", "dense_32x32", "conv_16x16x1_3x3x4")
N_RANDOM_EVENTS = 500
SEED = 3
UNLIMITED = Budget(latency_ns=100_000, lut_share=1.0, ff_share=1.0, dsp_share=1.0, bram_share=1.0)
"""The cheapest schedule with the longest cascades of DSPs, however long it takes."""

_CLOCKS = (
    "network",
    "within",
    "MHz",
    "interval",
    "DSP",
    "efficiency",
    "busy",
    "latency",
    "ns",
    "bound",
    "LUT, estimated",
    "buffer bits",
)
_SIZES = (
    "layer",
    "multiplications",
    "DSP",
    "efficiency",
    "busy",
    "latency",
    "bound",
    "LUT, estimated",
    "buffer bits",
    "LUT",
    "FF",
    "LUT per DSP",
    "FF per DSP",
)


def clocks(networks: list[Network], console: Console) -> dict[str, float]:
    """Schedule networks for a new event every crossing at several clocks.

    Where the spec's latency cannot be met, the fastest schedule is shown.
    """
    title = "Schedules over clocks: a new event every crossing"
    table = timemux_build.new_table(title, _CLOCKS, 2)
    figures: dict[str, float] = {}
    for network in networks:
        limits = {
            f"{network.budget.latency_ns:g} ns": network.budget,
            "any time": UNLIMITED,
        }
        for within, budget in limits.items():
            for clock_mhz in CLOCKS_MHZ:
                hardware = network.hardware.model_copy(update={"clock_mhz": clock_mhz})
                _, schedule = timemux_build.scheduled(network.graph, hardware, budget)
                _add_clock(table, network.name, within, schedule)
                if budget is network.budget:
                    figures |= _clock_figures(network.name, schedule)
            table.add_section()
    console.print(table)
    return figures


def _add_clock(table: Table, name: str, within: str, schedule: Schedule) -> None:
    table.add_row(
        name,
        within,
        f"{schedule.clock_mhz:g}",
        str(schedule.interval_cycles),
        f"{schedule.n_dsp:,}",
        f"{schedule.efficiency:.3f}",
        f"{timemux_build.busy_share(schedule):.3f}",
        str(schedule.latency_cycles),
        f"{schedule.latency_ns:.0f}",
        str(schedule.latency_bound_cycles),
        f"{timemux_build.lut_estimated(schedule):,}",
        f"{schedule.buffer_bits:,}",
    )


def _clock_figures(name: str, schedule: Schedule) -> dict[str, float]:
    which = f"{name}_interval_{clocks_per_crossing(schedule.clock_mhz)}"
    return {
        f"timemux_dsp_{which}": schedule.n_dsp,
        f"timemux_efficiency_{which}": schedule.efficiency,
        f"timemux_latency_ns_{which}": schedule.latency_ns,
    }


def sizes(hardware: Hardware, folder: Path, store: Store, console: Console) -> dict[str, float]:
    """Schedule single layers of several sizes; simulate and synthesise the small ones."""
    interval = clocks_per_crossing(hardware.clock_mhz)
    title = f"Single layers with a ReLU at {hardware.clock_mhz:g} MHz, interval {interval}"
    table = timemux_build.new_table(title, _SIZES)
    figures: dict[str, float] = {}
    for graph in _single_layers():
        _, schedule = timemux_build.scheduled(graph, hardware, UNLIMITED)
        figures[f"timemux_dsp_{graph.name}"] = schedule.n_dsp
        figures[f"timemux_efficiency_{graph.name}"] = schedule.efficiency
        counted: dict[str, float] = {}
        if graph.name in SYNTHESISED:
            network = _with_random_events(graph, hardware)
            used = timemux_build.time_multiplexed(network, folder, store).netlist.resources
            counted = {
                "lut": used.lut,
                "ff": used.ff,
                "lut_per_dsp": used.lut / used.dsp,
                "ff_per_dsp": used.ff / used.dsp,
            }
            figures |= {f"timemux_{what}_{graph.name}": count for what, count in counted.items()}
        table.add_row(
            graph.name,
            f"{sum(layer.n_multiplications for layer in schedule.layers):,}",
            f"{schedule.n_dsp:,}",
            f"{schedule.efficiency:.3f}",
            f"{timemux_build.busy_share(schedule):.3f}",
            str(schedule.latency_cycles),
            str(schedule.latency_bound_cycles),
            f"{timemux_build.lut_estimated(schedule):,}",
            f"{schedule.buffer_bits:,}",
            *(
                f"{value:,.1f}" if "per" in what else f"{value:,}"
                for what, value in counted.items()
            ),
        )
    console.print(table)
    return figures


def _single_layers() -> list[FixedPointGraph]:
    """Return graphs of one layer each; only the first image is as the link carries it."""
    fmt = calorimeter_network.ACTIVATION
    found = [
        calorimeter_network.Layers(f"dense_{side}x{side}", (side,), fmt, SEED).dense(side)
        for side in SIDES
    ]
    for side, channels, n_filters in IMAGES:
        name = f"conv_{side}x{side}x{channels}_3x3x{n_filters}"
        source = calorimeter_network.LINK if channels == 1 else fmt
        layers = calorimeter_network.Layers(name, (side, side, channels), source, SEED)
        found.append(layers.conv(n_filters, 3))
    return [layers.relu().graph() for layers in found]


def _with_random_events(graph: FixedPointGraph, hardware: Hardware) -> Network:
    source = graph.input
    raw = np.random.default_rng(SEED).integers(
        source.format.raw_min, source.format.raw_max + 1, (N_RANDOM_EVENTS, source.n_elements)
    )
    events = RawTensor(format=source.format, raw=raw)
    return timemux_build.Network(
        name=graph.name,
        graph=graph,
        hardware=hardware,
        budget=UNLIMITED,
        stimulus=comparison.make_stimulus(events, SEED),
    )
