"""A figure before it is a file: what it shows, in a picture, in words and in numbers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from trigforge.core.errors import InputError

Cell = str | int | float | None


def shortened(text: str, most: int) -> str:
    """Return a name that leaves room for the picture."""
    return text if len(text) <= most else f"{text[: most - 1]}\N{HORIZONTAL ELLIPSIS}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The numbers behind a figure; each column's name ends in its unit, where it has one."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def csv(self) -> str:
        """Return one header line and the rows; a number that is not known is empty."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return out.getvalue()


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A curve that can be read off; ``low`` and ``high`` bound ``y``."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Readout:
    """What can be read off one pair of axes, and how its axes are called."""

    axes: Axes
    title: str
    x_name: str
    y_name: str
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """One figure. ``description`` says in words what it shows, for those who do not see it.

    Raises:
        InputError: if the name cannot be that of a file and of an element of the page.
    """

    name: str
    title: str
    description: str
    figure: Figure
    table: Table
    readouts: tuple[Readout, ...] = ()
    arranged: bool = False
    """Everything has its place already: none is to be found for it."""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name):
            msg = f"a figure is named in small letters, not {self.name!r}"
            raise InputError(msg)
