"""What a check of many specs looks like on a terminal: ``SpecVerdicts -> rich renderables``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import RenderableType

    from trigforge.core.verdict import SpecVerdict

_FIGURES = {
    "latency_cycles": "latency",
    "interval_cycles": "interval",
    "lut": "LUT",
    "dsp": "DSP",
    "accuracy": "accuracy",
    "mean_auc": "mean AUC",
}
"""The figures with a column; the report of a run and the baseline hold the others too."""


def show(verdicts: Sequence[SpecVerdict]) -> RenderableType:
    """Return one line a spec, what is wrong with each, and the result as a whole."""
    parts: list[RenderableType] = [table(verdicts)]
    for verdict in verdicts:
        parts += _remarks(verdict)
    n_met = sum(verdict.met for verdict in verdicts)
    style = "bold green" if n_met == len(verdicts) else "bold red"
    parts.append(Text(f"{n_met} of {len(verdicts)} specs met all checks", style=style))
    return Group(*parts)


def table(verdicts: Sequence[SpecVerdict]) -> Table:
    """Return one line a spec: its figures, how many checks were met, how long it took."""
    shown = Table(
        title="check",
        caption="~ estimated before synthesis",
        title_justify="left",
        caption_justify="left",
    )
    shown.add_column("spec")
    for heading in (*_FIGURES.values(), "checks met", "time"):
        shown.add_column(heading, justify="right")
    shown.add_column("result")
    for verdict in verdicts:
        n_met = len(verdict.lines) - len(verdict.failed)
        shown.add_row(
            verdict.name,
            *_figures(verdict),
            f"{n_met} of {len(verdict.lines)}" if verdict.error is None else "",
            f"{verdict.seconds:.0f} s",
            _result(verdict),
        )
    return shown


def _figures(verdict: SpecVerdict) -> Iterator[str]:
    found = {figure.name: figure for figure in verdict.figures}
    for name in _FIGURES:
        figure = found.get(name)
        if figure is None:
            yield ""
        elif isinstance(figure.value, float):
            yield f"{figure.value:.4f}"
        else:
            yield f"{'~' if figure.origin.startswith('estimated') else ''}{figure.value:,}"


def _result(verdict: SpecVerdict) -> Text:
    if verdict.error is not None:
        return Text("NOT JUDGED", style="bold red")
    return Text("met", style="green") if verdict.met else Text("FAILED", style="bold red")


def _remarks(verdict: SpecVerdict) -> Iterator[Text]:
    if verdict.error is not None:
        yield Text(f"{verdict.name}: NOT JUDGED: {verdict.error}", style="bold red")
    for check in verdict.failed:
        line = f"{verdict.name}: FAILED: {check.name}: {check.used}; allowed: {check.allowed}"
        yield Text(line, style="red")
    for line in verdict.unknown:
        yield Text(f"{verdict.name}: unknown: {line}", style="yellow")
    for line in verdict.notes:
        yield Text(f"{verdict.name}: {line}")
