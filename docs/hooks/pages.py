"""What mkdocs runs while it builds: it fills the parts of pages that are made, not written.

A page asks for a part by a comment on a line of its own: ``<!-- spec reference -->``, or
``<!-- figures: emulator_* evaluator_* -->``, the figures of the benchmarks that match; or
``<!-- figures by model: timemux_* -->``, the same with a row a model.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import spec_reference
from benchmark_tables import Figures
from mkdocs.exceptions import PluginError

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results.json"
FURTHER_MODELS = ("calorimeter_network",)
_PART = re.compile(r"^<!-- (?P<what>[a-z ]+)(?:: (?P<argument>.*))? -->$", re.MULTILINE)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Replace the comments of a page by what they ask for."""
    try:
        return fill(markdown)
    except ValueError as error:
        msg = f"{page.file.src_uri}: {error}"
        raise PluginError(msg) from error


def fill(markdown: str) -> str:
    """Return a page with its made parts.

    Raises:
        ValueError: if nothing is known by a name that the page asks for.
    """
    figures = Figures(RESULTS, models())
    makers: dict[str, Callable[[str], str]] = {
        "spec reference": lambda _: spec_reference.render(),
        "scan reference": lambda _: spec_reference.render_scan(),
        "figures": figures.by_quantity,
        "figures by model": figures.by_model,
    }

    def made(match: re.Match[str]) -> str:
        what = match["what"]
        if what not in makers:
            msg = f"<!-- {what} --> is nothing that can be made; known: {', '.join(makers)}"
            raise ValueError(msg)
        return makers[what](match["argument"] or "")

    return _PART.sub(made, markdown)


def models() -> tuple[str, ...]:
    """Name the models that figures may be of."""
    return (*(path.stem for path in (ROOT / "models").glob("*.yaml")), *FURTHER_MODELS)
