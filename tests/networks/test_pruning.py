from __future__ import annotations

import keras
import numpy as np
import pytest

from trigforge.networks.pruning import MagnitudePruning, magnitude_mask


def trained(sparsity: float, *, epochs: int = 4, last_epoch: int = 3):
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(10, activation="relu"), keras.layers.Dense(2)]
    )
    model.compile(optimizer="adam", loss="mse")
    shares = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            shares.append([zero_share(layer) for layer in self.model.layers])

    random = np.random.default_rng(6)
    x, y = random.normal(size=(64, 6)), random.normal(size=(64, 2))
    pruning = MagnitudePruning(sparsity, last_epoch)
    model.fit(x, y, epochs=epochs, batch_size=16, verbose=0, callbacks=[pruning, Watch()])
    return model, np.array(shares)


def zero_share(layer) -> float:
    return float((np.asarray(layer.kernel) == 0).mean())


def test_the_stated_share_of_every_kernel_is_zero_in_the_end_and_stays_so():
    _, shares = trained(0.4)
    assert (shares[8:] == [24 / 60, 8 / 20]).all()


def test_the_share_grows_epoch_by_epoch_and_holds_after_every_batch():
    _, shares = trained(0.4)
    epochs = shares.reshape(4, 4, 2)
    expected = [round(0.4 * (1 - (1 - t / 3) ** 3) * 60) / 60 for t in (1, 2, 3, 3)]
    for epoch, share in enumerate(expected):
        assert (epochs[epoch, :, 0] == share).all()


def test_biases_are_not_pruned():
    model, _ = trained(0.9)
    assert (np.asarray(model.layers[-1].bias) != 0).all()


def test_nothing_is_pruned_at_sparsity_zero():
    _, shares = trained(0.0, epochs=1)
    assert (shares == 0).all()


@pytest.mark.parametrize(("share", "n_zero"), [(0, 0), (0.25, 3), (0.5, 6), (1, 12)])
def test_a_mask_takes_the_smallest_magnitudes(share, n_zero):
    weights = np.random.default_rng(7).normal(size=(3, 4)).astype(np.float32)
    mask = magnitude_mask(weights, share)
    assert mask.shape == weights.shape
    assert (mask == 0).sum() == n_zero
    if 0 < n_zero < 12:
        assert np.abs(weights[mask == 0]).max() < np.abs(weights[mask == 1]).min()


def test_of_equal_weights_the_stated_number_is_pruned_all_the_same():
    assert magnitude_mask(np.ones((4, 4), np.float32), 0.5).sum() == 8
