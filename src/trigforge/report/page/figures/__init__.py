"""The figures of a report: ``Report -> Picture, ...``.

Each module draws one figure, or None where the report does not hold what it shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigforge.report.page.figures import curves, health, network, resources, timeline
from trigforge.report.page.figures.rendering import FORMATS, Picture, render, styled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from trigforge.report.entries import Report
    from trigforge.report.page.figures.drawing import Drawing

__all__ = ["FORMATS", "Picture", "draw", "render", "styled"]

_FIGURES: tuple[Callable[[Report], Drawing | None], ...] = (
    timeline.draw,
    resources.draw,
    curves.roc,
    curves.rate,
    curves.turn_on,
    health.draw,
    network.draw,
)


def draw(report: Report, formats: Iterable[str] = FORMATS) -> Mapping[str, Picture]:
    """Return the figures that a report has numbers for, by name, with their files."""
    with styled():
        drawings = [figure(report) for figure in _FIGURES]
        return {
            drawing.name: render(drawing, formats) for drawing in drawings if drawing is not None
        }
