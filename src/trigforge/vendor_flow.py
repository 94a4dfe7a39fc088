"""Ask the vendor's programs, where there are any: ``HlsProject | Firmware -> figures``.

Nothing else in this package needs them. What they write is kept by the digest of all they read
and of their version, reports and logs included; the records are read from the reports anew.
Of a run that failed the logs are kept in the store's folder ``vendor_logs``.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trigforge.core.costs import Latency, Resources, Source
from trigforge.core.errors import InputError, ToolError
from trigforge.core.files import FileSet, digest_of, fill_folder, read_folder, writing_folder
from trigforge.core.records import Firmware, HlsProject, Progress, no_progress
from trigforge.vendor import csynth_report, tcl, toolchain, vitis_hls, vivado, vivado_report
from trigforge.vendor.csynth_report import CoSimulation, CSynthesis
from trigforge.vendor.vivado_report import TimingClosure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trigforge.core.store import Store
    from trigforge.vendor.vitis_hls import HlsSettings

PROGRAMS = (*vitis_hls.PROGRAMS, vivado.PROGRAM)
HLS_TIMEOUT_S = 24 * 3600
IMPLEMENTATION_TIMEOUT_S = 24 * 3600
FAILURES = "vendor_logs"


@dataclass(frozen=True, slots=True, kw_only=True)
class HlsBuild:
    """What high-level synthesis made of a project; ``folder`` holds reports, RTL and logs."""

    folder: Path
    c_synthesis: CSynthesis
    co_simulation: CoSimulation | None
    ip: Path | None
    """The RTL, packed as an IP core."""

    @property
    def latency(self) -> Latency | None:
        """The longest measured in co-simulation if it passed, else that of C synthesis."""
        estimated, measured = self.c_synthesis.latency, self.co_simulation
        if measured is None or not measured.passed:
            return estimated
        if measured.latency_cycles is None or measured.interval_cycles is None:
            return estimated
        return Latency(
            cycles=measured.latency_cycles[2],
            interval_cycles=measured.interval_cycles[2],
            clock_mhz=1000 / self.c_synthesis.target_period_ns,
            source=Source.MEASURED,
            tool=f"{self.c_synthesis.resources.tool}, co-simulation",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Implementation:
    """What Vivado made of firmware, out of context; ``folder`` holds reports and logs."""

    folder: Path
    synthesised: Resources
    synthesised_timing: TimingClosure
    """An estimate: nothing is placed."""
    routed: Resources
    timing: TimingClosure


def available() -> tuple[str, ...]:
    """Return which of the vendor's programs are in PATH."""
    return tuple(name for name in PROGRAMS if _is_there(name))


def synthesise(
    project: HlsProject,
    settings: HlsSettings,
    store: Store,
    *,
    timeout_s: float = HLS_TIMEOUT_S,
    progress: Progress = no_progress,
) -> HlsBuild:
    """Run Vitis HLS on a project: C synthesis, export and co-simulation as the settings say.

    Raises:
        ToolError: if the project is of another backend, there is no Vitis HLS, it fails, or
            runs past ``timeout_s`` seconds.
        InputError: if the settings cannot be written into Tcl, or a report is not as expected.
    """
    if project.backend != vitis_hls.BACKEND:
        msg = (
            f"{project.folder} is C++ of the backend {project.backend}, which Vitis HLS does not "
            f"read; convert the network with the backend {vitis_hls.BACKEND}"
        )
        raise ToolError(msg)
    files = FileSet({**_hls_sources(project), **vitis_hls.scripts(project.name, settings)})
    program = vitis_hls.program()
    digest = digest_of(files.digest, program.name, _version(vitis_hls.version, program))
    folder = store.find("vitis_hls", digest)
    if folder is None:
        what = f"high-level synthesis of {project.name}"
        progress(what, 0, 1)
        with store.adding("vitis_hls", digest) as new, _workplace(files, store, digest) as work:
            vitis_hls.run(program, work, project.name, timeout_s=timeout_s)
            _check_asked(work, project.name, settings)
            _keep(work, new, _hls_results(project.name))
        progress(what, 1, 1)
        folder = store.folder("vitis_hls", digest)
    return _read_build(folder, project.name, settings)


def implement(
    firmware: Firmware,
    store: Store,
    *,
    timeout_s: float = IMPLEMENTATION_TIMEOUT_S,
    progress: Progress = no_progress,
) -> Implementation:
    """Run Vivado on firmware, out of context: synthesis, placement, routing.

    Raises:
        ToolError: if there is no Vivado, it fails, or runs past ``timeout_s`` seconds.
        InputError: if a source is missing, a name cannot be written into Tcl, or a report is
            not as expected.
    """
    files = _firmware_files(firmware)
    program = vivado.program()
    digest = digest_of(files.digest, _version(vivado.version, program))
    folder = store.find("vivado", digest)
    if folder is None:
        what = f"placing and routing {firmware.name}"
        progress(what, 0, 1)
        with store.adding("vivado", digest) as new, _workplace(files, store, digest) as work:
            vivado.run(program, work, timeout_s=timeout_s)
            _keep(work, new, ("*.log", "scripts/*", "constraints/*", "reports/*"))
        progress(what, 1, 1)
        folder = store.folder("vivado", digest)
    return Implementation(
        folder=folder,
        synthesised=_read_resources(folder / vivado.UTILISATION_SYNTH, firmware),
        synthesised_timing=_read_timing(folder / vivado.TIMING_SYNTH, firmware),
        routed=_read_resources(folder / vivado.UTILISATION_ROUTED, firmware),
        timing=_read_timing(folder / vivado.TIMING_ROUTED, firmware),
    )


def _is_there(name: str) -> bool:
    try:
        toolchain.require_tool(name, purpose="be listed", hint="")
    except ToolError:
        return False
    return True


