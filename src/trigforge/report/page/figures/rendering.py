"""From a drawing to files, and to SVG that stands in a page: ``Drawing -> Picture``.

One SVG serves light and dark: each colour of the palette becomes a variable of the style
sheet. Equal drawings give equal bytes: no date, no version, names from hashes.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import matplotlib.style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.backends.backend_svg import FigureCanvasSVG

from trigforge.report import palette
from trigforge.report.page.figures.drawing import Drawing, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from trigforge.report.page.figures.drawing import Readout

STYLE: dict[str, Any] = {
    "svg.hashsalt": "trigforge",
    "svg.fonttype": "none",
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "hatch.linewidth": 0.7,
    "lines.solid_capstyle": "butt",
    "text.color": palette.INK,
    "axes.edgecolor": palette.MUTED,
    "axes.facecolor": "none",
    "axes.labelcolor": palette.INK,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": palette.SURFACE,
    "grid.color": palette.RULE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "xtick.color": palette.MUTED,
    "xtick.labelcolor": palette.INK,
    "xtick.labelsize": 8.5,
    "ytick.color": palette.MUTED,
    "ytick.labelcolor": palette.INK,
    "ytick.labelsize": 8.5,
}
FORMATS = ("svg", "pdf", "png")
_DPI = 150
_POINTS_PER_INCH = 72
_VARIABLES = {colour.light: f"var(--{name})" for name, colour in palette.COLOURS.items()}
_FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
_COLOUR, _FONT = re.compile(r"#[0-9a-f]{6}\b"), re.compile(r"'DejaVu Sans'(?:, [^;]*)?")
_SVG, _XLINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}"
ET.register_namespace("", _SVG.strip("{}"))
_DIGITS = 4
"""Of numbers that are read off a curve; the files hold all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure as it stands in the page, and as files.

    ``svg`` is for the page, ``files`` are named ``NAME.svg``, ``.pdf``, ``.png``, ``.csv``.
    ``readout`` is what the page's script needs to read numbers off the curves, or None.
    """

    name: str
    title: str
    description: str
    svg: str
    width_points: int
    files: tuple[tuple[str, bytes], ...]
    readout: Any
    table: Table


@contextmanager
def styled() -> Iterator[None]:
    """Draw in the style of the page, whatever the user's settings are."""
    with mpl.style.context(["default", STYLE]), warnings.catch_warnings():
        # A name may hold a letter the font has not; the browser's fonts have it.
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield


def render(drawing: Drawing, formats: Iterable[str] = FORMATS) -> Picture:
    """Return a drawing for the page, and as files of some formats."""
    drawing.figure.set_layout_engine("none" if drawing.arranged else "constrained")
    svg = _saved(drawing, "svg").decode()
    # What the first layout found holds for the other formats.
    drawing.figure.set_layout_engine("none")
    contents = {"svg": _written(ET.fromstring(svg), drawing).encode()}
    contents |= {ending: _saved(drawing, ending) for ending in formats if ending != "svg"}
    contents["csv"] = drawing.table.csv().encode()
    return Picture(
        name=drawing.name,
        title=drawing.title,
        description=drawing.description,
        svg=for_page(svg, drawing),
        width_points=round(drawing.figure.get_figwidth() * _POINTS_PER_INCH),
        files=tuple((f"{drawing.name}.{ending}", data) for ending, data in contents.items()),
        readout=[_readout(entry, drawing) for entry in drawing.readouts] or None,
        table=drawing.table,
    )


def for_page(svg: str, drawing: Drawing) -> str:
    """Return the SVG element alone, themed, with names that no other figure uses."""
    root = ET.fromstring(svg)
    for parent in list(root.iter()):
        for child in list(parent):
            # The style sheet of a figure would be that of the whole page.
            if child.tag in {f"{_SVG}metadata", f"{_SVG}style"}:
                parent.remove(child)
        parent.attrib = {
            key.removeprefix(_XLINK): _attribute(key.removeprefix(_XLINK), value, drawing.name)
            for key, value in parent.attrib.items()
        }
    root.attrib = {"viewBox": root.attrib["viewBox"]}
    return _written(root, drawing)


