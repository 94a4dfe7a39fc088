"""Figures that must not get worse: ``Baseline, Figures -> Comparison``; a JSON file in git.

Latency, interval and resources may grow by their tolerance, areas and accuracies shrink by
theirs; limits are inclusive and computed exactly from the decimal numbers that are written.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from trigforge.core.errors import InputError
from trigforge.core.files import write_file
from trigforge.core.records import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from trigforge.core.verdict import Figure, SpecVerdict

VERSION: Final = 1
MAX_BYTES = 1 << 22

LABELS: Mapping[str, str] = {
    "latency_cycles": "latency",
    "interval_cycles": "initiation interval",
    "lut": "LUT",
    "ff": "FF",
    "dsp": "DSP",
    "bram_18k": "BRAM18",
    "uram": "URAM",
    "accuracy": "accuracy",
    "mean_auc": "mean AUC",
}
"""Figures a baseline holds, and how they are called."""

_HIGHER_IS_BETTER = ("accuracy", "mean_auc")
_HOW_TO_WRITE = "--write-baseline FILE writes it anew"

NotNegative = Annotated[float, Field(ge=0)]
Amount = Annotated[int | float, Field(ge=0)]


class _Entry(BaseModel):
    """A part of the file: unknown keys are refused, values are not converted."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Tolerances(_Entry):
    """By how much a figure may get worse."""

    latency_cycles: Annotated[int, Field(ge=0)] = 0
    interval_cycles: Annotated[int, Field(ge=0)] = 0
    resources_percent: NotNegative = 5.0
    accuracy: NotNegative = 0.002
    mean_auc: NotNegative = 0.002


class Recorded(_Entry):
    """A figure as it was, and how it came about."""

    value: Amount
    origin: str


class RecordedSpec(_Entry):
    """The figures of one model; those that were not measured are left out."""

    latency_cycles: Recorded | None = None
    interval_cycles: Recorded | None = None
    lut: Recorded | None = None
    ff: Recorded | None = None
    dsp: Recorded | None = None
    bram_18k: Recorded | None = None
    uram: Recorded | None = None
    accuracy: Recorded | None = None
    mean_auc: Recorded | None = None

    @model_validator(mode="after")
    def _has_figures(self) -> RecordedSpec:
        if not self.figures:
            msg = "no figure: nothing could get worse"
            raise ValueError(msg)
        return self

    @property
    def figures(self) -> dict[str, Recorded]:
        """The figures that were measured, by name."""
        found = {name: getattr(self, name) for name in LABELS}
        return {name: entry for name, entry in found.items() if entry is not None}


class Baseline(_Entry):
    """What a gate holds new figures against."""

    baseline_version: Literal[1] = VERSION
    tolerances: Tolerances = Tolerances()
    specs: dict[str, RecordedSpec] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A line for each figure that was recorded, and what should be recorded anew."""

    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()


def read(path: Path) -> Baseline:
    """Read a baseline.

    Raises:
        InputError: if the file cannot be read, is no JSON, of another version, or has a wrong
            key or value: all are named.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except OSError as error:
        msg = f"{path}: cannot read the baseline: {error.strerror}; {_HOW_TO_WRITE}"
        raise InputError(msg) from error
    try:
        return Baseline.model_validate(_parse(content))
    except ValidationError as error:
        reason = "; ".join(_explain(entry) for entry in error.errors())
    except (ValueError, RecursionError) as error:
        reason = str(error)
    msg = f"{path}: not a baseline as trigforge writes it: {reason}"
    raise InputError(msg)


def write(baseline: Baseline, path: Path) -> None:
    """Write a baseline, sorted, so that git shows what changed.

    Raises:
        StoreError: if it cannot be written; an old file stays as it was.
    """
    content = baseline.model_dump(exclude_none=True)
    write_file(path, json.dumps(content, indent=1, sort_keys=True) + "\n")


def record(previous: Baseline | None, verdicts: Iterable[SpecVerdict]) -> Baseline:
    """Return a baseline of the figures of the specs that met every check.

    Tolerances stay as they were, and so do the figures of every other spec.
    """
    kept = previous or Baseline()
    return Baseline(
        tolerances=kept.tolerances,
        specs=kept.specs
        | {
            verdict.name: RecordedSpec(
                **{
                    figure.name: Recorded(value=figure.value, origin=figure.origin)
                    for figure in verdict.figures
                }
            )
            for verdict in verdicts
            if verdict.met and verdict.figures
        },
    )


