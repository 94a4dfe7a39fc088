"""The command that says where referees part, and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trigforge.cli.options import EXIT_FAILED, Json, Quiet, SampleFile, SpecPath, open_spec
from trigforge.cli.terminal import Terminal, quiet_imports

Events = Annotated[int, typer.Option("--events", min=1, help="so many of the spec's events")]
Plot = Annotated[
    Path | None,
    typer.Option(
        "--plot", help="box plots of weights and activations against their formats: .png or .svg"
    ),
]


def diagnose(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    context: typer.Context,
    spec: SpecPath,
    events: Events = 1000,
    plot: Plot = None,
    sample: SampleFile = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find the first layer, element and event where referees part, and name the cause."""
    loaded, workspace = open_spec(spec, context)
    with quiet_imports():
        from trigforge.core.files import write_file
        from trigforge.pipeline import diagnosing
        from trigforge.report import diagnosis, document, health, health_plot

    kind = None if plot is None else health_plot.format_of(plot)
    screen = Terminal(quiet=quiet)
    with screen.progress() as progress:
        found = diagnosing.diagnose(loaded, workspace, sample, events, progress)
    if json:
        typer.echo(document.dump(found))
    else:
        screen.show(health.summarise(found.health))
        screen.show(diagnosis.show_all(found.diagnoses, found.left_out))
    if plot is not None and kind is not None:
        title = f"{found.name}: {found.n_events:,} events"
        write_file(plot, health_plot.draw(found.health, title=title, picture_format=kind))
        typer.echo(f"{plot}: written", err=json)
    raise typer.Exit(0 if found.met else EXIT_FAILED)
