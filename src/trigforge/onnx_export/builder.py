"""Write ONNX operators on integers whose bounds are known.

A ``Wire`` is a tensor of the ONNX graph that holds integers; ``low`` and ``high`` bound
them for every possible event. Arithmetic is done in float64 where operands and result stay
within ``2**53``, where float64 holds every integer and each operation on them is exact, and
in int64 beyond. What int64 cannot hold is refused. Constants are integers or arrays of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from trigforge.core.errors import ConversionError
from trigforge.core.graph import FixedPointGraph

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trigforge.core.fixed_point import FixedPointFormat
    from trigforge.core.graph import Node

FLOAT_EXACT = 2**53
INT_MIN, INT_MAX = -(2**63), 2**63 - 1
MAX_OPERATORS = 20_000
"""Where a saturating sum is unrolled; more make sessions that take minutes to open."""


@dataclass(frozen=True, slots=True)
class Wire:
    """A tensor of integers between ``low`` and ``high``, in int64 or in float64."""

    name: str
    low: int
    high: int
    integer: bool = False


Constant: TypeAlias = "int | NDArray[Any]"
Operand: TypeAlias = "Wire | Constant"


def bounds(operand: Operand) -> tuple[int, int]:
    """Return the smallest and the largest integer an operand can be."""
    if isinstance(operand, Wire):
        return operand.low, operand.high
    if isinstance(operand, int):
        return operand, operand
    return (int(operand.min()), int(operand.max())) if operand.size else (0, 0)


def is_float_exact(*integers: int) -> bool:
    """Tell whether float64 holds each integer and all between it and zero."""
    return all(abs(integer) <= FLOAT_EXACT for integer in integers)


def is_int_exact(*integers: int) -> bool:
    """Tell whether int64 holds each integer."""
    return all(INT_MIN <= integer <= INT_MAX for integer in integers)


@dataclass(slots=True)
class Builder:
    """The operators and constants written so far, and the node being written.

    ``values_per_event`` is the size of the largest tensor: it tells how many events fit in
    memory at a time.
    """

    graph: FixedPointGraph
    node: str = ""
    operators: list[NodeProto] = field(default_factory=list)
    initializers: list[TensorProto] = field(default_factory=list)
    wires: dict[str, Wire] = field(default_factory=dict)
    values_per_event: int = 1
    _names: dict[Any, str] = field(default_factory=dict)

    def source(self, node: Node, index: int = 0) -> tuple[Wire, FixedPointFormat, int]:
        """Return the tensor that a node reads, its format and its number of elements."""
        source = self.graph[node.inputs[index]]
        return self.wires[source.name], source.format, source.n_elements

    def refuse(self, why: str) -> ConversionError:
        """Return the error that names the node being written."""
        return ConversionError(f"graph {self.graph.name}, node {self.node}: {why}")

    def emit(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Write an operator; return the name of its result.

        Raises:
            ConversionError: if the model becomes too long.
        """
        if len(self.operators) == MAX_OPERATORS:
            msg = (
                f"the ONNX model needs more than {MAX_OPERATORS} operators, because sums in "
                "accumulators that saturate are written out term by term; use an accumulator "
                "that is wide enough for the whole sum or wraps"
            )
            raise self.refuse(msg)
        name = f"{self.node}/{operator}_{len(self.operators)}"
        self.operators.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def initializer(self, values: NDArray[Any], label: str = "constant") -> str:
        """Write a constant tensor, or find the equal one that is there."""
        key = (values.dtype.str, values.shape, values.tobytes())
        if key not in self._names:
            name = f"{self.node}/{label}_{len(self.initializers)}"
            self.initializers.append(numpy_helper.from_array(values, name))
            self._names[key] = name
        return self._names[key]

    def operand(self, operand: Operand, integer: bool) -> str:
        """Return the name of an operand as int64 or as float64."""
        if not isinstance(operand, Wire):
            self._require_int64("a constant", *bounds(operand))
            array = np.asarray(operand, dtype=np.int64 if integer else np.float64)
            return self.initializer(array)
        if operand.integer == integer:
            return operand.name
        key = (operand.name, integer)
        if key not in self._names:
            to = TensorProto.INT64 if integer else TensorProto.DOUBLE
            self._names[key] = self.emit("Cast", [operand.name], to=to)
        return self._names[key]

    def settled(self, wire: Wire) -> Wire:
        """Return a wire in float64 if that is exact."""
        if not wire.integer or not is_float_exact(wire.low, wire.high):
            return wire
        return replace(wire, name=self.operand(wire, integer=False), integer=False)

    def combine(
        self, operator: str, left: Operand, right: Operand, result: tuple[int, int]
    ) -> Wire:
        """Write an operator on two operands in a type that is exact.

        Raises:
            ConversionError: if there is none.
        """
        operands = (left, right)
        reach = (*bounds(left), *bounds(right), *result)
        self._require_int64(operator, *reach)
        all_integer = all(wire.integer for wire in operands if isinstance(wire, Wire))
        integer = all_integer or not is_float_exact(*reach)
        name = self.emit(operator, [self.operand(entry, integer) for entry in operands])
        return Wire(name, *result, integer)

    def _require_int64(self, what: str, *reach: int) -> None:
        if not is_int_exact(*reach):
            msg = (
                f"{what} reaches {max(reach, key=abs)}, which neither float64 nor int64 holds "
                "exactly; use narrower formats"
            )
            raise self.refuse(msg)

    def add(self, left: Operand, right: Operand) -> Wire:
        """Add."""
        (a, b), (c, d) = bounds(left), bounds(right)
        return self.combine("Add", left, right, (a + c, b + d))

    def subtract(self, left: Operand, right: Operand) -> Wire:
        """Subtract."""
        (a, b), (c, d) = bounds(left), bounds(right)
        return self.combine("Sub", left, right, (a - d, b - c))

    def multiply(self, left: Operand, right: Operand) -> Wire:
        """Multiply element by element."""
        products = [x * y for x in bounds(left) for y in bounds(right)]
        return self.combine("Mul", left, right, (min(products), max(products)))

    def shift_up(self, wire: Wire, bits: int) -> Wire:
        """Multiply by a power of two."""
        return wire if bits == 0 else self.multiply(wire, 1 << bits)

    def shift_down(self, wire: Wire, bits: int) -> Wire:
        """Divide by a power of two and round down."""
        if bits == 0:
            return wire
        low, high = wire.low >> bits, wire.high >> bits
        if not wire.integer:
            factor = self.initializer(np.array(2.0**-bits))
            name = self.emit("Floor", [self.emit("Mul", [wire.name, factor])])
            return Wire(name, low, high)
        rest = self.combine("Mod", wire, 1 << bits, (0, (1 << bits) - 1))
        whole = self.combine("Sub", wire, rest, (low << bits, high << bits))
        return self.combine("Div", whole, 1 << bits, (low, high))

    def quotient(self, wire: Wire, divisor: Constant) -> Wire:
        """Divide and truncate towards zero, as Div does on integers."""
        low, high = bounds(divisor)
        smallest = min(abs(low), abs(high))
        if low <= 0 <= high:
            msg = f"divides by {low} to {high}: a window without cells or a table without scale"
            raise self.refuse(msg)
        if low == high == 1:
            return wire
        down = -(-min(wire.low, 0) // smallest), max(wire.high, 0) // smallest
        result = down if low > 0 else (-down[1], -down[0])
        whole = replace(wire, name=self.operand(wire, integer=True), integer=True)
        return self.combine("Div", whole, divisor, result)

    def clip(self, wire: Wire, low: int, high: int) -> Wire:
        """Limit to a range; write nothing if the wire stays inside."""
        limited = min(max(wire.low, low), high), min(max(wire.high, low), high)
        if limited == (wire.low, wire.high):
            return wire
        limits = [
            self.operand(limit, wire.integer) if needed else ""
            for limit, needed in ((low, wire.low < low), (high, wire.high > high))
        ]
        name = self.emit("Clip", [wire.name, *limits] if limits[1] else [wire.name, limits[0]])
        return Wire(name, *limited, wire.integer)

    def is_greater(self, left: Wire, right: Operand) -> str:
        """Compare; the result is a tensor of truth values."""
        if isinstance(right, int):
            # Beyond what the wire can be, a nearer threshold tells the same.
            right = min(max(right, left.low - 1), left.high)
        return self.combine("Greater", left, right, (0, 1)).name

    def where(self, condition: str, left: Operand, right: Operand) -> Wire:
        """Choose left where the condition holds, right elsewhere."""
        (a, b), (c, d) = bounds(left), bounds(right)
        low, high = min(a, c), max(b, d)
        integer = not is_float_exact(low, high)
        names = [self.operand(entry, integer) for entry in (left, right)]
        return Wire(self.emit("Where", [condition, *names]), low, high, integer)
