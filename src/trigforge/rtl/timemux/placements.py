"""What the scheduler decides for a node: records, from which everything else is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.graph import Node
from trigforge.rtl.design import Design
from trigforge.rtl.timemux.clocking import Timing
from trigforge.rtl.timemux.folding import Folded
from trigforge.rtl.timemux.multipliers import Operands
from trigforge.rtl.timemux.reductions import Reduction
from trigforge.rtl.timemux.streams import Stream, Table


class Bits(NamedTuple):
    """A constant vector."""

    width: int
    value: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """An assignment to a format: low bits dropped with rounding, then overflow."""

    in_bits: int
    in_signed: bool
    dropped: int
    target: FixedPointFormat
    exact: bool = False
    """The format holds every number that comes: nothing is rounded or clipped."""
    rectify: bool = False
    stages: int = 0
    """Registers; 0 where it is wires alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """A layer of multipliers: cascades of DSPs, then adders where a unit has several."""

    reduction: Reduction
    folded: Folded
    operands: Operands
    cascade: int
    """DSPs of the longest cascade."""
    n_cascades: int
    """Most cascades that a unit has."""
    adder_levels: int
    """Adders between two registers of the tree."""
    tree_cycles: int
    casts: tuple[Cast, ...]

    def cascades(self, unit: int) -> list[list[int]]:
        """Return the multipliers of each cascade of a unit, as equal in length as can be."""
        multipliers = self.folded.used[unit].nonzero()[0].tolist()
        count = -(-len(multipliers) // self.cascade) if multipliers else 0
        return [
            multipliers[i * len(multipliers) // count : (i + 1) * len(multipliers) // count]
            for i in range(count)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Elementwise:
    """A module of the library on every unit: one operand or two, then casts.

    ``constants`` are numbers that belong to an element (a slope, a scale), by port: width in
    bits and one integer an element.
    """

    module: str
    parameters: Mapping[str, int | Bits]
    out_bits: int
    out_signed: bool
    module_cycles: int
    operand_bits: tuple[int, ...]
    constants: Mapping[str, tuple[int, tuple[int, ...]]] = field(default_factory=dict)
    casts: tuple[Cast, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooling:
    """Maximum or average: units of cells, with a running maximum where cells come in turn."""

    module: str
    parameters: Mapping[str, int | Bits]
    cell_bits: int
    out_bits: int
    out_signed: bool
    module_cycles: int
    begins: tuple[tuple[bool, ...], ...] = ()
    """``(slots, units)``: a new window begins; empty where all cells come at once."""
    casts: tuple[Cast, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Unrolled logic of distributed arithmetic, used once an event or once a slot."""

    design: Design
    n_operands: int
    operand_bits: int
    result_bits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """No logic: the elements are read where they are."""


Build = Sums | Elementwise | Pooling | Block | Moves


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where a node is to be placed: what it reads, the clock, the net of its result."""

    sources: tuple[Stream, ...]
    formats: tuple[FixedPointFormat, ...]
    timing: Timing
    net: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """A node in its place: what it reads when, how it is built, where its results are."""

    node: Node
    source: Stream
    """All elements of all inputs, end to end."""
    table: Table
    build: Build
    result: Stream
    lut: float
    """A rough count, for choosing."""
    reason: str = ""
    """Why it is built this way, where that is not the usual one."""

    @property
    def dsp(self) -> int:
        """Multipliers of the node."""
        return self.build.folded.n_multipliers if isinstance(self.build, Sums) else 0

    @property
    def first_cycle(self) -> int:
        """The cycle in which it reads its first operand."""
        return self.table.start

    @property
    def last_cycle(self) -> int:
        """The cycle in which its last result is there."""
        return self.result.last_arrival
