"""An ONNX or QONNX model as it was exported, and what it computes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from qonnx.core import onnx_exec
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.util.cleanup import cleanup_model

from trigforge.core.errors import InputError
from trigforge.frontends import onnx_tracing

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from trigforge.core.traces import Original

onnxruntime.set_default_logger_severity(3)  # errors only: old models make it warn at each step


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OnnxModel:
    """A model of known operators: ``original`` as exported, ``network`` cleaned for hls4ml."""

    original: Any
    network: Any
    input_shape: tuple[int, ...]

    @property
    def quantised(self) -> bool:
        """Some operator of it states a format."""
        return any(node.op_type.endswith("Quant") for node in self.original.graph.node)

    @property
    def what(self) -> str:
        """Say what it is and what computes it."""
        if self.quantised:
            return "QONNX model, by qonnx, float32"
        return f"ONNX model, by onnxruntime {onnxruntime.__version__}, float32"

    @property
    def n_outputs(self) -> int:
        """Outputs of one event."""
        shape = self.network.get_tensor_shape(self.network.graph.output[0].name)
        return int(np.prod(shape))

    def ending_in_logits(self) -> OnnxModel:
        """Return the model without a softmax or sigmoid at its end.

        Raises:
            InputError: if it does not end in one.
        """
        shorter = _without_last(self.original, self.what)
        network = ModelWrapper(_without_last(self.network.model, self.what))
        return replace(self, original=shorter, network=network)

    def predict(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the outputs ``(n_events, n_outputs)`` for ``values``, ``(n_events, ...)``.

        Raises:
            InputError: if the model cannot be executed.
        """
        events = values.reshape(len(values), *self.input_shape).astype(np.float32)
        try:
            outputs = self._quantised(events) if self.quantised else self._float(events)
        except Exception as error:  # both raise whatever their operators' code meets
            msg = f"{self.what}: it cannot be executed: {' '.join(str(error).split())[:200]}"
            raise InputError(msg) from error
        return outputs.reshape(len(values), -1).astype(np.float64)

    def _float(self, events: NDArray[np.float32]) -> NDArray[Any]:
        session = onnxruntime.InferenceSession(
            self.original.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        weights = {tensor.name for tensor in self.original.graph.initializer}
        (source,) = (entry for entry in session.get_inputs() if entry.name not in weights)
        if not isinstance(source.shape[0], int):
            return np.asarray(session.run(None, {source.name: events})[0])
        each = [session.run(None, {source.name: event[None]})[0] for event in events]
        return np.concatenate([entry.reshape(1, -1) for entry in each])

    def _quantised(self, events: NDArray[np.float32]) -> NDArray[Any]:
        model = cleanup_model(ModelWrapper(of_one_event(self.original)))
        source, result = model.graph.input[0].name, model.graph.output[0].name
        each = [onnx_exec.execute_onnx(model, {source: event[None]})[result] for event in events]
        return np.concatenate([np.reshape(entry, (1, -1)) for entry in each])

    def trace(self, values: NDArray[np.float64], nodes: Collection[str] = ()) -> Original:
        """Return what each operator gives for ``values``, ``(n_events, n_inputs)``.

        ``nodes`` are those of the graph made of the model: an operator is called as its node.
        """
        return onnx_tracing.trace(self.network, values, self.what, nodes)


def of_one_event(model: Any) -> Any:
    """Return the model with the number of events, where unknown, set to one."""
    copied = type(model)()
    copied.CopyFrom(model)
    weights = {tensor.name for tensor in copied.graph.initializer}
    for entry in (*copied.graph.input, *copied.graph.output):
        if entry.name not in weights and entry.type.tensor_type.shape.dim:
            entry.type.tensor_type.shape.dim[0].dim_value = 1
    return copied


def _without_last(model: Any, what: str) -> Any:
    """Return a copy whose output is what its last operator reads."""
    copied = type(model)()
    copied.CopyFrom(model)
    output = copied.graph.output[0]
    (last,) = (node for node in copied.graph.node if output.name in node.output)
    if last.op_type not in {"Softmax", "Sigmoid"}:
        msg = f"{what}: it ends in {last.op_type} ({last.name}), no softmax"
        raise InputError(msg)
    output.name = last.input[0]
    copied.graph.node.remove(last)
    for known in [entry for entry in copied.graph.value_info if entry.name == output.name]:
        copied.graph.value_info.remove(known)
    return copied
