"""What every layer of an HLS project computed: ``HlsProject, RawTensor -> Trace``.

A copy of the top function, kept in the store, is compiled with calls that keep the raw
integers of each layer's result; the layers themselves and the weights are the project's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigforge.core.errors import InputError
from trigforge.core.records import HlsProject, Port, Progress, RawTensor, no_progress
from trigforge.csim import bench, instrumentation, program, signature
from trigforge.csim.program import Program

if TYPE_CHECKING:
    from trigforge.core.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """The result of each layer, by the name that hls4ml gives it, in order of computation.

    ``left_out`` names the layers whose results could not be kept, and why.
    """

    layers: tuple[tuple[str, RawTensor], ...]
    output: RawTensor
    left_out: tuple[tuple[str, str], ...] = ()


def run(
    project: HlsProject,
    inputs: RawTensor,
    store: Store,
    *,
    progress: Progress = no_progress,
) -> Trace:
    """Simulate events, layer by layer: raw integers ``(n_events, n_elements)`` of each.

    Raises:
        InputError: if the project's top function cannot be read, or the inputs are not what
            it takes.
        ToolError: if its backend is none that g++ simulates, or compiling or simulating fails.
        StoreError: if the stored program is corrupt or the disk is full.
    """
    program.require_simulable(project.backend)
    top = signature.read(project.folder)
    source = signature.read_text(project.folder / "firmware" / f"{top.name}.cpp")
    instrumented = instrumentation.instrument(source, top)
    wanted = bench.Bench(folder=project.folder, top=top, instrumented=instrumented.text)
    path = bench.build(wanted, store, progress=progress)
    ports = bench.ask_ports(wanted, path, project.input.n_elements)
    _check(project, inputs, ports.input)
    simulation = Program(path=path, project=project.folder, n_results=ports.n_results)
    raw = program.play(simulation, inputs.raw, progress=progress)
    tensors = []
    first = 0
    for port in (*ports.layers, ports.output):
        values = raw[:, first : first + port.n_elements].copy()
        tensors.append((port.name, RawTensor(format=port.format, raw=values)))
        first += port.n_elements
    return Trace(
        layers=tuple(tensors[:-1]),
        output=tensors[-1][1],
        left_out=tuple(instrumented.left_out),
    )


def _check(project: HlsProject, inputs: RawTensor, source: Port) -> None:
    """Refuse inputs in another format or of another size than the C++ declares."""
    given, taken = inputs.format, source.format
    grids = [(fmt.signed, fmt.width, fmt.integer_bits) for fmt in (given, taken)]
    if grids[0] != grids[1] or inputs.raw.shape[1] != source.n_elements:
        msg = (
            f"{project.folder} takes {source.n_elements} elements of {taken}, "
            f"not {inputs.raw.shape[1]} of {given}"
        )
        raise InputError(msg)
