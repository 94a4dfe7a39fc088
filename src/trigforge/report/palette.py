"""The colours of every figure and page: one for light, one for dark, told apart by everyone.

The hues are those of Okabe and Ito (https://jfly.uni-koeln.de/color/), which people with
any colour vision tell apart; in the dark they are lighter. Whatever matters differs in more
than colour: in the style of a line, a marker, a hatch or a word.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Colour(NamedTuple):
    """A colour on white and on a dark ground, both as #rrggbb."""

    light: str
    dark: str


COLOURS: Mapping[str, Colour] = MappingProxyType(
    {
        "surface": Colour("#ffffff", "#12161d"),
        "ink": Colour("#1a1f2b", "#e6e9ef"),
        "muted": Colour("#566074", "#a7b0c2"),
        "rule": Colour("#c6ccd7", "#3b4454"),
        "stripe": Colour("#f2f4f8", "#1b212b"),
        "track": Colour("#d9dde5", "#323b4a"),
        "blue": Colour("#0072b2", "#56b4ea"),
        "vermillion": Colour("#d55e00", "#ff8f45"),
        "green": Colour("#009e73", "#2fc99a"),
        "orange": Colour("#e69f00", "#f2b632"),
        "sky": Colour("#9fcdea", "#2b6c96"),
        "purple": Colour("#aa4485", "#e3a1c6"),
        "good": Colour("#00704f", "#2fc99b"),
        "bad": Colour("#b34a00", "#ff8f46"),
    }
)
"""Roles and hues; every light value is used once, so that it names its role."""

SURFACE, INK, MUTED, RULE, STRIPE, TRACK = (
    COLOURS[name].light for name in ("surface", "ink", "muted", "rule", "stripe", "track")
)
BLUE, VERMILLION, GREEN, ORANGE, SKY, PURPLE = (
    COLOURS[name].light for name in ("blue", "vermillion", "green", "orange", "sky", "purple")
)
