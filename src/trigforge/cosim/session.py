"""A process of its own for cocotb's runner: ``python -m trigforge.cosim.session FOLDER``.

The runner starts Verilator, make and the simulation itself and takes environment and time
limits from its process. ``FOLDER/session.json`` says what to do; everything is written
below ``FOLDER``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from cocotb_tools.runner import VerilatorControlFile, get_runner


def main(folder: Path) -> None:
    """Build a simulation, or run one that was built."""
    session = json.loads((folder / "session.json").read_text())
    {"build": build, "test": test}[session["action"]](folder, session)


def build(folder: Path, session: dict[str, Any]) -> None:
    """Build the simulation of a design; only the ports of its top can be reached.

    The runner makes every signal public, which keeps Verilator from optimising: undone.
    """
    ports = folder / "ports.vlt"
    ports.write_text(
        "`verilator_config\n"
        + "".join(
            f'public_flat_rw -module "{session["top"]}" -var "{port}"\n'
            for port in ("clk", "rst", "in_valid", "in_data", "out_valid", "out_data")
        )
    )
    get_runner("verilator").build(
        sources=[VerilatorControlFile(ports), *session["sources"]],
        hdl_toplevel=session["top"],
        build_args=["--no-public-flat-rw", *session["build_args"]],
        build_dir=folder / "build",
        timescale=("1ns", "1ps"),
        waves=False,
    )


def test(folder: Path, session: dict[str, Any]) -> None:
    """Run the scenarios that lie in ``folder``."""
    get_runner("verilator").test(
        test_module="trigforge.cosim.bench",
        hdl_toplevel=session["top"],
        hdl_toplevel_lang="verilog",
        build_dir=session["build"],
        test_dir=folder,
        results_xml="results.xml",
        plusargs=["+verilator+rand+reset+2", "+verilator+seed+1"],
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
