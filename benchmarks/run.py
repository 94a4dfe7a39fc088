"""Time the parts of the pipeline on this machine: ``python benchmarks/run.py [NAME ...]``.

Each benchmark is a function ``Path -> {figure: value}`` in a module beside this one; it may
write below the folder it is given. Figures are named with what they are of, and their unit.
They go into one flat JSON object; figures that are not measured this time stay as they are.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import command_line
import emulate_cluster
import emulation_speed
import firmware_speed
import generation_speed
import inference_speed
import random_networks
import sample_speed
import scan_speed
import simulation_speed
import timemux_cost
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

RESULTS = Path(__file__).with_name("results.json")
BENCHMARKS: dict[str, Callable[[Path], dict[str, float]]] = {
    "command_line": command_line.measure,
    "simulation": simulation_speed.measure,
    "inference": inference_speed.measure,
    "emulation": emulation_speed.measure,
    "emulate_cluster": emulate_cluster.measure,
    "random_networks": random_networks.measure,
    "generation": generation_speed.measure,
    "samples": sample_speed.measure,
    "scan": scan_speed.measure,
    "firmware": firmware_speed.measure,
    "timemux": timemux_cost.measure,
}


def machine() -> str:
    """Name processor and cores."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{models[0] if models else 'unknown processor'}, {os.cpu_count()} cores"


def merge(figures: dict[str, float], path: Path) -> None:
    """Write figures among those a file holds already."""
    before = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    text = json.dumps(before | figures, indent=1, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


def show(figures: dict[str, float], console: Console) -> None:
    today = dt.datetime.now(tz=dt.UTC).date()
    table = Table(title=f"{machine()}; {today}", title_justify="left")
    table.add_column("figure", no_wrap=True)
    table.add_column("value", justify="right")
    for name, value in figures.items():
        table.add_row(name, f"{value:,.2f}" if value < 100 else f"{value:,.0f}")
    console.print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--out", type=Path, default=RESULTS, help="JSON file of the figures")
    options = parser.parse_args()
    unknown = set(options.names) - BENCHMARKS.keys()
    if unknown:
        parser.error(f"unknown {', '.join(sorted(unknown))}; known: {', '.join(BENCHMARKS)}")
    console = Console()
    figures: dict[str, float] = {}
    for name in options.names or BENCHMARKS:
        console.print(f"measuring {name} ...")
        with tempfile.TemporaryDirectory(prefix="trigforge-benchmark-") as folder:
            measured = BENCHMARKS[name](Path(folder))
        figures |= {figure: round(value, 4) for figure, value in measured.items()}
        merge(figures, options.out)
    show(figures, console)


if __name__ == "__main__":
    main()
