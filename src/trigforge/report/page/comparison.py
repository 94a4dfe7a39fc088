"""Two runs side by side: ``Report, Report -> page``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigforge.report.page import rendering
from trigforge.report.page.quantities import Quantity, quantities

if TYPE_CHECKING:
    from trigforge.report.entries import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One figure of two runs; ``standing`` is better, worse, changed, same or alone."""

    name: str
    first: str
    second: str
    change: str
    standing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Lines of one part of the report."""

    name: str
    lines: tuple[Line, ...]


def compare(first: Report, second: Report) -> str:
    """Return a page with every figure of two runs, which may be of different networks."""
    groups = lines(first, second)
    found = [line.standing for group in groups for line in group.lines]
    return rendering.fill(
        "comparison.html.jinja",
        title=f"{first.name} against {second.name}",
        first=first,
        second=second,
        groups=groups,
        n_by_standing={standing: found.count(standing) for standing in dict.fromkeys(found)},
    )


def lines(first: Report, second: Report) -> tuple[Group, ...]:
    """Return the figures of two runs in groups; one that only one run has stands alone."""
    left, right = ({(q.group, q.name): q for q in quantities(report)} for report in (first, second))
    keys = list(dict.fromkeys((*left, *right)))
    return tuple(
        Group(
            name=group,
            lines=tuple(_line(left.get(key), right.get(key)) for key in keys if key[0] == group),
        )
        for group in dict.fromkeys(group for group, _ in keys)
    )


def _line(first: Quantity | None, second: Quantity | None) -> Line:
    name = (first or second or _NOTHING).name
    texts = [quantity.text if quantity else "not there" for quantity in (first, second)]
    if first is None or second is None:
        return Line(name=name, first=texts[0], second=texts[1], change="", standing="alone")
    change, standing = _change(first, second)
    return Line(name=name, first=texts[0], second=texts[1], change=change, standing=standing)


def _change(first: Quantity, second: Quantity) -> tuple[str, str]:
    """Say by how much and whether that is better; less than the uncertainty is no change."""
    if first.value is None or second.value is None:
        return ("", "same") if first.text == second.text else ("", "changed")
    step = second.value - first.value
    if step == 0:
        return "", "same"
    text = "" if first.silent else first.written(step)
    if first.value and not first.silent:
        text += f" ({100 * step / abs(first.value):+.3g} %)".replace("-", "\N{MINUS SIGN}")
    if _overlap(first, second):
        return f"{text}, within the uncertainties", "same"
    if first.better is None:
        return text, "changed"
    return text, "better" if (step > 0) == (first.better == "higher") else "worse"


def _overlap(first: Quantity, second: Quantity) -> bool:
    ends = (first.low, first.high, second.low, second.high)
    if any(end is None for end in ends):
        return False
    low, high, other_low, other_high = (end or 0.0 for end in ends)
    return low <= other_high and other_low <= high


_NOTHING = Quantity(group="", name="", text="", value=None)
