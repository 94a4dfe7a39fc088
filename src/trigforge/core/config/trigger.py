"""The spec's ``trigger`` section: which rate is allowed, and what of which events makes it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from trigforge.core.config.section import Positive, Section
from trigforge.core.crossing import ORBIT_CROSSINGS, ORBIT_KHZ

ClassNames = Annotated[tuple[str, ...], Field(min_length=1)]


class TurnOn(Section):
    """A curve of the efficiency at the working point against something known of the events."""

    variable: str = Field(
        min_length=1,
        description="of the sample, such as generated_ht_gev; a feature; for images image_sum",
    )
    n_bins: int = Field(default=12, ge=2, le=100, description="each with as many signal events")


class Trigger(Section):
    """The rate at which a trigger with this network may accept background."""

    background_classes: ClassNames = Field(description="classes whose events make up the rate")
    signals: ClassNames | None = Field(
        default=None, description="classes that are to be accepted; null: all other classes"
    )
    n_colliding_bunches: int = Field(
        default=2544, ge=1, le=ORBIT_CROSSINGS, description="crossings an orbit with collisions"
    )
    background_rate_khz: Positive | None = Field(
        default=None,
        description="at which background reaches the network; null: every colliding crossing",
    )
    rate_khz: Positive = Field(description="the working point: accepted background, at most")
    turn_on: TurnOn | None = Field(default=None, description="null: no such curve")

    @property
    def input_rate_khz(self) -> float:
        """Return the rate at which background events reach the network."""
        if self.background_rate_khz is not None:
            return self.background_rate_khz
        return ORBIT_KHZ * self.n_colliding_bunches

    @property
    def accepted_share(self) -> float:
        """Return the share of the background that the working point accepts, at most."""
        return self.rate_khz / self.input_rate_khz

    @model_validator(mode="after")
    def _rate_is_a_part(self) -> Trigger:
        if self.rate_khz >= self.input_rate_khz:
            msg = (
                f"rate_khz: {self.rate_khz:g} is no less than the {self.input_rate_khz:g} kHz of "
                "background that reach the network"
            )
            raise ValueError(msg)
        return self

    def signals_of(self, class_names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the signals: those named, or all classes that are no background."""
        if self.signals is not None:
            return self.signals
        return tuple(name for name in class_names if name not in self.background_classes)

    def check_names(self, class_names: tuple[str, ...], *, one_output: bool) -> None:
        """Hold the names of classes against those of the sample.

        A single output is the score of all that is no background: the first class.

        Raises:
            ValueError: naming what is wrong and the classes there are.
        """
        if not class_names:
            msg = "trigger: the outputs' classes have no names; write inputs.class_names"
            raise ValueError(msg)
        signals = self.signals_of(class_names)
        known = ", ".join(class_names)
        for key, names in (("background_classes", self.background_classes), ("signals", signals)):
            for name in names:
                if name not in class_names:
                    msg = f"trigger.{key}: there is no class {name}; the classes are {known}"
                    raise ValueError(msg)
                if names.count(name) > 1:
                    msg = f"trigger.{key}: {name} is named twice"
                    raise ValueError(msg)
        both = [name for name in signals if name in self.background_classes]
        if both:
            msg = f"trigger.signals: {both[0]} is among the background_classes too"
            raise ValueError(msg)
        if not signals:
            msg = f"trigger.background_classes: they leave no signal of the classes {known}"
            raise ValueError(msg)
        if one_output and self.background_classes != class_names[:1]:
            msg = (
                f"trigger.background_classes: of a network with one output the background is "
                f"[{class_names[0]}]"
            )
            raise ValueError(msg)
