"""Write a time-multiplexed network: ``FixedPointGraph -> Design``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from trigforge import __version__
from trigforge.core import graph_file, packing
from trigforge.core.files import FileSet
from trigforge.core.records import Port
from trigforge.rtl import reserved_words
from trigforge.rtl.design import Design
from trigforge.rtl.timemux import emission, preparation, scheduler
from trigforge.rtl.timemux.clocking import timing
from trigforge.rtl.timemux.netlist import Netlist, concatenation
from trigforge.rtl.timemux.placements import Block
from trigforge.rtl.timemux.streams import at_once
from trigforge.rtl.timemux.summary import summarise

if TYPE_CHECKING:
    from trigforge.core.config import Budget, Hardware
    from trigforge.core.graph import FixedPointGraph
    from trigforge.rtl.timemux.clocking import Timing
    from trigforge.rtl.timemux.scheduler import Plan

LIBRARY = Path(__file__).parent / "library"
_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("trigforge.rtl"),
    undefined=jinja2.StrictUndefined,
    autoescape=False,  # SystemVerilog, not HTML
    keep_trailing_newline=True,
    trim_blocks=True,
)


def generate(graph: FixedPointGraph, hardware: Hardware, budget: Budget) -> Design:
    """Return the whole network, each multiplier at work in many cycles of an interval.

    Raises:
        ConversionError: naming the node that cannot be scheduled, and why.
        InputError: if the interval is below one cycle, the network has the name of a keyword,
            or the clock leaves no time for logic.
    """
    reserved_words.check(graph.name)
    clock = timing(hardware.clock_mhz, budget.interval_crossings)
    prepared = preparation.casts_before_moves(graph)
    most_cycles = most_latency_cycles(hardware.clock_mhz, budget.latency_ns)
    plan = scheduler.plan(prepared, hardware, clock, most_cycles)
    return _design(prepared, plan, clock)


def digest() -> str:
    """Return the digest of the library: firmware is written anew when a module changes."""
    return FileSet({path.name: path.read_bytes() for path in sorted(LIBRARY.glob("*.sv"))}).digest


def most_latency_cycles(clock_mhz: float, latency_ns: float) -> int:
    """Return the most cycles that take less than the time allowed."""
    return max(1, -int(-latency_ns * clock_mhz / 1000 // 1) - 1)


def _design(graph: FixedPointGraph, plan: Plan, clock: Timing) -> Design:
    interval = clock.interval_cycles
    netlist = Netlist(interval=interval, phase_bits=max(1, (interval - 1).bit_length()))
    in_port = Port(name="in_data", shape=graph.input.shape, format=graph.input.format)
    out_port = Port(name="out_data", shape=graph.output.shape, format=graph.output.format)
    netlist.comment("The event, held for an interval.")
    netlist.net(scheduler.INPUT_NET, packing.n_bits(in_port))
    netlist.instance(
        "tm_hold",
        f"{scheduler.INPUT_NET}_hold",
        {"WIDTH": packing.n_bits(in_port)},
        {
            "clk": "clk",
            "enable": netlist.valid(0),
            "in_data": "in_data",
            "out_data": scheduler.INPUT_NET,
        },
    )
    delays = 0
    for placement in plan.placements:
        node = placement.node
        netlist.comment(f"{node.name}: {type(node).__name__}, {node.shape} of {node.format}")
        delays += emission.write(netlist, placement, scheduler.net_of(graph, node))
    latency = _outputs(netlist, plan, graph, out_port)
    buffer_bits = delays + netlist.write_registers() + packing.n_bits(in_port)
    depth = max(1, netlist.last_tap)
    netlist.net("valid", depth + 1)
    netlist.net("phase", (depth + 1) * netlist.phase_bits)
    top = _TEMPLATES.get_template("timemux_top.sv.j2").render(
        banner=f"Written by trigforge {__version__} from graph {graph_file.digest(graph)[:16]}",
        name=graph.name,
        interval=interval,
        n_cycles=latency,
        depth=depth,
        phase_bits=netlist.phase_bits,
        in_bits=packing.n_bits(in_port),
        out_bits=packing.n_bits(out_port),
        declarations=netlist.declarations,
        body=netlist.body,
    )
    blocks = [entry.build.design for entry in plan.placements if isinstance(entry.build, Block)]
    sources: dict[str, bytes | str] = dict(_library({*netlist.modules, "tm_control"}))
    for block in blocks:
        sources |= dict(block.sources.items())
    sources[f"rtl/{graph.name}.sv"] = top
    return Design(
        name=graph.name,
        language="verilog",
        sources=FileSet(sources),
        order=tuple(sources),
        input=in_port,
        output=out_port,
        latency_cycles=latency,
        interval_cycles=interval,
        method="time-multiplexed multipliers",
        generator="its own scheduler and modules",
        schedule=summarise(graph, plan, clock, latency, buffer_bits),
        licences=FileSet(dict(blocks[0].licences.items()) if blocks else {}),
    )


def _library(modules: set[str]) -> dict[str, bytes]:
    """Return the modules of the library and those that they instantiate."""
    found: dict[str, bytes] = {}
    wanted = sorted(modules)
    while wanted:
        path = LIBRARY / f"{wanted.pop()}.sv"
        if path.name in found or not path.exists():
            continue  # a block is no module of the library
        found[path.name] = path.read_bytes()
        wanted += re.findall(r"^\s*(tm_\w+|DSP48E2)\s+#", path.read_text(), flags=re.MULTILINE)
    return {f"rtl/library/{name}": found[name] for name in sorted(found)}


def _outputs(netlist: Netlist, plan: Plan, graph: FixedPointGraph, port: Port) -> int:
    """Write the result, all of it in one cycle; return which."""
    netlist.comment("The result.")
    stream = plan.streams[graph.output.name]
    table = at_once(stream)
    read = emission.choices(table, stream, netlist.interval)
    lanes = [netlist.read(operands[0][0], port.format.width) for operands in read]
    netlist.body.append(f"    assign out_data = {concatenation(lanes)};")
    netlist.body.append(f"    assign out_valid = {netlist.valid(table.start)};")
    return table.start
