"""Fill the templates: everything from a report is escaped, nothing is loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from trigforge.report import palette
from trigforge.report.page import notation

_STATIC = files("trigforge.report.page") / "static"
_STYLE = (_STATIC / "page.css").read_text(encoding="utf-8")
_SCRIPT = (_STATIC / "page.js").read_text(encoding="utf-8")

_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("trigforge.report.page"),
    undefined=jinja2.StrictUndefined,
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters.update(
    {
        "count": notation.count,
        "number": notation.number,
        "percent": notation.percent,
        "coarse_percent": notation.coarse_percent,
        "measured": notation.measured,
        "plural": notation.plural,
        "anchor": lambda text: re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-"),
    }
)


def fill(template: str, **content: Any) -> str:
    """Return a whole page: its style and its script are in it."""
    return _TEMPLATES.get_template(template).render(
        style=Markup(_STYLE),
        script=Markup(_SCRIPT),
        policy=policy(_SCRIPT),
        light=[(name, colour.light) for name, colour in palette.COLOURS.items()],
        dark=[(name, colour.dark) for name, colour in palette.COLOURS.items()],
        **content,
    )


def policy(script: str) -> str:
    """Return the Content-Security-Policy: this script and no other, no load of any kind.

    Styles are free, as figures carry their own; they can load nothing either.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
