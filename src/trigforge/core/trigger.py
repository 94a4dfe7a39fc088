"""What physicists decide on: rates, efficiencies and what quantisation costs of them.

Every number carries its statistical uncertainty, and every curve its band: 68.3 % central
intervals. Rates are in kHz.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trigforge.core.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A number and the ends of its 68.3 % interval."""

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low <= self.value <= self.high:
            msg = f"{self.value:g} is not between the ends of its interval, {self.low:g} and "
            msg += f"{self.high:g}"
            raise InputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Points of a curve, ``x`` rising, and the 68.3 % interval of each ``y``."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def __post_init__(self) -> None:
        lengths = {len(self.x), len(self.y), len(self.low), len(self.high)}
        if len(lengths) != 1:
            msg = f"a curve needs as many x as y, low and high, not {sorted(lengths)}"
            raise InputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerResult:
    """One implementation of the network, deciding about one signal.

    An event is accepted if its score is not below ``threshold``. ``rate_khz`` belongs to that
    threshold; ``efficiency`` is quoted at the working rate, with what the finite background
    leaves open about its threshold.
    """

    implementation: str
    """``float network``, ``quantised network`` or ``firmware``."""
    auc: Measurement
    threshold: float
    """Of the firmware: a raw integer, the one it compares with."""
    rate_khz: Measurement
    efficiency: Measurement
    roc: Curve
    """x: background efficiency, y: signal efficiency."""
    rates: Curve
    """x: threshold, y: kHz."""
    turn_on: Curve | None
    """x: mean of the variable in a bin, y: efficiency at the threshold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What an implementation lost: reference minus implementation, on the same events.

    The uncertainty is that of the difference, far smaller than that of either. ``efficiency``
    is at the working rate, each with its own threshold.
    """

    implementation: str
    reference: str
    efficiency: Measurement
    auc: Measurement


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """Rates of the emulated firmware, counted over background events beyond the held-out ones.

    ``n_chunks`` independent lots; where they differ by more than counting explains, the
    intervals are wider.
    """

    n_events: int
    n_chunks: int
    threshold: float
    rate_khz: Measurement
    efficiency: Measurement | None
    """Of the held-out signal at ``threshold``; None: no event is labelled."""
    rates: Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalRates:
    """Thresholds and rates of what is accepted as one signal."""

    name: str
    discriminant: str
    counted: Streamed


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedRates:
    """What was counted of background, and where the counts are kept."""

    name: str
    file: Path
    background: str
    background_rate_khz: float
    working_rate_khz: float
    signals: tuple[SignalRates, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalPhysics:
    """A signal against the background, by every implementation on the same held-out events."""

    name: str
    n_events: int
    discriminant: str
    """In words, what is compared with the threshold."""
    results: tuple[TriggerResult, ...]
    losses: tuple[Loss, ...]
    streamed: Streamed | None
    """None: nothing was counted with this network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerPhysics:
    """What a trigger with this network would accept."""

    background: str
    """The classes whose events make up the rate."""
    n_background: int
    """Held-out events of it."""
    background_rate_khz: float
    """Rate at which such events reach the network."""
    working_rate_khz: float
    variable: str | None
    """Of the turn-on curves; None: none were asked for."""
    signals: tuple[SignalPhysics, ...]

    @property
    def event_khz(self) -> float:
        """Rate that one held-out background event stands for: nothing below it is resolved."""
        return self.background_rate_khz / self.n_background
