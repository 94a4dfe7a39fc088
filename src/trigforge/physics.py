"""How well a network tells jets apart: ``logits, labels -> Metrics``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from trigforge.core.errors import InputError
from trigforge.core.records import Check, ClassMetrics, Distance, Metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from trigforge.core.config import Acceptance


def measure(
    logits: NDArray[Any],
    labels: NDArray[np.int64],
    class_names: tuple[str, ...],
    signal_efficiency: float,
) -> Metrics:
    """Return accuracy, and for each class the area under the curve and the rejection.

    ``logits`` is ``(n_events, n_classes)``, or ``(n_events, 1)`` for two classes of which
    the second is the signal. A class is told from the rest by its softmax probability, in
    float64; a single logit by itself.

    Raises:
        InputError: if a class has no event, a logit is not finite, or there are not as
            many logits as classes.
    """
    scores = np.asarray(logits, dtype=np.float64)
    n_logits = 1 if len(class_names) == 2 else len(class_names)
    if scores.shape not in {(len(labels), n_logits), (len(labels), len(class_names))}:
        msg = f"logits are {scores.shape}, not {(len(labels), n_logits)}: one row an event"
        raise InputError(msg)
    if not np.isfinite(scores).all():
        msg = "a logit is not finite: the network diverged"
        raise InputError(msg)
    missing = [name for index, name in enumerate(class_names) if not (labels == index).any()]
    if missing:
        msg = f"no held-out event of class {', '.join(missing)}: a larger sample is needed"
        raise InputError(msg)
    if scores.shape[1] == 1:
        decided = (scores[:, 0] > 0).astype(np.int64)
        one_against_rest = {1: scores[:, 0]}
    else:
        decided = scores.argmax(axis=1)
        probabilities = _softmax(scores)
        one_against_rest = dict(enumerate(probabilities.T))
    return Metrics(
        n_events=len(labels),
        accuracy=float((decided == labels).mean()),
        classes=tuple(
            _measure_class(class_names[index], score, labels == index, signal_efficiency)
            for index, score in one_against_rest.items()
        ),
    )


def check(acceptance: Acceptance, baseline: Metrics, quantised: Metrics) -> Iterator[Check]:
    """Yield one line of the verdict for each loss that is limited (float minus quantised)."""
    losses = (
        ("loss of accuracy", acceptance.accuracy_loss, baseline.accuracy - quantised.accuracy),
        ("loss of mean AUC", acceptance.auc_loss, baseline.mean_auc - quantised.mean_auc),
    )
    for name, allowed, loss in losses:
        if allowed is not None:
            yield Check(name=name, used=f"{loss:+.4f}", allowed=f"{allowed:g}", met=loss <= allowed)


def check_distance(acceptance: Acceptance, distance: Distance) -> Iterator[Check]:
    """Yield the line of the verdict on the distance from the original, if it is limited."""
    if acceptance.deviation is not None:
        yield Check(
            name=f"deviation from {distance.original}",
            used=f"{distance.largest:g} at most",
            allowed=f"{acceptance.deviation:g}",
            met=distance.largest <= acceptance.deviation,
        )


def distance(name: str, original: NDArray[Any], firmware: NDArray[np.float64]) -> Distance:
    """Measure how far outputs ``(n_events, n_outputs)`` are from the original's.

    Raises:
        InputError: if an output of the original is not finite.
    """
    expected = np.asarray(original, dtype=np.float64)
    if not np.isfinite(expected).all():
        event = int(np.argwhere(~np.isfinite(expected))[0][0])
        msg = f"{name}: an output of event {event} is not finite"
        raise InputError(msg)
    off = np.abs(firmware - expected)
    changed = (firmware.argmax(axis=1) != expected.argmax(axis=1)).sum()
    return Distance(
        original=name,
        n_events=len(expected),
        largest=float(off.max(initial=0)),
        mean=float(off.mean()),
        root_mean_square=float(np.sqrt((off**2).mean())),
        output_range=float(np.ptp(expected)),
        n_equal=int((off == 0).sum()),
        n_values=off.size,
        n_decisions_changed=int(changed) if expected.shape[1] > 1 else None,
    )


def _measure_class(
    name: str, score: NDArray[np.float64], signal: NDArray[np.bool_], efficiency: float
) -> ClassMetrics:
    """Measure one class; the rejection is taken at the first threshold that keeps enough."""
    false_positive, true_positive, _ = roc_curve(signal, score, drop_intermediate=False)
    index = int(np.searchsorted(true_positive, efficiency))
    background = float(false_positive[index])
    return ClassMetrics(
        name=name,
        auc=float(roc_auc_score(signal, score)),
        signal_efficiency=efficiency,
        background_rejection=1.0 / background if background > 0 else float("inf"),
    )


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))
