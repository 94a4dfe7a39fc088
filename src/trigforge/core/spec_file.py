"""Read a spec: plain data only, and all wrong keys reported at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from trigforge.core import yaml_file
from trigforge.core.config import AnySpec, ImportedSpec, Spec
from trigforge.core.config.section import Section
from trigforge.core.errors import SpecError

if TYPE_CHECKING:
    from pathlib import Path

AnySection = TypeVar("AnySection", bound=Section)


def read_spec(path: Path) -> AnySpec:
    """Read and check a spec.

    Raises:
        SpecError: if the file is missing, no YAML, or wrong; all wrong keys are named.
    """
    return parse_spec(yaml_file.read(path, what="the spec"), where=str(path))


def parse_spec(data: Any, *, where: str) -> AnySpec:
    """Check a spec given as nested mappings; one with a ``model`` is an imported one.

    Raises:
        SpecError: naming every wrong key with its path and what would be right.
    """
    if not isinstance(data, dict):
        msg = f"{where}: a spec is a mapping with the keys {', '.join(Spec.model_fields)}"
        raise SpecError(msg)
    if "model" in data:
        return explain_all(ImportedSpec, data, where=where)
    return explain_all(Spec, data, where=where)


def explain_all(section: type[AnySection], data: dict[str, Any], *, where: str) -> AnySection:
    """Check nested mappings against what describes them.

    Raises:
        SpecError: naming every wrong key with its path and what would be right.
    """
    try:
        return section.model_validate(data)
    except ValidationError as error:
        lines = [explain(entry) for entry in error.errors()]
        msg = f"{where}: {len(lines)} problem(s)\n  " + "\n  ".join(lines)
        raise SpecError(msg) from error


def with_implementation(spec: AnySpec, implementation: str, *, where: str) -> AnySpec:
    """Return the spec with another ``hardware.implementation``, checked like a spec that is read.

    Raises:
        SpecError: naming every key that is wrong then.
    """
    data = spec.model_dump(mode="json", exclude_unset=True)
    data["hardware"]["implementation"] = implementation
    return parse_spec(data, where=where)


def require_trainable(spec: AnySpec) -> Spec:
    """Return the spec if it describes a sample and a network.

    Raises:
        SpecError: if it is that of an imported model.
    """
    if isinstance(spec, ImportedSpec):
        msg = f"{spec.name} was imported: it has no sample and no training of its own"
        raise SpecError(msg)
    return spec


def explain(entry: Any) -> str:
    """Turn one pydantic error into ``path: what is wrong (got value)``."""
    keys = [str(key) for key in entry["loc"]]
    if keys[0:1] in (["sample"], ["network"]):
        del keys[1:2]  # pydantic names the member of the union there
    path = ".".join(keys)
    if entry["type"] == "extra_forbidden":
        return f"{path}: unknown key"
    if entry["type"] == "missing":
        return f"{path}: missing"
    text = str(entry["msg"]).removeprefix("Value error, ")
    if entry["type"] == "value_error":
        return f"{path}: {text}" if path else text
    return f"{path}: {text} (got {entry['input']!r})"