def _saved(drawing: Drawing, ending: str) -> bytes:
    """Return the bytes of a file; ``savefig`` would draw everything twice."""
    out = io.BytesIO()
    _PRINTERS[ending](drawing.figure, out)
    return out.getvalue()


def _print_svg(figure: Figure, out: io.BytesIO) -> None:
    text = io.TextIOWrapper(out, encoding="utf-8", write_through=True)
    canvas: Any = FigureCanvasSVG(figure)
    canvas.print_svg(text, metadata={"Date": None, "Creator": None})
    text.detach()


def _print_pdf(figure: Figure, out: io.BytesIO) -> None:
    metadata = {"CreationDate": None, "Creator": None, "Producer": None}
    canvas: Any = FigureCanvasPdf(figure)
    canvas.print_pdf(out, metadata=metadata)


def _print_png(figure: Figure, out: io.BytesIO) -> None:
    figure.set_dpi(_DPI)
    canvas: Any = FigureCanvasAgg(figure)
    canvas.print_png(out, metadata={"Software": None}, pil_kwargs={"compress_level": 4})


_PRINTERS = {"svg": _print_svg, "pdf": _print_pdf, "png": _print_png}


def _attribute(key: str, value: str, name: str) -> str:
    """Return an attribute with names made unique and colours made variables."""
    if key == "id":
        return f"{name}-{value}"
    if key == "href":
        return value.replace("#", f"#{name}-", 1)
    value = value.replace("url(#", f"url(#{name}-")
    if key != "style":
        return value
    value = _COLOUR.sub(lambda found: _VARIABLES.get(found[0], found[0]), value)
    return _FONT.sub(_FONTS, value)


def _written(root: ET.Element, drawing: Drawing) -> str:
    """Write an SVG that says what it is."""
    labels = {"title": drawing.title, "desc": drawing.description}
    for index, (tag, text) in enumerate(labels.items()):
        element = ET.Element(f"{_SVG}{tag}", {"id": f"{drawing.name}-{tag}"})
        element.text = text
        root.insert(index, element)
    root.set("role", "img")
    root.set("aria-labelledby", " ".join(f"{drawing.name}-{tag}" for tag in labels))
    return ET.tostring(root, encoding="unicode")


def _readout(entry: Readout, drawing: Drawing) -> dict[str, Any]:
    """Return where the axes lie in the SVG, what they span, and the curves."""
    return {
        "title": entry.title,
        "box": _box(entry.axes, drawing),
        "x": _axis(entry.x_name, entry.axes.get_xscale(), entry.axes.get_xlim()),
        "y": _axis(entry.y_name, entry.axes.get_yscale(), entry.axes.get_ylim()),
        "series": [
            {
                "name": series.name,
                **{key: _short(getattr(series, key)) for key in ("x", "y", "low", "high")},
            }
            for series in entry.series
        ],
    }


def _box(axes: Axes, drawing: Drawing) -> list[float]:
    """Return left, top, right, bottom in points of the SVG, whose y grows downwards."""
    place, inches = axes.get_position(), drawing.figure.get_size_inches()
    width, height = (float(side) * _POINTS_PER_INCH for side in inches)
    corners = (place.x0 * width, (1 - place.y1) * height, place.x1 * width, (1 - place.y0) * height)
    return [round(corner, 2) for corner in corners]


def _axis(name: str, scale: str, limits: tuple[float, float]) -> dict[str, Any]:
    low, high = limits
    return {"name": name, "scale": scale, "low": float(low), "high": float(high)}


def _short(numbers: Any) -> list[float | None]:
    return [float(f"{x:.{_DIGITS}g}") if math.isfinite(x) else None for x in numbers]
