"""Open logic synthesis: ``Firmware, Store -> Synthesis``.

Yosys maps the design to cells of the part's architecture and counts them; no vendor program
is needed. It places and routes nothing: its LUTs are cells, of which a placer packs some in
pairs, and its delay knows no wires. What it wrote is kept by the digest of the sources, the
script and its version; the figures are read anew each time.
"""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trigforge.core.costs import LogicDelay, Resources, Source
from trigforge.core.errors import InputError, ToolError
from trigforge.core.files import FileSet, digest_of, fill_folder, refusing_os_errors
from trigforge.core.records import Firmware, Progress, no_progress
from trigforge.vendor import devices, yosys

if TYPE_CHECKING:
    from trigforge.core.store import Store

"""A network of 43,000 LUT cells takes 4 minutes and 1,500 MB."""

STAGE = "logic synthesis, Yosys"

_KIND = "synthesis"
_RUN = "run.json"
_VERILOG = (".v", ".sv")
_INSTANTIATES_DSPS = re.compile(rb"^\s*DSP48E[12]\s+#", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How far logic synthesis may go."""

    timeout_s: float = 2 * 3600
    memory_mb: int = 16_000
    delay: bool = True
    """Look for the slowest path: more than half an hour where there are thousands of DSPs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthesis:
    """What logic synthesis found a design to take, and how long its slowest path is."""

    resources: Resources
    """``lut`` counts LUT cells, none of them packed in pairs: see ``vendor.yosys.CellCounts``."""
    lut_packed: int
    """LUTs if all functions that could share one did: fewer than any placement takes."""
    delay: LogicDelay | None
    """None if no path of the design has known delays, or none was looked for."""
    cells: tuple[tuple[str, int], ...]
    """How many of each library cell, by name."""
    log: Path
    seconds: float
    """Wall clock of the synthesis, when it ran."""
    cached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    """What one run of Yosys is made from."""

    sources: FileSet
    script: str

    @property
    def digest(self) -> str:
        return digest_of(self.sources.digest, self.script, yosys.version())


def run(
    firmware: Firmware,
    store: Store,
    *,
    effort: Effort | None = None,
    progress: Progress = no_progress,
) -> Synthesis:
    """Synthesise firmware for its part; nothing is done if the store has the result.

    Source files that are no Verilog (.v, .sv) are laid beside it, for ``include`` and
    ``$readmemh``.

    Raises:
        SpecError: if the part is not in ``vendor.devices``.
        InputError: if the firmware has no Verilog sources or names that Yosys cannot take.
        ToolError: if the design does not compile, has undriven wires or combinational loops
            or holds cells that nobody can count; if Yosys runs past a limit or crashes.
        StoreError: if a source cannot be read, the stored result is corrupt or the disk full.
    """
    effort = effort or Effort()
    job = _job(firmware, effort)
    folder = store.find(_KIND, job.digest)
    cached = folder is not None
    if folder is None:
        what = f"logic synthesis of {firmware.name}"
        progress(what, 0, 1)
        where = f"{what} in {firmware.folder}"
        folder = _synthesise(job, store, effort, what=where)
        progress(what, 1, 1)
    return _read(folder, firmware, cached=cached)


def is_done(firmware: Firmware, store: Store) -> bool:
    """Tell whether the result can be had without synthesis."""
    return store.find(_KIND, _job(firmware, Effort()).digest) is not None


def _job(firmware: Firmware, effort: Effort) -> _Job:
    if firmware.language != "verilog":
        msg = f"Yosys reads Verilog; the firmware {firmware.name} is written in {firmware.language}"
        raise ToolError(msg)
    architecture = devices.find(firmware.part).architecture
    verilog = [source for source in firmware.sources if source.endswith(_VERILOG)]
    if not verilog:
        msg = f"the firmware in {firmware.folder} has no Verilog sources ({', '.join(_VERILOG)})"
        raise InputError(msg)
    with refusing_os_errors(f"reading the sources of {firmware.name}"):
        sources = FileSet(
            {source: (firmware.folder / source).read_bytes() for source in firmware.sources}
        )
    infer = not any(_INSTANTIATES_DSPS.search(content) for content in sources.values())
    script = yosys.script(verilog, firmware.name, architecture, infer=infer, delay=effort.delay)
    return _Job(sources=sources, script=script)


def _synthesise(job: _Job, store: Store, effort: Effort, *, what: str) -> Path:
    """Run Yosys on a copy of the sources and keep what it wrote."""
    with tempfile.TemporaryDirectory(prefix="trigforge-synthesis-") as name:
        workspace = Path(name)
        fill_folder(workspace, job.sources)
        (workspace / yosys.SCRIPT).write_text(job.script)
        seconds = yosys.run(
            workspace, timeout_s=effort.timeout_s, memory_mb=effort.memory_mb, what=what
        )
        with store.adding(_KIND, job.digest) as folder:
            for written in (yosys.SCRIPT, yosys.LOG, yosys.STATISTICS, yosys.TIMING):
                if not (workspace / written).exists():
                    continue  # no slowest path was asked for
                (folder / written).write_bytes((workspace / written).read_bytes())
            (folder / _RUN).write_text(json.dumps({"seconds": round(seconds, 2)}) + "\n")
    return store.folder(_KIND, job.digest)


def _read(folder: Path, firmware: Firmware, *, cached: bool) -> Synthesis:
    statistics = yosys.read_statistics((folder / yosys.STATISTICS).read_text())
    counts, timing = statistics.counts, folder / yosys.TIMING
    resources = Resources(
        part=firmware.part,
        lut=counts.lut,
        ff=counts.ff,
        dsp=counts.dsp,
        bram_18k=counts.bram_18k,
        uram=counts.uram,
        carry=counts.carry,
        source=Source.MEASURED,
        tool=statistics.tool,
        stage=_stage(firmware.part),
    )
    return Synthesis(
        resources=resources,
        lut_packed=counts.lut_packed,
        delay=yosys.read_delay(timing.read_text(), statistics.tool) if timing.exists() else None,
        cells=statistics.cells,
        log=folder / yosys.LOG,
        seconds=float(json.loads((folder / _RUN).read_text())["seconds"]),
        cached=cached,
    )


def _stage(part: str) -> str:
    """Name the stage, and the stand-in where Yosys has no target of its own."""
    if devices.find(part).architecture is devices.Architecture.VERSAL:
        return f"{STAGE} (as for UltraScale+: it has no target for Versal)"
    return STAGE
