"""The page people look at: ``report.json -> report.html, figures``.

One file with everything in it, to be read in a browser, on paper, or by a screen reader; it
loads nothing and says nothing that is not in ``report.json``.
"""

from __future__ import annotations

from trigforge.report.page.comparison import compare
from trigforge.report.page.making import make, publish
from trigforge.report.page.reading import locate, read

__all__ = ["compare", "locate", "make", "publish", "read"]
