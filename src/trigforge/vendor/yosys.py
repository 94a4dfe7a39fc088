"""Yosys as pyosys ships it: how it is called for AMD parts, and what its reports say.

It runs in a Python process of its own, so that a crash is a message and time and memory have
limits. The native library is as fast as the WebAssembly build (a 16-16-8-5 network: 20 to 28
against 24 to 25 s of processor time) and does not compile itself first for two minutes.

The design is flattened. Synthesising its pipeline stages apart is no faster (26 to 28 s in one
process; 63 s in two that take each stage by itself) and takes 4 % more flip-flops, because
nothing is simplified across their borders.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import signal
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigforge.core.costs import LogicDelay
from trigforge.core.errors import InputError, ToolError
from trigforge.vendor import toolchain
from trigforge.vendor.devices import Architecture

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SCRIPT = "synthesis.ys"
LOG = "yosys.log"
STATISTICS = "statistics.json"
TIMING = "timing.txt"

TARGETS: Mapping[Architecture, str] = {
    Architecture.SERIES_7: "xc7",
    Architecture.ULTRASCALE: "xcu",
    Architecture.ULTRASCALE_PLUS: "xcup",
    Architecture.VERSAL: "xcup",
}
"""``-family`` of ``synth_xilinx``. It has none for Versal: its nearest kin stands in."""

DELAYS = "7-series cell delays and set-up times, no routing"
"""What ``sta`` knows, whatever the target is."""

_CHILD = """\
import resource
import sys

from pyosys import libyosys

