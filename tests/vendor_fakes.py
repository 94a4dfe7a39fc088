"""The vendor's programs as fakes: they write down what they were asked and leave reports."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPORTS = Path(__file__).parent / "vendor" / "report_files"
FAKES = Path(__file__).parent / "vendor" / "fakes"
TCLSH = shutil.which("tclsh")
SCRIPT_OF = {"vivado": "vivado", "vitis_hls": "vitis_hls", "vitis-run": "vitis_hls"}

VENDOR_COMMANDS = (
    *("read_verilog", "read_vhdl", "read_xdc", "synth_design", "opt_design", "place_design"),
    *("route_design", "report_utilization", "report_timing_summary", "write_checkpoint"),
    *("create_clock", "get_ports", "all_inputs", "all_outputs", "filter", "set_input_delay"),
    *("set_output_delay", "open_project", "set_top", "add_files", "open_solution", "set_part"),
    *("set_clock_uncertainty", "config_compile", "config_schedule", "csynth_design"),
    *("export_design", "cosim_design"),
)
"""The commands of Vivado (UG835) and Vitis HLS (UG1399) that our scripts may call."""

STUBS = """
proc unknown {{command args}} {{
    if {{[lsearch -exact {{{commands}}} $command] < 0}} {{
        puts stderr "no command of the vendor: $command"
        exit 3
    }}
    puts "call: $command $args"
    return "<$command>"
}}
{extra}
source {{{script}}}
"""


@dataclass(frozen=True)
class Programs:
    """A folder first on PATH, the reports that its programs leave, and what they wrote down."""

    folder: Path
    reports: Path
    record: Path
    monkeypatch: pytest.MonkeyPatch

    def fail(self, how: str) -> None:
        """Let the programs fail; ``how`` is one of the words in their docstrings."""
        self.monkeypatch.setenv("FAKE_FAILURE", how)

    def add(self, name: str) -> Path:
        program = self.folder / name
        text = (FAKES / SCRIPT_OF[name]).read_text()
        program.write_text(text.replace("#!/usr/bin/env python3", f"#!{sys.executable}", 1))
        program.chmod(0o755)
        return program

    def leave(self, name: str, original: str, *replacements: tuple[str, str]) -> None:
        """Let the programs leave a report from the fixtures under this name."""
        text = (REPORTS / original).read_text()
        for old, new in replacements:
            assert old in text
            text = text.replace(old, new)
        (self.reports / name).write_text(text)

    def runs(self) -> list[dict]:
        if not self.record.exists():
            return []
        return [json.loads(line) for line in self.record.read_text().splitlines()]


def fake_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Make a folder that is all of PATH, with no program in it yet."""
    programs = Programs(
        tmp_path / "bin", tmp_path / "reports", tmp_path / "record.jsonl", monkeypatch
    )
    programs.folder.mkdir()
    programs.reports.mkdir()
    monkeypatch.setenv("PATH", str(programs.folder))
    monkeypatch.setenv("FAKE_RECORD", str(programs.record))
    monkeypatch.setenv("FAKE_REPORTS", str(programs.reports))
    programs.leave("utilisation_routed.rpt", "made_vivado_2023_2_routed.rpt")
    programs.leave(
        "utilisation_synth.rpt",
        "made_vivado_2023_2_routed.rpt",
        ("State : Routed", "State : Synthesized"),
        ("| CLB LUTs                   | 12345 |", "| CLB LUTs*                  | 23456 |"),
    )
    programs.leave("timing_routed.rpt", "made_vivado_timing_met.rpt")
    programs.leave("timing_synth.rpt", "made_vivado_timing_failed.rpt")
    programs.leave("csynth.xml", "made_vitis_hls_2023_2_csynth.xml")
    programs.leave("cosim.rpt", "made_vitis_hls_cosim_pass.rpt")
    return programs


def run_tcl(script: Path, *, extra: str = "") -> list[str]:
    """Run a script in tclsh; return the calls of commands that tclsh does not have.

    Raises:
        AssertionError: if the script does not run to its end.
    """
    stubs = script.with_name(f"stubs_of_{script.name}")
    text = STUBS.format(commands=" ".join(VENDOR_COMMANDS), extra=extra, script=script)
    stubs.write_text(text)
    completed = subprocess.run(
        [str(TCLSH), str(stubs)], capture_output=True, text=True, timeout=60, check=False
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    lines = completed.stdout.splitlines()
    return [line.removeprefix("call: ") for line in lines if line.startswith("call: ")]
