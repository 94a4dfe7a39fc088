"""The figures of a run that a baseline holds: ``RunSummary -> Figures``."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from trigforge.core.costs import Source
from trigforge.core.verdict import Figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trigforge.core.costs import Estimate, Latency, Resources
    from trigforge.core.records import Metrics, RunSummary

RESOURCES = ("lut", "ff", "dsp", "bram_18k", "uram")

_VERSION = re.compile(r" v?\d[^ ,]*")
_DIGITS = 6
"""Decimals of areas and accuracies that are kept: far below one event."""


def figures_of(summary: RunSummary) -> tuple[Figure, ...]:
    """Return what a run measured; what it did not measure is left out.

    Without synthesis the likely values of the estimates stand in, and say so. What is not finite
    is no measurement.
    """
    figures: list[Figure] = []
    if summary.latency is not None:
        figures += _timing(summary.latency)
    if summary.resources is not None:
        figures += _counts(summary.resources)
    else:
        figures += _estimates(summary.estimates)
    if summary.quantised_metrics is not None:
        digest = dict(summary.provenance).get("sample_digest", "")
        figures += _physics(summary.quantised_metrics, digest)
    return tuple(figure for figure in figures if math.isfinite(figure.value))


def _timing(latency: Latency) -> Iterator[Figure]:
    tool = _VERSION.sub("", latency.tool)
    origin = f"{latency.source.value} by {tool} at {latency.clock_mhz:g} MHz"
    yield Figure(name="latency_cycles", value=latency.cycles, origin=origin)
    yield Figure(name="interval_cycles", value=latency.interval_cycles, origin=origin)


def _counts(resources: Resources) -> Iterator[Figure]:
    origin = f"{_VERSION.sub('', resources.origin)}, {resources.part}"
    if resources.source is Source.ESTIMATED:
        origin = f"estimated: {origin}"
    for name in RESOURCES:
        yield Figure(name=name, value=getattr(resources, name), origin=origin)


def _estimates(estimates: Iterable[Estimate]) -> Iterator[Figure]:
    origin = "estimated before synthesis"
    for entry in estimates:
        if entry.resource in RESOURCES and math.isfinite(entry.likely):
            yield Figure(name=entry.resource, value=round(entry.likely), origin=origin)


def _physics(metrics: Metrics, digest: str) -> Iterator[Figure]:
    sample = f" of sample {digest[:12]}" if digest else ""
    origin = f"quantised network, {metrics.n_events} events{sample}"
    if metrics.accuracy is not None:
        yield Figure(name="accuracy", value=round(metrics.accuracy, _DIGITS), origin=origin)
    yield Figure(name="mean_auc", value=round(metrics.mean_auc, _DIGITS), origin=origin)
