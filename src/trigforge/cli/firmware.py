"""Commands about firmware: RTL, its simulation, its synthesis, and the verdict."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from trigforge.cli.options import (
    EXIT_FAILED,
    Json,
    OtherImplementation,
    Quiet,
    SampleFile,
    SpecPath,
    open_spec,
)
from trigforge.cli.terminal import Terminal, quiet_imports

N_EVENTS_IN_WAVES = 64


class Language(StrEnum):
    """Hardware description languages."""

    VERILOG = "verilog"
    VHDL = "vhdl"


class Bench(StrEnum):
    """Test benches."""

    VERILATOR = "verilator"
    COCOTB = "cocotb"


class Tool(StrEnum):
    """Programs that say what a design takes."""

    YOSYS = "yosys"
    VIVADO = "vivado"
    VITIS = "vitis"


def rtl(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    context: typer.Context,
    spec: SpecPath,
    language: Annotated[Language, typer.Option("--language")] = Language.VERILOG,
    implementation: OtherImplementation = None,
    sample: SampleFile = None,
    quiet: Quiet = False,
) -> None:
    """Write the network as RTL, with vectors, Tcl and constraints.

    What hardware.implementation asks for; in place of an HLS project distributed arithmetic.
    """
    loaded, workspace = open_spec(spec, context, implementation)
    with quiet_imports():
        from trigforge.pipeline import firmware

    with Terminal(quiet=quiet).progress() as progress:
        written = firmware.write_rtl(loaded, workspace, sample, language.value, progress)
    typer.echo(
        f"{written.folder}: {written.language}, {written.latency_cycles} cycles at "
        f"{written.clock_mhz:g} MHz, an event every {written.interval_cycles} cycle(s)"
    )


def schedule(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    context: typer.Context,
    spec: SpecPath,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", help="the timing diagram to write: .svg, .pdf or .png"),
    ] = None,
    implementation: OtherImplementation = None,
    sample: SampleFile = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write time-multiplexed RTL and show what each layer does in which cycle."""
    loaded, workspace = open_spec(spec, context, implementation)
    with quiet_imports():
        from trigforge.core import schedule as schedule_file
        from trigforge.core.files import write_file
        from trigforge.pipeline import firmware
        from trigforge.report import schedule as schedule_report
        from trigforge.report import schedule_plot

    picture_format = None if plot is None else schedule_plot.format_of(plot)
    screen = Terminal(quiet=quiet)
    with screen.progress() as progress:
        found = firmware.read_schedule(loaded, workspace, sample, progress)
    if json:
        typer.echo(schedule_file.to_json(found), nl=False)
    else:
        screen.show(schedule_report.table(found))
    if plot is not None and picture_format is not None:
        write_file(plot, schedule_plot.draw(found, picture_format=picture_format))
        typer.echo(f"{plot}: written", err=json)


def cosim(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    context: typer.Context,
    spec: SpecPath,
    bench: Annotated[
        Bench, typer.Option("--bench", help="compiled C++, or cocotb: some 100 times slower")
    ] = Bench.VERILATOR,
    waves: Annotated[
        Path | None,
        typer.Option("--waves", help=f"write the first {N_EVENTS_IN_WAVES} events: .fst or .vcd"),
    ] = None,
    implementation: OtherImplementation = None,
    sample: SampleFile = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Simulate the RTL cycle by cycle: full rate, gaps, resets; every bit must be right."""
    loaded, workspace = open_spec(spec, context, implementation)
    with quiet_imports():
        from trigforge.pipeline import firmware
        from trigforge.report import document, terminal

    screen = Terminal(quiet=quiet)
    with screen.progress() as progress:
        outcomes = firmware.check_rtl(loaded, workspace, sample, bench.value, progress)
        if waves is not None:
            firmware.record_waves(loaded, workspace, waves, N_EVENTS_IN_WAVES, progress)
    if json:
        typer.echo(document.dump(outcomes))
    else:
        screen.show(terminal.outcomes_table(outcomes))
    if waves is not None:
        typer.echo(f"waveform: {waves}", err=json)
    raise typer.Exit(0 if all(outcome.met for outcome in outcomes) else EXIT_FAILED)


def synth(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    context: typer.Context,
    spec: SpecPath,
    tool: Annotated[
        Tool,
        typer.Option(
            "--tool", help="vivado places and routes the RTL, vitis builds the HLS project"
        ),
    ] = Tool.YOSYS,
    implementation: OtherImplementation = None,
    sample: SampleFile = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Synthesise and say what the design takes, beside what was estimated."""
    loaded, workspace = open_spec(spec, context, implementation)
    with quiet_imports():
        from trigforge.pipeline import firmware, vendor
        from trigforge.report import document, terminal

    screen = Terminal(quiet=quiet)
    if tool is not Tool.YOSYS:
        ask = vendor.implement if tool is Tool.VIVADO else vendor.synthesise
        with screen.progress() as progress:
            answer = ask(loaded, workspace, sample, progress)
        if json:
            typer.echo(document.dump(answer))
        else:
            screen.show(terminal.resources_table(answer.resources, None))
            screen.show(terminal.verdict(answer.checks, tool.value))
            typer.echo(f"{answer.folder}: reports and logs")
        raise typer.Exit(0 if all(check.met for check in answer.checks) else EXIT_FAILED)
    with screen.progress() as progress:
        result, deviations = firmware.synthesise_rtl(loaded, workspace, sample, progress)
    if json:
        typer.echo(document.dump(result))
        return
    screen.show(terminal.resources_table(result.resources, result.delay))
    for line in deviations:
        typer.echo(str(line))


def budget(  # noqa: PLR0913, PLR0917 - typer makes an option of each parameter
    context: typer.Context,
    spec: SpecPath,
    vendor: Annotated[
        bool, typer.Option("--vendor", help="let Vivado or Vitis HLS say what the design takes")
    ] = False,
    implementation: OtherImplementation = None,
    sample: SampleFile = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Hold latency, interval and resources against the budget of the trigger."""
    loaded, workspace = open_spec(spec, context, implementation)
    with quiet_imports():
        from trigforge import pipeline
        from trigforge.report import document, terminal

    judge = pipeline.vendor.judge if vendor else pipeline.firmware.judge
    screen = Terminal(quiet=quiet)
    with screen.progress() as progress:
        costs = judge(loaded, workspace, sample, progress)
    if json:
        typer.echo(document.dump(costs))
    else:
        screen.show(terminal.verdict(costs.verdict.checks, "budget"))
        for line in costs.warnings:
            typer.echo(line)
    raise typer.Exit(0 if costs.verdict.met else EXIT_FAILED)
