"""Make the source of a top function tell what each of its layers computed.

hls4ml writes one statement a layer, a call whose arguments name the tensors it reads and
the one it fills, with the layer's name in a comment behind it. A statement that is not
understood is left as it is, and named.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trigforge.core.errors import InputError
from trigforge.csim import signature

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trigforge.csim.signature import Signature

_ARRAY = re.compile(r"(?:static\s+)?[\w:<>, ]+?\b(\w+)\s*\[[^\[\]]+\]")
_STREAM = re.compile(r"(?:static\s+)?(?:hls::)?stream\s*<.+>\s*(\w+)\s*(?:\(.*\))?")
_ALIAS = re.compile(r"(?:auto|[\w:]+)\s*[&*]\s*(\w+)\s*=\s*(\w+)")
_CALL = re.compile(r"[A-Za-z_][\w:]*\s*(?:<.*>)?\s*\((?P<arguments>.*)\)")
_NAME = re.compile(r"[ \t]*//[ \t]*(?P<name>\S[^\n]*)")
_COPIES = re.compile(r"(?:nnet::)?clone_stream\b")
"""Copies of a stream that two layers read: what is in them was kept before."""
_HAND_MADE = re.compile(r"\b(?:for|while|if|do|else)\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement of the top function, and the comment behind it in its line."""

    text: str
    """In one line, without comments and directives."""
    comment: str
    end: int
    """Position behind its semicolon."""
    nested: bool
    """It stands in a block inside the function's."""


@dataclass(slots=True)
class Instrumented:
    """A source with calls that keep results, and what was left out: layer and reason."""

    text: str
    left_out: list[tuple[str, str]] = field(default_factory=list)


def instrument(source: str, top: Signature) -> Instrumented:
    """Insert a call behind each statement that computes a layer.

    Raises:
        InputError: if the source does not define the top function.
    """
    plain = signature.without_comments(source)
    match = re.search(rf"\bvoid\s+{re.escape(top.name)}\s*\(", plain)
    start = -1 if match is None else plain.find("{", signature.matching(plain, match.end() - 1))
    if start < 0:
        msg = f"firmware/{top.name}.cpp does not define 'void {top.name}(...)'"
        raise InputError(msg)
    result = Instrumented(source)
    waiting = {top.output.name}
    """Tensors that no layer has filled yet."""
    calls: dict[str, tuple[int, str]] = {}
    for statement in _statements(source, plain, start + 1, signature.matching(plain, start)):
        declared = _ARRAY.fullmatch(statement.text) or _STREAM.fullmatch(statement.text)
        if declared is not None:
            waiting.add(declared[1])
            continue
        filled = _filled(statement, waiting, result)
        name = statement.comment or filled
        if filled and name in calls:
            result.left_out.append((name, "a second layer of this name"))
        elif filled:
            calls[name] = (statement.end, _keep(name, filled, top))
    result.left_out += [(tensor, "no layer is seen to fill it") for tensor in sorted(waiting)]
    for position, call in reversed(calls.values()):
        result.text = result.text[:position] + call + result.text[position:]
    return result


def _keep(name: str, tensor: str, top: Signature) -> str:
    """Return the call; an array that is a parameter has lost its size."""
    size = f", {top.output.size}" if tensor == top.output.name and top.output.size else ""
    return f" ::raw_ports::keep({json.dumps(name)}, {tensor}{size});"


def _filled(statement: Statement, waiting: set[str], result: Instrumented) -> str:
    """Return the tensor that a statement fills; empty, with the reason, if there is not one."""
    used = sorted(waiting.intersection(re.findall(r"\w+", statement.text)))
    call = _CALL.fullmatch(statement.text)
    if _ALIAS.fullmatch(statement.text) is not None or not (used or statement.comment):
        return ""
    if _COPIES.match(statement.text):
        waiting.difference_update(used)
        return ""
    if call is None or _HAND_MADE.match(statement.text):
        reason = f"not a call: {statement.text[:60]}"
    elif statement.nested:
        reason = "computed inside a block"
    else:
        arguments = set(signature.split_arguments(call["arguments"]))
        filled = [tensor for tensor in used if tensor in arguments]
        if len(filled) == 1:
            waiting.discard(filled[0])
            return filled[0]
        reason = f"fills {', '.join(filled)}" if filled else "fills no tensor that is known"
    waiting.difference_update(used)
    result.left_out.append((statement.comment or ", ".join(used), reason))
    return ""


def _statements(source: str, plain: str, first: int, last: int) -> Iterator[Statement]:
    """Yield what ends with a semicolon; braces separate statements too."""
    depth, blocks = 0, 0
    for position in range(first, last):
        character = plain[position]
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character in "{}":
            first = position + 1
            blocks += 1 if character == "{" else -1
        elif character == ";" and depth == 0:
            comment = _NAME.match(source, position + 1)
            yield Statement(
                text=" ".join(plain[first:position].split()),
                comment=comment["name"].strip() if comment is not None else "",
                end=position + 1,
                nested=blocks > 0,
            )
            first = position + 1
