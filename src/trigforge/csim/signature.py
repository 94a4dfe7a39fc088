"""The top function of an HLS project, as its header declares it.

Only the shape of the declaration is read here. What its types are, and how many elements
an expression in brackets stands for, the C++ compiler says: the expressions go into the
bench as they are written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from trigforge.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n\\]|\\.)*$", re.MULTILINE | re.DOTALL)
_NAMESPACE = re.compile(r"\bnamespace\s+([\w:]+)\s*\{|[{}]")
_ARRAY = re.compile(r"(?:const\s+)?(?P<type>.+?)\s*\b(?P<name>\w+)\s*\[(?P<size>[^\[\]]+)\]")
_STREAM = re.compile(r"(?:hls::)?stream\s*<(?P<type>.+)>\s*&\s*(?P<name>\w+)", re.DOTALL)
_SIZE = re.compile(r"unsigned\s+short\s*&\s*const_size\w*")
_PROJECT_NAMES = (
    ("project.tcl", re.compile(r"set\s+project_name\s+\"?(\w+)")),
    ("hls4ml_config.yml", re.compile(r"^ProjectName:\s*(\w+)", re.MULTILINE)),
    ("build_prj.tcl", re.compile(r"set\s+(?:myproject|project_name)\s+\"?(\w+)")),
    ("build_prj.tcl", re.compile(r"open_project\s+(?:-reset\s+)?\"?(\w+)_prj")),
)


class Kind(StrEnum):
    """How a tensor enters or leaves the top function."""

    ARRAY = "array"
    STREAM = "stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """A parameter that carries data: the type of an element (array) or of a pack (stream)."""

    name: str
    kind: Kind
    type: str
    size: str
    """The C++ expression of an array's length; empty for a stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A top function with one input and one output."""

    name: str
    namespace: str
    """Empty if there is none."""
    input: Tensor
    output: Tensor
    n_sizes: int
    """References after the tensors, by which hls4ml until 0.6 returned their sizes."""

    @property
    def io_type(self) -> str:
        """What hls4ml calls the interface."""
        return "io_stream" if self.input.kind is Kind.STREAM else "io_parallel"


def read(folder: Path) -> Signature:
    """Find the top function of a project and read its declaration.

    Raises:
        InputError: if the folder is no HLS project, its top function cannot be told, or it
            has other ports than one input and one output.
    """
    name = project_name(folder)
    path = folder / "firmware" / f"{name}.h"
    text = without_comments(read_text(path))
    match = _declaration(text, name)
    parameters = list(split_arguments(text[match.end() : matching(text, match.end() - 1)]))
    n_sizes = sum(_SIZE.fullmatch(parameter) is not None for parameter in parameters)
    tensors = [
        _tensor(parameter, f"{path}, {name}()")
        for parameter in parameters
        if _SIZE.fullmatch(parameter) is None
    ]
    if len(tensors) != 2:
        raise InputError(_refusal(f"{path}, {name}()", tensors))
    return Signature(
        name=name,
        namespace=_namespace(text[: match.start()]),
        input=tensors[0],
        output=tensors[1],
        n_sizes=n_sizes,
    )


def project_name(folder: Path) -> str:
    """Return the name of the top function: that of the one header that declares it.

    Raises:
        InputError: if no file does, or several do and the project's Tcl names none of them.
    """
    firmware = folder / "firmware"
    if not firmware.is_dir():
        msg = f"{folder} is no HLS project of hls4ml: it has no folder firmware"
        raise InputError(msg)
    found = [
        path.stem
        for path in sorted(firmware.glob("*.h"))
        if path.with_suffix(".cpp").is_file()
        and re.search(rf"\bvoid\s+{re.escape(path.stem)}\s*\(", without_comments(read_text(path)))
    ]
    if len(found) == 1:
        return found[0]
    for file, pattern in _PROJECT_NAMES:
        match = pattern.search(read_text(folder / file)) if (folder / file).is_file() else None
        if match is not None and match[1] in found:
            return match[1]
    what = f"several top functions ({', '.join(found)})" if found else "no top function"
    msg = (
        f"{folder} declares {what}: NAME.h in firmware must declare 'void NAME(...)', and "
        "NAME.cpp define it"
    )
    raise InputError(msg)


def read_text(path: Path) -> str:
    """Return a source file as text; bytes that are no UTF-8, as in old comments, are replaced.

    Raises:
        InputError: if it cannot be read.
    """
    try:
        return path.read_text(errors="replace")
    except OSError as error:
        msg = f"{path} cannot be read: {error.strerror}"
        raise InputError(msg) from error


def without_comments(text: str) -> str:
    """Blank comments and directives of C++; every other character stays where it was."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match[0])

    return _DIRECTIVE.sub(blank, _COMMENT.sub(blank, text))


def matching(text: str, opening: int) -> int:
    """Return where the bracket at a position is closed; the end of the text if nowhere."""
    pairs = {"(": ")", "{": "}", "[": "]"}
    depth = 0
    for position in range(opening, len(text)):
        if text[position] == text[opening]:
            depth += 1
        elif text[position] == pairs[text[opening]]:
            depth -= 1
            if depth == 0:
                return position
    return len(text)


def split_arguments(text: str) -> Iterator[str]:
    """Yield what commas separate, those inside brackets of any kind left alone."""
    depth, first = 0, 0
    for position, character in enumerate(text):
        if character in "(<[{":
            depth += 1
        elif character in ")>]}":
            depth -= 1
        elif character == "," and depth == 0:
            yield " ".join(text[first:position].split())
            first = position + 1
    if text[first:].strip():
        yield " ".join(text[first:].split())


def _declaration(text: str, name: str) -> re.Match[str]:
    match = re.search(rf"\bvoid\s+{re.escape(name)}\s*\(", text)
    if match is None:
        msg = f"firmware/{name}.h does not declare 'void {name}(...)'"
        raise InputError(msg)
    return match


def _tensor(parameter: str, where: str) -> Tensor:
    array, stream = _ARRAY.fullmatch(parameter), _STREAM.fullmatch(parameter)
    if stream is not None:
        return Tensor(name=stream["name"], kind=Kind.STREAM, type=stream["type"].strip(), size="")
    if array is not None and "stream" not in array["type"]:
        return Tensor(
            name=array["name"], kind=Kind.ARRAY, type=array["type"], size=array["size"].strip()
        )
    msg = (
        f"{where}: cannot play data into the parameter '{parameter}'; known are arrays 'TYPE "
        "NAME[SIZE]' and streams 'hls::stream<TYPE> &NAME'"
    )
    raise InputError(msg)


def _refusal(where: str, tensors: list[Tensor]) -> str:
    names = ", ".join(tensor.name for tensor in tensors) or "none"
    weights = [tensor.name for tensor in tensors if re.fullmatch(r"[wb]\d+\w*", tensor.name)]
    if weights and len(tensors) - len(weights) == 2:
        return (
            f"{where} takes weights from outside ({', '.join(weights)}): a project whose weights "
            "are in memories of their own (BramFactor) cannot be simulated; convert it without"
        )
    return f"{where} has the ports {names}; one input and one output can be simulated"


def _namespace(before: str) -> str:
    """Name the namespace that is open at the end of a text."""
    opened: list[str] = []
    for match in _NAMESPACE.finditer(before):
        if match[0] == "}":
            del opened[-1:]
        else:
            opened.append(match[1] or "")
    return "::".join(name for name in opened if name)
