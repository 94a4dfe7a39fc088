"""The command about HLS projects that somebody else delivered."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trigforge.cli.options import EXIT_FAILED
from trigforge.cli.terminal import Terminal, quiet_imports

if TYPE_CHECKING:
    from trigforge.core.records import Port
    from trigforge.core.store import Store
    from trigforge.pipeline.foreign import ForeignRun, Request

SpecOrProject = Annotated[
    Path,
    typer.Argument(
        metavar="SPEC_OR_PROJECT", help="YAML file of a model, or an HLS project's folder"
    ),
]
Inputs = Annotated[
    Path | None,
    typer.Option(
        "--inputs",
        help="events for a PROJECT: .npy, .dat of decimal numbers, or text of raw integers",
    ),
]
Expected = Annotated[
    Path | None,
    typer.Option("--expected", help="raw outputs that a PROJECT must give (.npy or text)"),
]
Out = Annotated[
    Path | None, typer.Option("--out", help="the .npy file of raw outputs of a PROJECT to write")
]
TraceFile = Annotated[
    Path | None,
    typer.Option("--trace", help="the .npz file to write, raw results of each layer of a PROJECT"),
]
NumberOfInputs = Annotated[
    int | None,
    typer.Option("--n-inputs", min=1, help="elements of an event, where a PROJECT does not say"),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options that only a PROJECT takes."""

    inputs: Path | None = None
    expected: Path | None = None
    out: Path | None = None
    trace: Path | None = None
    n_inputs: int | None = None

    def refuse_with_a_spec(self, spec: Path) -> None:
        """Say that a SPEC, which brings its own events, takes none of them."""
        given = [name for name, value in asdict(self).items() if value is not None]
        if given:
            msg = f"--{given[0].replace('_', '-')} goes with a PROJECT's folder; {spec} is none"
            raise typer.BadParameter(msg)


def simulate(folder: Path, options: Options, store: Store, *, json: bool, quiet: bool) -> None:
    """Compile and run a project as it lies on disk, and compare it with what is expected."""
    if options.inputs is None:
        msg = f"{folder} is a PROJECT: --inputs FILE says which events to play"
        raise typer.BadParameter(msg)
    with quiet_imports():
        from trigforge.pipeline import foreign
        from trigforge.report import document

    request = foreign.Request(
        inputs=options.inputs,
        expected=options.expected,
        out=options.out,
        trace=options.trace,
        n_inputs=options.n_inputs,
    )
    screen = Terminal(quiet=quiet)
    with screen.progress() as progress:
        found = foreign.simulate(folder, request, store, progress)
    if json:
        typer.echo(document.dump(found))
    else:
        _show(found, request, screen)
    raise typer.Exit(0 if found.met else EXIT_FAILED)


def _show(found: ForeignRun, request: Request, screen: Terminal) -> None:
    from trigforge.report import terminal

    project = found.project
    typer.echo(f"{project.folder}: {project.name}, {project.backend}, {project.io_type}")
    typer.echo(f"input {_described(project.input)}")
    typer.echo(f"output {_described(project.output)}")
    for layer in found.layers:
        typer.echo(f"layer {_described(layer)}")
    for name, reason in found.left_out:
        typer.echo(f"layer {name} was not traced: {reason}")
    for warning in found.warnings:
        typer.echo(f"warning: {warning}")
    typer.echo(f"{found.n_events} events simulated")
    if request.out is not None:
        typer.echo(f"{request.out}: raw outputs")
    if request.trace is not None:
        typer.echo(f"{request.trace}: raw results of {len(found.layers)} layers")
    if found.agreement is not None:
        screen.show(terminal.agreements_table((found.agreement,)))


def _described(port: Port) -> str:
    return f"{port.name}: {port.n_elements} elements of {port.format}"
