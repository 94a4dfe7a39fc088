"""The page and the figures of one run: ``Report -> FileSet``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from markupsafe import Markup

from trigforge.core.crossing import CROSSING_MHZ
from trigforge.core.files import FileSet, write_file, write_folder
from trigforge.report.page import agreement, figures, reading, rendering, verdict
from trigforge.report.page.figures import curves, network, resources

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trigforge.report.entries import Report
    from trigforge.report.page.figures import Picture

FIGURES, PAGE = "figures", "report.html"
_BUILT_AS = {
    "hls": "HLS project by hls4ml",
    "da": "RTL by distributed arithmetic",
    "timemux": "time-multiplexed RTL",
    "auto": "RTL, the cheapest within the budget",
}
_COMMANDS = (
    ("run", "everything again, to this page"),
    ("verify", "compare all implementations with each other"),
    ("diagnose", "find the first layer, element and event where they part"),
)


def publish(report_file: Path) -> Path:
    """Write the page of a report and its figures beside it; return where the page is.

    Raises:
        InputError: if the file is no report, or one of another version.
        StoreError: if something cannot be written.
    """
    report = reading.read(report_file)
    pictures = figures.draw(report)
    write_folder(report_file.parent / FIGURES, files(pictures))
    page = report_file.parent / PAGE
    write_file(page, make(report, pictures, run=str(report_file.parent)))
    return page


def make(report: Report, pictures: Mapping[str, Picture], *, run: str) -> str:
    """Return the page; ``run`` is the folder of the report, for the commands."""
    return rendering.fill(
        "report.html.jinja",
        title=f"{report.name}: {'met' if report.met else 'not met'}",
        report=report,
        built_as=_BUILT_AS.get(report.target.implementation, report.target.implementation),
        verdict=verdict.judge(report),
        matrix=agreement.matrix(report),
        agrees=agreement.agrees,
        resources=resources.rows(report),
        in_hardware=curves.in_hardware,
        shape=network.shape,
        crossing_ns=1000 / CROSSING_MHZ,
        pictures=pictures,
        svg={name: Markup(picture.svg) for name, picture in pictures.items()},
        commands=commands(report, run),
    )


def files(pictures: Mapping[str, Picture]) -> FileSet:
    """Return the figures as files, with the numbers behind each."""
    return FileSet(dict(entry for picture in pictures.values() for entry in picture.files))


def commands(report: Report, run: str) -> tuple[tuple[str, str], ...]:
    """Return what to type to get all this again, and what each command does."""
    spec = shlex.quote(report.spec_file or "SPEC")
    lines = [(f"trigforge {name} {spec}", what) for name, what in _COMMANDS]
    return (
        *lines,
        (f"trigforge report {shlex.quote(run)}", "write this page and its figures anew"),
    )
