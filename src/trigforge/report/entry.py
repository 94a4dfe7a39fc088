"""What every part of ``report.json`` is, and the numbers in it."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer


def _finite_or_null(number: float | None) -> float | None:
    """JSON has no infinity."""
    return number if number is not None and math.isfinite(number) else None


Count = Annotated[int, Field(ge=0)]
Measured = Annotated[float | None, PlainSerializer(_finite_or_null)]


class Entry(BaseModel):
    """A part of the report: nothing unknown, nothing changed later."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_serialization_defaults_required=True
    )
