"""Run scenarios under cocotb: ``Design, Scenarios -> Observed``, the host's side."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trigforge.core.errors import ToolError
from trigforge.core.files import digest_of, fill_folder
from trigforge.core.records import Progress, no_progress
from trigforge.cosim import runtime
from trigforge.cosim import scenario as scenarios
from trigforge.vendor import toolchain, verilator

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trigforge.core.store import Store
    from trigforge.cosim.design import Design
    from trigforge.cosim.scenario import Observed, Scenario

BUILD_ARGUMENTS = (*verilator.LINT_FLAGS, *verilator.MODEL_FLAGS, "--output-split", "2000")
MAKE_VARIABLES = (
    "OPT_FAST=-O1",
    "OPT_SLOW=-O0",
    "OPT_GLOBAL=-O1",
    "VM_PARALLEL_BUILDS=0",
    "VM_GLOBAL_FAST=",
)
"""One unit with all of the model compiles in less time than many (53 s of processor time
instead of 69 for a 16-64-32-32-5 network); the runtime is compiled already."""

RUNTIME_UNITS = ("verilated", "verilated_threads", "verilated_vpi")

BUILD_TIMEOUT_S = 3600
TEST_TIMEOUT_S = 3600


def title() -> str:
    """Return program and version, as reports say it."""
    return f"cocotb {metadata.version('cocotb')} on {verilator.find().title}"


def build(design: Design, store: Store, *, progress: Progress = no_progress) -> Path:
    """Return the folder of a simulation that cocotb drives, built if it is not stored.

    Raises:
        ToolError: if Verilator, make or the compiler is missing or refuses the design.
        StoreError: if the stored simulation is corrupt or the disk is full.
    """
    session: dict[str, Any] = {"action": "build", "top": design.top}
    made_from = (title(), toolchain.compiler_version(), *BUILD_ARGUMENTS, *MAKE_VARIABLES)
    digest = digest_of(design.digest, *made_from)
    if store.find("cocotb", digest) is None:
        what = f"compiling the cocotb simulation of {design.title}"
        progress(what, 0, 1)
        with (
            store.adding("cocotb", digest) as folder,
            tempfile.TemporaryDirectory(prefix="trigforge-cocotb-") as name,
        ):
            work = Path(name)
            fill_folder(work, design.sources)
            session["sources"] = [str(work / path) for path in design.order]
            session["build_args"] = [*BUILD_ARGUMENTS, *_runtime_objects(store)]
            _run(work, session, store, what, BUILD_TIMEOUT_S)
            shutil.move(work / "build" / design.top, folder / design.top)
        progress(what, 1, 1)
    return store.folder("cocotb", digest).absolute()


def play(
    design: Design, build_folder: Path, played: Sequence[Scenario], store: Store
) -> tuple[Observed, ...]:
    """Play scenarios one after the other in one simulation.

    Raises:
        ToolError: if the simulation ends without having played them all.
    """
    with tempfile.TemporaryDirectory(prefix="trigforge-cocotb-") as name:
        work = Path(name)
        fill_folder(work, design.memories)
        folders = [work / f"{number:03d}" for number in range(len(played))]
        for folder, scenario in zip(folders, played, strict=True):
            folder.mkdir()
            scenarios.save(scenario, folder)
        session = {"action": "test", "top": design.top, "build": str(build_folder)}
        what = f"simulating {design.title} under cocotb"
        log = _run(work, session, store, what, TEST_TIMEOUT_S)
        if not all((folder / "observed.npz").exists() for folder in folders):
            msg = f"{what}: it ended before all scenarios were played:\n{log[-4000:]}"
            raise ToolError(msg)
        return tuple(scenarios.load_observed(folder) for folder in folders)


def _runtime_objects(store: Store) -> list[str]:
    tool = verilator.find()
    folder = runtime.objects(tool, RUNTIME_UNITS, runtime.compiler_flags(tool), store)
    return [str(path) for path in sorted(folder.glob("*.o"))]


def _run(work: Path, session: Mapping[str, Any], store: Store, what: str, timeout_s: float) -> str:
    """Run a session in a process of its own; return what it wrote."""
    (work / "session.json").write_text(json.dumps(session))
    environment = dict(verilator.environment(verilator.find(), store))
    variables = (*MAKE_VARIABLES, f"PYTHON3={sys.executable}", f"CXX={toolchain.compiler()}")
    environment["MAKEFLAGS"] += " " + " ".join(variables)
    environment |= {"WAVES": "", "GUI": "", "PYTEST_CURRENT_TEST": "", "COCOTB_LOG_LEVEL": "INFO"}
    completed = toolchain.run(
        [sys.executable, "-m", "trigforge.cosim.session", work],
        folder=work,
        timeout_s=timeout_s,
        what=what,
        environment=environment,
    )
    return completed.text
