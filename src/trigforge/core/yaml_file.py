"""Read YAML that people wrote: plain data, no key twice, no code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from trigforge.core.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 1 << 22
"""More is no text that people wrote; anchors cannot multiply beyond memory."""


class _PlainLoader(yaml.SafeLoader):
    """Plain data only, and no key twice: YAML would silently take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            text = f"{twice[0]!r} is written twice"
            raise yaml.constructor.ConstructorError(None, None, text, node.start_mark)
        return super().construct_mapping(node, deep)


def read(path: Path, *, what: str) -> Any:
    """Return what a YAML file holds; ``what`` names it in errors.

    Raises:
        SpecError: if the file is missing, too large, no text or no plain YAML.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        msg = f"{path}: cannot read {what}: {reason}"
        raise SpecError(msg) from error
    if len(content) > MAX_BYTES:
        msg = f"{path}: cannot read {what}: larger than {MAX_BYTES} bytes"
        raise SpecError(msg)
    try:
        return yaml.load(text, _PlainLoader)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        msg = f"{path}: not YAML: {' '.join(str(error).split())}"
        raise SpecError(msg) from error
