"""How far a layer of a float model may be from its fixed-point twin without a fault.

A result is allowed one step of its format. A weight is allowed what rounding to its format
does to it, less than a step; one that is further off lies beyond the range, and is a fault.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.graph import Activation, Scale, SumOfProducts
from trigforge.diagnosis.causes_sums import Constants, constants
from trigforge.diagnosis.local import Local, values_of
from trigforge.diagnosis.terms import summed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trigforge.core.traces import Values

_FLOAT64_NOISE = 1e-9


def with_slack(local: Local, distances: Sequence[Values] | None) -> Local:
    """Return the layer with the slack that a float model has.

    ``distances`` say how far each input is from what the original's layer read; None if it
    read the same.
    """
    slack = np.full_like(local.expected, local.node.format.lsb)
    slack += _FLOAT64_NOISE * np.abs(local.expected)
    slack += _of_constants(replace(local, slack=slack))
    if distances is not None:
        slack += _carried(local.node, distances)
    return replace(local, slack=slack)


def _of_constants(local: Local) -> Any:
    """Return what the rounding of weights, scales and parameters explains."""
    node = local.node
    if not isinstance(node, SumOfProducts | Scale | Activation):
        return 0.0
    inputs = np.abs(values_of(local.source(), local.sources[0]))
    if isinstance(node, Activation):
        fmt = node.parameter_format
        return 0.0 if fmt is None else (inputs + 1.0) * fmt.lsb
    errors = {
        entry.field: _rounding(entry, getattr(node, entry.field)) for entry in constants(local)
    }
    total: Any = 0.0
    if "weights" in errors and isinstance(node, SumOfProducts):
        total = summed(node, inputs, errors["weights"])
    if "scale" in errors:
        total = inputs * np.resize(errors["scale"], inputs.shape[1])
    if "bias" in errors:
        total = total + np.resize(errors["bias"], local.expected.shape[1])
    return total


def _rounding(entry: Constants, raw: Any) -> Values:
    distance = np.abs(values_of(raw, entry.format) - entry.original)
    return np.minimum(distance, entry.format.lsb)


def _carried(node: Any, distances: Sequence[Values]) -> Any:
    """Return how far differences of the inputs can move the results."""
    if isinstance(node, SumOfProducts):
        weights = np.abs(values_of(node.weights, node.weight_format))
        return summed(node, np.abs(distances[0]), weights)
    largest = sum(np.abs(entry).max(axis=1, initial=0.0)[:, None] for entry in distances)
    if isinstance(node, Scale):
        return largest * float(np.abs(values_of(node.scale, node.scale_format)).max(initial=0.0))
    return largest
