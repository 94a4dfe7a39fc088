"""The command that generates events: ``samples``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trigforge.cli.options import Quiet, SpecPath, open_spec
from trigforge.cli.terminal import Terminal

if TYPE_CHECKING:
    from trigforge.core.config import SampleSpec


def samples(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    context: typer.Context,
    spec: SpecPath,
    out: Annotated[Path, typer.Option("--out", help="the .npz file to write")],
    jets_per_class: Annotated[
        int | None, typer.Option("--jets-per-class", min=100, help="instead of the spec's")
    ] = None,
    zero_bias_events: Annotated[
        int | None, typer.Option("--zero-bias-events", min=100, help="instead of the spec's")
    ] = None,
    signal_events: Annotated[
        int | None, typer.Option("--signal-events", min=10, help="instead of the spec's")
    ] = None,
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, help="default: one a core")
    ] = None,
    keep: Annotated[
        tuple[int, int] | None,
        typer.Option("--keep", metavar="TRAIN TEST", help="write only so many examples"),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Generate collisions with Pythia and write the sample of a spec, of any size."""
    loaded, workspace = open_spec(spec, context)
    if keep is not None and min(keep) < 1:
        msg = f"--keep {keep[0]} {keep[1]}: at least one example of each is needed"
        raise typer.BadParameter(msg)
    from trigforge.core.spec_file import require_trainable
    from trigforge.samples import archive, generation

    sizes = {
        "jets_per_class": jets_per_class,
        "zero_bias_events": zero_bias_events,
        "signal_events": signal_events,
    }
    wanted = _resized(require_trainable(loaded).sample, sizes)
    with Terminal(quiet=quiet).progress() as progress:
        sample = generation.generate(
            wanted,
            workspace.store,
            n_processes=processes or os.cpu_count() or 1,
            progress=progress,
        )
    if keep is not None:
        sample = generation.subset(sample, *keep)
    archive.save(sample, out)
    typer.echo(
        f"{out}: {len(sample.x_train)} train and {len(sample.x_test)} test examples of "
        f"{', '.join(sample.class_names)}"
    )


def _resized(sample: SampleSpec, sizes: dict[str, int | None]) -> SampleSpec:
    """Return the section with other sizes; refuse those that its kind does not have."""
    asked = {key: size for key, size in sizes.items() if size is not None}
    own = [key for key in sizes if key in type(sample).model_fields]
    foreign = [_option(key) for key in asked if key not in own]
    if foreign:
        msg = (
            f"{', '.join(foreign)}: a sample of {sample.kind} has no such size; "
            f"it has {' and '.join(_option(key) for key in own)}"
        )
        raise typer.BadParameter(msg)
    return sample.model_copy(update=asked)


def _option(key: str) -> str:
    return f"--{key.replace('_', '-')}"
