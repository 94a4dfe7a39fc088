"""The keys of the spec, as tables made from the schema that checks it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from trigforge.core.config import ImportedSpec, Spec
from trigforge.core.config.scan import ScanSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

_LIMITS = {
    "exclusiveMinimum": "above",
    "minimum": "at least",
    "exclusiveMaximum": "below",
    "maximum": "at most",
}
_HEADER = ["| key | value | default | |", "|---|---|---|---|"]


def render() -> str:
    """Return the reference as Markdown: a part for each form of the spec, a table a section."""
    known: set[str] = set()
    trained = _part("A network that is trained here", Spec, known)
    imported = _part("An imported network", ImportedSpec, known)
    return "\n".join([*trained, *imported])


def render_scan() -> str:
    """Return the reference of a scan."""
    return "\n".join(_part("All keys of a scan", ScanSpec, set()))


def undescribed(model: type[BaseModel]) -> list[str]:
    """Name the keys below a model that say nothing about themselves.

    A key with one possible value chooses a section, and one that is a section has that one's text.
    """
    schema = model.model_json_schema()
    sections = {model.__name__: schema, **schema.get("$defs", {})}
    return [
        f"{name}.{key}"
        for name, section in sections.items()
        for key, value in section.get("properties", {}).items()
        if not (value.get("description") or "const" in value or list(_references(value)))
    ]


def _part(title: str, model: type[BaseModel], known: set[str]) -> Iterator[str]:
    """Yield the lines of one form of the spec; sections that are ``known`` come once only."""
    schema = model.model_json_schema()
    yield from ("", f"## {title}", "", _prose(schema), "", *_table(schema))
    waiting = _named_sections(schema)
    while waiting:
        title, name = waiting.pop(0)
        if name not in known:
            known.add(name)
            section = schema["$defs"][name]
            yield from ("", f"### {title} {{: #{_anchor(name)} }}", "", _prose(section), "")
            yield from _table(section)
            waiting[:0] = _named_sections(section)


def _named_sections(schema: dict[str, Any]) -> list[tuple[str, str]]:
    """Return a title and the name of each section that the keys of another one hold."""
    found = []
    for key, value in schema["properties"].items():
        union = _discriminated(value)
        chosen = {name: choice for choice, name in union[1].items()} if union else {}
        for name in _references(value):
            kind = f", {union[0]}: {chosen[name]}" if union and name in chosen else ""
            found.append((f"{key}{kind}", name))
    return found


def _discriminated(value: dict[str, Any]) -> tuple[str, dict[str, str]] | None:
    """Return the key that chooses among sections, and the section of each of its values."""
    if "discriminator" not in value:
        return None
    mapping = value["discriminator"]["mapping"].items()
    return value["discriminator"]["propertyName"], {key: _name_of(ref) for key, ref in mapping}


def _references(value: Any) -> Iterator[str]:
    """Yield the names of the sections that a value refers to."""
    if isinstance(value, dict):
        if "$ref" in value:
            yield _name_of(value["$ref"])
        parts = [part for key, part in value.items() if key != "discriminator"]
    else:
        parts = value if isinstance(value, list) else []
    for part in parts:
        yield from _references(part)


def _name_of(reference: str) -> str:
    return reference.rpartition("/")[2]


def _anchor(name: str) -> str:
    return f"section-{name.lower()}"


def _prose(schema: dict[str, Any]) -> str:
    return str(schema.get("description", "")).replace("``", "`")


def _table(schema: dict[str, Any]) -> Iterator[str]:
    required = set(schema.get("required", ()))
    yield from _HEADER
    for key, value in schema["properties"].items():
        default = "required" if key in required else _default(value)
        kind = _type(value)
        if key.endswith("_format"):
            kind = kind.replace("text", "fixed-point format")
        cells = (f"`{key}`", kind, default, value.get("description", ""))
        yield (
            "| " + " | ".join(cell.replace("|", r"\|").replace("``", "`") for cell in cells) + " |"
        )


def _default(value: dict[str, Any]) -> str:
    return f"`{json.dumps(value['default'])}`" if "default" in value else "empty"


def _type(value: dict[str, Any]) -> str:
    """Say in words what a value may be."""
    if "$ref" in value:
        return f"[section](#{_anchor(_name_of(value['$ref']))})"
    if "const" in value or "enum" in value:
        choices = value.get("enum", [value.get("const")])
        return " or ".join(
            f"`{choice if isinstance(choice, str) else json.dumps(choice)}`" for choice in choices
        )
    if (union := _discriminated(value)) is not None:
        links = [f"[{choice}](#{_anchor(name)})" for choice, name in union[1].items()]
        return f"section, by its `{union[0]}`: {' or '.join(links)}"
    if not value:
        return "any value"
    for kind in ("oneOf", "anyOf"):
        if kind in value:
            return " or ".join(dict.fromkeys(_type(part) for part in value[kind]))
    return _NAMES[value["type"]](value)


def _number(value: dict[str, Any]) -> str:
    limits = [f"{word} {value[key]:g}" for key, word in _LIMITS.items() if key in value]
    return ", ".join([value["type"], *limits])


def _text(value: dict[str, Any]) -> str:
    return f"text, `{value['pattern']}`" if "pattern" in value else "text"


def _list(value: dict[str, Any]) -> str:
    if "prefixItems" in value:
        return "list: " + "; ".join(_type(item) for item in value["prefixItems"])
    words = {"minItems": "at least", "maxItems": "at most"}
    limits = [f"{word} {value[key]}" for key, word in words.items() if key in value]
    return (
        f"list ({', '.join(limits)}) of: {_type(value['items'])}"
        if limits
        else (f"list of: {_type(value['items'])}")
    )


def _mapping(value: dict[str, Any]) -> str:
    (values,) = value.get("patternProperties", {"": value.get("additionalProperties")}).values()
    return f"mapping of names to: {_type(values)}"


_NAMES = {
    "integer": _number,
    "number": _number,
    "string": _text,
    "boolean": lambda _: "`true` or `false`",
    "null": lambda _: "`null`",
    "array": _list,
    "object": _mapping,
}
