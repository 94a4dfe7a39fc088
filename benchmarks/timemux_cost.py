"""What time-multiplexed RTL costs: DSPs, LUTs, registers and latency of three networks.

Two shipped models and a network for a larger image (``calorimeter_network``), with a new event
every crossing at 320 MHz. LUT, FF and DSP are counted by Yosys (logic synthesis: nothing is
placed, LUT cells are not packed), the latency by simulation, in which every result must be right;
a DSP more or less than the schedule says is an error. Efficiency is multiplications by weights
that are not zero, per DSP and cycle: at most 2, where pairs share a DSP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import calorimeter_network
import shipped_models
import timemux_build
import timemux_sweep
from rich.console import Console

from trigforge import comparison, estimation
from trigforge.core.store import Store
from trigforge.estimation import hls
from trigforge.pipeline import firmware
from trigforge.vendor import devices

if TYPE_CHECKING:
    from pathlib import Path

    from rich.table import Table
    from timemux_build import Measured, Network, TimeMultiplexed

CLOCK_MHZ = 320
SHIPPED = ("jet_tagger", "top_tagger")
N_RANDOM_EVENTS = 500
LARGE_LAYER = 256
"""Multiplications from which on the efficiency of a single layer is worth a figure."""
SMALL_ENOUGH = ("jet_tagger",)
"""Models of which Yosys maps the distributed arithmetic in minutes; the others take hours."""

_SIDE_BY_SIDE = (
    "network",
    "built as",
    "LUT",
    "% of part",
    "FF",
    "% of part",
    "DSP or multipliers",
    "% of part",
    "latency",
    "interval",
)
_LAYERS = (
    "network",
    "layer",
    "folding",
    "multiplications",
    "DSP",
    "efficiency",
    "busy",
    "LUT, estimated",
    "cycles",
)
_NOTES = (
    "~: estimated from EBOPs, calibrated on routed designs. hls4ml: multipliers of the Latency "
    "strategy with io_parallel, which the tool builds of DSPs or of LUTs; it computes the "
    "positions of a convolution one after another, and keeps up only with as many copies of the "
    "network as its interval is too long. Busy: share of cycles in which a DSP multiplies.\n"
)


def measure(folder: Path) -> dict[str, float]:
    console, store = Console(width=160), Store(folder / "timemux_store")
    figures: dict[str, float] = {}
    title = f"Side by side: a new event every crossing at {CLOCK_MHZ} MHz"
    rows = timemux_build.new_table(title, _SIDE_BY_SIDE, 2)
    layers = timemux_build.new_table("Time-multiplexed, layer by layer", _LAYERS, 3)
    networks = _networks(folder)
    for network in networks:
        console.print(f"  {network.name} ...")
        built = timemux_build.time_multiplexed(network, folder, store)
        figures |= _figures(network, built)
        unrolled = (
            timemux_build.distributed_arithmetic(network, folder, store)
            if network.name in SMALL_ENOUGH
            else None
        )
        _compare(rows, network, built, unrolled)
        _add_layers(layers, network, built)
    console.print(rows, _NOTES, layers)
    figures |= timemux_sweep.clocks([entry for entry in networks if entry.name in SHIPPED], console)
    return figures | timemux_sweep.sizes(networks[0].hardware, folder, store, console)


def _networks(folder: Path) -> list[Network]:
    """Return the shipped models, and the calorimeter network for what the top tagger is for."""
    found = []
    for name in SHIPPED:
        model = shipped_models.open_one(shipped_models.MODELS / f"{name}.yaml", folder)
        spec = model.job.spec
        changes = {"implementation": "timemux", "clock_mhz": CLOCK_MHZ}
        found.append(
            timemux_build.Network(
                name=name,
                graph=firmware.delivered_graph(model.job, model.ready),
                hardware=spec.hardware.model_copy(update=changes),
                budget=spec.budget,
                stimulus=model.ready.stimulus,
            )
        )
    graph = calorimeter_network.build()
    images = calorimeter_network.events(graph, N_RANDOM_EVENTS)
    found.append(
        timemux_build.Network(
            name=calorimeter_network.NAME,
            graph=graph,
            hardware=found[-1].hardware,
            budget=found[-1].budget,
            stimulus=comparison.make_stimulus(images, calorimeter_network.SEED),
            delay=False,
        )
    )
    return found


def _figures(network: Network, built: TimeMultiplexed) -> dict[str, float]:
    schedule, used = built.schedule, built.netlist.resources
    device = devices.find(network.hardware.part)
    efficiencies = [
        layer.efficiency(schedule.interval_cycles)
        for layer in schedule.layers
        if layer.n_dsp and layer.n_multiplications >= LARGE_LAYER
    ]
    found = {
        "multiplications": sum(layer.n_multiplications for layer in schedule.layers),
        "dsp": used.dsp,
        "lut": used.lut,
        "ff": used.ff,
        "dsp_share": used.dsp / device.dsp,
        "lut_share": used.lut / device.lut,
        "ff_share": used.ff / device.ff,
        "lut_per_dsp": used.lut / used.dsp,
        "ff_per_dsp": used.ff / used.dsp,
        "lut_estimated": timemux_build.lut_estimated(schedule),
        "buffer_bits": schedule.buffer_bits,
        "efficiency": schedule.efficiency,
        "least_layer_efficiency": min(efficiencies),
        "busy_share": timemux_build.busy_share(schedule),
        "latency_cycles": built.latency_cycles,
        "latency_bound_cycles": schedule.latency_bound_cycles,
        "latency_ns": built.latency_cycles / schedule.clock_mhz * 1000,
        "generation_s": built.generation_s,
        "synthesis_s": built.netlist.seconds,
    }
    if built.netlist.delay is not None:
        found["logic_delay_ns"] = built.netlist.delay.ns
    return {f"timemux_{what}_{network.name}": value for what, value in found.items()}


def _compare(
    table: Table, network: Network, built: TimeMultiplexed, unrolled: Measured | None
) -> None:
    """Add a network by distributed arithmetic, time-multiplexed and by hls4ml."""
    first = _estimated(network) if unrolled is None else _counted(network, unrolled)
    interval = built.schedule.interval_cycles
    table.add_row(network.name, "distributed arithmetic", *first, "1")
    table.add_row("", "time-multiplexed", *_counted(network, built), str(interval))
    table.add_row("", f"hls4ml, reuse factor {interval}", *_by_hls4ml(network, interval))
    table.add_section()


def _counted(network: Network, built: Measured) -> list[str]:
    device, used = devices.find(network.hardware.part), built.netlist.resources
    cells = []
    for resource in ("lut", "ff", "dsp"):
        count, total = getattr(used, resource), getattr(device, resource)
        cells += [f"{count:,}", f"{100 * count / total:.1f}"]
    cycles = built.latency_cycles
    return [*cells, f"{cycles}, {cycles / network.hardware.clock_mhz * 1000:.0f} ns"]


def _estimated(network: Network) -> list[str]:
    """Return what distributed arithmetic is expected to take."""
    device = devices.find(network.hardware.part)
    found = estimation.distributed_arithmetic(estimation.ebops(network.graph))
    ranges = {entry.resource: entry for entry in found}
    cells = []
    for resource in ("lut", "ff"):
        entry, total = ranges[resource], getattr(device, resource)
        ends = f"~{entry.low / 1000:,.0f}k to {entry.high / 1000:,.0f}k"
        cells += [ends, f"~{100 * entry.likely / total:.1f}"]
    return [*cells, "0", "0.0", ""]


def _by_hls4ml(network: Network, interval: int) -> list[str]:
    """Return what hls4ml's structure needs where each multiplier is used for a whole interval."""
    changes = {"reuse_factor": interval, "strategy": "Latency", "io_type": "io_parallel"}
    hardware = network.hardware.model_copy(update=changes)
    count = sum(entry.count for entry in hls.multipliers(network.graph, hardware))
    least = hls.interval_cycles(network.graph, hardware)
    copies = -(-least // interval)
    needed = f"{count:,}" if copies == 1 else f"{count:,} x {copies} = {count * copies:,}"
    share = 100 * count * copies / devices.find(hardware.part).dsp
    return ["", "", "", "", needed, f"{share:.1f}", "", f"{least:,} or more"]


def _add_layers(table: Table, network: Network, built: TimeMultiplexed) -> None:
    interval = built.schedule.interval_cycles
    for layer in built.schedule.layers:
        if layer.n_dsp:
            table.add_row(
                network.name,
                layer.name,
                layer.folding,
                f"{layer.n_multiplications:,}",
                f"{layer.n_dsp:,}",
                f"{layer.efficiency(interval):.3f}",
                f"{layer.n_slots_used / (layer.n_dsp * interval):.3f}",
                f"{layer.n_lut_estimated:,}",
                f"{layer.first_cycle} to {layer.last_cycle}",
            )
    table.add_section()
