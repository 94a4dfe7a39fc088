"""How well a network tells classes apart: ``outputs, labels -> Metrics``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import roc_auc_score, roc_curve

from trigforge.core.config import ZERO_BIAS
from trigforge.core.errors import InputError
from trigforge.core.records import Check, ClassMetrics, Metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from trigforge.core.config import Acceptance


def measure(
    outputs: NDArray[Any],
    labels: NDArray[np.int64],
    class_names: tuple[str, ...],
    signal_efficiency: float,
) -> Metrics:
    """Return accuracy, and for each class the area under the curve and the rejection.

    ``outputs`` is ``(n_events, n_classes)``: logits, by whose softmax (float64) a class is
    told from the rest. Or it is ``(n_events, 1)``: of two classes the logit of the second; of
    more, or where the first is zero bias, an anomaly score, by which each other class is told
    from the first. A score has no accuracy.

    Raises:
        InputError: if a class has no event, an output is not finite, or there are not as
            many outputs as classes.
    """
    scores = np.asarray(outputs, dtype=np.float64)
    _check(scores, labels, class_names)
    if scores.shape[1] > 1:
        right = scores.argmax(axis=1) == labels
        told_apart = [
            (name, score, labels == index, np.ones(len(labels), np.bool_))
            for index, (name, score) in enumerate(zip(class_names, _softmax(scores).T, strict=True))
        ]
    else:
        right = (scores[:, 0] > 0) == labels
        told_apart = [
            (name, scores[:, 0], labels == index, (labels == index) | (labels == 0))
            for index, name in enumerate(class_names[1:], start=1)
        ]
    decides = scores.shape[1] > 1 or (len(class_names) == 2 and class_names[0] != ZERO_BIAS)
    return Metrics(
        n_events=len(labels),
        accuracy=float(right.mean()) if decides else None,
        classes=tuple(
            _measure_class(name, score[chosen], signal[chosen], signal_efficiency)
            for name, score, signal, chosen in told_apart
        ),
    )


def check(acceptance: Acceptance, baseline: Metrics, quantised: Metrics) -> Iterator[Check]:
    """Yield one line of the verdict for each loss that is limited (float minus quantised)."""
    losses = (
        ("loss of accuracy", acceptance.accuracy_loss, baseline.accuracy, quantised.accuracy),
        ("loss of mean AUC", acceptance.auc_loss, baseline.mean_auc, quantised.mean_auc),
    )
    for name, allowed, before, after in losses:
        if allowed is None:
            continue
        if before is None or after is None:
            used, met = "not known: an anomaly score has no accuracy", False
        else:
            used, met = f"{before - after:+.4f}", before - after <= allowed
        yield Check(name=name, used=used, allowed=f"{allowed:g}", met=met)


def _check(
    scores: NDArray[np.float64], labels: NDArray[np.int64], class_names: tuple[str, ...]
) -> None:
    if scores.shape not in {(len(labels), 1), (len(labels), len(class_names))}:
        n_outputs = 1 if len(class_names) == 2 else len(class_names)
        msg = f"logits are {scores.shape}, not {(len(labels), n_outputs)}: one row an event"
        raise InputError(msg)
    if not np.isfinite(scores).all():
        msg = "a logit is not finite: the network diverged"
        raise InputError(msg)
    missing = [name for index, name in enumerate(class_names) if not (labels == index).any()]
    if missing:
        msg = f"no held-out event of class {', '.join(missing)}: a larger sample is needed"
        raise InputError(msg)


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
