"""Build the C++ bench around a design and run it: ``Design -> program``, kept in the store.

Verilator writes C++; its functions are compiled in a few large units, because parsing the
runtime's header takes longer than most of the small files Verilator writes (a 16-64-32-32-5
network: 12 s of processor time instead of 38). Its makefile is not used.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trigforge.core import packing
from trigforge.core.errors import ToolError
from trigforge.core.files import digest_of, fill_folder
from trigforge.core.records import Progress, no_progress
from trigforge.cosim import runtime
from trigforge.cosim.scenario import Observed
from trigforge.cosim.traffic import RESET_CYCLES
from trigforge.vendor import toolchain, verilator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trigforge.core.store import Store
    from trigforge.cosim.design import Design
    from trigforge.cosim.traffic import Schedule

PROGRAM = "bench"
_SOURCE = Path(__file__).parent / "source"
UNIT_BYTES = 2_000_000
"""C++ that is compiled as one unit, so that a unit needs less than 400 MB."""

OUTPUT_SPLIT = ("--output-split", "2000")
FAST_FLAGS, SLOW_FLAGS = ("-O3",), ("-O0",)
"""For what runs each cycle, and for what runs once. Of a 16-64-32-32-5 network -O3 simulates
1.4 times as many cycles a second as -O1 and compiles no slower."""

RUN_TIMEOUT_S = 3600


def _trace_options(waves: Path | None) -> tuple[str, ...]:
    """Return Verilator's options for a waveform file, whose suffix says the format.

    Raises:
        ToolError: if the suffix is neither .vcd nor .fst.
    """
    if waves is None:
        return ()
    known = {".vcd": "--trace-vcd", ".fst": "--trace-fst"}
    if waves.suffix not in known:
        msg = f"waveforms cannot be written to {waves}: the name must end in .vcd or .fst"
        raise ToolError(msg)
    return (known[waves.suffix],)


def build(
    design: Design, store: Store, *, waves: Path | None = None, progress: Progress = no_progress
) -> Path:
    """Return the program that plays events into a design, compiled if it is not stored.

    Raises:
        ToolError: if Verilator or the compiler is missing or refuses the design.
        StoreError: if the stored program is corrupt or the disk is full.
    """
    tool = verilator.find()
    options = (*OUTPUT_SPLIT, *_trace_options(waves))
    digest = digest_of(design.digest, _bench_text(), *options, *_tools(tool))
    if store.find("cosim", digest) is None:
        runtime_folder = _runtime(tool, waves, store)
        what = f"compiling the simulation of {design.title}"
        progress(what, 0, 1)
        with (
            store.adding("cosim", digest) as folder,
            tempfile.TemporaryDirectory(prefix="trigforge-verilated-") as work,
        ):
            _compile_model(design, waves, tool, Path(work))
            _link([*Path(work).glob("*.o"), *runtime_folder.glob("*.o")], folder)
        progress(what, 1, 1)
    return store.folder("cosim", digest) / PROGRAM


def play(
    design: Design,
    program: Path,
    events: NDArray[np.uint32],
    schedule: Schedule,
    waves: Path | None = None,
) -> Observed:
    """Play packed events ``(n_events, n_words)`` and return what came out.

    Raises:
        ToolError: if the program fails, runs past its limit or cannot write the waveforms.
    """
    with tempfile.TemporaryDirectory(prefix="trigforge-cosim-") as name:
        folder = Path(name)
        fill_folder(folder, design.memories)
        events.astype("<u4").tofile(folder / "events")
        schedule.flags().tofile(folder / "traffic")
        widths = [packing.n_bits(port) for port in (design.input, design.output)]
        n_cycles = schedule.n_cycles + design.drain_cycles
        numbers = [str(number) for number in (*widths, n_cycles, RESET_CYCLES)]
        completed = toolchain.run(
            [
                program.absolute(),
                "events",
                "traffic",
                "results",
                *numbers,
                *([waves.absolute()] if waves else []),
            ],
            folder=folder,
            timeout_s=RUN_TIMEOUT_S,
            what=f"simulating {design.title}",
        )
        words = ("words", "<u4", (packing.n_words(design.output),))
        results = np.fromfile(folder / "results", dtype=[("cycle", "<u8"), words])
    if waves is not None and not waves.exists():
        msg = f"waveforms could not be written to {waves}; is there a folder to write to?"
        raise ToolError(msg)
    n_played, seconds = completed.text.split()[-2:]
    return Observed(
        cycles=results["cycle"].astype(np.int64),
        words=results["words"].copy(),
        n_cycles=int(n_played),
        seconds=float(seconds),
    )


def _bench_text() -> str:
    return (_SOURCE / "bench.cpp").read_text()


def _tools(tool: verilator.Verilator) -> tuple[str, ...]:
    """Name everything but the sources that decides what is built."""
    flags = (*FAST_FLAGS, *SLOW_FLAGS, *runtime.FLAGS, *verilator.MODEL_FLAGS)
    return (tool.version, toolchain.compiler_version(), *flags)


def _flags(tool: verilator.Verilator, waves: Path | None) -> tuple[str, ...]:
    traces = () if waves is None else (waves.suffix[1:],)
    include = f"-I{_SOURCE / 'fst'}"  # before the system's lz4 and zlib, which may be missing
    return (include, *runtime.compiler_flags(tool, traces), "-DVL_TIME_CONTEXT")


def _runtime(tool: verilator.Verilator, waves: Path | None, store: Store) -> Path:
    traces = () if waves is None else (f"verilated_{waves.suffix[1:]}_c",)
    units = ("verilated", "verilated_threads", *traces)
    return runtime.objects(tool, units, _flags(tool, waves), store)


def _compile_model(
    design: Design, waves: Path | None, tool: verilator.Verilator, work: Path
) -> None:
    """Verilate a design and compile it with the bench in ``work``."""
    fill_folder(work, design.sources)
    sources = [work / path for path in design.order]
    options = (*OUTPUT_SPLIT, *_trace_options(waves))
    command = verilator.arguments(tool, design.top, sources, options)
    verilator.verilate(tool, command, work, f"verilating {design.title}")
    written = sorted(work.glob(f"{verilator.PREFIX}*.cpp"))
    slow = [path for path in written if path.stem.endswith("__Slow")]
    fast = [path for path in written if path not in slow]
    (work / "bench.cpp").write_text(_bench_text())
    units = [
        *((unit, FAST_FLAGS) for unit in _units("fast", [work / "bench.cpp", *fast], work)),
        *((unit, SLOW_FLAGS) for unit in _units("slow", slow, work)),
    ]
    runtime.compile_units(units, _flags(tool, waves), work, design.title)


def _units(name: str, paths: Sequence[Path], folder: Path) -> list[Path]:
    """Write files that include the given ones, about as many bytes each."""
    n_bytes = sum(path.stat().st_size for path in paths)
    n_units = 1 + n_bytes // UNIT_BYTES
    units = []
    for i in range(n_units):
        unit = folder / f"{name}{i}.cpp"
        included = paths[i::n_units]
        unit.write_text("".join(f'#include "{path.name}"\n' for path in included))
        units.append(unit)
    return units


def _link(objects: Sequence[Path], folder: Path) -> None:
    toolchain.run(
        [toolchain.compiler(), "-o", PROGRAM, *objects, "-pthread"],
        folder=folder,
        timeout_s=runtime.COMPILE_TIMEOUT_S,
        what="linking the simulation",
    )
