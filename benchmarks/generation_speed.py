"""Samples: jets a second from Pythia to features, on two processes, as a whole command.

A process of its own: workers of this one would import what ``run.py`` imports.
"""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

from stopwatch import seconds

SPEC = Path(__file__).parents[1] / "models" / "jet_tagger.yaml"
JETS_PER_CLASS = 200
N_CLASSES = 5
N_PROCESSES = 2


def measure(folder: Path) -> dict[str, float]:
    program = Path(sys.executable).with_name("trigforge")
    options = ["--jets-per-class", str(JETS_PER_CLASS), "--processes", str(N_PROCESSES)]
    command = [program, "samples", SPEC, "--out", "jets.npz", "--quiet", *options]
    generate = partial(subprocess.run, command, cwd=folder, check=True, capture_output=True)
    return {"samples_jets_per_s_jets_hlf": JETS_PER_CLASS * N_CLASSES / seconds(generate)}
