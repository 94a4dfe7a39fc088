"""What a trigger compares with a threshold: one number an event, for each signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.errors import SpecError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.config import Trigger


@dataclass(frozen=True, slots=True)
class Discriminant:
    """One output, less the largest of some others: exact on raw integers."""

    output: int
    against: tuple[int, ...] = ()

    def score(self, outputs: NDArray[Any]) -> NDArray[Any]:
        """Return the score of events, ``(n_events,)`` of ``(n_events, n_outputs)``.

        Integers stay integers (int64), floats become float64.
        """
        wide = outputs.astype(np.float64 if outputs.dtype.kind == "f" else np.int64, copy=False)
        score = wide[:, self.output]
        return score - wide[:, self.against].max(axis=1) if self.against else score

    def describe(self, names: tuple[str, ...]) -> str:
        """Say in words what the score is; ``names`` are those of the outputs."""
        if not self.against:
            return names[self.output]
        others = ", ".join(names[index] for index in self.against)
        largest = others if len(self.against) == 1 else f"the largest of {others}"
        return f"{names[self.output]} minus {largest}"


def discriminants(
    trigger: Trigger, class_names: tuple[str, ...], n_outputs: int
) -> dict[str, Discriminant]:
    """Return by what each signal is told from the background.

    Of an output a class: the signal's less the largest of the background's. A single output
    is the score itself, of every signal.

    Raises:
        SpecError: if there are neither one output nor as many as classes, or the names in
            ``trigger`` do not fit.
    """
    if n_outputs not in {1, len(class_names)}:
        msg = f"trigger: {n_outputs} outputs do not fit {len(class_names)} classes"
        raise SpecError(msg)
    try:
        trigger.check_names(class_names, one_output=n_outputs == 1)
    except ValueError as error:
        raise SpecError(str(error)) from error
    signals = trigger.signals_of(class_names)
    if n_outputs == 1:
        return dict.fromkeys(signals, Discriminant(0))
    against = tuple(class_names.index(name) for name in trigger.background_classes)
    return {name: Discriminant(class_names.index(name), against) for name in signals}
