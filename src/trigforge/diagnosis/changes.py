"""A change takes one limit of a node away; which of many are needed is found by trying.

All limits are taken away at once; what is wrong then has another cause. One after the other
is put back, the unlikely ones first, and stays if nothing becomes wrong. What cannot be put
back are the causes: this finds faults that hide each other, where trying changes one by one
would find none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigforge.core.diagnosis import Cause, Mend
from trigforge.diagnosis.local import Local

if TYPE_CHECKING:
    from collections.abc import Sequence


Grade = tuple[Any, tuple[Mend, ...]]
"""A node that is mended a little, and how to write it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One limit of a node.

    ``mended`` takes it away for good. ``grades`` yields gentler changes of a node, the
    gentlest first, with the lines of the configuration that make them. ``evidence`` says
    what happens to (event, element) in a node that has this limit and no other.
    """

    cause: Cause
    mended: Callable[[Any], Any]
    grades: Callable[[Any], Iterator[Grade]]
    evidence: Callable[[Any, int, int], str]
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Needed:
    """A change that cannot be left out."""

    change: Change
    limited: Any
    """The node with this limit alone."""
    spoiled: NDArray[np.bool_]
    """Which values it makes wrong."""
    mends: tuple[Mend, ...]


def needed(local: Local, changes: Sequence[Change]) -> tuple[list[Needed], NDArray[np.bool_]]:
    """Return the changes that make the node right, and the values that stay wrong.

    ``changes`` are in the order in which they are made; earlier ones are put back first.
    """
    remaining = local.wrong(_made(local.node, changes))
    allowed = _Allowed(local=local, remaining=remaining, changes=tuple(changes))
    kept = list(changes)
    for change in changes:
        others = [entry for entry in kept if entry is not change]
        if not (local.wrong(_made(local.node, others)) & ~remaining).any():
            kept = others
    found = []
    whole = tuple(kept)
    for index, change in enumerate(whole):
        others = [entry for entry in whole if entry is not change]
        limited = _made(local.node, others)
        spoiled = local.wrong(limited) & ~remaining
        grade = _gentlest(allowed, change, kept[:index], kept[index + 1 :])
        if grade is not None:
            kept[index] = replace(change, mended=grade[0])
        mends = () if grade is None else grade[1]
        found.append(Needed(change=change, limited=limited, spoiled=spoiled, mends=mends))
    return found, remaining


def _made(node: Any, changes: Sequence[Change]) -> Any:
    for change in changes:
        node = change.mended(node)
    return node


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Allowed:
    """What may stay wrong, in the layer and in its rehearsal."""

    local: Local
    remaining: NDArray[np.bool_]
    changes: tuple[Change, ...]

    def by(self, node: Any) -> bool:
        """Tell whether a node leaves nothing else wrong."""
        if (self.local.wrong(node) & ~self.remaining).any():
            return False
        rehearsal = self.local.rehearsal
        if rehearsal is None:
            return True
        unavoidable = rehearsal.wrong(_made(self.local.node, self.changes))
        return not (rehearsal.wrong(node) & ~unavoidable).any()


def _gentlest(
    allowed: _Allowed, change: Change, before: Sequence[Change], after: Sequence[Change]
) -> tuple[Callable[[Any], Any], tuple[Mend, ...]] | None:
    """Return the first grade that leaves nothing else wrong, as a change."""
    node = _made(allowed.local.node, before)
    for position, (graded, mends) in enumerate(change.grades(node)):
        if allowed.by(_made(graded, after)):
            return _graded(change, position), mends
    return None


def _graded(change: Change, position: int) -> Callable[[Any], Any]:
    def mended(node: Any) -> Any:
        for index, (graded, _) in enumerate(change.grades(node)):
            if index == position:
                return graded
        return change.mended(node)

    return mended
