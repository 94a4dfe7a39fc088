"""A scorer on arrays of other libraries: awkward, eager; Dask, block by block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import awkward as ak
import dask.array as da
import numpy as np

from trigforge.core.errors import InputError
from trigforge.emulation.columns import Columns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.emulation.scorer import Scorer


def score(scorer: Scorer, events: Any) -> Any:
    """Return the scores of events as an array of the same library.

    Raises:
        InputError: if it is of none that is known, or they are no events of the network.
    """
    if isinstance(events, ak.Array):
        return _score_awkward(scorer, events)
    if isinstance(events, da.Array):
        return _score_dask(scorer, events)
    msg = f"{scorer.name} takes NumPy, awkward or Dask arrays, not {type(events).__name__}"
    raise InputError(msg)


def _score_awkward(scorer: Scorer, events: ak.Array) -> ak.Array:
    """Return records with the names of the outputs."""
    if events.fields:
        missing = [name for name in scorer.input_names if name not in events.fields]
        if missing or not scorer.input_names:
            wanted = ", ".join(scorer.input_names) or "lists, as its inputs have no names"
            msg = f"{scorer.name} takes {wanted}; the events have {', '.join(events.fields)}"
            raise InputError(msg)
        arrays = tuple(_numbers(events[name], name) for name in scorer.input_names)
        for name, array in zip(scorer.input_names, arrays, strict=True):
            if array.ndim != 1:
                msg = f"field {name!r} must hold one number an event, not {array.shape[1:]}"
                raise InputError(msg)
        scores = scorer.score(Columns(names=scorer.input_names, arrays=arrays))
    else:
        scores = scorer(_numbers(events, "events"))
    columns = {name: scores[:, index] for index, name in enumerate(scorer.output_names)}
    return ak.Array({name: np.ascontiguousarray(column) for name, column in columns.items()})


def _numbers(array: ak.Array, name: str) -> NDArray[Any]:
    """Return an awkward array that is a rectangular one.

    Raises:
        InputError: if it is ragged or something is missing.
    """
    try:
        return np.asarray(ak.to_numpy(array, allow_missing=False))
    except (TypeError, ValueError) as error:
        msg = f"{name}: {array.type} is no rectangular array of numbers"
        raise InputError(msg) from error


def _score_dask(scorer: Scorer, events: da.Array) -> Any:
    """Return an array with the same chunks of events; an event is never parted."""
    n_elements = int(np.prod(events.shape[1:]))
    if events.ndim < 2 or n_elements != scorer.input.n_elements:
        msg = f"{scorer.name} takes events ({scorer.input.n_elements} numbers each), not "
        msg += f"{events.shape}"
        raise InputError(msg)
    whole = events.rechunk(dict.fromkeys(range(1, events.ndim), -1))
    n_outputs = scorer.output.n_elements
    return whole.map_blocks(
        scorer,
        dtype=scorer.dtype,
        drop_axis=list(range(2, events.ndim)),
        chunks=(whole.chunks[0], (n_outputs,)),
        meta=np.empty((0, n_outputs), scorer.dtype),
    )
