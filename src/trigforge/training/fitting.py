"""Fit one network to events: with early stopping, pruning, and an eye on divergence."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
from numpy.typing import NDArray

from trigforge.core.errors import InputError
from trigforge.networks.pruning import MagnitudePruning

if TYPE_CHECKING:
    import numpy as np

    from trigforge.core.config import Training
    from trigforge.core.records import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingEvents:
    """Events, what a network is to give for each, and how far it is from that."""

    x: NDArray[Any]
    target: NDArray[Any]
    loss: Any


def check_size(n_events: int, options: Training) -> None:
    """Refuse a sample that leaves nothing to train on or to validate with."""
    n_validation = int(n_events * options.validation_fraction)
    if not 0 < n_validation < n_events:
        msg = (
            f"{n_validation} of {n_events} training events are left for validation; use a larger "
            f"sample or training.validation_fraction (now {options.validation_fraction:g})"
        )
        raise InputError(msg)


def fit(
    model: Any, x: NDArray[np.float32], seen: TrainingEvents, options: Training, progress: Progress
) -> dict[str, Any]:
    """Fit one network with early stopping; return what its training was like."""
    y = seen.target
    n_validation = int(len(x) * options.validation_fraction)
    model.compile(optimizer=keras.optimizers.Adam(options.learning_rate), loss=seen.loss)
    history = model.fit(
        x[n_validation:],
        y[n_validation:],
        validation_data=(x[:n_validation], y[:n_validation]),
        batch_size=options.batch_size,
        epochs=options.epochs,
        callbacks=_callbacks(model, options, progress),
        verbose=0,
    )
    losses = history.history["val_loss"]
    return {"epochs": len(losses), "best_validation_loss": round(float(min(losses)), 6)}


def _callbacks(model: Any, options: Training, progress: Progress) -> list[Any]:
    """Return what watches over an epoch: divergence, pruning, learning rate, early stopping."""
    pruning = model.name == "qkeras" and options.sparsity > 0
    pruned_by = options.epochs // 2 if pruning else 0
    return [
        _RefusingDivergence(model.name, options.learning_rate),
        *([MagnitudePruning(options.sparsity, pruned_by)] if pruning else []),
        keras.callbacks.ReduceLROnPlateau(
            factor=0.5, patience=max(1, options.patience_epochs // 3), min_lr=1e-5
        ),
        keras.callbacks.EarlyStopping(
            patience=options.patience_epochs,
            restore_best_weights=True,
            start_from_epoch=pruned_by,
        ),
        _Reporting(f"training {model.name}", options.epochs, progress),
    ]


class _RefusingDivergence(keras.callbacks.Callback):  # type: ignore[misc]
    """Stop with an error at the first loss that is no number: the weights are lost."""

    def __init__(self, name: str, learning_rate: float) -> None:
        super().__init__()
        self._name, self._learning_rate = name, learning_rate

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        for name, loss in (logs or {}).items():
            if name.endswith("loss") and not math.isfinite(loss):
                msg = (
                    f"training of the {self._name} network diverged: {name} is {loss} in epoch "
                    f"{epoch + 1}; lower training.learning_rate (now {self._learning_rate:g})"
                )
                raise InputError(msg)


class _Reporting(keras.callbacks.Callback):  # type: ignore[misc]
    """Pass the number of finished epochs on to ``progress``."""

    def __init__(self, what: str, epochs: int, progress: Progress) -> None:
        super().__init__()
        self._what, self._epochs, self._progress = what, epochs, progress

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        del logs
        self._progress(self._what, epoch + 1, self._epochs)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        del logs
        self._progress(self._what, self._epochs, self._epochs)
