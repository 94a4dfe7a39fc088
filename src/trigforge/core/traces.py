"""What a trained model gives layer by layer: the records that diagnosis compares with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.records import freeze_arrays

Values: TypeAlias = NDArray[np.float64]
"""Numbers of many events, ``(n_events, n_elements)``, row-major, channels last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerTrace:
    """What one layer gives.

    A layer with an activation inside is two: the layer without it, under its own name, and
    the activation, called ``<layer>_<activation>`` (``<layer>_act`` for a quantiser).
    """

    name: str
    values: Values
    inputs: tuple[str, ...] = ()
    """The layers whose values it reads, in order."""
    exact: bool = True
    """Firmware must give these very numbers; False: numbers as close as its formats allow."""
    format: FixedPointFormat | None = None
    """The grid that its quantiser casts to, if it has one."""

    def __post_init__(self) -> None:
        freeze_arrays(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerWeights:
    """A tensor of constants of a layer as the model holds it, in the layout of the graph.

    ``role`` is what hls4ml's configuration calls it: ``weight``, ``bias`` or ``scale``.
    """

    layer: str
    role: str
    values: Values

    def __post_init__(self) -> None:
        freeze_arrays(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The model as it was trained, and what each of its layers gives for the same events."""

    what: str
    """``QKeras, exact``, ``Keras, float64``, ``ONNX Runtime``, ..."""
    layers: tuple[LayerTrace, ...]
    """In order of computation, the input first."""
    single: tuple[LayerTrace, ...] = ()
    """The same as the framework itself computes it in float32, where it does."""
    weights: tuple[LayerWeights, ...] = ()
    apply: Callable[[str, tuple[Values, ...]], Values] | None = None
    """Compute one layer on given inputs: ``apply(name, values of its inputs)``."""

    @property
    def exact(self) -> bool:
        """Every layer is exact: a quantised model."""
        return all(layer.exact for layer in self.layers)
