"""The files of an emulator: headers copied as they are, and what depends on the model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2

from trigforge import __version__
from trigforge.core.files import FileSet, digest_of
from trigforge.core.records import Port
from trigforge.emulator.expressions import literal
from trigforge.emulator.ranges import Interval
from trigforge.emulator.targets import LINK_FLAGS, TARGETS

UNITS = ("interface", *TARGETS)
"""Translation units of the library; the CMSSW adapter has one more, ``cmssw``."""

_COPIED = (
    "prelude.hpp",
    "arithmetic.hpp",
    "lanes.hpp",
    "emulator_model.hpp",
    "cmssw_exports.map",
)
_RENDERED = {
    "model.hpp": "model.hpp.j2",
    "network.hpp": "network.hpp.j2",
    "interface.cpp": "interface.cpp.j2",
    "{symbol}.h": "interface.h.j2",
    "exports.map": "exports.map.j2",
    "cmssw.cpp": "cmssw.cpp.j2",
    "Makefile": "Makefile.j2",
}
_TEMPLATES = jinja2.Environment(
    loader=jinja2.PackageLoader("trigforge.emulator"),
    undefined=jinja2.StrictUndefined,
    autoescape=False,
    keep_trailing_newline=True,
    trim_blocks=True,
)


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the files of a model are rendered from."""

    name: str
    version: int
    input: Port
    output: Port
    bytes_per_lane: int
    definitions: str
    calls: tuple[str, ...]

    @property
    def symbol(self) -> str:
        """Namespace of the library, first part of the names of its functions."""
        return f"{self.name}_v{self.version}"

    @property
    def raw_bits(self) -> int:
        """Bits of the integers of the interface: 32 unless a port needs more."""
        ports = self.input.format, self.output.format
        return 32 if all(fmt.width + (not fmt.signed) <= 32 for fmt in ports) else 64

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """What the library says about itself."""
        return {
            "name": self.name,
            "version": self.version,
            "trigforge": __version__,
            "digest": digest_of(self.definitions, *self.calls, *_copies().values()),
            "inputs": [self.input.n_elements, str(self.input.format)],
            "outputs": [self.output.n_elements, str(self.output.format)],
            "raw_bits": self.raw_bits,
        }


def files(contents: Contents) -> FileSet:
    """Return all files of an emulator, a Makefile among them."""
    digest = contents.metadata["digest"][:16]
    context = {
        "banner": f"{contents.symbol}, {digest}: written by trigforge {__version__}, not by hand.",
        "symbol": contents.symbol,
        "raw_type": "int" if contents.raw_bits == 32 else "long long",
        "n_inputs": contents.input.n_elements,
        "n_outputs": contents.output.n_elements,
        "input_format": str(contents.input.format),
        "output_format": str(contents.output.format),
        "input_min": _limit(contents.input.format.raw_min),
        "input_max": _limit(contents.input.format.raw_max),
        "bytes_per_lane": contents.bytes_per_lane,
        "definitions": contents.definitions,
        "calls": contents.calls,
        "metadata": json.dumps(json.dumps(contents.metadata)),
        "units": UNITS,
        "targets": TARGETS,
        "link_flags": LINK_FLAGS,
    }
    result: dict[str, bytes | str] = dict(_copies())
    for path, template in _RENDERED.items():
        result[path.format(symbol=contents.symbol)] = _rendered(template, context)
    for name, target in TARGETS.items():
        own = {"path": name, "condition": target.condition}
        result[f"{name}.cpp"] = _rendered("path.cpp.j2", context | own)
    return FileSet(result)


def _limit(raw: int) -> str:
    return literal(raw, Interval(raw, raw).c_type)


def _copies() -> dict[str, bytes]:
    folder = Path(__file__).parent / "templates"
    return {name: (folder / name).read_bytes() for name in _COPIED}


def _rendered(template: str, context: dict[str, Any]) -> str:
    return _TEMPLATES.get_template(template).render(context)
