"""The scan: a base spec, a space of changes to it, and what to look for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from trigforge.core.config.section import FileName, Name, Section

PHYSICS = ("accuracy", "mean_auc", "efficiency")
"""What a design is worth: to be made large."""
COSTS = ("ebops", "lut", "ff", "dsp")
"""What a design takes: to be made small."""
LATENCY = "latency_ns"

Figure = Literal["accuracy", "mean_auc", "efficiency", "ebops", "lut", "ff", "dsp", "latency_ns"]
Key = Annotated[str, Field(pattern=r"^[a-z_0-9]+(\.[a-z_0-9]+)+$")]
Scalar = bool | int | float | str | None


class Parameter(Section):
    """One dimension of the space: the values that one or more keys of the spec may take.

    Either ``choices``, or numbers from ``low`` to ``high`` in steps.
    """

    keys: tuple[Key, ...] = Field(
        default=(),
        description="of the spec, as quantization.weight_format or network.hidden_units.0; "
        "each gets the value. None: the parameter's name is the key",
    )
    choices: tuple[Scalar, ...] | None = Field(
        default=None, min_length=1, description="values without an order"
    )
    low: int | float | None = Field(default=None, description="smallest number")
    high: int | float | None = Field(default=None, description="largest number")
    step: int | float | None = Field(
        default=None, gt=0, description="between numbers; null: 1 of integers, none of others"
    )
    log: bool = Field(default=False, description="numbers are spread evenly in their logarithm")
    template: str | None = Field(
        default=None, description="text around the number, which replaces {}: fixed<{},1>"
    )

    @model_validator(mode="after")
    def _is_one_kind(self) -> Parameter:
        numbers = self.low is not None and self.high is not None
        if numbers is (self.choices is not None) or (self.low is None) is not (self.high is None):
            msg = "write either choices, or low and high"
            raise ValueError(msg)
        if self.choices is not None and (self.log or self.step or self.template):
            msg = "step, log and template belong to numbers from low to high, not to choices"
            raise ValueError(msg)
        if self.choices is not None and len({repr(value) for value in self.choices}) < len(
            self.choices
        ):
            msg = "choices: a value is written twice"
            raise ValueError(msg)
        self._check_numbers()
        return self

    def _check_numbers(self) -> None:
        if self.low is None or self.high is None:
            return
        if self.low > self.high:
            msg = f"low {self.low:g} is above high {self.high:g}"
            raise ValueError(msg)
        if self.log and (self.low <= 0 or self.step is not None):
            msg = "log: low must be above 0, and there is no step"
            raise ValueError(msg)
        if self.template is not None and (self.template.count("{}") != 1 or not self.integers):
            msg = f"template {self.template!r}: write {{}} once, for integers"
            raise ValueError(msg)

    @property
    def integers(self) -> bool:
        """The numbers are integers."""
        numbers = (self.low, self.high, 1 if self.step is None else self.step)
        return all(isinstance(number, int) for number in numbers)

    def value(self, number: Any) -> Any:
        """Return what the keys get for a choice or a number."""
        if self.template is not None:
            return self.template.replace("{}", str(number))
        return round(number, 12) if isinstance(number, float) else number


class Front(Section):
    """What is done with the designs that no other beats in every objective."""

    synthesise: int = Field(
        default=6, ge=0, description="so many are synthesised, spread over the front"
    )
    largest_loss: float = Field(
        default=0.005,
        ge=0,
        description="of the first objective against the base, of the best design",
    )


class ScanSpec(Section):
    """A search for designs that are worth much and take little."""

    scan_version: Literal[1] = Field(description="of the form of this file")
    name: Name
    base: FileName = Field(description="spec that is changed; relative to this file's folder")
    n_trials: int = Field(ge=1, le=1_000_000, description="designs tried, failed ones included")
    seed: int = Field(ge=0, description="of what is proposed")
    sampler: Literal["tpe", "nsga2", "random"] = Field(
        default="tpe", description="of Optuna: which designs are proposed"
    )
    n_random: int = Field(default=10, ge=1, description="trials before tpe learns from them")
    objectives: tuple[Figure, ...] = Field(
        min_length=2,
        max_length=3,
        description="a figure of physics, a cost, and latency_ns if wanted",
    )
    changes: dict[Key, Any] = Field(
        default_factory=dict, description="to the base, for every trial: keys and values"
    )
    space: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]{0,79}$")], Parameter] = Field(
        min_length=1, description="parameters by name"
    )
    front: Front = Front()

    @model_validator(mode="after")
    def _objectives_and_keys_fit(self) -> ScanSpec:
        wanted = (PHYSICS, COSTS, (LATENCY,))
        for objective, allowed in zip(self.objectives, wanted, strict=False):
            if objective not in allowed:
                msg = f"objectives: {objective} stands where one of {', '.join(allowed)} is wanted"
                raise ValueError(msg)
        keys = [*self.changes, *(key for name in self.space for key in self.keys_of(name))]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            msg = f"space: {twice[0]} is set twice"
            raise ValueError(msg)
        unfit = [key for key in keys if "." not in key]
        if unfit:
            msg = f"space.{unfit[0]}: is no key of a spec; give its keys"
            raise ValueError(msg)
        return self

    def keys_of(self, name: str) -> tuple[str, ...]:
        """Return the keys of the spec that a parameter sets."""
        return self.space[name].keys or (name,)
