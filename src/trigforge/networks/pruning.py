"""Prune weights to a stated sparsity while training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class MagnitudePruning(keras.callbacks.Callback):  # type: ignore[misc]
    """Set the smallest weights of each kernel to zero, ever more of them.

    The share grows as ``final * (1 - (1 - t)**3)`` until ``last_epoch`` (Zhu and Gupta,
    arXiv:1710.01878) and stays there; biases are left alone. Masks are chosen at the start
    of an epoch and applied after each batch.
    """

    def __init__(self, sparsity: float, last_epoch: int) -> None:
        super().__init__()
        self._sparsity = sparsity
        self._last_epoch = max(1, last_epoch)
        self._masks: list[tuple[Any, NDArray[np.float32]]] = []

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Choose the weights that stay."""
        del logs
        share = self._sparsity * (1 - (1 - min(1.0, (epoch + 1) / self._last_epoch)) ** 3)
        self._masks = [
            (variable, magnitude_mask(np.asarray(variable), share))
            for variable in self.model.trainable_variables
            if "kernel" in variable.name
        ]
        self._apply()

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Undo what the optimiser gave back to pruned weights."""
        del batch, logs
        self._apply()

    def _apply(self) -> None:
        for variable, mask in self._masks:
            variable.assign(variable * mask)


def magnitude_mask(weights: NDArray[np.float32], share: float) -> NDArray[np.float32]:
    """Return 0 for the given share of smallest magnitudes and 1 for the rest."""
    n_pruned = round(share * weights.size)
    mask = np.ones(weights.size, dtype=np.float32)
    mask[np.argsort(np.abs(weights), axis=None, kind="stable")[:n_pruned]] = 0
    return mask.reshape(weights.shape)
