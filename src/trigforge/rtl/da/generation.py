"""Cut traced logic into pipeline stages and write it as RTL."""

from __future__ import annotations

import re
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import alkaid
import jinja2
from alkaid.codegen import RTLModel
from alkaid.trace import to_pipeline

from trigforge import __version__
from trigforge.core import graph_file, packing
from trigforge.core.errors import InputError, unknown_name
from trigforge.core.files import FileSet, read_folder
from trigforge.core.records import Port
from trigforge.rtl import ports, reserved_words
from trigforge.rtl.da.tracing import trace_graph
from trigforge.rtl.design import Design

if TYPE_CHECKING:
    from alkaid.stateful import FSM, Signal

    from trigforge.core.config import Hardware
    from trigforge.core.graph import FixedPointGraph

UNIT_NS = 0.8
"""Nanoseconds that one unit of alkaid's delay model (an adder is 1.1) is given, routing
included. A cautious assumption for UltraScale+ of speed grade 2; the vendor's timing decides."""
OVERHEAD_NS = 0.35
"""Clock to output, setup and uncertainty, taken from every period."""

ENDINGS = {"verilog": "v", "vhdl": "vhd"}
ADDER_UNITS = 1.1
_GLOBAL_NAMES = re.compile(r"\b(logic\d+|table_[0-9a-f_]{36})\b")
_ALKAID = Path(alkaid.__file__).parent
_SOURCES = Path(__file__).parents[1] / "sources"
_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("trigforge.rtl"),
    undefined=jinja2.StrictUndefined,
    autoescape=False,  # Verilog and VHDL, not HTML
    keep_trailing_newline=True,
    trim_blocks=True,
)


def estimated_lut(graph: FixedPointGraph) -> float:
    """Return the LUTs of the adders as alkaid counts them: 0.73 to 0.93 of what Yosys counts.

    (Six jet taggers of 1,700 to 22,000 LUT, of 3 to 6 bits and 50 to 90 % zeros.)

    Raises:
        ConversionError: naming the node that cannot be expressed exactly.
    """
    return float(trace_graph(graph).cost)


def generate(graph: FixedPointGraph, hardware: Hardware, *, language: str = "verilog") -> Design:
    """Return the whole network as a pipeline for the clock of the hardware.

    Raises:
        ConversionError: naming the node that cannot be expressed exactly.
        InputError: if the language is unknown, the network has the name of a keyword, or the
            clock leaves no time for logic.
    """
    if language not in ENDINGS:
        raise InputError(unknown_name("language", language, ENDINGS))
    reserved_words.check(graph.name)
    logic = trace_graph(graph)
    machine = to_pipeline(
        logic,
        latency_cutoff=stage_delay_units(hardware.clock_mhz),
        verbose=False,
    )
    (result,) = machine.out_signals
    n_cycles = int(result.schedule.bias)
    primitives, stages = _written(machine, graph.name, language, hardware)
    top = f"rtl/{graph.name}.{ENDINGS[language]}"
    in_port = Port(name="in_data", shape=graph.input.shape, format=graph.input.format)
    out_port = Port(name="out_data", shape=graph.output.shape, format=graph.output.format)
    rendered = _top(graph, machine, language, (in_port, out_port), n_cycles)
    sources = {**primitives, **stages, top: rendered}
    return Design(
        name=graph.name,
        language=language,
        sources=FileSet(sources),
        order=tuple(sources),
        input=in_port,
        output=out_port,
        latency_cycles=n_cycles,
        interval_cycles=1,
        lut_estimated=float(logic.cost),
        method="distributed arithmetic, fully unrolled",
        generator=f"alkaid {version('alkaid')}",
        licences=FileSet({"LICENSE.alkaid-LGPL-3": (_ALKAID / "LICENSE").read_bytes()}),
    )


def stage_delay_units(clock_mhz: float) -> float:
    """Return how much of alkaid's delay model fits between two registers.

    Raises:
        InputError: if not even an adder fits.
    """
    units = (1000 / clock_mhz - OVERHEAD_NS) / UNIT_NS
    if units < ADDER_UNITS:
        fastest = 1000 / (ADDER_UNITS * UNIT_NS + OVERHEAD_NS)
        msg = (
            f"hardware.clock_mhz: {clock_mhz:g} MHz leaves no time for an adder between two "
            f"registers; {fastest:.0f} MHz is the fastest this generator takes"
        )
        raise InputError(msg)
    return units


def _written(
    machine: FSM, name: str, language: str, hardware: Hardware
) -> tuple[dict[str, bytes], dict[str, str]]:
    """Let alkaid write its RTL; return its primitives, unchanged, and the stages.

    Modules that depend on the network get its name, so that two networks can meet in one
    project.
    """
    ending = ENDINGS[language]
    with tempfile.TemporaryDirectory() as folder:
        pipeline = f"{name}_pipeline"
        RTLModel(
            machine,
            folder,
            pipeline,
            flavor=language,
            print_latency=False,
            part_name=hardware.part,
            clock_period=1000 / hardware.clock_mhz,
            # Adders of three numbers cost Yosys 5 % more LUTs and a longer path; Vivado joins
            # pairs of adders by itself.
            ternary_fuse=False,
        ).write()
        written = read_folder(Path(folder) / "src")
    primitives = {
        f"rtl/alkaid/{Path(path).name}": content
        for path, content in written.items()
        if path.startswith("static/")
    }
    primitives[f"rtl/valid_line.{ending}"] = (_SOURCES / f"valid_line.{ending}").read_bytes()
    texts = {
        path: content.decode()
        for path, content in written.items()
        if path.endswith(f".{ending}") and "/" not in path and "_wrapper" not in path
    }
    # Tables first, the pipeline that instantiates the stages last.
    order = sorted(texts, key=lambda path: ("_tables" not in path, pipeline in path, path))
    stages = {f"rtl/{_prefixed(path, name)}": _prefixed(texts[path], name) for path in order}
    return primitives, stages


def _prefixed(text: str, name: str) -> str:
    return _GLOBAL_NAMES.sub(rf"{name}_\1", text)


def _top(
    graph: FixedPointGraph,
    machine: FSM,
    language: str,
    in_and_out: tuple[Port, Port],
    n_cycles: int,
) -> str:
    """Render the module with the firmware interface."""
    in_port, out_port = in_and_out
    (signal_in,), (signal_out,) = machine.inp_signals, machine.out_signals
    carried_in, carried_out = _carried(signal_in), _carried(signal_out)
    return _TEMPLATES.get_template(f"top.{ENDINGS[language]}.j2").render(
        banner=f"Written by trigforge {__version__} from graph {graph_file.digest(graph)[:16]}",
        name=graph.name,
        pipeline=f"{graph.name}_pipeline",
        n_cycles=n_cycles,
        in_bits=packing.n_bits(in_port),
        out_bits=packing.n_bits(out_port),
        logic_in_bits=sum(bits.width for bits in carried_in),
        logic_out_bits=sum(bits.width for bits in carried_out),
        inputs=ports.to_logic(in_port, carried_in, language),
        outputs=ports.from_logic(out_port, carried_out, language),
    )


def _carried(signal: Signal) -> tuple[ports.Bits, ...]:
    return tuple(ports.Bits(bool(p[0]), int(p[1]), int(p[2])) for p in signal.precisions)
