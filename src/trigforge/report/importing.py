"""What an import looks like on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from trigforge.core.formats import Calibration, Imported


def summarise(imported: Imported) -> RenderableType:
    """Return what was taken in, the formats found, and what to do next."""
    parts: list[RenderableType] = [
        Text(imported.model),
        Text(f"formats: {imported.formats_from}; {', '.join(imported.io_types)}"),
    ]
    if imported.calibration is not None:
        parts += [formats_table(imported.calibration), *_lines(imported.calibration)]
    parts += [Text(f"note: {note}", style="yellow") for note in imported.notes]
    parts.append(Text(f"{imported.spec}: written; next: trigforge run {imported.spec}"))
    return Group(*parts)


def formats_table(calibration: Calibration) -> Table:
    """Return each tensor with the range seen and the format given."""
    table = Table(title="formats by profiling", title_justify="left")
    for heading in ("layer", "tensor", "smallest", "largest", "format"):
        table.add_column(heading)
    for entry in (calibration.input, *calibration.tensors):
        name = str(entry.format).removeprefix("ap_").replace("AP_", "")
        table.add_row(entry.key, entry.role, f"{entry.minimum:.4g}", f"{entry.maximum:.4g}", name)
    return table


def _lines(calibration: Calibration) -> Iterator[Text]:
    """Yield what the formats lose, and what narrower ones would."""
    verdict = "" if calibration.met else ": NOT MET, wider formats lose as much"
    yield Text(
        f"{calibration.measure}: {calibration.loss:.3g}, allowed {calibration.tolerance:g}"
        f"{verdict} ({calibration.n_events} events, ranges widened by {calibration.margin:g})",
        style="" if calibration.met else "bold red",
    )
    now, *fewer = calibration.narrower or (None,)
    if now is None or not fewer:
        return
    steps = "; ".join(
        f"{step.n_bits_fewer} bits fewer everywhere lose {step.loss:.3g} at "
        f"{1 - step.ebops / now.ebops:.0%} fewer EBOPs"
        for step in fewer
        if now.ebops
    )
    yield Text(
        "Quantisation-aware training could win back at most what is lost: "
        f"{now.loss:.3g} with these formats ({now.ebops} EBOPs). {steps}."
    )
