"""The weights of a project: what is simulated against what synthesis reads.

A simulation of hls4ml's projects loads ``weights/NAME.txt``; synthesis compiles the values
in ``weights/NAME.h``. Nothing holds the two equal once a file has been changed by hand.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trigforge.csim import signature

if TYPE_CHECKING:
    from pathlib import Path

    from trigforge.core.records import HlsProject

_LOADED = re.compile(r"\bload_\w+_from_txt\s*<[^;]*>\s*\(\s*\w+\s*,\s*\"([^\"]+)\.txt\"")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def disagreements(project: HlsProject) -> tuple[str, ...]:
    """Name each tensor of weights whose simulated values are not those of its header.

    Raises:
        InputError: if a file cannot be read.
    """
    firmware = project.folder / "firmware"
    text = signature.without_comments(signature.read_text(firmware / f"{project.name}.cpp"))
    loaded = dict.fromkeys(_LOADED.findall(text))
    found = (_disagreement(firmware / "weights", name) for name in loaded)
    return tuple(line for line in found if line)


def _disagreement(folder: Path, name: str) -> str:
    """Return the sentence on one tensor; empty if its files agree or one is not there."""
    header, values = folder / f"{name}.h", folder / f"{name}.txt"
    if not header.is_file() or not values.is_file():
        return ""
    match = re.search(
        rf"\b{re.escape(name)}\s*\[[^\]]*\]\s*=\s*\{{(.*?)\}}\s*;",
        signature.read_text(header),
        re.DOTALL,
    )
    if match is None:
        return ""
    synthesised = [float(number) for number in _NUMBER.findall(match[1])]
    simulated = [float(number) for number in _NUMBER.findall(signature.read_text(values))]
    what = f"simulated are the weights of {name}.txt, synthesised those of {name}.h: "
    if len(simulated) != len(synthesised):
        return f"{what}they are {len(simulated)} and {len(synthesised)} numbers"
    pairs = enumerate(zip(simulated, synthesised, strict=True))
    different = [(i, text, number) for i, (text, number) in pairs if text != number]
    if not different:
        return ""
    position, in_text, in_header = different[0]
    return (
        f"{what}{len(different)} of {len(simulated)} differ, the first at {position}: "
        f"{in_text:g} and {in_header:g}"
    )
