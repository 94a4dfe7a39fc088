"""The command that judges many specs at once, for continuous integration."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trigforge.cli.options import Json, Quiet, SpecPaths, open_spec
from trigforge.cli.terminal import Terminal, quiet_imports

if TYPE_CHECKING:
    from trigforge.core.verdict import SpecVerdict
    from trigforge.gate import Candidate
    from trigforge.gate.baseline import Baseline


def check(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    context: typer.Context,
    specs: SpecPaths,
    baseline: Annotated[
        Path | None,
        typer.Option("--baseline", help="no figure may be worse than in this file"),
    ] = None,
    write_baseline: Annotated[
        Path | None,
        typer.Option("--write-baseline", help="write the figures of the specs that met all checks"),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", help="the JUnit XML file to write")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="specs at a time; default: one a core")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="what could not be judged is a failure")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run many specs, each by itself, and say whether all of them meet what is demanded.

    Exit code 1: a check failed; 2: none failed, but a spec could not be judged.
    """
    for path in (write_baseline, junit):
        _refuse_folder(path)
    with quiet_imports():
        from trigforge import gate
        from trigforge.report import document, overview

    stored = None if baseline is None else gate.baseline.read(baseline)
    previous = _previous(write_baseline, baseline, stored)
    demands = gate.Demands(baseline=stored, strict=strict, recording=write_baseline is not None)
    candidates = [_candidate(path, context) for path in specs]
    screen = Terminal(quiet=quiet)
    with screen.progress() as progress:
        n_jobs = jobs or os.cpu_count() or 1
        verdicts = gate.check(candidates, demands, n_jobs=n_jobs, progress=progress)
    if json:
        for verdict in verdicts:
            typer.echo(document.dump(verdict))
    else:
        screen.show(overview.show(verdicts))
    _publish(verdicts, junit, stream_is_free=not json)
    for name in () if stored is None else gate.baseline.unchecked(stored, verdicts):
        typer.echo(f"{baseline}: {name} is in the baseline but was not checked", err=True)
    if write_baseline is not None:
        gate.baseline.write(gate.baseline.record(previous, verdicts), write_baseline)
        _tell_recorded(verdicts, write_baseline)
    raise typer.Exit(gate.exit_code(verdicts))


def _publish(
    verdicts: tuple[SpecVerdict, ...], junit: Path | None, *, stream_is_free: bool
) -> None:
    """Give the verdicts to the CI system in its own forms."""
    from trigforge.report import annotations
    from trigforge.report import junit as junit_report

    if os.environ.get("GITHUB_ACTIONS") == "true":
        for line in annotations.annotate(verdicts):
            typer.echo(line, err=not stream_is_free)  # the runner reads both streams
    if junit is not None:
        junit_report.write(verdicts, junit)


def _refuse_folder(path: Path | None) -> None:
    """Refuse before the work what could not be written after it."""
    if path is not None and path.is_dir():
        msg = f"{path} is a folder; name the file to write"
        raise typer.BadParameter(msg)


def _previous(path: Path | None, baseline: Path | None, stored: Baseline | None) -> Baseline | None:
    """Return the baseline whose tolerances and other models a new one keeps."""
    from trigforge.gate import baseline as file

    if path is None or path == baseline:
        return stored
    return file.read(path) if path.exists() else stored


def _candidate(path: Path, context: typer.Context) -> Candidate | SpecVerdict:
    """Open a spec; one that cannot be read must not keep the others from being judged."""
    from trigforge.core.errors import TrigforgeError
    from trigforge.core.verdict import SpecVerdict
    from trigforge.gate import Candidate

    try:
        spec, workspace = open_spec(path, context)
    except TrigforgeError as error:
        return SpecVerdict(name=str(path), spec=path, error=str(error))
    return Candidate(path=path, spec=spec, workspace=workspace)


def _tell_recorded(verdicts: tuple[SpecVerdict, ...], path: Path) -> None:
    """Say whose figures are in the new baseline and whose are not."""
    recorded = [verdict.name for verdict in verdicts if verdict.met and verdict.figures]
    typer.echo(f"{path}: figures of {', '.join(recorded) or 'no model'}", err=True)
    for verdict in verdicts:
        if verdict.name not in recorded:
            typer.echo(f"{path}: {verdict.name} is not written: not all checks were met", err=True)
