"""Projects that somebody else's hls4ml wrote: ``folder -> ForeignProject -> RawTensor``.

Projects of hls4ml 0.6 to 1.3 for Vivado and Vitis, io_parallel and io_stream, are compiled
as they lie on disk. Where a project loads its weights from text files when it is simulated,
as hls4ml's do unless told otherwise, that is what happens here too; synthesis reads the
headers, and where the two differ the project says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trigforge.core.errors import InputError, ToolError
from trigforge.core.records import HlsProject, Progress, RawTensor, no_progress
from trigforge.csim import bench, program, signature, weights
from trigforge.csim.program import Program

if TYPE_CHECKING:
    from trigforge.core.store import Store

_BACKENDS = {"vivado": "Vivado", "vitis": "Vitis", "vivadoaccelerator": "Vivado"}
_BACKEND_NAMES = (
    ("hls4ml_config.yml", re.compile(r"^Backend:\s*(\w+)", re.MULTILINE)),
    ("project.tcl", re.compile(r"set\s+backend\s+\"?(\w+)")),
)
"""The Tcl of a Vitis project by hls4ml 1.0 says vivado."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignProject:
    """A project as it was found, the program that simulates it, and what to know of it."""

    project: HlsProject
    program: Path
    warnings: tuple[str, ...]
    """Where what is simulated is not what synthesis would read."""


def open_project(
    folder: Path,
    store: Store,
    *,
    n_inputs: int | None = None,
    progress: Progress = no_progress,
) -> ForeignProject:
    """Find out what a project is, compile it, and ask its program what its ports are.

    ``n_inputs`` says how many elements an event has where the project does not (io_stream).

    Raises:
        InputError: if the folder is no project of hls4ml, has other ports than one input and
            one output, or nothing says how many elements an event has.
        ToolError: if its backend is none that g++ simulates, it does not compile or run, or it
            takes another number of elements than ``n_inputs``.
        StoreError: if the stored program is corrupt or the disk is full.
    """
    backend = _backend(folder)
    top = signature.read(folder)
    wanted = bench.Bench(folder=folder, top=top, n_inputs=bench.count_expression(folder, top))
    if not wanted.n_inputs and n_inputs is None:
        msg = (
            f"{folder}: neither a bridge, a test bench nor defines.h says how many elements "
            f"the stream {top.input.name} carries an event; give their number"
        )
        raise InputError(msg)
    built = bench.build(wanted, store, progress=progress)
    ports = bench.ask_ports(wanted, built, n_inputs)
    project = HlsProject(
        name=top.name,
        folder=folder,
        backend=backend,
        io_type=top.io_type,
        input=ports.input,
        output=ports.output,
    )
    return ForeignProject(project=project, program=built, warnings=weights.disagreements(project))


def run(
    opened: ForeignProject, inputs: RawTensor, *, progress: Progress = no_progress
) -> RawTensor:
    """Simulate events; return the raw outputs ``(n_events, n_outputs)``.

    Raises:
        InputError: if the inputs are not what the project takes.
        ToolError: if simulating fails.
    """
    source, sink = opened.project.input, opened.project.output
    if (inputs.format, inputs.raw.shape[1]) != (source.format, source.n_elements):
        msg = (
            f"{opened.project.folder} takes {source.n_elements} elements of {source.format}, "
            f"not {inputs.raw.shape[1]} of {inputs.format}"
        )
        raise InputError(msg)
    simulation = Program(
        path=opened.program, project=opened.project.folder, n_results=sink.n_elements
    )
    raw = program.play(simulation, inputs.raw, progress=progress)
    return RawTensor(format=sink.format, raw=raw)


def _backend(folder: Path) -> str:
    """Return the backend that a project names; those before 0.6 named none, and were Vivado.

    Raises:
        ToolError: if it is one whose C++ needs the vendor's compiler.
    """
    for name, pattern in _BACKEND_NAMES:
        path = folder / name
        match = pattern.search(signature.read_text(path)) if path.is_file() else None
        if match is None:
            continue
        backend = _BACKENDS.get(match[1].lower(), match[1])
        try:
            program.require_simulable(backend)
        except ToolError as error:
            msg = f"{path}: {error}"
            raise ToolError(msg) from error
        return backend
    return "Vivado"
