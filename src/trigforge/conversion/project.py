"""Make a conversion a project that a firmware engineer can check and build.

``Conversion + vectors -> FileSet -> HlsProject``. The project on disk is what is simulated:
if it was written from the same input before, it is taken as it is, and files that somebody
changed since are named.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hls4ml
import jinja2

from trigforge import __version__
from trigforge.core import graph_file, port_file
from trigforge.core.errors import InputError, StoreError
from trigforge.core.files import FileSet, fill_folder, writing_folder
from trigforge.core.records import HlsProject, Port, RawTensor
from trigforge.core.store import changed_files, is_written_for, write_manifest

if TYPE_CHECKING:
    from trigforge.conversion.convert import Conversion
    from trigforge.core.config import Hardware
    from trigforge.core.graph import FixedPointGraph

BENCH_BACKENDS = ("Vitis", "Vivado")
"""Backends whose projects get the comparing test bench, and that g++ can simulate."""

GXX_FLAGS = "-std=c++14 -O1 -w -DNDEBUG -Ifirmware/ap_types"
"""What a user compiles the test bench with; the C simulation uses the same."""

PORTS = "ports.json"
GRAPH = "graph"
_PRODUCT = re.compile(r"csim|tb_data/\w+_results_raw\.txt|\w+_prj/.*|\w+\.log")
"""What the test bench and the vendor's tool leave in a project; no change of it."""

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("trigforge.conversion"),
    undefined=jinja2.StrictUndefined,
    autoescape=False,  # C++ and Markdown, not HTML
    keep_trailing_newline=True,
    trim_blocks=True,
)


def assemble(conversion: Conversion, inputs: RawTensor, expected: RawTensor) -> FileSet:
    """Return all files of a project: C++, Tcl, test bench, vectors, ports and a README."""
    files: dict[str, bytes | str] = dict(conversion.files)
    has_bench = conversion.hardware.backend in BENCH_BACKENDS
    context = _context(conversion) | {"has_bench": has_bench}
    if has_bench:
        bench = _TEMPLATES.get_template("test_bench.cpp.j2").render(context)
        files[f"{conversion.name}_test.cpp"] = bench
        header = Path(__file__).parent / "templates" / "raw_test_bench.hpp"
        files["tb_data/raw_test_bench.hpp"] = header.read_bytes()
    files["tb_data/inputs_raw.txt"] = format_vectors(inputs)
    files["tb_data/expected_raw.txt"] = format_vectors(expected)
    if conversion.graph is not None:
        for path, content in graph_file.to_files(conversion.graph).items():
            files[f"{GRAPH}/{path}"] = content
    files[PORTS] = _ports_json(conversion)
    files["README.md"] = _TEMPLATES.get_template("README.md.j2").render(context)
    return FileSet(files)


def write(folder: Path, files: FileSet, digest: str) -> HlsProject:
    """Write a project as a whole; ``digest`` names what it was made from."""
    with writing_folder(folder) as temporary:
        fill_folder(temporary, files)
        write_manifest(temporary, digest)
    return open_project(folder)


def find(folder: Path, digest: str) -> HlsProject | None:
    """Return the project in a folder if it was written for this digest.

    Raises:
        StoreError: if the folder holds something that no project of ours is.
    """
    return open_project(folder) if is_written_for(folder, digest) else None


def open_project(folder: Path) -> HlsProject:
    """Read what a written project says of itself.

    Raises:
        StoreError: if ``ports.json`` is missing or wrong.
    """
    path = folder / PORTS
    try:
        ports = json.loads(path.read_text())
        return HlsProject(
            name=ports["name"],
            folder=folder,
            backend=ports["backend"],
            io_type=ports["io_type"],
            input=port_file.read(ports["inputs"][0]),
            output=port_file.read(ports["outputs"][0]),
            deviations=tuple(str(line) for line in ports["deviations_from_keras"]),
            modified=tuple(
                path for path in changed_files(folder) if _PRODUCT.fullmatch(path) is None
            ),
        )
    except (OSError, ValueError, KeyError, IndexError, TypeError, InputError) as error:
        msg = f"{path} is missing or unreadable ({error}); remove {folder} and run again"
        raise StoreError(msg) from error


def read_graph(project: HlsProject) -> FixedPointGraph:
    """Return the exact arithmetic that a project was written with.

    Raises:
        StoreError: if it is missing or not what was written.
    """
    return graph_file.load(project.folder / GRAPH)


def project_key(name: str, hardware: Hardware) -> dict[str, Any]:
    """Describe what, beside weights and vectors, decides a project's files."""
    return {
        "name": name,
        "hardware": hardware.model_dump(mode="json"),
        "hls4ml": hls4ml.__version__,
        "trigforge": __version__,
    }


def format_vectors(tensor: RawTensor) -> str:
    """Write raw integers as text: one event a line, elements separated by spaces."""
    lines = [" ".join(map(str, event)) for event in tensor.raw.tolist()]
    return "\n".join(lines) + "\n"


def _context(conversion: Conversion) -> dict[str, Any]:
    hardware = conversion.hardware
    return {
        "flags": GXX_FLAGS,
        "banner": f"Written by trigforge {__version__}; do not edit: write it anew from the spec.",
        "name": conversion.name,
        "kind": "stream" if hardware.io_type == "io_stream" else "array",
        "backend": hardware.backend,
        "hls4ml_version": hls4ml.__version__,
        "part": hardware.part,
        "clock_mhz": f"{hardware.clock_mhz:g}",
        "io_type": hardware.io_type,
        "input": _port_context(conversion.input, conversion.input_definition),
        "output": _port_context(conversion.output, conversion.output_definition),
    }


def _port_context(port: Port, definition: str) -> dict[str, Any]:
    return {
        "name": port.name,
        "variable": port.name,
        "definition": definition,
        "shape": port.shape,
        "n_elements": port.n_elements,
        "format": port.format,
    }


def _ports_json(conversion: Conversion) -> str:
    content = {
        "name": conversion.name,
        "backend": conversion.hardware.backend,
        "io_type": conversion.hardware.io_type,
        "packing": port_file.PACKING,
        "inputs": [port_file.write(conversion.input)],
        "outputs": [port_file.write(conversion.output)],
        "deviations_from_keras": list(conversion.deviations),
    }
    return json.dumps(content, indent=1) + "\n"
