"""A test bench for a top function that brings none of its own, compiled with it.

The project's folder is read and never written to. Program and bench are kept in the store
by the digest of all they were compiled from.
"""

from __future__ import annotations

import importlib.util
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from trigforge import __version__
from trigforge.core.errors import InputError, ToolError
from trigforge.core.files import FileSet, digest_of, fill_folder, read_folder
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import Port, Progress, no_progress
from trigforge.csim import signature
from trigforge.csim.program import FLAGS, Entry, Program, call, compiled
from trigforge.csim.signature import Kind, Signature
from trigforge.vendor import toolchain

if TYPE_CHECKING:
    from trigforge.core.store import Store

KIND = "csim_bench"
BENCH, HEADER = "bench.cpp", "raw_ports.hpp"
_SOURCES = (".h", ".hpp", ".cpp")
_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("trigforge.csim"),
    undefined=jinja2.StrictUndefined,
    autoescape=False,  # C++, not HTML
    keep_trailing_newline=True,
    trim_blocks=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """A project's top function and what is compiled with it.

    ``n_inputs`` is a C++ expression of how many elements an event has; empty if nothing says
    so. ``instrumented`` is the text that stands for the
    project's own source of the top function; empty if that is compiled itself.
    """

    folder: Path
    top: Signature
    n_inputs: str = ""
    instrumented: str = ""

    @property
    def files(self) -> FileSet:
        """The sources beside those of the project."""
        source = f"{self.top.name}_traced.cpp" if self.instrumented else ""
        text = _TEMPLATES.get_template("ports_bench.cpp.j2").render(
            banner=f"Written by trigforge {__version__}.",
            top=self.top,
            source=source or f"firmware/{self.top.name}.cpp",
            n_inputs=self.n_inputs,
        )
        header = Path(__file__).parent / "templates" / HEADER
        traced = {source: self.instrumented} if source else {}
        return FileSet({BENCH: text, HEADER: header.read_bytes(), **traced})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the compiler says of a bench: formats and sizes of its ports and layers."""

    input: Port
    layers: tuple[Port, ...]
    output: Port

    @property
    def n_results(self) -> int:
        """Integers that an event gives: those of the layers, then those of the output."""
        return sum(port.n_elements for port in (*self.layers, self.output))


def build(bench: Bench, store: Store, *, progress: Progress = no_progress) -> Path:
    """Return the program of a bench, compiled if nothing like it is stored.

    Raises:
        ToolError: if g++ is missing or the project does not compile.
        StoreError: if the stored program is corrupt or the disk is full.
    """
    toolchain.compiler()  # refuse before the project is read
    types = _number_types(bench.folder)
    digest = digest_of(
        _project_sources(bench.folder).digest,
        bench.files.digest,
        "" if types is None else read_folder(types).digest,
        *FLAGS,
        toolchain.compiler_version(),
    )

    def arguments(folder: Path) -> list[str | Path]:
        fill_folder(folder, bench.files)
        included = [] if types is None else [f"-I{types}"]
        options = ["-Wfatal-errors", "-iquote", ".", "-iquote", "firmware"]
        return [*included, *options, (folder / BENCH).absolute()]

    entry = Entry(kind=KIND, digest=digest, project=bench.folder)
    return compiled(entry, arguments, store, progress=progress)


def ask_ports(bench: Bench, path: Path, n_inputs: int | None = None) -> Ports:
    """Run a program once, on zeros, and read what it says of its ports.

    ``n_inputs`` is how many elements an event has, if not what the bench says.

    Raises:
        ToolError: if it fails: weights are missing, or the size of an event is wrong.
        InputError: if a port has a format that this project does not compute with.
    """
    program = Program(path=path, project=bench.folder, n_results=0)
    arguments: list[str | Path] = ["ports"] if n_inputs is None else ["ports", str(n_inputs)]
    with tempfile.TemporaryDirectory(prefix="trigforge-csim-") as folder:
        lines = call(program, arguments, Path(folder)).splitlines()
    ports: dict[str, list[Port]] = {"input": [], "layer": [], "output": []}
    for line in lines:
        match = re.fullmatch(r"(input|layer|output) (\S+) (\d+) (.*)", line)
        if match is None or int(match[3]) == 0:
            msg = f"C simulation of {bench.folder}: a tensor without elements: {line!r}"
            raise ToolError(msg)
        name = match[4] or getattr(bench.top, match[1]).name
        port = Port(name=name, shape=(int(match[3]),), format=parse_format(match[2]))
        ports[match[1]].append(port)
    (source,), (sink,) = ports["input"], ports["output"]
    return Ports(input=source, layers=tuple(ports["layer"]), output=sink)


def count_expression(folder: Path, top: Signature) -> str:
    """Return the C++ expression of how many elements an event of a project has.

    An array says it itself. Of a stream, other files do, in this order: hls4ml's bridge to
    Python and its test bench, which fill it, or the test bench of a project written here;
    the sizes that hls4ml until 0.6 returned; the macros of its input in ``defines.h``. Empty
    if none of them does.
    """
    if top.input.kind is Kind.ARRAY:
        return top.input.size
    element = re.escape(top.input.type)
    filled = re.compile(
        rf"(?:copy_data\s*<\s*\w+\s*,\s*{element}\s*,\s*0\s*,|convert_data\s*<\s*\w+\s*,"
        rf"\s*{element}\s*,|fill_zero\s*<\s*{element}\s*,)(?P<size>[^<>;,]+)>"
    )
    played = re.compile(r"\btest_bench\s*\(\s*\w+\s*,(?P<size>\s*\d+\s*),")
    returned = re.compile(r"const_size_in_\d+\s*=\s*(?P<size>[^;]+);")
    places = (
        (f"{top.name}_bridge.cpp", filled),
        (f"{top.name}_test.cpp", filled),
        (f"{top.name}_test.cpp", played),
        (f"firmware/{top.name}.cpp", returned),
    )
    for name, pattern in places:
        path = folder / name
        match = pattern.search(signature.read_text(path)) if path.is_file() else None
        if match is not None:
            return match["size"].strip()
    defines = folder / "firmware/defines.h"
    text = signature.read_text(defines) if defines.is_file() else ""
    macros = dict.fromkeys(re.findall(r"^#define\s+(N_INPUT_\d+_\d+)\b", text, re.MULTILINE))
    inputs = {macro.rpartition("_")[2] for macro in macros}
    return " * ".join(macros) if len(inputs) == 1 else ""


def _project_sources(folder: Path) -> FileSet:
    """Read what a project's program is compiled from; all of it is below ``firmware``."""
    firmware = folder / "firmware"
    try:
        return FileSet(
            {
                path.relative_to(firmware).as_posix(): path.read_bytes()
                for path in firmware.rglob("*")
                if path.suffix in _SOURCES and path.is_file()
            }
        )
    except OSError as error:
        msg = f"{error.filename} cannot be read: {error.strerror}"
        raise InputError(msg) from error


def _number_types(folder: Path) -> Path | None:
    """Return the open ``ap_types`` that hls4ml ships, for a project that has none.

    Raises:
        ToolError: if hls4ml is not installed.
    """
    if (folder / "firmware/ap_types/ap_fixed.h").is_file():
        return None
    package = importlib.util.find_spec("hls4ml")
    for place in (package.submodule_search_locations or ()) if package is not None else ():
        types = Path(place, "templates/vivado/ap_types")
        if types.is_dir():
            return types.absolute()
    msg = f"{folder} has no firmware/ap_types, and hls4ml, which ships them, is not installed"
    raise ToolError(msg)
