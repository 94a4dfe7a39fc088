"""The float autoencoder that an anomaly-detecting student learns from.

Convolution and pooling, a dense bottleneck, and back (CICADA, CMS DP-2023/086). It is trained
to give back its standardised input; what it cannot give back is unlike what it has seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trigforge.core.config import Teacher

BATCH = 1024


def build(options: Teacher, input_shape: tuple[int, ...]) -> Any:
    """Build the autoencoder of images ``(height, width, channels)``; input and output are alike.

    Pooling rounds up; what the decoder then has too much is cut off.
    """
    height, width, channels = input_shape
    inputs = keras.Input(input_shape, name="teacher_inputs")
    x = inputs
    for index, filters in enumerate(options.filters):
        x = _convolution(x, filters, f"teacher_conv_{index}")
        x = keras.layers.AveragePooling2D(2, padding="same", name=f"teacher_pool_{index}")(x)
    small = tuple(int(n) for n in x.shape[1:])
    x = keras.layers.Flatten(name="teacher_flatten")(x)
    x = keras.layers.Dense(options.latent_units, activation="relu", name="teacher_latent")(x)
    x = keras.layers.Dense(int(np.prod(small)), activation="relu", name="teacher_dense")(x)
    x = keras.layers.Reshape(small, name="teacher_reshape")(x)
    for index, filters in enumerate(reversed(options.filters)):
        x = keras.layers.UpSampling2D(2, name=f"teacher_up_{index}")(x)
        x = _convolution(x, filters, f"teacher_back_{index}")
    surplus = ((0, int(x.shape[1]) - height), (0, int(x.shape[2]) - width))
    x = keras.layers.Cropping2D(surplus, name="teacher_crop")(x)
    outputs = keras.layers.Conv2D(channels, 3, padding="same", name="teacher_outputs")(x)
    return keras.Model(inputs, outputs, name="teacher")


def scores(teacher: Any, x: NDArray[np.float32], score_per_e_fold: float) -> NDArray[np.float32]:
    """Return the score of each event, ``(n_events, 1)``: ``score_per_e_fold * ln(1 + error)``."""
    errors = []
    for first in range(0, len(x), BATCH):
        batch = x[first : first + BATCH]
        difference = np.asarray(teacher(batch, training=False)) - batch
        errors.append((difference**2).mean(axis=(1, 2, 3)))
    found = score_per_e_fold * np.log1p(np.concatenate(errors))
    return np.asarray(found[:, None], dtype=np.float32)


def _convolution(x: Any, filters: int, name: str) -> Any:
    return keras.layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
