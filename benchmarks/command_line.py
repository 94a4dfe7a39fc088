"""The command line: how long the shortest answer takes."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

from stopwatch import seconds


def measure(folder: Path) -> dict[str, float]:
    program = Path(sys.executable).with_name("trigforge")
    ask = partial(
        subprocess.run, [program, "--version"], cwd=folder, check=True, capture_output=True
    )
    return {"trigforge_version_s": seconds(ask, repeats=5)}
