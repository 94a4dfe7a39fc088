"""C simulation: seconds to compile, events a second on all cores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shipped_models
from stopwatch import seconds

from trigforge import csim

if TYPE_CHECKING:
    from pathlib import Path

N_EVENTS = 8192


def measure(folder: Path) -> dict[str, float]:
    figures = {}
    for model in shipped_models.open_all(folder):
        inputs, store = model.inputs(N_EVENTS), model.job.workspace.store
        for project in model.projects:
            what = f"{model.name}_{project.io_type}"
            compiling = seconds(lambda: csim.build(project, store))  # noqa: B023 - called at once
            running = seconds(lambda: csim.run(project, inputs, store), repeats=2)  # noqa: B023
            figures[f"csim_compile_s_{what}"] = compiling
            figures[f"csim_events_per_s_{what}"] = N_EVENTS / running
    return figures