script, log, limit = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_AS, (int(limit), int(limit)))
libyosys.run_pass(f"tee -q -o {log} script {script}", libyosys.Design())
"""
_SOURCE_NAME = re.compile(r"\w[\w./+-]*", re.ASCII)
_MODULE_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_LINES_SHOWN = 20

_FAILURES = (1, 127, -signal.SIGABRT)
"""How Yosys ends on an error: Python's exception, the C library, C++'s terminate."""
_OUT_OF_MEMORY = re.compile(r"MemoryError|bad_alloc|cannot allocate memory", re.IGNORECASE)
"""Who finds no memory depends on where the limit strikes: Python, C++ or the dynamic loader."""

_STA_RESULT = re.compile(
    r"^(?:Latest arrival time in '.+' is \d+:|No timing paths found\.)$", re.MULTILINE
)
_STA_EDGE = re.compile(r"^Arrival histogram:\n legend: .*\n .*\n\( *(\d+), *\d+\] \|", re.MULTILINE)
_STA_UNTIMED = re.compile(
    r"^Warning: (?:Module|Cell type) '\\?([^']+)' "
    r"(?:has no timing arcs|not recognised|is not a black- nor white-box)!",
    re.MULTILINE,
)
"""How ``sta`` says that it knows no delays of a cell."""

_LUTRAM = {
    **dict.fromkeys(("RAM32X1S", "RAM64X1S"), 1),
    **dict.fromkeys(("RAM128X1S", "RAM32X1D", "RAM64X1D"), 2),
    **dict.fromkeys(("RAM256X1S", "RAM128X1D", "RAM32M", "RAM64M"), 4),
    **dict.fromkeys(("RAM512X1S", "RAM256X1D", "RAM32M16", "RAM64M8"), 8),
    **dict.fromkeys(("RAM64X8SW", "RAM32X16DR8"), 8),
}
"""LUTs that distributed memories occupy (UG474 and UG574, chapters on distributed RAM)."""

_SHIFT_REGISTERS = dict.fromkeys(("SRL16E", "SRLC16E", "SRLC32E"), 1)

_TAKEN: Mapping[str, Mapping[str, int]] = {
    "lut": {
        **{f"LUT{n_inputs}": 1 for n_inputs in range(1, 7)},
        **dict.fromkeys(("LUT6_2", "CFGLUT5", "INV"), 1),
        **_SHIFT_REGISTERS,
        **_LUTRAM,
    },
    "ff": {
        **{f"FD{kind}{edge}": 1 for kind in ("RE", "SE", "CE", "PE") for edge in ("", "_1")},
        **dict.fromkeys(("LDCE", "LDPE"), 1),
    },
    "dsp": dict.fromkeys(("DSP48E1", "DSP48E2"), 1),
    "bram_18k": {
        **dict.fromkeys(("RAMB18E1", "RAMB18E2", "FIFO18E1", "FIFO18E2"), 1),
        **dict.fromkeys(("RAMB36E1", "RAMB36E2", "FIFO36E1", "FIFO36E2"), 2),
    },
    "uram": dict.fromkeys(("URAM288", "URAM288_BASE"), 1),
    "carry": dict.fromkeys(("CARRY4", "CARRY8"), 1),
}
"""Which cells take how much of what."""

_FREE = frozenset({"MUXF7", "MUXF8", "MUXF9", "BUFG", "BUFGCE", "GND", "VCC"})
"""Cells that take nothing of what is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCounts:
    """What the cells of a netlist take of a part.

    ``lut`` counts each LUT cell as one LUT, inverters too (a register may absorb one later),
    and the LUTs that shift registers and distributed memories occupy. Two functions of up
    to five inputs in all can share a LUT, so placed designs take fewer. ``lut_packed`` is
    Yosys' estimate if all that could share did; it takes inverters for nothing and ignores that
    carry chains fix the place of their LUTs.
    """

    lut: int
    lut_packed: int
    ff: int
    dsp: int
    bram_18k: int
    uram: int
    carry: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What ``stat`` says of a flat netlist."""

    tool: str
    """Program and version: ``Yosys 0.70``."""
    cells: tuple[tuple[str, int], ...]
    """How many of each cell, by name."""
    counts: CellCounts


def version() -> str:
    """Return the version of the installed pyosys.

    Raises:
        ToolError: if it is missing.
    """
    try:
        return importlib.metadata.version("pyosys")
    except importlib.metadata.PackageNotFoundError as error:
        msg = "pyosys is needed for logic synthesis, but is not installed; pip install pyosys"
        raise ToolError(msg) from error


def script(
    sources: Sequence[str],
    top: str,
    architecture: Architecture,
    *,
    infer: bool = True,
    delay: bool = True,
) -> str:
    """Return the Yosys script that synthesises a module out of context (no pads, no clock buffer).

    Undriven wires and combinational loops are errors; ``sta`` would follow a loop for ever.
    Without ``infer`` neither DSPs nor shift registers are made of other logic: a design that
    instantiates its DSPs needs none, and the search for them takes time with the square of
    their number (3,141 DSPs: each of the two passes more than 15 minutes). Delay lines are
    registers then. ``delay`` asks for the slowest path too.

    Raises:
        InputError: if a name is not one that a script can hold.
    """
    for source in sources:
        if _SOURCE_NAME.fullmatch(source) is None:
            msg = f"source file {source!r}: use letters, digits and _ . / + -, no sign first"
            raise InputError(msg)
    if _MODULE_NAME.fullmatch(top) is None:
        msg = f"top module {top!r} is no Verilog identifier"
        raise InputError(msg)
    options = "-flatten -noiopad -noclkbuf" + ("" if infer else " -nodsp -nosrl")
    synthesise = f"synth_xilinx -top {top} -family {TARGETS[architecture]} {options} -run"
    reads = [
        f"read_verilog {'-sv ' if source.endswith('.sv') else ''}{source}" for source in sources
    ]
    lines = [
        *reads,
        f"{synthesise} begin:prepare",
        "proc",
        "flatten",
        "check -assert",
        f"{synthesise} prepare:check",
        "hierarchy -check",
        "check -noinit -assert",
        "delete t:$scopeinfo",
        f"tee -q -o {STATISTICS} stat -json -tech xilinx",
        *([f"tee -q -o {TIMING} sta"] if delay else []),
    ]
    return "\n".join(lines) + "\n"


def run(folder: Path, *, timeout_s: float, memory_mb: int, what: str) -> float:
    """Run the script ``SCRIPT`` of a folder there; return the seconds it took (wall clock).

    The memory limit is one on address space, of Yosys and of the ABC it starts each.

    Raises:
        ToolError: if Yosys finds an error (its words are in the message), runs past a limit
            or crashes.
    """
    completed = toolchain.run(
        [sys.executable, "-I", "-c", _CHILD, SCRIPT, LOG, str(memory_mb * 2**20)],
        folder=folder,
        timeout_s=timeout_s,
        what=what,
        accepted=(0, *_FAILURES),
    )
    if completed.returncode == 0:
        return completed.seconds
    if _OUT_OF_MEMORY.search(completed.stderr):
        msg = f"{what}: Yosys ran out of the {memory_mb} MB it may take"
        raise ToolError(msg)
    log = folder / LOG
    text = log.read_text(errors="replace") if log.is_file() else ""
    lines = last_pass(text) if "ERROR: " in text else tuple(completed.stderr.splitlines())
    msg = f"{what}: Yosys failed:\n  " + "\n  ".join(lines[-_LINES_SHOWN:])
    raise ToolError(msg)


def last_pass(log: str) -> tuple[str, ...]:
    """Return what the pass that ran last wrote, its heading and empty lines left out."""
    lines: list[str] = []
    for line in log.splitlines():
        if re.match(r"[\d.]+ Executing ", line):
            lines.clear()
        elif line.strip():
            lines.append(line)
    return tuple(lines)


def read_statistics(text: str) -> Statistics:
    """Read the JSON of ``stat -json -tech xilinx``.

    Raises:
        ToolError: if it is no such JSON, or holds cells of which nobody knows what they take.
    """
    try:
        report = json.loads(text)
        tool = re.match(r"Yosys [\w.+-]+", report["creator"])
        design = report["design"]
        cells = {str(name): int(count) for name, count in design["num_cells_by_type"].items()}
        estimated = int(design["estimated_num_lc"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"this is no report of Yosys' stat -json -tech xilinx ({error!r}): {text[:200]!r}"
        raise ToolError(msg) from error
    if tool is None:
        msg = f"the report of stat does not say which Yosys wrote it: {report['creator']!r}"
        raise ToolError(msg)
    return Statistics(
        tool=tool[0], cells=tuple(sorted(cells.items())), counts=_count(cells, estimated)
    )


def _count(cells: Mapping[str, int], estimated: int) -> CellCounts:
    known = _FREE.union(*_TAKEN.values())
    unknown = [f"{name} ({count})" for name, count in sorted(cells.items()) if name not in known]
    if unknown:
        msg = (
            f"the netlist holds cells of which nobody knows what they take: {', '.join(unknown)}; "
            "use logic that Yosys maps to cells of the part"
        )
        raise ToolError(msg)
    taken = {
        resource: sum(weights.get(name, 0) * count for name, count in cells.items())
        for resource, weights in _TAKEN.items()
    }
    storage = {**_SHIFT_REGISTERS, **_LUTRAM}
    in_storage = sum(storage.get(name, 0) * count for name, count in cells.items())
    return CellCounts(lut_packed=estimated + in_storage, **taken)


def read_delay(text: str, tool: str) -> LogicDelay | None:
    """Read what ``sta`` wrote; None if no path of the design has known delays.

    Paths run from registers and inputs to registers and outputs; inputs arrive with the
    clock edge. The figure is the upper edge of the histogram of arrivals, at most 20 ps above
    the slowest (``passes/cmds/sta.cc``). The "latest arrival" beside it is not that: it may be
    of an output that nothing reads, and leaves out the set-up time of an unregistered reset.

    Raises:
        ToolError: if the text is not what ``sta`` writes of one module.
    """
    edges = _STA_EDGE.findall(text)
    if len(_STA_RESULT.findall(text)) != 1 or len(edges) != text.count("Arrival histogram:\n"):
        msg = f"this is no report of Yosys' sta on one module: {text[:200]!r}"
        raise ToolError(msg)
    if not edges:
        return None
    untimed = sorted(set(_STA_UNTIMED.findall(text)))
    missing = f"; paths through {', '.join(untimed)} are left out" if untimed else ""
    return LogicDelay(ns=int(edges[0]) / 1000, tool=tool, method=DELAYS + missing)
