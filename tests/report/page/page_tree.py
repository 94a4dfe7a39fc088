"""A page as a tree, as strict about its tags as the parser of a browser is lenient."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "link", "input", "br"}


@dataclass
class Element:
    """An element, its attributes, and what is in it: elements and texts."""

    tag: str
    attributes: dict[str, str]
    content: list[Any] = field(default_factory=list)

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """Return the elements below of a tag, with attributes or parts of their class."""
        found = []
        for child in self.content:
            if isinstance(child, Element):
                if child.is_one(tag, attributes):
                    found.append(child)
                found += child.all(tag, **attributes)
        return found

    def one(self, tag: str = "", **attributes: str) -> Element:
        """Return the only such element."""
        (found,) = self.all(tag, **attributes)
        return found

    def is_one(self, tag: str, attributes: dict[str, str]) -> bool:
        if tag and tag != self.tag:
            return False
        wanted = dict(attributes)
        names = wanted.pop("kind", "").split()
        have = self.attributes.get("class", "").split()
        return set(names) <= set(have) and wanted.items() <= self.attributes.items()

    @property
    def text(self) -> str:
        """Return all text in it, with single spaces."""
        parts = (child.text if isinstance(child, Element) else child for child in self.content)
        return " ".join(" ".join(parts).split())

    @property
    def raw(self) -> str:
        """Return the text of an element that holds nothing else, as it is."""
        return "".join(self.content)


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("page", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].content.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].content.append(data)

    def handle_comment(self, data: str) -> None:
        message = f"a comment: {data}"
        raise AssertionError(message)


def parse(page: str) -> Element:
    """Return the tree of a page; every tag must be closed."""
    builder = _Builder()
    builder.feed(page)
    builder.close()
    assert [element.tag for element in builder.open] == ["page"]
    return builder.open[0]