def compare(baseline: Baseline, name: str, figures: Iterable[Figure]) -> Comparison:
    """Hold the figures of one model against those that were recorded.

    A figure that is not measured any more is worse than any: a gate that lost its measurement
    must not stay green. So is one of another origin, because the two cannot be compared.
    """
    recorded = baseline.specs.get(name)
    if recorded is None:
        missing = Check(
            name="recorded", used="not in the baseline", allowed=_HOW_TO_WRITE, met=False
        )
        return Comparison(checks=(missing,))
    found = {figure.name: figure for figure in figures}
    pairs = [(key, before, found.get(key)) for key, before in recorded.figures.items()]
    tolerances = baseline.tolerances
    notes = [note for key, before, now in pairs for note in _better(key, before, now)]
    notes += [
        f"{LABELS[key]}: {_number(now.value)}, not in the baseline: update it"
        for key, now in found.items()
        if key not in recorded.figures
    ]
    return Comparison(
        checks=tuple(_check(tolerances, key, before, now) for key, before, now in pairs),
        notes=tuple(notes),
    )


def unchecked(baseline: Baseline, verdicts: Iterable[SpecVerdict]) -> tuple[str, ...]:
    """Name the models of a baseline that no verdict is about."""
    return tuple(sorted(baseline.specs.keys() - {verdict.name for verdict in verdicts}))


def _check(tolerances: Tolerances, key: str, before: Recorded, now: Figure | None) -> Check:
    limit, tolerance = _limit(tolerances, key, before.value)
    sign = "at least" if key in _HIGHER_IS_BETTER else "at most"
    number: int | float = float(limit) if key in _HIGHER_IS_BETTER else math.floor(limit)
    allowed = f"{sign} {_number(number)} ({_number(before.value)}, {tolerance})"
    if now is None:
        used, met = f"not measured any more (was: {before.origin})", False
    elif now.origin != before.origin:
        used, met = f"{_number(now.value)} ({now.origin})", False
        allowed = f"{before.origin}: not comparable; {_HOW_TO_WRITE}"
    else:
        used = f"{_number(now.value)} ({now.origin})"
        value = Fraction(str(now.value))
        met = value >= limit if key in _HIGHER_IS_BETTER else value <= limit
    return Check(name=LABELS[key], used=used, allowed=allowed, met=met)


def _limit(tolerances: Tolerances, key: str, value: float) -> tuple[Fraction, str]:
    """Return what is still allowed, and the tolerance in words."""
    before = Fraction(str(value))
    if key in _HIGHER_IS_BETTER:
        loss = getattr(tolerances, key)
        return before - Fraction(str(loss)), f"less {loss:g}"
    if key.endswith("_cycles"):
        more = getattr(tolerances, key)
        return before + more, f"{more:+d} cycles"
    percent = tolerances.resources_percent
    return before * (1 + Fraction(str(percent)) / 100), f"+{percent:g} %"


def _better(key: str, before: Recorded, now: Figure | None) -> Iterator[str]:
    if now is None or now.origin != before.origin or now.value == before.value:
        return
    if (now.value > before.value) is (key in _HIGHER_IS_BETTER):
        yield (
            f"{LABELS[key]}: {_number(now.value)} is better than {_number(before.value)}: "
            "update the baseline"
        )


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def _parse(content: bytes) -> dict[str, Any]:
    """Return the object of a JSON file; its version must be written."""
    if len(content) > MAX_BYTES:
        msg = f"larger than {MAX_BYTES} bytes"
        raise ValueError(msg)
    data = json.loads(
        content.decode("utf-8"), object_pairs_hook=_once, parse_constant=_refuse_constant
    )
    if not isinstance(data, dict) or "baseline_version" not in data:
        msg = f'no object with "baseline_version": {VERSION}'
        raise ValueError(msg)
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that is written twice; JSON would silently take the last."""
    names = [name for name, _ in pairs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        msg = f"{twice[0]!r} is written twice"
        raise ValueError(msg)
    return dict(pairs)


def _refuse_constant(name: str) -> None:
    msg = f"{name} is no figure"
    raise ValueError(msg)


def _explain(entry: Any) -> str:
    """Turn one pydantic error into ``path: what is wrong (got value)``."""
    path = ".".join(str(key) for key in entry["loc"])
    if entry["type"] == "extra_forbidden":
        return f"{path}: unknown key"
    if entry["type"] == "missing":
        return f"{path}: missing"
    text = str(entry["msg"]).removeprefix("Value error, ")
    return (
        f"{path}: {text}"
        if entry["type"] == "value_error"
        else (f"{path}: {text} (got {str(entry['input'])[:40]!r})")
    )
