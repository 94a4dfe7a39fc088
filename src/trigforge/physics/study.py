"""What a trigger with a network would accept: ``Trigger, HeldOut -> TriggerPhysics``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigforge.core.config import Trigger
from trigforge.core.errors import InputError
from trigforge.core.records import Check, freeze_arrays
from trigforge.core.trigger import (
    Loss,
    SignalPhysics,
    Streamed,
    TriggerPhysics,
    TriggerResult,
)
from trigforge.physics.areas import area, area_loss
from trigforge.physics.counts import ScoreCounts, threshold_at
from trigforge.physics.curves import efficiency_at, rate_at, rates, roc, turn_on
from trigforge.physics.discriminants import Discriminant, discriminants
from trigforge.physics.losses import efficiency_loss

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trigforge.core.config import Acceptance
    from trigforge.physics.lots import LotCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What an implementation gave for the events: ``(n_events, n_outputs)``.

    Raw integers (int64), or what a float network computes.
    """

    implementation: str
    values: NDArray[Any]

    def __post_init__(self) -> None:
        freeze_arrays(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """Labelled events, and what every implementation gave for them.

    ``labels`` (int64, ``(n_events,)``) are indices of ``class_names``; ``variable``
    ``(n_events,)`` is what turn-on curves are drawn against, if any are. The first of
    ``outputs`` is what the others' losses are taken from.
    """

    class_names: tuple[str, ...]
    labels: NDArray[np.int64]
    outputs: tuple[Outputs, ...]
    variable: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        for entry in self.outputs:
            if entry.values.ndim != 2 or len(entry.values) != len(self.labels):
                msg = (
                    f"{entry.implementation}: outputs are {entry.values.shape}, one row for each "
                    f"of {len(self.labels)} events is needed"
                )
                raise InputError(msg)
        if self.variable is not None and len(self.variable) != len(self.labels):
            msg = f"{len(self.variable)} values of the variable for {len(self.labels)} events"
            raise InputError(msg)
        freeze_arrays(self)


def study(
    trigger: Trigger, held_out: HeldOut, streamed: Mapping[Discriminant, LotCounts] | None = None
) -> TriggerPhysics:
    """Measure every implementation against every signal at the rate that a spec allows.

    ``streamed`` are counts of the emulated firmware's scores over further background.

    Raises:
        InputError: if a class has no event, or a score is not finite.
        SpecError: if outputs and classes do not fit.
    """
    names = held_out.class_names
    n_outputs = held_out.outputs[0].values.shape[1]
    found = discriminants(trigger, names, n_outputs)
    background = _events_of(trigger.background_classes, held_out)
    output_names = names if n_outputs > 1 else ("output",)
    return TriggerPhysics(
        background=", ".join(trigger.background_classes),
        n_background=int(background.sum()),
        background_rate_khz=trigger.input_rate_khz,
        working_rate_khz=trigger.rate_khz,
        variable=None
        if held_out.variable is None or trigger.turn_on is None
        else trigger.turn_on.variable,
        signals=tuple(
            _Signal(
                trigger=trigger,
                held_out=held_out,
                discriminant=discriminant,
                signal=_events_of((name,), held_out),
                background=background,
            ).study(name, discriminant.describe(output_names), (streamed or {}).get(discriminant))
            for name, discriminant in found.items()
        ),
    )


def _events_of(class_names: Iterable[str], held_out: HeldOut) -> NDArray[np.bool_]:
    """Choose the events of some classes.

    Raises:
        InputError: if one of the classes has none.
    """
    chosen = np.zeros(len(held_out.labels), np.bool_)
    for name in class_names:
        of_class = held_out.labels == held_out.class_names.index(name)
        if not of_class.any():
            msg = f"trigger: no held-out event of class {name}: a larger sample is needed"
            raise InputError(msg)
        chosen |= of_class
    return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signal:
    """One signal among the held-out events."""

    trigger: Trigger
    held_out: HeldOut
    discriminant: Discriminant
    signal: NDArray[np.bool_]
    background: NDArray[np.bool_]

    def study(self, name: str, described: str, streamed: LotCounts | None) -> SignalPhysics:
        """Measure every implementation, and what the others lost against the first."""
        first, *others = self.held_out.outputs
        return SignalPhysics(
            name=name,
            n_events=int(self.signal.sum()),
            discriminant=described,
            results=tuple(self._result(outputs) for outputs in self.held_out.outputs),
            losses=tuple(self._loss(first, outputs) for outputs in others),
            streamed=None if streamed is None else self._streamed(streamed),
        )

    def _scores(self, outputs: Outputs) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the scores of signal and of background."""
        score = self.discriminant.score(outputs.values)
        return score[self.signal], score[self.background]

    def _result(self, outputs: Outputs) -> TriggerResult:
        scores = self._scores(outputs)
        signal, background = (ScoreCounts.of(part) for part in scores)
        threshold = threshold_at(background, self.trigger.accepted_share)
        input_rate_khz = self.trigger.input_rate_khz
        return TriggerResult(
            implementation=outputs.implementation,
            auc=area(signal, background),
            threshold=threshold,
            rate_khz=rate_at(background, threshold, input_rate_khz),
            efficiency=efficiency_at(signal, background, threshold),
            roc=roc(signal, background),
            rates=rates(background, input_rate_khz),
            turn_on=None
            if self.held_out.variable is None or self.trigger.turn_on is None
            else turn_on(
                self.held_out.variable[self.signal],
                scores[0] >= threshold,
                self.trigger.turn_on.n_bins,
            ),
        )

    def _loss(self, reference: Outputs, candidate: Outputs) -> Loss:
        before, after = self._scores(reference), self._scores(candidate)
        return Loss(
            implementation=candidate.implementation,
            reference=reference.implementation,
            efficiency=efficiency_loss(before, after, self.trigger.accepted_share),
            auc=area_loss(before, after),
        )

    def _streamed(self, counted: LotCounts) -> Streamed:
        """Set the threshold by the counted background, on the scores of the last outputs."""
        signal = ScoreCounts.of(self._scores(self.held_out.outputs[-1])[0])
        return count_study(self.trigger, counted, signal)


def count_study(
    trigger: Trigger, counted: LotCounts, signal: ScoreCounts | None = None
) -> Streamed:
    """Return threshold and rates of counted background, and the efficiency for a signal."""
    threshold = threshold_at(counted, trigger.accepted_share)
    return Streamed(
        n_events=counted.n_events,
        n_chunks=len(counted.lot_events),
        threshold=threshold,
        rate_khz=rate_at(counted, threshold, trigger.input_rate_khz),
        efficiency=None if signal is None else efficiency_at(signal, counted, threshold),
        rates=rates(counted, trigger.input_rate_khz),
    )


def check_efficiency(acceptance: Acceptance, physics: TriggerPhysics | None) -> Iterator[Check]:
    """Yield the line of the verdict on the largest loss at the working rate, if it is limited.

    What was not measured is not met.
    """
    allowed = acceptance.efficiency_loss
    if allowed is None:
        return
    losses = (
        []
        if physics is None
        else [
            (loss.efficiency, f"{signal.name}, {loss.implementation}")
            for signal in physics.signals
            for loss in signal.losses
        ]
    )
    used, met = "not measured: there is nothing labelled to measure it on", False
    if losses:
        largest, where = max(losses, key=lambda entry: entry[0].value)
        used = f"{largest.value:+.4f} ({largest.low:+.4f} to {largest.high:+.4f}; {where})"
        met = largest.value <= allowed
    rate = "" if physics is None else f" at {physics.working_rate_khz:g} kHz"
    yield Check(name=f"loss of efficiency{rate}", used=used, allowed=f"{allowed:g}", met=met)
