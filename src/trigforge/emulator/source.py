"""The C++ source under construction: constant tables, functions and loops over lanes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.emulator.expressions import Expression, literal
from trigforge.emulator.ranges import of_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from trigforge.emulator.layout import Tensor

_PER_LINE = 12


@dataclass(slots=True)
class Source:
    """Tables and functions of one model, in the order in which they are defined."""

    parts: list[str] = field(default_factory=list)
    n_tables: int = 0

    def table(self, values: NDArray[Any], kind: str | None = None) -> str:
        """Define a constant array and return its name; without ``kind`` the type is chosen."""
        exact = np.asarray(values, dtype=object)
        chosen = kind or of_values(exact).c_type
        name = f"table_{self.n_tables}"
        self.n_tables += 1
        shape = "".join(f"[{size}]" for size in exact.shape)
        self.parts.append(f"static const {chosen} {name}{shape} = {_braces(exact, chosen)};\n")
        return name

    def constants(self, values: NDArray[Any], fraction: int, element: str) -> Expression:
        """Return the constant of an element; a shorter array is used cyclically."""
        interval = of_values(values)
        if interval.low == interval.high:
            return Expression(literal(interval.low, interval.c_type), interval, fraction)
        index = (
            str(int(element) % len(values)) if element.isdigit() else f"({element}) % {len(values)}"
        )
        return Expression(f"{self.table(values)}[{index}]", interval, fraction)

    def entries(self, words: NDArray[np.int64], weights: NDArray[np.int64]) -> str:
        """Define an array of ``Entry``: a word and its packed weights for four outputs."""
        name = f"table_{self.n_tables}"
        self.n_tables += 1
        rows = [
            f"{{{word}u, {_braces(row.astype(object), 'int32_t')}}}"
            for word, row in zip(words, weights, strict=True)
        ]
        content = ",\n".join(rows or ["{0u, {0, 0, 0, 0}}"])
        self.parts.append(f"static const Entry {name}[] = {{{content}}};\n")
        return name

    def function(self, signature: str, lines: Iterable[str]) -> None:
        """Define a function."""
        body = "".join(f"  {line}\n" for line in lines)
        self.parts.append(f"static void {signature} {{\n{body}}}\n")

    @property
    def text(self) -> str:
        """Everything that was defined."""
        return "\n".join(self.parts)


@dataclass(slots=True)
class Body:
    """The statements of one loop over the lanes ``l`` of a block."""

    lines: list[str] = field(default_factory=list)
    n_names: int = 0

    def let(self, value: Expression) -> Expression:
        """Give an expression a name, so that it is computed once."""
        name = f"v{self.n_names}"
        self.n_names += 1
        self.lines.append(f"const {value.range.c_type} {name} = {value.code};")
        return replace(value, code=name)

    def loop(self) -> list[str]:
        """Return the loop."""
        inside = [f"  {line}" for line in self.lines]
        return ["#pragma GCC ivdep", "for (int l = 0; l < LANES; ++l) {", *inside, "}"]


def nested(header: str, lines: Iterable[str]) -> list[str]:
    """Put lines into a block that ``header`` opens."""
    return [f"{header} {{", *(f"  {line}" for line in lines), "}"]


def pointer(tensor: Tensor, name: str, *, constant: bool) -> str:
    """Declare a pointer to a tensor's planes or quads."""
    kind = tensor.c_type
    return (
        f"{'const ' if constant else ''}{kind} *__restrict const {name} = "
        f"buffer<{kind}>(work, {tensor.offset});"
    )


def lane(tensor: Tensor, name: str, element: str) -> Expression:
    """Return the value of an element of planes in lane ``l``."""
    return Expression(f"{name}[int64_t({element}) * LANES + l]", tensor.range, tensor.fraction)


def _braces(values: NDArray[Any], kind: str) -> str:
    if values.ndim > 1:
        return "{" + ",\n".join(_braces(row, kind) for row in values) + "}"
    texts = [_number(int(value), kind) for value in values]
    lines = [", ".join(texts[i : i + _PER_LINE]) for i in range(0, len(texts), _PER_LINE)]
    return "{" + ",\n".join(lines) + "}"


def _number(value: int, kind: str) -> str:
    return f"{value}u" if kind == "uint32_t" else literal(value, kind)
