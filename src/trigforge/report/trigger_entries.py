"""The part of ``report.json`` on trigger physics: rates, efficiencies, what quantisation cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from trigforge.report.entry import Count, Entry

if TYPE_CHECKING:
    from trigforge.core.trigger import TriggerPhysics


class MeasurementEntry(Entry):
    """A number and the ends of its 68.3 % interval."""

    value: float
    low: float
    high: float


class CurveEntry(Entry):
    """Points of a curve, x rising, with the 68.3 % interval of each y."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


class TriggerResultEntry(Entry):
    """One implementation of the network, deciding about one signal."""

    implementation: str = Field(description="float network, quantised network or firmware")
    auc: MeasurementEntry
    threshold: float = Field(
        description="accepted: not below it; of the firmware the raw integer it compares with"
    )
    rate_khz: MeasurementEntry = Field(description="of the background at the threshold")
    efficiency: MeasurementEntry = Field(description="of the signal at the working rate")
    roc: CurveEntry = Field(description="x: background efficiency, y: signal efficiency")
    rates: CurveEntry = Field(description="x: threshold, y: kHz")
    turn_on: CurveEntry | None = Field(
        description="x: mean of the variable in a bin, y: efficiency; null: not asked for"
    )


class LossEntry(Entry):
    """What an implementation lost: reference minus implementation, on the same events."""

    implementation: str
    reference: str
    efficiency: MeasurementEntry = Field(description="at the working rate")
    auc: MeasurementEntry


class StreamedEntry(Entry):
    """Rates of the emulated firmware, counted over background beyond the held-out events."""

    n_events: Count
    n_chunks: Count = Field(description="independent lots of events")
    threshold: float = Field(description="raw integer")
    rate_khz: MeasurementEntry
    efficiency: MeasurementEntry | None = Field(
        description="of the held-out signal at the threshold; null: no event is labelled"
    )
    rates: CurveEntry = Field(description="x: threshold, y: kHz")


class SignalEntry(Entry):
    """A signal against the background, by every implementation on the same events."""

    name: str
    n_events: Count
    discriminant: str = Field(description="in words, what is compared with the threshold")
    results: tuple[TriggerResultEntry, ...]
    losses: tuple[LossEntry, ...]
    streamed: StreamedEntry | None = Field(description="null: nothing was counted")


class TriggerEntry(Entry):
    """What a trigger with this network would accept; intervals are statistical."""

    background: str = Field(description="classes whose events make up the rate")
    n_background: Count = Field(description="held-out events of it")
    background_rate_khz: float = Field(description="at which such events reach the network")
    working_rate_khz: float
    variable: str | None = Field(description="of the turn-on curves; null: there are none")
    signals: tuple[SignalEntry, ...]


def trigger(physics: TriggerPhysics | None) -> TriggerEntry | None:
    """Return what a run found out about rates and efficiencies."""
    if physics is None:
        return None
    return TriggerEntry.model_validate(physics, from_attributes=True)
