"""The space of a scan: ``ScanSpec, values -> spec``, and back from the base to values."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna

from trigforge.core import yaml_file
from trigforge.core.config import AnySpec
from trigforge.core.config.scan import Parameter, ScanSpec
from trigforge.core.errors import SpecError
from trigforge.core.spec_file import explain_all, parse_spec, read_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.distributions import BaseDistribution

MAX_NAME = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """A scan, the spec that it changes, and where both lie."""

    scan: ScanSpec
    base: AnySpec
    base_file: Path
    where: str

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """Return Optuna's description of each parameter."""
        return {name: _distribution(entry) for name, entry in self.scan.space.items()}

    def spec(self, name: str, numbers: Mapping[str, Any]) -> AnySpec:
        """Return the spec of a design; ``numbers`` are what Optuna proposes.

        Raises:
            SpecError: naming every key that is wrong in it.
        """
        values = dict(self.scan.changes)
        for parameter, number in numbers.items():
            value = self.scan.space[parameter].value(number)
            values |= dict.fromkeys(self.scan.keys_of(parameter), value)
        data = self.base.model_dump(mode="json", exclude_unset=True)
        for key, value in values.items():
            _set(data, key, value, self.where)
        return parse_spec({**data, "name": name}, where=f"{self.where}: {name}")

    def of_base(self) -> dict[str, Any] | None:
        """Return what Optuna would have to propose for the base; None: it is not in the space."""
        data = self.base.model_dump(mode="json")
        found = {}
        for name, entry in self.scan.space.items():
            values = [_base_value(data, key) for key in self.scan.keys_of(name)]
            numbers = [number for number in _numbers(entry) if entry.value(number) == values[0]]
            if not numbers or any(value != values[0] for value in values):
                return None
            found[name] = numbers[0]
        return found

    def design_name(self, number: int) -> str:
        """Return the name of a trial's design."""
        suffix = f"_{number}"
        return self.base.name[: MAX_NAME - len(suffix)] + suffix


def read(path: Path) -> Space:
    """Read a scan and its base.

    Raises:
        SpecError: if a file is missing or wrong, or keys of the space are none of the base's.
    """
    data = yaml_file.read(path, what="the scan")
    if not isinstance(data, dict):
        msg = f"{path}: a scan is a mapping with the keys {', '.join(ScanSpec.model_fields)}"
        raise SpecError(msg)
    scan = explain_all(ScanSpec, data, where=str(path))
    base_file = path.parent / scan.base
    space = Space(scan=scan, base=read_spec(base_file), base_file=base_file, where=str(path))
    _check_corners(space)
    return space


def _check_corners(space: Space) -> None:
    """Refuse a space if neither its first nor its last corner is a spec: a key is wrong then."""
    errors = []
    for corner in (0, -1):
        numbers = {name: _ends(entry)[corner] for name, entry in space.scan.space.items()}
        try:
            space.spec(space.base.name, numbers)
        except SpecError as error:
            errors.append(error)
        else:
            return
    raise errors[0]


def _ends(entry: Parameter) -> tuple[Any, Any]:
    if entry.choices is not None:
        return entry.choices[0], entry.choices[-1]
    return entry.low, entry.high


def _numbers(entry: Parameter) -> list[Any]:
    """Return the numbers of a parameter that can be counted out; of others, none but the ends."""
    if entry.choices is not None:
        return list(entry.choices)
    low, high = _ends(entry)
    step = entry.step or (1 if entry.integers else None)
    if step is None:
        return [low, high]
    count = math.floor((high - low) / step + 1e-9)
    return [
        low + index * step if entry.integers else round(low + index * step, 12)
        for index in range(count + 1)
    ]


def _distribution(entry: Parameter) -> BaseDistribution:
    if entry.choices is not None:
        return optuna.distributions.CategoricalDistribution(entry.choices)
    low, high = _ends(entry)
    if entry.integers:
        return optuna.distributions.IntDistribution(
            low, high, log=entry.log, step=int(entry.step or 1)
        )
    return optuna.distributions.FloatDistribution(low, high, log=entry.log, step=entry.step)


def _set(data: Any, key: str, value: Any, where: str) -> None:
    """Set a dotted key in nested mappings and lists; mappings appear as they are needed."""
    *parents, last = key.split(".")
    place = data
    for index, part in enumerate(parents):
        place = _inner(place, part, ".".join(parents[: index + 1]), where)
    if isinstance(place, list):
        _item(place, last, key, where)
        place[int(last)] = copy.deepcopy(value)
    else:
        place[last] = copy.deepcopy(value)


def _inner(place: Any, part: str, so_far: str, where: str) -> Any:
    inner = (
        _item(place, part, so_far, where) if isinstance(place, list) else place.setdefault(part, {})
    )
    if not isinstance(inner, dict | list):
        msg = f"{where}: space: {so_far} of the base is {inner!r}, it has no keys"
        raise SpecError(msg)
    return inner


def _item(place: list[Any], part: str, so_far: str, where: str) -> Any:
    if not part.isdigit() or int(part) >= len(place):
        msg = f"{where}: space: {so_far}: the base has {len(place)} there, counted from 0"
        raise SpecError(msg)
    return place[int(part)]


def _base_value(data: Any, key: str) -> Any:
    """Return what the base has; a layer without a format of its own has that of all layers."""
    value = _get(data, key)
    if value is None and key.startswith("quantization.layers."):
        value = _get(data, f"quantization.{key.rpartition('.')[2]}")
    return value


def _get(data: Any, key: str) -> Any:
    """Return what a dotted key holds, None if nothing."""
    for part in key.split("."):
        if isinstance(data, list):
            data = data[int(part)] if part.isdigit() and int(part) < len(data) else None
        else:
            data = data.get(part) if isinstance(data, dict) else None
    return data
