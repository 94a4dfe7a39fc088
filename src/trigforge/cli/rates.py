"""The command that counts rates over more events than memory holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trigforge.cli.options import Json, Quiet, SpecPath, open_spec
from trigforge.cli.terminal import Terminal, quiet_imports

EventFiles = Annotated[
    list[Path] | None,
    typer.Option(
        "--events",
        help="background events, counted anew: .npy (any size), .npz, Parquet, ROOT; repeatable",
    ),
]
Chunks = Annotated[
    int | None,
    typer.Option(
        "--chunks", min=1, help="go on to so many chunks of 5000 generated crossings in all"
    ),
]


def rates(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    context: typer.Context,
    spec: SpecPath,
    events: EventFiles = None,
    chunks: Chunks = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Count scores of background as firmware gives them: thresholds against rates.

    The counts are kept beside the model, where `run` finds them; without --events and --chunks
    they are shown.
    """
    if events and chunks is not None:
        msg = "give either --events or --chunks: one count is of one kind of events"
        raise typer.BadParameter(msg)
    loaded, workspace = open_spec(spec, context)
    with quiet_imports():
        from trigforge.pipeline import rates as counting
        from trigforge.report import document, trigger_tables

    request = counting.RatesRequest(files=tuple(events or ()), n_chunks=chunks)
    screen = Terminal(quiet=quiet)
    with screen.progress() as progress:
        found = counting.count(loaded, workspace, request, progress)
    if json:
        typer.echo(document.dump(found))
    else:
        screen.show(trigger_tables.counted_rates(found))
