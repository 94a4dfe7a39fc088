"""A schedule for people: ``Schedule -> table on a terminal, page for a firmware engineer``.

The page, Markdown with a picture, lies in the firmware folder beside ``schedule.json``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import jinja2
from rich.table import Table
from rich.text import Text

from trigforge.core.crossing import clocks_per_crossing, crossings
from trigforge.core.files import FileSet
from trigforge.report.schedule_plot import figure_svg

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trigforge.core.schedule import LayerSchedule, Schedule

PAGE, PICTURE = "timing.md", "timing.svg"

_WORDS = ("layer", "kind", "built as", "folding")
_NUMBERS = ("cycles", "DSPs", "slots used/idle", "multiplications", "efficiency")
_HEADINGS = {
    "slots used/idle": "slots\nused/idle",
    "multiplications": "multi-\nplications",
    "efficiency": "effi-\nciency",
}
"""Where a terminal has less room than Markdown."""
_WIDEST_NAME = 28
_USUAL = {
    "logic": "casts, comparisons, selections, small sums and factors take LUTs",
    "wires": "elements are read where they are, in another order",
}
"""Why a layer has no DSPs where its schedule gives no reason of its own."""

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("trigforge.report"),
    undefined=jinja2.StrictUndefined,
    autoescape=False,  # Markdown, not HTML
    keep_trailing_newline=True,
    trim_blocks=True,
)


def table(schedule: Schedule) -> Table:
    """Return what each layer takes in time and in DSPs, and the totals."""
    shown = Table(
        title=f"{schedule.name}: {_pace(schedule)}\n{_limits(schedule)}",
        caption="efficiency: multiplications an event / (DSPs x interval), above 1 where two "
        "share a DSP; weights of zero and padding are not counted",
        title_justify="left",
        caption_justify="left",
    )
    longest = max((len(layer.name) for layer in schedule.layers), default=0)
    shown.add_column("layer", overflow="fold", min_width=min(longest, _WIDEST_NAME))
    for heading in _WORDS[1:]:
        shown.add_column(heading)
    for heading in _NUMBERS:
        shown.add_column(_HEADINGS.get(heading, heading), justify="right", no_wrap=True)
    for layer in schedule.layers:
        name, kind, built_as, folding, *numbers = _cells(layer, schedule.interval_cycles)
        narrow = (built_as.replace(" ", "\n"), folding.replace(", ", "\n"))
        shown.add_row(*map(Text, (name, kind, *narrow, *numbers)))
    shown.add_section()
    shown.add_row(*map(Text, _totals(schedule)), style="bold")
    return shown


def page(schedule: Schedule) -> FileSet:
    """Return the page that explains the timing of a design, and its picture."""
    shared = [layer for layer in schedule.layers if layer.n_dsp and layer.n_slots > 1]
    text = _TEMPLATES.get_template("timing.md.j2").render(
        schedule=schedule,
        picture=PICTURE,
        pace=_pace(schedule),
        interval=schedule.interval_cycles,
        interval_words=_count(schedule.interval_cycles, "cycle"),
        latency_words=_count(schedule.latency_cycles, "cycle"),
        bound=schedule.latency_bound_cycles,
        buffers=_count(schedule.buffer_bits, "bit"),
        crossing=_count(clocks_per_crossing(schedule.clock_mhz), "cycle"),
        example=shared[0] if shared else None,
        table=_markdown(schedule),
        without_dsps=tuple(_without_dsps(schedule.layers)),
    )
    return FileSet({PAGE: text, PICTURE: figure_svg(schedule)})


def _pace(schedule: Schedule) -> str:
    """Return interval and latency in every unit."""
    interval = schedule.interval_cycles
    return (
        f"a new event every {'cycle' if interval == 1 else f'{interval} cycles'} at "
        f"{schedule.clock_mhz:g} MHz, its result after {_count(schedule.latency_cycles, 'cycle')} "
        f"= {schedule.latency_ns:.1f} ns = {crossings(schedule.latency_ns):.2f} crossings"
    )


def _limits(schedule: Schedule) -> str:
    return (
        f"registers alone: {_count(schedule.latency_bound_cycles, 'cycle')}; "
        f"buffers: {_count(schedule.buffer_bits, 'bit')}"
    )


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _cells(layer: LayerSchedule, interval: int) -> tuple[str, ...]:
    """Return the line of a layer; what only DSPs have is left empty without any."""
    has = layer.n_dsp > 0
    return (
        layer.name,
        layer.kind,
        layer.built_as,
        layer.folding,
        f"{layer.first_cycle}-{layer.last_cycle}",
        f"{layer.n_dsp:,}" if has else "",
        f"{layer.n_slots_used:,}/{layer.n_slots_idle:,}" if has else "",
        f"{layer.n_multiplications:,}" if layer.n_multiplications else "",
        f"{layer.efficiency(interval):.2f}" if has else "",
    )


def _totals(schedule: Schedule) -> tuple[str, ...]:
    """Return the line of all layers; its efficiency is that of the layers built of DSPs."""
    layers = schedule.layers
    used, idle = (
        sum(getattr(layer, name) for layer in layers) for name in ("n_slots_used", "n_slots_idle")
    )
    return (
        *("all layers", "", "", ""),
        f"0-{schedule.latency_cycles}",
        f"{schedule.n_dsp:,}",
        f"{used:,}/{idle:,}",
        f"{sum(layer.n_multiplications for layer in layers):,}",
        f"{schedule.efficiency:.2f}",
    )


def _markdown(schedule: Schedule) -> str:
    """Return the table of the terminal in Markdown."""
    rows = [_cells(layer, schedule.interval_cycles) for layer in schedule.layers]
    rules = ["---"] * len(_WORDS) + ["---:"] * len(_NUMBERS)
    lines = ((*_WORDS, *_NUMBERS), rules, *rows, _totals(schedule))
    return "\n".join(f"| {' | '.join(map(_escaped, line))} |" for line in lines)


def _escaped(cell: str) -> str:
    return cell.replace("|", r"\|")


def _without_dsps(layers: Iterable[LayerSchedule]) -> Iterator[str]:
    """Yield what is built otherwise and why: layers of one reason in one line."""
    found: dict[tuple[str, str], list[str]] = {}
    for layer in layers:
        if layer.built_as != "dsp":
            why = layer.reason or _USUAL.get(layer.built_as, "unrolled logic")
            found.setdefault((layer.built_as, why), []).append(f"`{layer.name}` ({layer.kind})")
    for (built_as, why), names in found.items():
        yield f"{', '.join(names)}: {built_as}; {why}"
