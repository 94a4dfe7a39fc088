"""Projects written here, and what any compiled C simulation has in common.

The test bench of the project is linked with its firmware by g++ and plays raw integers
from files. What is simulated is the project as it lies on disk, with the weights that
synthesis would read. A built program is kept by the digest of everything it was compiled
from.
"""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trigforge.core.errors import ToolError
from trigforge.core.files import FileSet, digest_of, read_folder
from trigforge.core.records import HlsProject, Progress, RawTensor, no_progress
from trigforge.vendor import toolchain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from trigforge.core.store import Store

FLAGS = ("-std=c++14", "-O1", "-w", "-DNDEBUG", "-Ifirmware/ap_types")
"""-O1, -O2 and -O3 compile a 16-64-32-32-5 network in 19, 17 and 21 s of processor time and
simulate 10,900, 11,500 and 12,000 events a second; -O0 saves 2 s and simulates 520.

-DNDEBUG leaves out assertions, as synthesis does: one of the number types stops a rounding
cast that drops more bits than its source has, though what it then computes is right.
"""

SIMULABLE_BACKENDS = ("Vitis", "Vivado")
COMPILE_TIMEOUT_S = 1800
RUN_TIMEOUT_S = 3600
PROGRAM = "csim"
WEIGHTS = "weights"
"""The folder, below the working one, where simulations look for weights in text files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A compiled C simulation: a row of raw integers in, a row of ``n_results`` out."""

    path: Path
    project: Path
    """The folder of what was compiled."""
    n_results: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Where a program is kept, and the folder of the project it is compiled in."""

    kind: str
    digest: str
    project: Path


def build(project: HlsProject, store: Store, *, progress: Progress = no_progress) -> Path:
    """Return the program that simulates a project, compiled if nothing like it is stored.

    Nothing is said of compiling where there is nothing to compile.

    Raises:
        ToolError: if the backend's C++ needs the vendor's compiler, g++ is missing, or
            the project does not compile.
        StoreError: if the stored program is corrupt or the disk is full.
    """
    require_simulable(project.backend)
    toolchain.compiler()  # refuse before the project is read
    sources = [f"firmware/{project.name}.cpp", f"{project.name}_test.cpp"]
    entry = Entry(kind="csim", digest=_digest(project), project=project.folder)
    return compiled(entry, lambda _: sources, store, progress=progress)


def require_simulable(backend: str) -> None:
    """Refuse a backend whose C++ g++ does not compile.

    Raises:
        ToolError: naming those that it does.
    """
    if backend not in SIMULABLE_BACKENDS:
        msg = (
            f"the C++ of backend {backend} needs the vendor's compiler; "
            f"g++ simulates {' and '.join(SIMULABLE_BACKENDS)} projects"
        )
        raise ToolError(msg)


def compiled(
    entry: Entry,
    arguments: Callable[[Path], Sequence[str | Path]],
    store: Store,
    *,
    progress: Progress = no_progress,
) -> Path:
    """Return the program of an entry of the store, compiled if it is not there.

    ``arguments`` fills the new folder with what the project does not have, and returns what
    g++ is given beside the flags: sources and options.

    Raises:
        ToolError: if g++ is missing or the project does not compile.
        StoreError: if the stored program is corrupt or the disk is full.
    """
    found = store.find(entry.kind, entry.digest)
    if found is not None:
        return found / PROGRAM
    what = f"compiling {entry.project.name}"
    progress(what, 0, 1)
    with store.adding(entry.kind, entry.digest) as folder:
        out = (folder / PROGRAM).absolute()
        toolchain.run(
            [toolchain.compiler(), *FLAGS, "-o", out, *arguments(folder)],
            folder=entry.project,
            timeout_s=COMPILE_TIMEOUT_S,
            what=f"compiling the C simulation of {entry.project}",
        )
    progress(what, 1, 1)
    return store.folder(entry.kind, entry.digest) / PROGRAM


def is_built(project: HlsProject, store: Store) -> bool:
    """Tell whether a project can be simulated without compiling."""
    return store.find("csim", _digest(project)) is not None


def run(
    project: HlsProject,
    inputs: RawTensor,
    store: Store,
    *,
    progress: Progress = no_progress,
) -> RawTensor:
    """Simulate events; return the raw outputs ``(n_events, n_outputs)``.

    The events are split over the machine's cores, one process each.

    Raises:
        ToolError: if compiling or simulating fails.
    """
    program = Program(
        path=build(project, store, progress=progress),
        project=project.folder,
        n_results=project.output.n_elements,
    )
    return RawTensor(format=project.output.format, raw=play(program, inputs.raw, progress=progress))


def play(
    program: Program, raw: NDArray[np.int64], *, progress: Progress = no_progress
) -> NDArray[np.int64]:
    """Return what a program gives for events ``(n_events, n_inputs)``.

    Raises:
        ToolError: if it fails, complains, or gives another number of values.
    """
    n_parts = max(1, min(os.cpu_count() or 1, len(raw) // 64))
    parts = np.array_split(raw, n_parts * 4 if n_parts > 1 else 1)
    done = 0
    results = []
    with ThreadPoolExecutor(n_parts) as pool:
        for part in pool.map(lambda events: _simulate(program, events), parts):
            results.append(part)
            done += len(part)
            progress(f"simulating {program.project.name}", done, len(raw))
    return np.concatenate(results)


def _simulate(program: Program, raw: NDArray[np.int64]) -> NDArray[np.int64]:
    with tempfile.TemporaryDirectory(prefix="trigforge-csim-") as folder:
        inputs, results = Path(folder, "inputs_raw.txt"), Path(folder, "results_raw.txt")
        np.savetxt(inputs, raw, fmt="%d")
        call(program, [inputs, "-", results], Path(folder))
        outputs = np.loadtxt(results, dtype=np.int64, ndmin=2)
    if outputs.shape != (len(raw), program.n_results):
        msg = (
            f"C simulation of {program.project} gave {outputs.shape} values for {len(raw)} events "
            f"of {program.n_results} outputs"
        )
        raise ToolError(msg)
    return outputs


def call(program: Program, arguments: list[str | Path], folder: Path) -> str:
    """Run a program in a folder of its own, with the project's weights in reach.

    Raises:
        ToolError: if it fails, or says that a file of weights is not what it should be and
            goes on.
    """
    weights = program.project.absolute() / "firmware" / WEIGHTS
    if weights.is_dir():
        (folder / WEIGHTS).symlink_to(weights)
    what = f"C simulation of {program.project}"
    completed = toolchain.run(
        [program.path.absolute(), *arguments], folder=folder, timeout_s=RUN_TIMEOUT_S, what=what
    )
    complaints = [line for line in completed.stderr.splitlines() if line.startswith("ERROR")]
    if complaints:
        msg = f"{what}: {complaints[0]}"
        raise ToolError(msg)
    return completed.text


def _digest(project: HlsProject) -> str:
    """Name everything a program is compiled from: sources, weights, flags and compiler."""
    files = read_folder(project.folder)
    sources = FileSet(
        {
            path: content
            for path, content in files.items()
            if (path.startswith(("firmware/", "tb_data/")) or path == f"{project.name}_test.cpp")
            and path.endswith((".h", ".hpp", ".cpp"))
        }
    )
    return digest_of(sources.digest, *FLAGS, toolchain.compiler_version())
