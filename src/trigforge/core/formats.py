"""Formats given to the tensors of a float model, and what an import says of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.records import freeze_arrays


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FreeTensor:
    """A result or a tensor of weights whose format is open.

    ``layer`` is the node of the graph, ``key`` its name in an hls4ml configuration, ``role``
    what it is called there: ``result``, ``weight``, ``bias``, ``scale``.
    """

    layer: str
    key: str
    role: str
    values: NDArray[np.float64] | None = None
    """The weights, flat; None for a result."""
    span: tuple[float, float] | None = None
    """The range of a result, where it is known without events."""
    differences: bool = False
    """A softmax reads it, whose table must hold the difference of any two elements."""

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def is_observed(self) -> bool:
        """Its range depends on the events: other events may reach further."""
        return self.values is None and self.span is None and not self.differences

    @property
    def name(self) -> tuple[str, str]:
        """What identifies it in a configuration."""
        return self.key, self.role


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorFormat:
    """The format chosen for a tensor, and the range of values it was chosen for."""

    key: str
    role: str
    minimum: float
    maximum: float
    format: FixedPointFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class NarrowerStep:
    """What all formats together would cost and lose with fewer bits each."""

    n_bits_fewer: int
    loss: float
    ebops: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Formats found by profiling, what they lose, and what narrower ones would."""

    measure: str
    """What ``loss`` is: a share of AUC, or the deviation of the outputs."""
    n_events: int
    margin: float
    """By how much the ranges seen were widened."""
    tolerance: float
    loss: float
    input: TensorFormat
    tensors: tuple[TensorFormat, ...]
    table_size: int | None
    """Entries of activation tables, where 1024 were too few; None: hls4ml's own number."""
    narrower: tuple[NarrowerStep, ...]

    @property
    def met(self) -> bool:
        """The formats lose no more than was allowed."""
        return self.loss <= self.tolerance


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What was taken in: the spec, where the formats come from, and what is to be known."""

    name: str
    spec: Path
    model: str
    formats_from: str
    n_events: int
    io_types: tuple[str, ...]
    calibration: Calibration | None
    notes: tuple[str, ...]
