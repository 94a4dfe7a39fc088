"""What a spec's acceptance says of a network: ``Acceptance, figures -> Checks``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigforge.physics.deviation import check_distance
from trigforge.physics.quality import check
from trigforge.physics.study import check_efficiency

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trigforge.core.config import Acceptance
    from trigforge.core.records import Check, Distance, Metrics
    from trigforge.core.trigger import TriggerPhysics


def checks(
    acceptance: Acceptance,
    metrics: tuple[Metrics, Metrics] | None,
    trigger: TriggerPhysics | None,
    distance: Distance | None,
) -> Iterator[Check]:
    """Yield a line for every loss of physics that is limited.

    ``metrics`` are those of the original and of the firmware, ``distance`` is between them;
    None: there is nothing to measure them on, or nothing to measure.
    """
    if metrics is not None:
        yield from check(acceptance, *metrics)
    yield from check_efficiency(acceptance, trigger)
    if distance is not None:
        yield from check_distance(acceptance, distance)
