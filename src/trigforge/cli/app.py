"""Commands in pipeline order; each calls one function of ``pipeline`` and prints.

Exit code 0: all checks met; 1: a check failed; 2: wrong usage or input, or interrupted.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from trigforge import __version__
from trigforge.cli import (
    check,
    diagnosing,
    emulating,
    firmware,
    importing,
    projects,
    rates,
    reporting,
    sampling,
    scanning,
    vectors,
)
from trigforge.cli.options import (
    EXIT_FAILED,
    EXIT_USAGE,
    Json,
    OtherImplementation,
    Quiet,
    SampleFile,
    SpecPath,
    SpecPaths,
    open_spec,
)
from trigforge.cli.terminal import Terminal, quiet_imports
from trigforge.core.errors import SimulationFault, TrigforgeError
from trigforge.core.store import Store

INTERRUPTED = "interrupted; what was finished is kept, run again to go on"


class Commands(TyperGroup):
    """Turn errors into one message and exit code 2; ``--debug`` shows where they came from."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        cause: BaseException
        try:
            return super().invoke(ctx)
        except (BrokenPipeError, typer.Exit):
            raise  # whoever read our output went away; typer ends in silence
        except SimulationFault as fault:
            typer.echo(f"trigforge: {fault}", err=True)
            raise typer.Exit(EXIT_FAILED) from fault
        except (TrigforgeError, OSError, MemoryError) as error:
            if ctx.params["debug"]:
                typer.echo(traceback.format_exc(), err=True)
            message, cause = str(error) or type(error).__name__, error
        except KeyboardInterrupt as interrupt:
            message, cause = INTERRUPTED, interrupt
        typer.echo(f"trigforge: {message}", err=True)
        raise typer.Exit(EXIT_USAGE) from cause


app = typer.Typer(
    name="trigforge",
    cls=Commands,
    help="From a trained trigger network to FPGA firmware that is proven bit-exact.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"trigforge {__version__}")
        raise typer.Exit


@app.callback()
def options(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 - its callback prints
        bool,
        typer.Option("--version", help="print the version", is_eager=True, callback=_print_version),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="show tracebacks")] = False,  # noqa: ARG001 - Commands reads it
    store: Annotated[
        Path,
        typer.Option("--store", envvar="TRIGFORGE_STORE", help="where results are kept"),
    ] = Path(".trigforge"),
    projects: Annotated[
        Path, typer.Option("--projects", help="where HLS projects are written")
    ] = Path("hls_projects"),
    firmware_folder: Annotated[
        Path, typer.Option("--firmware", help="where firmware is written")
    ] = Path("firmware"),
    reports: Annotated[Path, typer.Option("--reports", help="where reports are written")] = Path(
        "reports"
    ),
) -> None:
    """Hold the options that all commands share."""
    context.obj = {
        "store": store,
        "projects": projects,
        "firmware": firmware_folder,
        "reports": reports,
    }


