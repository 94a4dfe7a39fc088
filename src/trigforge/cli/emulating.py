"""The command that scores events: a file on this machine, or many files on many machines."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group
from rich.table import Table
from rich.text import Text

from trigforge.cli.options import EXIT_USAGE, Json, Quiet, SpecPath, open_spec
from trigforge.cli.terminal import Terminal, quiet_imports

if TYPE_CHECKING:
    from rich.console import RenderableType

    from trigforge.core.config import AnySpec
    from trigforge.core.trigger import Measurement
    from trigforge.core.workspace import Workspace
    from trigforge.emulation import Accepted, Emulated, Missing
    from trigforge.pipeline.emulation import EmulationRequest

Events = Annotated[
    list[str],
    typer.Option(
        "--events",
        help="Parquet files, as a quoted pattern ('DIR/*.parquet'), repeatable; or one .npy, "
        "(events, ...). Integers are the link's, floats are encoded",
    ),
]
Out = Annotated[
    Path, typer.Option("--out", help="folder of the scores; of a .npy: the .npy file to write")
]
Threads = Annotated[
    int | None, typer.Option("--threads", min=1, help="of a .npy; default: one a core")
]
Scheduler = Annotated[
    str | None, typer.Option("--scheduler", help="address of a Dask scheduler: tcp://HOST:8786")
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers", min=1, help="to start here, without --scheduler; default: one a core"
    ),
]
ChunkEvents = Annotated[
    int | None, typer.Option("--chunk-events", min=1, help="of a chunk, at most; default: 2^20")
]
InputColumns = Annotated[
    str,
    typer.Option(
        "--columns", help="of the inputs, comma between, where they are not called like them"
    ),
]
Keep = Annotated[
    list[str] | None, typer.Option("--keep", help="column to copy beside the scores; repeatable")
]
NoScores = Annotated[
    bool, typer.Option("--no-scores", help="keep only how often each score occurred")
]
Thresholds = Annotated[
    list[int] | None,
    typer.Option("--threshold", help="raw score whose accepted share is wanted; repeatable"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What was asked for of Parquet files."""

    scheduler: str | None
    workers: int | None
    chunk_events: int | None
    columns: tuple[str, ...]
    keep: tuple[str, ...]
    no_scores: bool
    threshold: tuple[int, ...]
    json: bool

    def refuse_with_npy(self) -> None:
        """Refuse what does not go with a .npy file, which threads of this process score."""
        for name in self.__slots__:
            if getattr(self, name):
                msg = f"--{name.replace('_', '-')} goes with Parquet files, not with a .npy"
                raise typer.BadParameter(msg)

    def request(self, patterns: list[str], folder: Path) -> EmulationRequest:
        """Return what the pipeline is asked for."""
        from trigforge.emulation import CHUNK_EVENTS, Request
        from trigforge.pipeline.emulation import EmulationRequest

        return EmulationRequest(
            events=Request(
                patterns=tuple(patterns),
                folder=folder,
                columns=self.columns,
                keep=self.keep,
                chunk_events=self.chunk_events or CHUNK_EVENTS,
                scores=not self.no_scores,
            ),
            thresholds=self.threshold,
            scheduler=self.scheduler,
            n_workers=self.workers,
        )


def emulate(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    context: typer.Context,
    spec: SpecPath,
    events: Events,
    out: Out,
    threads: Threads = None,
    scheduler: Scheduler = None,
    workers: Workers = None,
    chunk_events: ChunkEvents = None,
    columns: InputColumns = "",
    keep: Keep = None,
    no_scores: NoScores = False,
    threshold: Thresholds = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the scores of millions of events, exactly as firmware computes them.

    Parquet files are scored by Dask's workers; what is done is not done again. Exit code 2 if
    events are missing in the end.
    """
    options = Options(
        scheduler=scheduler,
        workers=workers,
        chunk_events=chunk_events,
        columns=tuple(part for part in columns.split(",") if part),
        keep=tuple(keep or ()),
        no_scores=no_scores,
        threshold=tuple(threshold or ()),
        json=json,
    )
    screen = Terminal(quiet=quiet)
    if [Path(name).suffix for name in events] == [".npy"]:
        options.refuse_with_npy()
        opened = open_spec(spec, context)
        typer.echo(_emulate_one(opened, (Path(events[0]), out), threads, screen))
        return
    if threads is not None:
        msg = "--threads goes with a .npy; a worker scores a chunk on one thread"
        raise typer.BadParameter(msg)
    if scheduler is not None and workers is not None:
        msg = "give either --scheduler or --workers: a scheduler has its own"
        raise typer.BadParameter(msg)
    loaded, workspace = open_spec(spec, context)
    with quiet_imports():
        from trigforge import pipeline
        from trigforge.report import document

    with screen.progress() as progress:
        found = pipeline.emulation.emulate_files(
            loaded, workspace, options.request(events, out), progress
        )
    if json:
        typer.echo(document.dump(found.summary))
    else:
        screen.show(_shown(found))
    raise typer.Exit(0 if found.complete else EXIT_USAGE)


def _emulate_one(
    opened: tuple[AnySpec, Workspace],
    files: tuple[Path, Path],
    threads: int | None,
    screen: Terminal,
) -> str:
    """Score a .npy file on threads of this process; say what was written."""
    with quiet_imports():
        from trigforge import pipeline

    with screen.progress() as progress:
        n_events, n_outputs = pipeline.emulate(
            *opened, files, n_threads=threads or os.cpu_count() or 1, progress=progress
        )
    return f"{files[1]}: {n_events} events, {n_outputs} raw scores each"


def _shown(found: Emulated) -> RenderableType:
    """Return what is told of a campaign on a terminal."""
    summary = found.summary
    before = f", {found.n_found} of them there before" if found.n_found else ""
    lines = [
        f"{found.file}: {summary.n_events:,} events in {summary.n_chunks} chunks{before}",
        *(f"missing: {_place(entry)}: {entry.reason}" for entry in summary.missing),
    ]
    tables = (_accepted(summary.name, entry) for entry in summary.accepted)
    return Group(*tables, *map(Text, lines))


def _place(missing: Missing) -> str:
    """Say which events are missing."""
    if missing.row_groups is None:
        return missing.input
    first, last = missing.row_groups
    return f"{missing.input}, row group{f's {first} to {last}' if last > first else f' {first}'}"


def _accepted(name: str, accepted: Accepted) -> Table:
    """Return what thresholds accept."""
    table = Table(
        title=f"{name}: accepted as {', '.join(accepted.signals)} ({accepted.discriminant})",
        caption=f"{accepted.n_events:,} events of {accepted.n_lots} files as background, "
        f"{accepted.background_rate_khz:,.5g} kHz of it; intervals of 68.3 %",
        title_justify="left",
        caption_justify="left",
    )
    for heading in ("threshold", "accepted share", "rate in kHz", ""):
        table.add_column(heading, justify="right")
    rows = {entry.threshold: (entry, "") for entry in accepted.wanted}
    rows[accepted.working.threshold] = (accepted.working, "working point")
    for threshold in sorted(rows):
        entry, what = rows[threshold]
        table.add_row(str(threshold), _written(entry.share), _written(entry.rate_khz), what)
    return table


def _written(measured: Measurement) -> str:
    """Return a number with its uncertainty upwards and downwards."""
    if measured.value == 0:
        return f"below {measured.high:.3g}"
    above, below = measured.high - measured.value, measured.value - measured.low
    return f"{measured.value:.4g} +{above:.2g} -{below:.2g}"
