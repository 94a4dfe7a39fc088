"""Commands about test vectors: written for a test bench, compared with what it captured."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from trigforge.cli.options import EXIT_FAILED, Json, Quiet, SpecPath, open_spec
from trigforge.cli.terminal import Terminal, quiet_imports


class Format(StrEnum):
    """Formats of vectors."""

    EMP2 = "emp2"
    EMP1 = "emp1"
    APX = "apx"
    TB_DATA = "tb_data"
    RAW = "raw"


def vectors(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    context: typer.Context,
    spec: SpecPath,
    vector_format: Annotated[
        Format,
        typer.Option("--format", help="frames of links, hls4ml's decimal values, or raw integers"),
    ],
    out: Annotated[Path, typer.Option("--out", help="the folder to write")],
    events: Annotated[
        int | None, typer.Option("--events", min=1, help="the first so many; default: all")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write inputs and expected outputs for the test bench of firmware."""
    loaded, workspace = open_spec(spec, context)
    with quiet_imports():
        from trigforge.pipeline import delivery
        from trigforge.report import document
        from trigforge.vectors import VectorFormat

    wanted = VectorFormat(vector_format.value)
    request = delivery.VectorRequest(format=wanted, out=out, n_events=events)
    with Terminal(quiet=quiet).progress() as progress:
        written = delivery.write_vectors(loaded, workspace, request, progress)
    if json:
        typer.echo(document.dump(written))
        return
    typer.echo(
        f"{written.folder}: {written.n_events} events as {written.format.value}, "
        f"{written.n_files('inputs')} file(s) of inputs, {written.n_files('outputs')} of outputs"
    )


def compare_vectors(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    context: typer.Context,
    expected: Annotated[Path, typer.Argument(metavar="EXPECTED", help="what should come out")],
    captured: Annotated[Path, typer.Argument(metavar="CAPTURED", help="what came out")],
    spec: Annotated[
        Path | None, typer.Option("--spec", help="name the outputs that differ, by this spec")
    ] = None,
    words_only: Annotated[
        bool, typer.Option("--words-only", help="where packets start and end does not matter")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compare captured vectors with expected ones, from the first valid frame on."""
    if spec is None:
        from trigforge.vectors import compare_files

        found = compare_files(expected, captured, words_only=words_only)
    else:
        loaded, workspace = open_spec(spec, context)
        with quiet_imports():
            from trigforge.pipeline import delivery

        request = delivery.ComparisonRequest(
            expected=expected, captured=captured, words_only=words_only
        )
        with Terminal(quiet=quiet).progress() as progress:
            found = delivery.compare_outputs(loaded, workspace, request, progress)
    if json:
        from trigforge.report import document

        typer.echo(document.dump(found))
    else:
        from trigforge.vectors.summary import summarise

        for line in summarise(found):
            typer.echo(line)
    raise typer.Exit(0 if found.met else EXIT_FAILED)