def _firmware_files(firmware: Firmware) -> FileSet:
    """Return what Vivado reads of firmware: its sources, script and constraints.

    Raises:
        InputError: if a source is missing or a name cannot be written into Tcl.
    """
    sources = tcl.sources(firmware.sources, firmware.language)
    script = vivado.project_tcl(firmware.name, sources, firmware.part, firmware.language)
    files: dict[str, bytes | str] = {
        vivado.SCRIPT: script,
        f"constraints/{firmware.name}.xdc": vivado.constraints_xdc(firmware.clock_mhz),
    }
    for path in sources:
        try:
            files[path] = (firmware.folder / path).read_bytes()
        except OSError as error:
            msg = f"source {firmware.folder / path} cannot be read: {error.strerror}"
            raise InputError(msg) from error
    return FileSet(files)


def _hls_sources(project: HlsProject) -> dict[str, bytes]:
    """Return what Vitis HLS reads of a project; its own number types replace the open ones."""
    bench = f"{project.name}_test.cpp"
    wanted = re.compile(
        rf"{re.escape(bench)}|firmware/(?!ap_types/).*|tb_data/(?!\w+_results_raw\.txt).*"
    )
    sources = {
        path: content
        for path, content in read_folder(project.folder).items()
        if wanted.fullmatch(path)
    }
    for path in (bench, f"firmware/{project.name}.cpp"):
        if path not in sources:
            msg = f"{project.folder / path} is missing; write the project anew"
            raise InputError(msg)
    return sources


def _hls_results(top: str) -> tuple[str, ...]:
    solution = vitis_hls.solution(top)
    results = ("syn/report/*", "syn/verilog/*", "sim/report/*.rpt", "impl/**/*.zip")
    return ("*.log", "*.tcl", *(f"{solution}/{pattern}" for pattern in results))


def _check_asked(folder: Path, top: str, settings: HlsSettings) -> None:
    """Refuse a run that ended well without what was asked for."""
    if settings.export and vitis_hls.packed_ip(folder, top) is None:
        msg = f"high-level synthesis of {top} ended well but exported no IP core"
        raise ToolError(msg)
    if settings.cosim and not (folder / vitis_hls.co_simulation_report(top)).is_file():
        msg = f"high-level synthesis of {top} ended well but reported no co-simulation"
        raise ToolError(msg)


def _version(ask: Callable[[Path, Path], str], program: Path) -> str:
    """Ask a program for its version where it may leave files."""
    with tempfile.TemporaryDirectory(prefix="trigforge-version-") as folder:
        return ask(program, Path(folder))


@contextmanager
def _workplace(files: FileSet, store: Store, digest: str) -> Iterator[Path]:
    """Yield a fresh folder with files; if the run in it fails, its logs are kept."""
    with tempfile.TemporaryDirectory(prefix="trigforge-vendor-") as name:
        work = Path(name)
        fill_folder(work, files)
        try:
            yield work
        except ToolError as error:
            logs = store.root / FAILURES / digest[:24]
            with writing_folder(logs) as new:
                _keep(work, new, ("*.log",))
            msg = f"{error}\nthe logs are in {logs}"
            raise ToolError(msg) from error


def _keep(work: Path, new: Path, patterns: tuple[str, ...]) -> None:
    """Copy the files that match, with the folders they are in."""
    for pattern in patterns:
        for path in sorted(work.glob(pattern)):
            if path.is_file():
                target = new / path.relative_to(work)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


def _read_build(folder: Path, top: str, settings: HlsSettings) -> HlsBuild:
    """Read the reports of high-level synthesis; the exact part and clock are those asked for."""
    path = folder / vitis_hls.c_synthesis_report(top)
    synthesis = csynth_report.read_xml(path)
    period_ns = float(tcl.period_ns(settings.clock_mhz))
    if synthesis.top != top:
        msg = f"{path}: expected the report of {top}, found that of {synthesis.top}"
        raise InputError(msg)
    _check_part(path, synthesis.resources.part, settings.part)
    _check_period(path, synthesis.target_period_ns, period_ns, 0.006)
    simulation = folder / vitis_hls.co_simulation_report(top)
    return HlsBuild(
        folder=folder,
        c_synthesis=replace(
            synthesis,
            target_period_ns=period_ns,
            resources=replace(synthesis.resources, part=settings.part),
        ),
        co_simulation=csynth_report.read_co_simulation(simulation) if settings.cosim else None,
        ip=vitis_hls.packed_ip(folder, top) if settings.export else None,
    )


def _read_resources(path: Path, firmware: Firmware) -> Resources:
    resources = vivado_report.read_utilisation(path)
    _check_part(path, resources.part, firmware.part)
    return replace(resources, part=firmware.part)


def _read_timing(path: Path, firmware: Firmware) -> TimingClosure:
    timing = vivado_report.read_timing(path)
    _check_part(path, timing.part, firmware.part)
    _check_period(path, timing.period_ns, float(tcl.period_ns(firmware.clock_mhz)), 0.0005)
    return replace(timing, part=firmware.part)


def _check_part(path: Path, reported: str, asked: str) -> None:
    """Refuse a report of another part; the programs leave out ``xc``, hyphens and the grade."""
    short, whole = (re.sub(r"^xc|[^a-z0-9]", "", name.lower()) for name in (reported, asked))
    if not whole.startswith(short):
        msg = f"{path}: expected a report of the part {asked}, found {reported}"
        raise InputError(msg)


def _check_period(path: Path, reported_ns: float, asked_ns: float, rounding_ns: float) -> None:
    if abs(reported_ns - asked_ns) > rounding_ns:
        msg = f"{path}: expected a clock of {asked_ns} ns, found {reported_ns} ns"
        raise InputError(msg)
