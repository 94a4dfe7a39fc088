"""What follows a computed element before it is stored: fused nodes, packing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.graph import Node
from trigforge.emulator import elementwise
from trigforge.emulator.layout import Tensor
from trigforge.emulator.source import Source, pointer

if TYPE_CHECKING:
    from trigforge.emulator.expressions import Expression
    from trigforge.emulator.source import Body


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The element-wise nodes fused into a stage, and the tensor it writes.

    ``formats`` are those of the values each node of ``tail`` reads. Without a ``target``
    nothing is stored: only ranges are asked for.
    """

    source: Source
    tail: tuple[Node, ...]
    formats: tuple[FixedPointFormat, ...]
    target: Tensor | None = None

    @property
    def pointer(self) -> str:
        """The declaration of ``out``, what is written."""
        return pointer(self.written, "out", constant=False)

    @property
    def written(self) -> Tensor:
        """The tensor that is written."""
        if self.target is None:
            msg = "a stage was rendered before its tensor had a place"
            raise RuntimeError(msg)
        return self.target

    def applied(self, body: Body, element: str, value: Expression) -> Expression:
        """Return the value after all fused nodes."""
        for node, fmt in zip(self.tail, self.formats, strict=True):
            value = elementwise.apply(node, self.source, body, value, (fmt, element))
        return value

    def store(self, body: Body, elements: list[str], values: list[Expression]) -> None:
        """Finish and store the values of elements in lane ``l``.

        Quads are stored by up to four elements, the first of which begins a quad.
        """
        results = [
            self.applied(body, element, value)
            for element, value in zip(elements, values, strict=True)
        ]
        if not self.written.quads:
            for element, result in zip(elements, results, strict=True):
                code = f"out[int64_t({element}) * LANES + l] = {result.code};"
                body.lines.append(code)
            return
        zero = self.written.zero
        parts = [f"uint32_t({result.code}{f' - ({zero})' if zero else ''})" for result in results]
        parts += ["0u"] * (4 - len(parts))
        body.lines.append(
            f"out[int64_t(({elements[0]}) / 4) * LANES + l] = quad({', '.join(parts)});"
        )
