"""The command that writes the page of a run anew, or of two runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Run = Annotated[
    Path | None, typer.Argument(metavar="RUN", help="folder of a run's report, or its report.json")
]
Compare = Annotated[
    tuple[Path, Path] | None,
    typer.Option("--compare", metavar="A B", help="two runs side by side, instead of RUN"),
]
Out = Annotated[Path | None, typer.Option("--out", help="of --compare: the .html file to write")]


def report(
    context: typer.Context, run: Run = None, compare: Compare = None, out: Out = None
) -> None:
    """Write the page and the figures of a run anew, or a page that compares two runs."""
    if (run is None) == (compare is None):
        msg = "name either a RUN, such as reports/NAME, or two runs by --compare A B"
        raise typer.BadParameter(msg)
    if compare is None and out is not None:
        msg = "--out is for --compare; the page of a run lies beside its report.json"
        raise typer.BadParameter(msg)
    if run is not None:
        from trigforge.report import page

        typer.echo(f"{page.publish(page.locate(run))}: written")
    if compare is not None:
        _compare(compare, out, context.obj["reports"])


def _compare(runs: tuple[Path, Path], out: Path | None, reports: Path) -> None:
    from trigforge.core.files import write_file
    from trigforge.report import page

    first, second = (page.read(page.locate(run)) for run in runs)
    path = out or reports / f"{first.name}_against_{second.name}.html"
    write_file(path, page.compare(first, second))
    typer.echo(f"{path}: written")
