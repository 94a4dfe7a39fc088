"""The counts of scores that are kept beside a model: ``rates.json``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trigforge.core.errors import InputError
from trigforge.core.files import write_file
from trigforge.physics import Discriminant, LotCounts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Count = Annotated[int, Field(ge=0)]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counted:
    """Scores of background, as the firmware of one network gives them, in lots of events.

    ``graph`` is the digest of the network, ``sample`` that of what a generated crossing is;
    None: the events came from files. ``lots`` are their names.
    """

    graph: str
    sample: str | None
    lots: tuple[str, ...]
    scores: tuple[tuple[Discriminant, LotCounts], ...]

    def adding(self, name: str, lot: Mapping[Discriminant, LotCounts]) -> Counted:
        """Return the counts with one more lot."""
        before = dict(self.scores)
        scores = tuple(
            (entry, before[entry] + counts if before else counts) for entry, counts in lot.items()
        )
        return replace(self, lots=(*self.lots, name), scores=scores)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class _Lot(_Entry):
    name: str
    n_events: Annotated[int, Field(ge=1)]


class _Score(_Entry):
    """Counts of one score; the lists are as long as each other."""

    output: Count
    against: list[Count]
    values: list[int]
    accepted: list[Count]
    squares: list[float]
    products: list[float]


class _File(_Entry):
    format: Literal["trigforge rates 1"]
    graph: str
    sample: str | None
    lots: Annotated[list[_Lot], Field(min_length=1)]
    scores: Annotated[list[_Score], Field(min_length=1)]


def read(path: Path) -> Counted | None:
    """Read counts; None if there are none.

    Raises:
        InputError: if the file is not one of ``write``.
    """
    try:
        content = _File.model_validate_json(path.read_bytes())
        lot_events = tuple(lot.n_events for lot in content.lots)
        scores = tuple(
            (Discriminant(entry.output, tuple(entry.against)), _counts(entry, lot_events))
            for entry in content.scores
        )
    except FileNotFoundError:
        return None
    except (OSError, ValidationError, InputError) as error:
        reason = " ".join(str(error).split())[:200]
        msg = f"{path} is no file of counted rates: {reason}; remove it and count again"
        raise InputError(msg) from error
    return Counted(
        graph=content.graph,
        sample=content.sample,
        lots=tuple(lot.name for lot in content.lots),
        scores=scores,
    )


def write(path: Path, counted: Counted) -> None:
    """Write counts, the whole of them or nothing.

    Raises:
        StoreError: if it cannot be written.
    """
    lot_events = counted.scores[0][1].lot_events
    content = _File(
        format="trigforge rates 1",
        graph=counted.graph,
        sample=counted.sample,
        lots=[
            _Lot(name=name, n_events=n_events)
            for name, n_events in zip(counted.lots, lot_events, strict=True)
        ],
        scores=[
            _Score(
                output=entry.output,
                against=list(entry.against),
                values=counts.values.tolist(),
                accepted=counts.accepted.tolist(),
                squares=counts.squares.tolist(),
                products=counts.products.tolist(),
            )
            for entry, counts in counted.scores
        ],
    )
    write_file(path, content.model_dump_json() + "\n")


def _counts(entry: _Score, lot_events: tuple[int, ...]) -> LotCounts:
    """Return the counts of one score.

    Raises:
        InputError: if they cannot be counts of that many events.
    """
    counts = LotCounts(
        values=np.asarray(entry.values, np.int64),
        accepted=np.asarray(entry.accepted, np.int64),
        squares=np.asarray(entry.squares, np.float64),
        products=np.asarray(entry.products, np.float64),
        lot_events=lot_events,
    )
    falling = (np.diff(counts.accepted) < 0).all() and counts.accepted[0] == counts.n_events
    if not (falling and (np.diff(counts.values) > 0).all() and counts.accepted[-1] > 0):
        msg = f"its counts are not those of {counts.n_events} events"
        raise InputError(msg)
    return counts