@app.command()
def run(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    context: typer.Context,
    specs: SpecPaths,
    implementation: OtherImplementation = None,
    sample: SampleFile = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Do everything: events, networks, HLS projects, RTL, simulation, verdict, report."""
    loaded = [open_spec(path, context, implementation) for path in specs]
    with quiet_imports():
        from trigforge import pipeline
        from trigforge.report import document, terminal

    screen = Terminal(quiet=quiet)
    met = True
    for spec, workspace in loaded:
        with screen.progress() as progress:
            summary = pipeline.run(spec, workspace, sample_file=sample, progress=progress)
        met &= summary.met
        if json:
            typer.echo(document.make(summary, spec).model_dump_json())
        else:
            screen.show(terminal.summarise(summary))
    raise typer.Exit(0 if met else EXIT_FAILED)


app.command()(sampling.samples)


@app.command()
def train(
    context: typer.Context, spec: SpecPath, sample: SampleFile = None, quiet: Quiet = False
) -> None:
    """Train float and quantised network and write the weights beside the spec."""
    loaded, workspace = open_spec(spec, context)
    with quiet_imports():
        from trigforge import pipeline

    with Terminal(quiet=quiet).progress() as progress:
        baseline, quantised = pipeline.train(loaded, workspace, sample, progress)
    accuracy = (
        ""
        if baseline.accuracy is None or quantised.accuracy is None
        else f"accuracy float {baseline.accuracy:.4f}, quantised {quantised.accuracy:.4f}; "
    )
    typer.echo(
        f"{workspace.model}: {accuracy}mean AUC float {baseline.mean_auc:.4f}, quantised "
        f"{quantised.mean_auc:.4f} ({baseline.n_events} held-out events)"
    )


@app.command()
def convert(
    context: typer.Context, spec: SpecPath, sample: SampleFile = None, quiet: Quiet = False
) -> None:
    """Write the HLS projects of a spec."""
    loaded, workspace = open_spec(spec, context)
    with quiet_imports():
        from trigforge import pipeline

    with Terminal(quiet=quiet).progress() as progress:
        written = pipeline.convert_all(loaded, workspace, sample, progress)
    for entry in written:
        typer.echo(f"{entry.folder}: {entry.backend}, {entry.io_type}")


@app.command()
def csim(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    context: typer.Context,
    spec: projects.SpecOrProject,
    inputs: projects.Inputs = None,
    expected: projects.Expected = None,
    out: projects.Out = None,
    trace: projects.TraceFile = None,
    n_inputs: projects.NumberOfInputs = None,
    sample: SampleFile = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Compile and run the C simulation and compare it, bit for bit.

    Of a SPEC, with the network; of the PROJECT folder of hls4ml 0.6 to 1.3, with --expected.
    """
    options = projects.Options(
        inputs=inputs, expected=expected, out=out, trace=trace, n_inputs=n_inputs
    )
    if spec.is_dir():
        projects.simulate(spec, options, Store(context.obj["store"]), json=json, quiet=quiet)
    options.refuse_with_a_spec(spec)
    loaded, workspace = open_spec(spec, context)
    with quiet_imports():
        from trigforge import pipeline
        from trigforge.report import document, terminal

    screen = Terminal(quiet=quiet)
    with screen.progress() as progress:
        agreements = pipeline.simulate_all(loaded, workspace, sample, progress)
    if json:
        typer.echo(document.dump(agreements))
    else:
        screen.show(terminal.agreements_table(agreements))
    raise typer.Exit(0 if all(entry.met for entry in agreements) else EXIT_FAILED)


@app.command()
def verify(
    context: typer.Context, spec: SpecPath, sample: SampleFile = None, quiet: Quiet = False
) -> None:
    """Compare all implementations with each other, bit for bit, and write the report."""
    loaded, workspace = open_spec(spec, context)
    with quiet_imports():
        from trigforge import pipeline
        from trigforge.report import terminal

    screen = Terminal(quiet=quiet)
    with screen.progress() as progress:
        summary = pipeline.run(loaded, workspace, sample_file=sample, progress=progress)
    screen.show(terminal.agreements_table(summary.agreements))
    raise typer.Exit(0 if all(entry.met for entry in summary.agreements) else EXIT_FAILED)


app.command()(emulating.emulate)

export = typer.Typer(help="Write a network in another form.", no_args_is_help=True)
app.add_typer(export, name="export")


@export.command("emulator")
def export_emulator(
    context: typer.Context,
    spec: SpecPath,
    out: Annotated[Path, typer.Option("--out", help="the new folder to write")],
    version: Annotated[
        int, typer.Option("--model-version", min=0, help="N of NAME_vN, as CMSSW counts models")
    ] = 1,
    quiet: Quiet = False,
) -> None:
    """Write the C++ of the emulator and of its CMSSW library, to be built by make."""
    loaded, workspace = open_spec(spec, context)
    with quiet_imports():
        from trigforge import pipeline

    with Terminal(quiet=quiet).progress() as progress:
        pipeline.export_emulator(loaded, workspace, out, version, progress)
    typer.echo(f"{out}: C++ of {loaded.name}_v{version}; build it with make")


@export.command()
def onnx(
    context: typer.Context,
    spec: SpecPath,
    out: Annotated[Path, typer.Option("--out", help="the .onnx file to write")],
    quiet: Quiet = False,
) -> None:
    """Write an ONNX model whose result is the exact raw integers."""
    loaded, workspace = open_spec(spec, context)
    with quiet_imports():
        from trigforge import pipeline

    with Terminal(quiet=quiet).progress() as progress:
        pipeline.export_onnx(loaded, workspace, out, progress)
    typer.echo(f"{out}: raw integers in, raw integers out")


app.command("import")(importing.import_model)
for command in (
    firmware.rtl,
    firmware.schedule,
    firmware.cosim,
    firmware.synth,
    firmware.budget,
    check.check,
    diagnosing.diagnose,
    vectors.vectors,
    vectors.compare_vectors,
    rates.rates,
    reporting.report,
):
    app.command()(command)
app.add_typer(scanning.scan, name="scan")


def main() -> None:
    """Run the command line."""
    app()
