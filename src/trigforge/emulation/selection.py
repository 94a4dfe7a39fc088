"""What thresholds accept of the events: shares of them, and rates in kHz."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trigforge.core.config import Trigger
from trigforge.emulation.emulated import Accepted, AcceptedAt
from trigforge.physics import Discriminant
from trigforge.physics.counts import threshold_at
from trigforge.physics.curves import rate_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trigforge.physics import LotCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """How a trigger tells each signal from background, and the thresholds it is asked about."""

    trigger: Trigger
    signals: tuple[tuple[str, Discriminant], ...]
    names: tuple[str, ...]
    """Of the outputs, in words."""
    thresholds: tuple[int, ...] = ()

    @property
    def discriminants(self) -> tuple[Discriminant, ...]:
        """The scores that are compared with thresholds, each once."""
        return tuple(dict.fromkeys(entry for _, entry in self.signals))

    def accepted(self, lots: Mapping[Discriminant, LotCounts]) -> Iterator[Accepted]:
        """Yield what is accepted by each score that was counted, with all events as background."""
        for entry in self.discriminants:
            if entry not in lots:
                continue
            counted, trigger = lots[entry], self.trigger
            yield Accepted(
                signals=tuple(name for name, other in self.signals if other == entry),
                discriminant=entry.describe(self.names),
                background_rate_khz=trigger.input_rate_khz,
                working_rate_khz=trigger.rate_khz,
                n_events=counted.n_events,
                n_lots=len(counted.lot_events),
                working=self._at(counted, threshold_at(counted, trigger.accepted_share)),
                wanted=tuple(self._at(counted, threshold) for threshold in self.thresholds),
            )

    def _at(self, counted: LotCounts, threshold: int) -> AcceptedAt:
        return AcceptedAt(
            threshold=threshold,
            share=rate_at(counted, threshold, 1.0),
            rate_khz=rate_at(counted, threshold, self.trigger.input_rate_khz),
        )
