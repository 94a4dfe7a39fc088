"""Tiny networks that hls4ml converts with a fault in their configuration."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parents[1] / "conversion"))

from lowering_nets import TABLE_TYPES, model_graph

from trigforge.conversion import lowering
from trigforge.core.fixed_point import quantise, to_values
from trigforge.core.graph import FixedPointGraph
from trigforge.core.records import RawTensor
from trigforge.diagnosis import Diagnosis, Mend, diagnose
from trigforge.networks import tracing

N_EVENTS = 150


@dataclass(frozen=True)
class Planted:
    """A model, how it is converted, and the values its users have."""

    model: Any
    settings: dict[str, dict[str, Any]]
    values: np.ndarray
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def hls(self) -> Any:
        return model_graph(self.model, self.settings, **self.options)

    @property
    def graph(self) -> FixedPointGraph:
        return lowering.lower(self.hls, "net")

    def diagnosed(self, **options: Any) -> Diagnosis:
        hls = self.hls
        graph = lowering.lower(hls, "net")
        original = tracing.trace(self.model, self.values)
        inputs = RawTensor(format=graph.input.format, raw=quantise(self.values, graph.input.format))
        deviations = lowering.known_deviations(hls)
        return diagnose(graph, inputs, original, deviations=deviations, **options)

    def streamed(self) -> Planted:
        """Return the same in io_stream."""
        return Planted(self.model, self.settings, self.values, {"io_type": "io_stream"})

    def mended(self, mends: tuple[Mend, ...]) -> Planted:
        """Return the same with lines of the configuration changed, as a user would."""
        settings = {name: dict(values) for name, values in self.settings.items()}
        for mend in mends:
            section, layer, *keys = mend.path.split(".")
            assert section == "LayerName"
            key = keys[-1]
            key = key.removesuffix("_t") if key.removesuffix("_t") in TABLE_TYPES else key
            value = int(mend.value) if key == "TableSize" else mend.value
            settings.setdefault(layer, {})[key] = value
        return Planted(self.model, settings, self.values, self.options)


def grid_values(text: str, n_elements: int, seed: int = 3, n_events: int = N_EVENTS) -> np.ndarray:
    """Return random numbers over the whole of a format."""
    from trigforge.core.fixed_point import parse_format

    fmt = parse_format(text)
    raw = np.random.default_rng(seed).integers(
        fmt.raw_min, fmt.raw_max, size=(n_events, n_elements), endpoint=True
    )
    return to_values(raw, fmt)
