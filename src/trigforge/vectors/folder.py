"""A folder of vectors: inputs and expected outputs of the same events, and what lies where.

``RawTensor, RawTensor -> FileSet``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trigforge import __version__
from trigforge.core import port_file
from trigforge.core.config.links import Links
from trigforge.core.errors import InputError
from trigforge.core.files import FileSet, fill_folder, writing_folder
from trigforge.core.records import Port
from trigforge.core.store import MANIFEST, file_digests, read_manifest, write_manifest
from trigforge.vectors import packets
from trigforge.vectors.formats import EVENT_WRITERS, FRAME_WRITERS, VectorFormat
from trigforge.vectors.index import INDEX, Side

if TYPE_CHECKING:
    from trigforge.core.records import RawTensor
    from trigforge.vectors.packets import Layout

_EVENT_FILES: dict[tuple[VectorFormat, Side], str] = {
    (VectorFormat.TB_DATA, "inputs"): "tb_input_features.dat",
    (VectorFormat.TB_DATA, "outputs"): "tb_output_predictions.dat",
    (VectorFormat.RAW, "inputs"): "{name}_inputs.txt",
    (VectorFormat.RAW, "outputs"): "{name}_outputs.txt",
}
"""Those of values are the names that hls4ml's test benches read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorFile:
    """A file of vectors and the events in it, counted over all files."""

    path: str
    """Relative to the folder."""
    side: Side
    first_event: int
    n_events: int
    n_frames: int | None
    """None in files of events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorFolder:
    """Vectors on disk."""

    folder: Path
    format: VectorFormat
    n_events: int
    files: tuple[VectorFile, ...]

    def n_files(self, side: Side) -> int:
        """Count the files of one side."""
        return sum(entry.side == side for entry in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """What a network's vectors look like: its name, ports, and links if it has any."""

    name: str
    input: Port
    output: Port
    links: Links | None
    output_names: tuple[str, ...] = ()

    def layout(self, side: Side) -> Layout:
        """Return how one side lies on its links."""
        return packets.plan(self.links, self.input if side == "inputs" else self.output, side)


def assemble(
    interface: Interface, vector_format: VectorFormat, inputs: RawTensor, outputs: RawTensor
) -> tuple[FileSet, tuple[VectorFile, ...]]:
    """Return the files of vectors and their index, and the list of them.

    Raises:
        SpecError: if links are needed and there are none, or an event does not fit on them.
    """
    contents: dict[str, str] = {}
    files: list[VectorFile] = []
    sides: tuple[tuple[Side, RawTensor], ...] = (("inputs", inputs), ("outputs", outputs))
    for side, tensor in sides:
        for entry, content in _files(interface, vector_format, side, tensor):
            files.append(entry)
            contents[entry.path] = content
    index = _index(interface, vector_format, tuple(files))
    contents[INDEX] = json.dumps(index, indent=1) + "\n"
    return FileSet(contents), tuple(files)


def write(folder: Path, files: FileSet) -> None:
    """Write vectors as a whole, in place of older ones.

    Raises:
        InputError: if the folder holds anything but vectors that were written here.
        StoreError: if it cannot be written.
    """
    require_replaceable(folder)
    with writing_folder(folder) as temporary:
        fill_folder(temporary, files)
        write_manifest(temporary, files.digest)


def require_replaceable(folder: Path) -> None:
    """Refuse a folder in which something would be lost.

    Raises:
        InputError: naming what is in the way.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / MANIFEST).is_file() or not (folder / INDEX).is_file():
        msg = f"{folder} is not a folder of vectors; name a new one"
        raise InputError(msg)
    _, written = read_manifest(folder)
    added = sorted(file_digests(folder).keys() - written.keys())
    if added:
        msg = f"{folder / added[0]} would be lost; move it out of the folder, or name a new one"
        raise InputError(msg)


def _files(
    interface: Interface, vector_format: VectorFormat, side: Side, tensor: RawTensor
) -> list[tuple[VectorFile, str]]:
    """Return the files of one side."""
    if vector_format in EVENT_WRITERS:
        entry = VectorFile(
            path=_EVENT_FILES[vector_format, side].format(name=interface.name),
            side=side,
            first_event=0,
            n_events=len(tensor.raw),
            n_frames=None,
        )
        return [(entry, EVENT_WRITERS[vector_format](tensor))]
    layout = interface.layout(side)
    board = layout.links.board or interface.name
    files = []
    for number, frames in enumerate(packets.to_frames(layout, tensor, board)):
        first = number * layout.events_per_file
        entry = VectorFile(
            path=f"{interface.name}_{side}_{number:03d}.txt",
            side=side,
            first_event=first,
            n_events=min(layout.events_per_file, len(tensor.raw) - first),
            n_frames=len(frames.words),
        )
        files.append((entry, FRAME_WRITERS[vector_format](frames)))
    return files


def _index(
    interface: Interface, vector_format: VectorFormat, files: tuple[VectorFile, ...]
) -> dict[str, Any]:
    """Describe the files: a reader needs nothing else to take them apart."""
    index: dict[str, Any] = {
        "name": interface.name,
        "format": vector_format.value,
        "generator": f"trigforge {__version__}",
        "packing": f"{port_file.PACKING}; {packets.PACKING}",
    }
    sides: tuple[tuple[Side, Port], ...] = (
        ("inputs", interface.input),
        ("outputs", interface.output),
    )
    for side, port in sides:
        entry = port_file.write(port)
        if vector_format in FRAME_WRITERS:
            layout = interface.layout(side)
            entry |= {"links": list(layout.numbers), "packet_frames": layout.packet_frames}
        if side == "outputs":
            entry["element_names"] = list(interface.output_names)
        entry["files"] = [
            {
                "path": file.path,
                "first_event": file.first_event,
                "n_events": file.n_events,
                "n_frames": file.n_frames,
            }
            for file in files
            if file.side == side
        ]
        index[side] = entry
    if vector_format in FRAME_WRITERS and interface.links is not None:
        index["links"] = interface.links.model_dump(mode="json", exclude={"inputs", "outputs"})
    return index
