"""What a diagnosis looks like on a terminal: ``Diagnosis -> rich renderable``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import RenderableType

    from trigforge.core.diagnosis import Diagnosis, Finding, LayerComparison


def show(diagnosis: Diagnosis) -> RenderableType:
    """Return the layers, every cause with its evidence, and the changes that mend them."""
    parts: list[RenderableType] = [_layers(diagnosis)]
    for name, unmatched in (
        (diagnosis.referees[0], diagnosis.unmatched),
        (diagnosis.referees[1], diagnosis.unmatched_nodes),
    ):
        if unmatched:
            parts.append(Text(f"only in {name}: {', '.join(unmatched)}", style="yellow"))
    parts += [_finding(number, entry) for number, entry in enumerate(diagnosis.findings, start=1)]
    if diagnosis.configuration:
        parts.append(Text("changes that mend it:", style="bold"))
        parts += [Text(f"  {mend}", style="green") for mend in diagnosis.configuration]
    parts.append(_verdict(diagnosis))
    return Group(*parts)


def show_all(diagnoses: Iterable[tuple[str, Diagnosis]], left_out: Iterable[str]) -> RenderableType:
    """Return the diagnosis of each io type; the same findings are not told twice."""
    parts: list[RenderableType] = []
    told: list[tuple[str, Diagnosis]] = []
    for io_type, diagnosis in diagnoses:
        same = [name for name, other in told if other.findings == diagnosis.findings]
        if same:
            parts.append(Text(f"{io_type}: the same as {same[0]}"))
            continue
        told.append((io_type, diagnosis))
        parts += [Text(f"{io_type}:", style="bold"), show(diagnosis)]
    parts += [Text(f"not traced: {line}", style="yellow") for line in left_out]
    return Group(*parts)


def describe(finding: Finding) -> str:
    """Say in one line what was found, where, and what is expected there."""
    where = f"element {finding.element}"
    if len(finding.position) > 1:
        where += f" {finding.position}"
    raw = "" if finding.found_raw is None else f" (raw {finding.found_raw})"
    expected = "" if finding.expected_raw is None else f" (raw {finding.expected_raw})"
    hidden = ", once the faults before it are mended" if finding.hidden else ""
    return (
        f"{finding.layer}: {finding.cause}; event {finding.event}, {where}: expected "
        f"{finding.expected:.10g}{expected}, found {finding.found:.10g}{raw}{hidden}"
    )


def _layers(diagnosis: Diagnosis) -> Table:
    table = Table(
        title=f"{diagnosis.referees[1]} against {diagnosis.referees[0]}, layer by layer, "
        f"{diagnosis.n_events} events",
        title_justify="left",
    )
    for heading in ("layer", "original"):
        table.add_column(heading)
    for heading in ("values", "different", "by itself", "largest distance"):
        table.add_column(heading, justify="right")
    for layer in diagnosis.layers:
        table.add_row(*_row(layer))
    return table


def _row(layer: LayerComparison) -> tuple[str | Text, ...]:
    own: str | Text = ""
    if layer.n_own is not None:
        own = Text(str(layer.n_own), style="bold red" if layer.n_own else "green")
    return (
        layer.layer,
        " + ".join(layer.original),
        str(layer.n_values),
        Text(str(layer.n_different), style="red" if layer.n_different else "green"),
        own,
        f"{layer.largest:.6g}",
    )


def _finding(number: int, finding: Finding) -> RenderableType:
    lines: list[RenderableType] = [
        Text(f"{number}. {describe(finding)}", style="bold red"),
        Text(f"   {finding.evidence}"),
    ]
    counts = f"   explains {finding.n_explained} of {finding.n_values} values"
    if finding.n_remaining:
        counts += f"; {finding.n_remaining} of this layer stay wrong"
    lines.append(Text(counts))
    lines += [Text(f"   mend: {mend}", style="green") for mend in finding.mends]
    if finding.advice:
        lines.append(Text(f"   advice: {finding.advice}"))
    return Group(*lines)


def _verdict(diagnosis: Diagnosis) -> Text:
    if diagnosis.met:
        return Text(f"all {len(diagnosis.layers)} layers agree", style="bold green")
    if diagnosis.first is None:
        return Text("nothing was compared: no layer has a counterpart", style="bold red")
    return Text(
        f"{len(diagnosis.findings)} cause(s); the first is {diagnosis.first.cause} in "
        f"{diagnosis.first.layer}",
        style="bold red",
    )
