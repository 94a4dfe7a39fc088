"""How far firmware is from the model it was made of: ``outputs, outputs -> Distance``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.errors import InputError
from trigforge.core.records import Check, Distance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from trigforge.core.config import Acceptance


def check_distance(acceptance: Acceptance, distance: Distance) -> Iterator[Check]:
    """Yield the line of the verdict on the distance from the original, if it is limited."""
    if acceptance.deviation is not None:
        yield Check(
            name=f"deviation from {distance.original}",
            used=f"{distance.largest:g} at most",
            allowed=f"{acceptance.deviation:g}",
            met=distance.largest <= acceptance.deviation,
        )


def distance(name: str, original: NDArray[Any], firmware: NDArray[np.float64]) -> Distance:
    """Measure how far outputs ``(n_events, n_outputs)`` are from the original's.

    Raises:
        InputError: if an output of the original is not finite.
    """
    expected = np.asarray(original, dtype=np.float64)
    if not np.isfinite(expected).all():
        event = int(np.argwhere(~np.isfinite(expected))[0][0])
        msg = f"{name}: an output of event {event} is not finite"
        raise InputError(msg)
    off = np.abs(firmware - expected)
    changed = (firmware.argmax(axis=1) != expected.argmax(axis=1)).sum()
    return Distance(
        original=name,
        n_events=len(expected),
        largest=float(off.max(initial=0)),
        mean=float(off.mean()),
        root_mean_square=float(np.sqrt((off**2).mean())),
        output_range=float(np.ptp(expected)),
        n_equal=int((off == 0).sum()),
        n_values=off.size,
        n_decisions_changed=int(changed) if expected.shape[1] > 1 else None,
    )
