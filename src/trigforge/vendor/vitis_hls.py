"""Run Vitis HLS on an hls4ml project: C synthesis, export, co-simulation.

Until 2024.1 the program is ``vitis_hls``, from 2024.2 on ``vitis-run`` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trigforge.core.errors import InputError, ToolError
from trigforge.vendor import batch, csynth_report, tcl, toolchain

PROGRAMS = ("vitis_hls", "vitis-run")
SCRIPT = "vitis_hls_flow.tcl"
SETTINGS = "settings.tcl"
BACKEND = "Vitis"
"""The backend of hls4ml whose C++ Vitis HLS reads."""

_ARGUMENTS = {
    "vitis_hls": ("-f", SCRIPT),
    "vitis-run": ("--mode", "hls", "--tcl", SCRIPT),
}
_VERSION_ARGUMENT = {"vitis_hls": "-version", "vitis-run": "--version"}
_HINT = (
    "up to 2024.1 it is called vitis_hls: source settings64.sh of an installed Vitis; the open "
    "path goes on without it: g++ simulates the C++, and trigforge synth uses Yosys"
)
_FLOW = Path(__file__).parent / "templates" / SCRIPT


@dataclass(frozen=True, slots=True, kw_only=True)
class HlsSettings:
    """What high-level synthesis is to do, for which part and clock."""

    part: str
    clock_mhz: float
    export: bool = True
    """Pack the RTL as an IP core for Vivado's catalogue."""
    cosim: bool = True
    """Play the test bench against the RTL."""


def program() -> Path:
    """Return where Vitis HLS is, by its old name or its new one.

    Raises:
        ToolError: if neither is in PATH, saying what goes on without it.
    """
    purpose = "run high-level synthesis"
    try:
        return toolchain.require_tool(PROGRAMS[0], purpose=purpose, hint=_HINT)
    except ToolError:
        return toolchain.require_tool(PROGRAMS[1], purpose=purpose, hint=_HINT)


def version(program: Path, folder: Path) -> str:
    """Ask Vitis HLS for its version: ``2023.2``; it may leave files in ``folder``.

    Raises:
        ToolError: if it names none.
    """
    return batch.version(program, _VERSION_ARGUMENT[program.name], folder=folder)


def scripts(top: str, settings: HlsSettings) -> dict[str, str]:
    """Return the script and its settings, by the names they have in the folder of a project.

    Raises:
        InputError: if a name or the clock cannot be written into Tcl.
    """
    lines = (
        f"set top {tcl.name(top)}",
        f"set part {tcl.part(settings.part)}",
        f"set period_ns {tcl.period_ns(settings.clock_mhz)}",
        f"set export {int(settings.export)}",
        f"set cosim {int(settings.cosim)}",
    )
    return {SCRIPT: _FLOW.read_text(encoding="utf-8"), SETTINGS: "\n".join(lines) + "\n"}


def run(program: Path, folder: Path, top: str, *, timeout_s: float) -> None:
    """Run the script in ``folder``, which holds the project, the script and its settings.

    A co-simulation that found a difference is a result, not an error: its report says so.

    Raises:
        ToolError: if Vitis HLS fails otherwise, runs past its limit, or leaves out the report
            of C synthesis.
    """
    what = f"high-level synthesis of {top}"
    arguments = (str(program), *_ARGUMENTS[program.name])
    try:
        batch.run(arguments, folder=folder, timeout_s=timeout_s, what=what)
    except ToolError:
        if not _found_difference(folder / co_simulation_report(top)):
            raise
    batch.require_file(folder, c_synthesis_report(top), what)


def solution(top: str) -> str:
    """Return where the results of a project are, relative to its folder."""
    return f"{top}_prj/solution1"


def c_synthesis_report(top: str) -> str:
    """Return where C synthesis writes its report, relative to the folder of the project."""
    return f"{solution(top)}/syn/report/{top}_csynth.xml"


def co_simulation_report(top: str) -> str:
    """Return where co-simulation writes its report, relative to the folder of the project."""
    return f"{solution(top)}/sim/report/{top}_cosim.rpt"


def packed_ip(folder: Path, top: str) -> Path | None:
    """Return the archive of the IP core in the folder of a project, None if there is none.

    Where it lies differs from version to version; all below ``impl/`` hold the same core.
    """
    archives = sorted((folder / solution(top) / "impl").rglob("*.zip"))
    return archives[0] if archives else None


def _found_difference(report: Path) -> bool:
    try:
        return not csynth_report.read_co_simulation(report).passed
    except InputError:
        return False
