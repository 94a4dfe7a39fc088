"""What an imported model is to the rest of trigforge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

    import numpy as np
    from numpy.typing import NDArray

    from trigforge.core.traces import Original


class ImportedModel(Protocol):
    """A trained model with one input and one output."""

    @property
    def what(self) -> str:
        """Say what it is and what computes it: ``Keras 2.4.0 with QKeras, float32``."""

    @property
    def network(self) -> Any:
        """The model as conversion takes it: a Keras model, or qonnx's ``ModelWrapper``."""

    @property
    def quantised(self) -> bool:
        """It states the formats of its weights."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one event."""

    @property
    def n_outputs(self) -> int:
        """Outputs of one event."""

    def ending_in_logits(self) -> ImportedModel:
        """Return the model without a softmax or sigmoid at its end.

        Raises:
            InputError: if it does not end in one.
        """

    def predict(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the outputs ``(n_events, n_outputs)`` for ``values``, ``(n_events, ...)``."""

    def trace(self, values: NDArray[np.float64], nodes: Collection[str] = ()) -> Original:
        """Return what each layer gives for ``values``, ``(n_events, n_inputs)``.

        ``nodes`` names those of the graph that was made of the model.
        """
