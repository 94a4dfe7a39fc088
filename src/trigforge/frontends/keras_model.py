"""A Keras model as it was trained, and what it computes in float32."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import qkeras

from trigforge.core.errors import InputError
from trigforge.networks import tracing
from trigforge.networks.reference import BATCH

FINAL_ACTIVATIONS = ("softmax", "sigmoid")

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from trigforge.core.traces import Original


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KerasModel:
    """A model of known Keras and QKeras layers."""

    network: Any
    version: str

    @property
    def quantised(self) -> bool:
        """Some layer of it states formats."""
        return any(type(layer).__module__.startswith("qkeras") for layer in self.network.layers)

    @property
    def what(self) -> str:
        """Say what it is and in which arithmetic it computes."""
        library = f"qkeras-v3 {qkeras.__version__}" if self.quantised else ""
        inside = f" with {library}" if library else ""
        return f"{self.version} model, by Keras {keras.__version__}{inside}, float32"

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one event."""
        return tuple(int(n) for n in self.network.input_shape[1:])

    @property
    def n_outputs(self) -> int:
        """Outputs of one event."""
        return int(np.prod(self.network.output_shape[1:]))

    def ending_in_logits(self) -> KerasModel:
        """Return the model without a softmax or sigmoid at its end.

        Raises:
            InputError: if it does not end in one.
        """
        last = self.network.layers[-1]
        name = getattr(getattr(last, "activation", None), "__name__", "")
        if name not in FINAL_ACTIVATIONS and not isinstance(last, keras.layers.Softmax):
            msg = f"{self.what}: it ends in {last.name} ({type(last).__name__}), no softmax"
            raise InputError(msg)
        if isinstance(last, (keras.layers.Activation, keras.layers.Softmax)):
            shorter = keras.Model(self.network.inputs[0], last.input, name=self.network.name)
            return replace(self, network=shorter)
        copied = keras.models.clone_model(self.network)
        copied.set_weights(self.network.get_weights())
        copied.layers[-1].activation = keras.activations.linear
        return replace(self, network=copied)

    def predict(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the outputs ``(n_events, n_outputs)`` for ``values``, ``(n_events, ...)``."""
        events = values.reshape(len(values), *self.input_shape).astype(np.float32)
        parts = [
            np.asarray(self.network(events[first : first + BATCH], training=False))
            for first in range(0, len(events), BATCH)
        ]
        return np.concatenate(parts).reshape(len(values), -1).astype(np.float64)

    def trace(self, values: NDArray[np.float64], nodes: Collection[str] = ()) -> Original:
        """Return what each layer gives for ``values``, ``(n_events, n_inputs)``."""
        del nodes  # hls4ml keeps the names of Keras' layers
        return tracing.trace(self.network, values)
