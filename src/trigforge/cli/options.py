"""What the commands share: their arguments, exit codes, and how a spec is opened."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from trigforge.core.config import AnySpec
    from trigforge.core.workspace import Workspace

EXIT_FAILED = 1
EXIT_USAGE = 2


class Implementation(StrEnum):
    """What becomes firmware: the values of ``hardware.implementation``."""

    HLS = "hls"
    DA = "da"
    TIMEMUX = "timemux"
    AUTO = "auto"


SpecPath = Annotated[Path, typer.Argument(metavar="SPEC", help="YAML file of a model")]
SpecPaths = Annotated[list[Path], typer.Argument(metavar="SPEC...", help="YAML file of each model")]
SampleFile = Annotated[
    Path | None, typer.Option("--sample", help="events from this .npz instead of the shipped ones")
]
OtherImplementation = Annotated[
    Implementation | None, typer.Option("--implementation", help="instead of the spec's")
]
Json = Annotated[
    bool, typer.Option("--json", help="print the record as JSON, one line for each spec")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="no progress")]


def open_spec(
    path: Path, context: typer.Context, implementation: Implementation | None = None
) -> tuple[AnySpec, Workspace]:
    """Read a spec and say where its things are; its errors come before any long import."""
    from trigforge.core.spec_file import read_spec, with_implementation
    from trigforge.core.store import Store
    from trigforge.core.workspace import Workspace

    folders: dict[str, Path] = context.obj
    spec = read_spec(path)
    if implementation is not None:
        spec = with_implementation(spec, implementation.value, where=str(path))
    return spec, Workspace(
        model=path.parent / spec.name,
        projects=folders["projects"],
        firmware=folders["firmware"],
        reports=folders["reports"],
        store=Store(folders["store"]),
        spec_file=path,
    )
