"""Make a design a folder that a firmware engineer can check and build.

``Design + vectors -> FileSet -> Firmware``. The folder on disk is what is simulated and
synthesised: if it was written from the same input before, it is taken as it is, and files
that somebody changed since are named.
"""

from __future__ import annotations

import json
import re
from io import BytesIO
from typing import TYPE_CHECKING, Any

import jinja2
import numpy as np

from trigforge import __version__
from trigforge.core import graph_file, packing, port_file
from trigforge.core import schedule as schedule_file
from trigforge.core.errors import InputError, StoreError
from trigforge.core.files import FileSet, fill_folder, writing_folder
from trigforge.core.records import Firmware, Port, RawTensor
from trigforge.core.store import changed_files, is_written_for, write_manifest
from trigforge.vendor import vivado

if TYPE_CHECKING:
    from pathlib import Path

    from trigforge.core.config import Hardware
    from trigforge.core.graph import FixedPointGraph
    from trigforge.core.records import Stimulus
    from trigforge.core.schedule import Schedule
    from trigforge.rtl.design import Design

PORTS = "ports.json"
GRAPH = "graph"
INPUTS = "vectors/inputs.npy"
OUTPUTS = "vectors/outputs.npy"
SCHEDULE = "schedule.json"
BLOCKS = "vectors/blocks.json"
_PRODUCT = re.compile(r"reports/.*|\.Xil/.*|[\w.-]+\.(?:log|jou|pb|str)")
"""What Vivado leaves in a folder; no change of it."""

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("trigforge.rtl"),
    undefined=jinja2.StrictUndefined,
    autoescape=False,  # Markdown, not HTML
    keep_trailing_newline=True,
    trim_blocks=True,
)


def assemble(  # noqa: PLR0913, PLR0917 - all that a folder is made of
    design: Design,
    graph: FixedPointGraph,
    hardware: Hardware,
    stimulus: Stimulus,
    expected: RawTensor,
    pages: FileSet,
) -> FileSet:
    """Return all files of firmware: RTL, constraints, Tcl, ports, vectors, a README.

    ``expected`` are the raw integers that the graph gives for the stimulus, ``pages`` what
    else there is to read of the design.
    """
    files: dict[str, bytes | str] = {**design.sources, **design.licences, **pages}
    files[f"constraints/{design.name}.xdc"] = vivado.constraints_xdc(hardware.clock_mhz)
    files[vivado.SCRIPT] = vivado.project_tcl(
        design.name, design.order, hardware.part, design.language
    )
    for path, content in graph_file.to_files(graph).items():
        files[f"{GRAPH}/{path}"] = content
    files[PORTS] = _ports_json(design, hardware)
    if design.schedule is not None:
        files[SCHEDULE] = schedule_file.to_json(design.schedule)
    files[INPUTS] = _npy(stimulus.inputs.raw)
    files[OUTPUTS] = _npy(expected.raw)
    files[BLOCKS] = json.dumps([list(block) for block in stimulus.blocks], indent=1) + "\n"
    files["vectors/inputs.hex"] = _hex(stimulus.inputs, design.input)
    files["vectors/outputs.hex"] = _hex(expected, design.output)
    files["README.md"] = _readme(design, hardware, pages)
    return FileSet(files)


def write(folder: Path, files: FileSet, digest: str) -> Firmware:
    """Write firmware as a whole; ``digest`` names what it was made from."""
    with writing_folder(folder) as temporary:
        fill_folder(temporary, files)
        write_manifest(temporary, digest)
    return read(folder)


def find(folder: Path, digest: str) -> Firmware | None:
    """Return the firmware in a folder if it was written for this digest.

    Raises:
        StoreError: if the folder holds something that no firmware of ours is.
    """
    return read(folder) if is_written_for(folder, digest) else None


def read(folder: Path) -> Firmware:
    """Read what written firmware says of itself.

    Raises:
        StoreError: if ``ports.json`` is missing or wrong.
    """
    path = folder / PORTS
    try:
        ports = json.loads(path.read_text(encoding="utf-8"))
        return Firmware(
            name=str(ports["name"]),
            folder=folder,
            language=str(ports["language"]),
            sources=tuple(str(source) for source in ports["sources"]),
            part=str(ports["part"]),
            clock_mhz=float(ports["clock_mhz"]),
            input=port_file.read(ports["inputs"][0]),
            output=port_file.read(ports["outputs"][0]),
            latency_cycles=int(ports["latency_cycles"]),
            interval_cycles=int(ports["interval_cycles"]),
            modified=tuple(
                path for path in changed_files(folder) if _PRODUCT.fullmatch(path) is None
            ),
        )
    except (OSError, ValueError, KeyError, IndexError, TypeError, InputError) as error:
        msg = f"{path} is missing or unreadable ({error}); remove {folder} and run again"
        raise StoreError(msg) from error


def read_graph(firmware: Firmware) -> FixedPointGraph:
    """Return the exact arithmetic that firmware was generated from.

    Raises:
        StoreError: if it is missing or not what was written.
    """
    return graph_file.load(firmware.folder / GRAPH)


def read_schedule(firmware: Firmware) -> Schedule | None:
    """Return what happens in which cycle of time-multiplexed firmware; None of any other.

    Raises:
        StoreError: if the file is not what was written.
    """
    path = firmware.folder / SCHEDULE
    return schedule_file.from_json(path.read_text(encoding="utf-8")) if path.is_file() else None


def _ports_json(design: Design, hardware: Hardware) -> str:
    content: dict[str, Any] = {
        "name": design.name,
        "language": design.language,
        "sources": list(design.order),
        "part": hardware.part,
        "clock_mhz": hardware.clock_mhz,
        "latency_cycles": design.latency_cycles,
        "interval_cycles": design.interval_cycles,
        "method": design.method,
        "generator": design.generator,
        "packing": port_file.PACKING,
        "inputs": [port_file.write(design.input)],
        "outputs": [port_file.write(design.output)],
    }
    return json.dumps(content, indent=1) + "\n"


def _npy(raw: Any) -> bytes:
    stream = BytesIO()
    np.save(stream, np.asarray(raw, dtype=np.int64), allow_pickle=False)
    return stream.getvalue()


def _hex(tensor: RawTensor, port: Port) -> str:
    """Write an event a line, as ``$readmemh`` reads them: the highest digit first."""
    words = packing.pack(tensor.raw, port)
    n_digits = -(-packing.n_bits(port) // 4)
    lines = [event.astype("<u4").tobytes()[::-1].hex()[-n_digits:] for event in words]
    return "\n".join(lines) + "\n"


def _readme(design: Design, hardware: Hardware, pages: FileSet) -> str:
    return _TEMPLATES.get_template("README.md.j2").render(
        design=design,
        clock_mhz=f"{hardware.clock_mhz:g}",
        latency_ns=f"{design.latency_cycles / hardware.clock_mhz * 1000:.1f}",
        pages=tuple(pages),
        part=hardware.part,
        schedule=None if design.schedule is None else SCHEDULE,
        version=__version__,
        script=vivado.SCRIPT,
    )
