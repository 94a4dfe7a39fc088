"""The page of a scan: ``ScanResult -> scan.html, figures``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from trigforge.core.files import write_file, write_folder
from trigforge.report.page import figures, rendering
from trigforge.report.page.figures import pareto
from trigforge.report.page.making import FIGURES, files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trigforge.core.scanning import ScanResult
    from trigforge.report.page.figures import Picture

PAGE = "scan.html"


def publish(result: ScanResult, folder: Path) -> Path:
    """Write the page of a scan and its figures; return where the page is.

    Raises:
        StoreError: if something cannot be written.
    """
    with figures.styled():
        drawings = [draw(result) for draw in (pareto.front, pareto.measured)]
        pictures = {
            drawing.name: figures.render(drawing, figures.FORMATS)
            for drawing in drawings
            if drawing is not None
        }
    write_folder(folder / FIGURES, files(pictures))
    write_file(folder / PAGE, make(result, pictures))
    return folder / PAGE


def make(result: ScanResult, pictures: Mapping[str, Picture]) -> str:
    """Return the page."""
    best = result.trial(result.best[0]) if result.best else None
    return rendering.fill(
        "scan.html.jinja",
        title=f"{result.name}: {len(result.trials)} designs",
        result=result,
        best=best,
        worth=result.objectives[0],
        names=pareto.TITLES,
        parameters=tuple(dict.fromkeys(name for t in result.trials for name in t.parameters)),
        pictures=pictures,
        svg={name: Markup(picture.svg) for name, picture in pictures.items()},
    )
