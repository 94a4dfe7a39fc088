"""A delivered HLS project against vectors: ``folder, Request -> ForeignRun``."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trigforge import comparison
from trigforge.core.errors import InputError
from trigforge.core.event_file import writing_events
from trigforge.core.files import write_file
from trigforge.core.records import Agreement, HlsProject, Port, Progress, RawTensor, Stimulus
from trigforge.csim import events, foreign, trace

if TYPE_CHECKING:
    from trigforge.core.store import Store
    from trigforge.csim.trace import Trace

EXPECTED, SIMULATED = "expected", "C simulation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The files of a simulation: what is played, compared with and written."""

    inputs: Path
    expected: Path | None = None
    out: Path | None = None
    """``.npy`` of the raw outputs, ``(n_events, n_outputs)``."""
    trace: Path | None = None
    """``.npz`` of the raw result of each layer."""
    n_inputs: int | None = None
    """Elements of an event, where the project does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignRun:
    """What the C simulation of a project gave, and whether it is what was expected."""

    project: HlsProject
    n_events: int
    agreement: Agreement | None
    layers: tuple[Port, ...]
    """Layers that were traced."""
    left_out: tuple[tuple[str, str], ...]
    """Layers that could not be, and why."""
    warnings: tuple[str, ...]

    @property
    def met(self) -> bool:
        """Nothing was expected, or every value is as it was."""
        return self.agreement is None or self.agreement.met


def simulate(folder: Path, request: Request, store: Store, progress: Progress) -> ForeignRun:
    """Compile a project as it lies on disk, play events into it and compare what it gives.

    Raises:
        InputError: if the folder is no project of hls4ml that can be simulated, or a file
            does not hold values of its ports.
        ToolError: if the project does not compile or run.
        ComparisonError: if other events are expected than are played.
        StoreError: if a result cannot be written.
    """
    for path in (request.inputs, request.expected):
        if path is not None and not path.is_file():
            msg = f"{path} is no file"
            raise InputError(msg)
    opened = foreign.open_project(folder, store, n_inputs=request.n_inputs, progress=progress)
    project = opened.project
    inputs = events.read(request.inputs, project.input)
    expected = None if request.expected is None else events.read(request.expected, project.output)
    outputs = foreign.run(opened, inputs, progress=progress)
    traced = None
    if request.trace is not None:
        traced = trace.run(project, inputs, store, progress=progress)
        _write_trace(request.trace, traced)
    if request.out is not None:
        with writing_events(request.out, outputs.raw.shape, outputs.raw.dtype) as append:
            append(outputs.raw)
    return ForeignRun(
        project=project,
        n_events=len(inputs.raw),
        agreement=None if expected is None else _agreement(inputs, expected, outputs),
        layers=() if traced is None else tuple(_port(*layer) for layer in traced.layers),
        left_out=() if traced is None else traced.left_out,
        warnings=opened.warnings,
    )


def _agreement(inputs: RawTensor, expected: RawTensor, outputs: RawTensor) -> Agreement:
    stimulus = Stimulus(inputs=inputs, blocks=(("inputs", len(inputs.raw)),))
    names = tuple(f"output_{i}" for i in range(outputs.raw.shape[1]))
    return comparison.compare((EXPECTED, expected), (SIMULATED, outputs), stimulus, names)


def _port(name: str, tensor: RawTensor) -> Port:
    return Port(name=name, shape=(tensor.raw.shape[1],), format=tensor.format)


def _write_trace(path: Path, traced: Trace) -> None:
    """Write an array for each layer, under its name."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, tensor in traced.layers:  # numpy.savez cannot write an array called "file"
            with archive.open(f"{name}.npy", "w") as member:
                np.lib.format.write_array(member, tensor.raw, allow_pickle=False)
    write_file(path, content.getvalue())
