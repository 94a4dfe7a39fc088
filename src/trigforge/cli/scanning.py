"""The commands of a scan: ``scan SCAN``, ``scan front SCAN``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from trigforge.cli.options import Json, Quiet, SampleFile
from trigforge.cli.terminal import Terminal, quiet_imports

if TYPE_CHECKING:
    from trigforge.scan.search import Search

ScanPath = Annotated[Path, typer.Argument(metavar="SCAN", help="YAML file of a scan")]
Storage = Annotated[
    str | None,
    typer.Option("--storage", help="database URL of the study; default: SQLite in reports/NAME"),
]
Scheduler = Annotated[
    str | None,
    typer.Option("--scheduler", help="address of a Dask scheduler; default: workers here"),
]
Workers = Annotated[
    int | None, typer.Option("--workers", min=1, help="workers started here; default: one a core")
]


class RunsByDefault(TyperGroup):
    """``scan FILE`` is ``scan run FILE``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the default command before anything that is no command."""
        if args and args[0] not in {*self.commands, "--help"}:
            args.insert(0, "run")
        return list(super().parse_args(ctx, args))


scan = typer.Typer(
    cls=RunsByDefault,
    help="Search for designs that are worth much and take little.",
    no_args_is_help=True,
)


@scan.command()
def run(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    context: typer.Context,
    file: ScanPath,
    scheduler: Scheduler = None,
    workers: Workers = None,
    storage: Storage = None,
    sample: SampleFile = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Try designs, synthesise the front, write table, picture and page; goes on where it was."""
    search = _open(context, file, storage, sample)
    with quiet_imports():
        from trigforge.report import scanning
        from trigforge.scan import search as searching
        from trigforge.scan import table

    screen = Terminal(quiet=quiet)
    with screen.progress() as progress:
        result = searching.run(search, scheduler=scheduler, n_workers=workers, progress=progress)
    table.write(result, search.folder)
    page = scanning.publish(result, search.folder)
    if json:
        typer.echo(scanning.dump(result))
        return
    screen.show(scanning.summarise(result))
    typer.echo(f"table:   {search.folder / table.PARQUET}, {search.folder / table.CSV}")
    typer.echo(f"page:    {page}")
    typer.echo(f"best:    trigforge scan front {file} --take 1 --out DIR")


@scan.command()
def front(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    context: typer.Context,
    file: ScanPath,
    take: Annotated[int, typer.Option("--take", min=1, help="so many designs, the best first")],
    out: Annotated[Path, typer.Option("--out", help="folder to write specs and networks to")],
    storage: Storage = None,
    sample: SampleFile = None,
    quiet: Quiet = False,
) -> None:
    """Write the best designs as specs with their networks, for `trigforge run`."""
    search = _open(context, file, storage, sample)
    with quiet_imports():
        from trigforge.report import scanning
        from trigforge.scan import front as fronts

    with Terminal(quiet=quiet).progress() as progress:
        written = fronts.write(search, take, out, progress)
    for trial, path in written:
        typer.echo(f"{path}: {scanning.describe(trial, search.space.scan.objectives)}")


def _open(context: typer.Context, file: Path, storage: str | None, sample: Path | None) -> Search:
    """Read a scan and its base; their errors come before anything is started."""
    from trigforge.cli.options import open_spec
    from trigforge.scan import space

    found = space.read(file)
    _, workspace = open_spec(found.base_file, context)
    with quiet_imports():
        from trigforge.scan.search import Search

    return Search(space=found, workspace=workspace, storage=storage, sample_file=sample)
