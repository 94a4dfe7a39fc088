"""What a diagnosis says: causes, their evidence, and the changes that mend them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from trigforge.core.fixed_point import FixedPointFormat


class Cause(StrEnum):
    """Why two referees give different numbers."""

    INPUT_OUT_OF_RANGE = "input out of the link's range"
    INPUT_OFF_THE_GRID = "input off the link's grid"
    WEIGHT = "weight not representable in its format"
    BIAS = "bias not representable in its format"
    ACCUMULATOR_OVERFLOW = "overflow of the accumulator"
    ACCUMULATOR_ROUNDING = "rounding in the accumulator"
    RESULT_ROUNDING = "rounding mode of the result"
    RESULT_OVERFLOW = "overflow mode of the result"
    RESULT_INTEGER_BITS = "integer bits of the result"
    RESULT_FRACTIONAL_BITS = "fractional bits of the result"
    CAST_LEFT_OUT = "a cast of the original left out"
    TABLE_RANGE = "range of the table"
    TABLE_SIZE = "size of the table"
    TABLE_FORMAT = "format of the table's entries"
    SOFTMAX = "implementation of softmax"
    MAXIMUM_PADDING = "padding of a maximum pooling"
    AVERAGE_PADDING = "padding counted in an average"
    AVERAGE_TRUNCATION = "truncation of an average"
    FLOAT32_ROUNDING = "float32 rounding in the reference"
    PROJECT_CHANGED = "project changed after it was written"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """A change of hls4ml's configuration: where, and what to write there."""

    path: str
    value: str

    def __str__(self) -> str:
        """Print as a line of the configuration."""
        return f"{self.path}: {self.value}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One cause in one layer, and the first value it spoils."""

    cause: Cause
    layer: str
    """The node of the graph."""
    event: int
    element: int
    position: tuple[int, ...]
    """The element in the shape of the layer: (row, column, channel) of an image."""
    expected: float
    found: float
    evidence: str
    format: FixedPointFormat | None = None
    """The format of ``found``; its raw integer is ``found_raw``."""
    expected_raw: int | None = None
    """None if the format cannot hold what is expected."""
    found_raw: int | None = None
    mends: tuple[Mend, ...] = ()
    """To be made together."""
    advice: str = ""
    """What to do where no line of the configuration helps, or beside it."""
    hidden: bool = False
    """It shows only once the faults before it are mended."""
    n_values: int = 0
    """Values of the layer."""
    n_explained: int = 0
    """Values that are wrong because of this cause (another one may spoil them too)."""
    n_remaining: int = 0
    """Values of the layer that stay wrong when all causes found in it are mended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerComparison:
    """How far one layer of the graph is from the original.

    ``n_different`` compares the whole networks; ``n_own`` gives the original's layer the
    graph's own inputs, so that only this layer's differences count (None: not possible).
    """

    layer: str
    original: tuple[str, ...]
    n_values: int
    n_different: int
    n_own: int | None
    largest: float
    """The largest distance on the whole networks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """Where two referees part, and why.

    Findings are in order of computation, those of a layer in the order of what they spoil first.
    """

    referees: tuple[str, str]
    n_events: int
    layers: tuple[LayerComparison, ...]
    findings: tuple[Finding, ...]
    configuration: tuple[Mend, ...] = ()
    """All changes that are proposed, one for each line of the configuration."""
    unmatched: tuple[str, ...] = ()
    """Layers of the original that the graph has no counterpart of."""
    unmatched_nodes: tuple[str, ...] = ()
    """Nodes of the graph that the original has no counterpart of."""

    @property
    def met(self) -> bool:
        """Nothing was found, and something was compared."""
        return not self.findings and bool(self.layers)

    @property
    def first(self) -> Finding | None:
        """The first cause in order of computation."""
        return self.findings[0] if self.findings else None


def hls_format(fmt: FixedPointFormat) -> str:
    """Write a format as hls4ml's configuration does: ``fixed<18,8,RND,SAT>``."""
    modes = "" if fmt.has_default_modes else f",{fmt.rounding},{fmt.overflow}"
    return f"{'' if fmt.signed else 'u'}fixed<{fmt.width},{fmt.integer_bits}{modes}>"


def precision(layer: str, role: str, fmt: FixedPointFormat) -> Mend:
    """Return the change of one format of a layer."""
    return Mend(path=f"LayerName.{layer}.Precision.{role}", value=hls_format(fmt))
