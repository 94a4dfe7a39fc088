"""The command that takes in a trained model of somebody else's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from trigforge.cli.options import Json, Quiet
from trigforge.cli.terminal import Terminal, quiet_imports

ModelFile = Annotated[
    Path, typer.Argument(metavar="MODEL", help=".keras, .h5, .json with --weights, .onnx")
]
Out = Annotated[Path, typer.Option("--out", help="folder for the spec and all it needs")]
Weights = Annotated[Path | None, typer.Option("--weights", help=".h5 that belongs to a .json")]
HlsConfig = Annotated[
    Path | None, typer.Option("--hls-config", help="hls4ml configuration (YAML): formats")
]
Inputs = Annotated[
    Path | None, typer.Option("--inputs", help="events: .npy, .npz, .parquet, .root")
]
Columns = Annotated[
    str, typer.Option("--columns", help="columns, branches or the array, comma between")
]
Label = Annotated[str | None, typer.Option("--label", help="column of the labels")]
Tree = Annotated[str | None, typer.Option("--tree", help="tree of a ROOT file")]
Events = Annotated[int, typer.Option("--events", min=1, help="at most so many")]
Name = Annotated[str | None, typer.Option("--name", help="of the spec; default: the file's")]
Tolerance = Annotated[
    float,
    typer.Option(
        "--tolerance", min=0.0, help="share of the outputs' range that 99 % of them may deviate by"
    ),
]
AucLoss = Annotated[
    float | None,
    typer.Option("--auc-loss", min=0.0, help="allowed loss of mean AUC, in its place"),
]
Margin = Annotated[
    float, typer.Option("--margin", min=1.0, help="ranges seen are widened by this factor")
]
Logits = Annotated[
    bool, typer.Option("--logits", help="leave out the softmax or sigmoid at the end")
]


def import_model(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    model: ModelFile,
    out: Out,
    weights: Weights = None,
    hls_config: HlsConfig = None,
    inputs: Inputs = None,
    columns: Columns = "",
    label: Label = None,
    tree: Tree = None,
    events: Events = 5000,
    name: Name = None,
    part: Annotated[str, typer.Option("--part", help="FPGA part")] = "xcvu13p-flga2577-2-e",
    clock_mhz: Annotated[float, typer.Option("--clock-mhz", min=1.0)] = 320.0,
    tolerance: Tolerance = 0.01,
    auc_loss: AucLoss = None,
    margin: Margin = 1.25,
    logits: Logits = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="of random events")] = 1,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a spec for a trained model; a float one gets formats by profiling."""
    with quiet_imports():
        from trigforge.pipeline import importing, spec_folder
        from trigforge.report import document
        from trigforge.report import importing as shown
        from trigforge.samples.tables.content import Selection

    request = spec_folder.ImportRequest(
        model=model,
        out=out,
        weights=weights,
        hls_config=hls_config,
        inputs=inputs,
        selection=Selection(
            columns=tuple(part for part in columns.split(",") if part), label=label, tree=tree
        ),
        name=name,
        part=part,
        clock_mhz=clock_mhz,
        tolerance=tolerance,
        auc_loss=auc_loss,
        margin=margin,
        n_events=events,
        seed=seed,
        end_in_logits=logits,
    )
    screen = Terminal(quiet=quiet)
    with screen.progress() as progress:
        imported = importing.take_in(request, progress=progress)
    if json:
        typer.echo(document.dump(imported))
    else:
        screen.show(shown.summarise(imported))
