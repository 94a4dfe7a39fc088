"""Run Vivado on firmware, out of context, by the script that a user can run by hand.

``project_tcl`` and ``constraints_xdc`` are the two files; in a folder of firmware they lie in
``scripts/vivado.tcl`` and ``constraints/<top>.xdc``, and the reports are written to
``reports/``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from trigforge.vendor import batch, tcl, toolchain

if TYPE_CHECKING:
    from collections.abc import Sequence

PROGRAM = "vivado"
SCRIPT = "scripts/vivado.tcl"
UTILISATION_SYNTH = "reports/utilisation_synth.rpt"
TIMING_SYNTH = "reports/timing_synth.rpt"
UTILISATION_ROUTED = "reports/utilisation_routed.rpt"
TIMING_ROUTED = "reports/timing_routed.rpt"
REPORTS = (UTILISATION_SYNTH, TIMING_SYNTH, UTILISATION_ROUTED, TIMING_ROUTED)
LOG = "vivado.log"
CLOCK_PORT = "clk"

_HINT = (
    "source settings64.sh of an installed Vivado; the open path goes on without it: "
    "trigforge synth uses Yosys"
)
_FLOW = Path(__file__).parent / "templates" / "vivado_flow.tcl"


def program() -> Path:
    """Return where Vivado is.

    Raises:
        ToolError: if it is not in PATH, saying what goes on without it.
    """
    return toolchain.require_tool(PROGRAM, purpose="place and route firmware", hint=_HINT)


def version(program: Path, folder: Path) -> str:
    """Ask Vivado for its version: ``2023.2``; it may leave files in ``folder``.

    Raises:
        ToolError: if it names none.
    """
    return batch.version(program, "-version", folder=folder)


def project_tcl(name: str, sources: Sequence[str], part: str, language: str) -> str:
    """Return the script that implements a top module: ``scripts/vivado.tcl`` of its folder.

    ``sources`` are relative to the folder of the firmware and read in the order given;
    ``language`` is ``verilog`` or ``vhdl`` (VHDL-2008).

    Raises:
        InputError: if a name holds what cannot be written into Tcl, or a source is not of the
            language.
    """
    files = "".join(f"    {path}\n" for path in tcl.sources(sources, language))
    settings = f"set top {tcl.name(name)}\nset part {tcl.part(part)}\nset sources {{\n{files}}}\n"
    return f"{settings}\n{_FLOW.read_text(encoding='utf-8')}"


def constraints_xdc(clock_mhz: float) -> str:
    """Return the timing constraints of firmware: its clock, and the whole period at its ports.

    Without the delays at the ports, logic before the first and after the last register would
    not be timed. There are no minima: out of context, hold at the ports means nothing.

    Raises:
        InputError: if the clock cannot be constrained.
    """
    period = tcl.period_ns(clock_mhz)
    inputs = f"[filter [all_inputs] {{NAME != {CLOCK_PORT}}}]"
    return (
        f"# {clock_mhz:g} MHz; the period is rounded down to whole picoseconds.\n"
        f"create_clock -name {CLOCK_PORT} -period {period} [get_ports {CLOCK_PORT}]\n"
        f"set_input_delay -clock {CLOCK_PORT} -max 0.000 {inputs}\n"
        f"set_output_delay -clock {CLOCK_PORT} -max 0.000 [all_outputs]\n"
    )


def run(program: Path, folder: Path, *, timeout_s: float) -> None:
    """Implement the firmware in ``folder``, which holds its sources, script and constraints.

    Raises:
        ToolError: if Vivado fails, runs past its limit, or leaves out a report.
    """
    what = f"implementing the firmware in {folder}"
    arguments = ("-mode", "batch", "-nojournal", "-log", LOG, "-source", SCRIPT)
    batch.run([program, *arguments], folder=folder, timeout_s=timeout_s, what=what)
    for path in REPORTS:
        batch.require_file(folder, path, what)
