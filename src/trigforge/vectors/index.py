"""What lies beside vectors: ``vectors.json`` says what a file holds, no spec is needed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from trigforge.core import port_file
from trigforge.core.config.links import Links
from trigforge.core.errors import InputError
from trigforge.core.records import Port
from trigforge.vectors import packets
from trigforge.vectors.lines import decode, read_bytes

if TYPE_CHECKING:
    from pathlib import Path

    from trigforge.vectors.packets import Layout

INDEX = "vectors.json"
Side = Literal["inputs", "outputs"]
SIDES: tuple[Side, Side] = ("inputs", "outputs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """What is known of the vectors in a file: port, links, names of the elements."""

    port: Port
    links: Links | None
    names: tuple[str, ...] = ()
    side: Side = "outputs"
    first_event: int = 0
    """The number of the file's first event, counted over all files."""

    def layout(self) -> Layout:
        """Return how events lie on the links.

        Raises:
            SpecError: if there are no links, or too few.
        """
        return packets.plan(self.links, self.port, self.side)

    def name_of(self, element: int) -> str:
        """Name an element."""
        named = element < len(self.names)
        return self.names[element] if named else f"{self.side[:-1]} {element}"


def describe(path: Path) -> Described | None:
    """Return what the index beside a file says of it; None if there is none, or not of it.

    Raises:
        InputError: if the index was written here and is not as it was.
    """
    index_path = path.parent / INDEX
    if not index_path.is_file():
        return None
    try:
        index = json.loads(decode(read_bytes(index_path), index_path))
        if not str(index["generator"]).startswith("trigforge "):
            return None
        for side in SIDES:
            for entry in index[side]["files"]:
                if entry["path"] == path.name:
                    return _described(index, side, entry)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        msg = f"{index_path}: not as trigforge wrote it ({type(error).__name__}: {error})"
        raise InputError(" ".join(msg.split())) from error
    return None


def _described(index: dict[str, Any], side: Side, entry: dict[str, Any]) -> Described:
    links = None
    if "links" in index:
        numbers = {name: tuple(index[name]["links"]) for name in SIDES}
        links = Links(**index["links"], **numbers)
    return Described(
        port=port_file.read(index[side]),
        links=links,
        names=tuple(str(name) for name in index[side].get("element_names", ())),
        side=side,
        first_event=int(entry["first_event"]),
    )
