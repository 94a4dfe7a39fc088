"""What all sections of the spec are made of: their base and the types of their keys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from trigforge.core.errors import InputError
from trigforge.core.fixed_point import parse_format

Fraction = Annotated[float, Field(gt=0, lt=1)]
IoType = Literal["io_parallel", "io_stream"]


def _format_text(text: str) -> str:
    try:
        parse_format(text)
    except InputError as error:
        raise ValueError(str(error)) from error
    return text


def _rising(limits: tuple[float, float]) -> tuple[float, float]:
    if limits[0] >= limits[1]:
        msg = f"{limits[0]:g} to {limits[1]:g} is no range; write the lower end first"
        raise ValueError(msg)
    return limits


FormatText = Annotated[str, AfterValidator(_format_text)]
Positive = Annotated[float, Field(gt=0)]
FileName = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]+$")]
Name = Annotated[
    str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="also the C++ identifier")
]
Range = Annotated[tuple[Positive, Positive], AfterValidator(_rising)]


class Section(BaseModel):
    """A part of the spec: unknown keys are refused, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
