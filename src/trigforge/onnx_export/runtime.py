"""Run an exported model in ONNX Runtime: ``ModelProto or file, RawTensor -> RawTensor``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as state

from trigforge.core.errors import InputError
from trigforge.core.files import refusing_os_errors
from trigforge.core.fixed_point import FixedPointFormat, parse_format
from trigforge.core.records import Progress, RawTensor, no_progress

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from onnx import ModelProto

INPUT_FORMAT, OUTPUT_FORMAT = "input_format", "output_format"
VALUES_PER_EVENT = "values_per_event"
_LARGEST_BATCH = 512
_VALUES_IN_MEMORY = 2**23
_ERRORS_ONLY = 3
_REFUSALS = (
    state.Fail,
    state.InvalidArgument,
    state.InvalidGraph,
    state.InvalidProtobuf,
    state.NoModel,
    state.NotImplemented,
    state.RuntimeException,
)


def run(
    model: ModelProto | Path,
    inputs: RawTensor,
    *,
    n_threads: int = 1,
    progress: Progress = no_progress,
) -> RawTensor:
    """Return the raw outputs ``(n_events, n_outputs)`` that ONNX Runtime computes on the CPU.

    Raises:
        InputError: if the file is missing, damaged or not written by ``export``, or the
            inputs have another format or size than the model's.
        StoreError: if the file cannot be read.
    """
    name = str(model) if isinstance(model, Path) else f"ONNX model {model.graph.name}"
    session = _session(_content(model), name, n_threads)
    fmt, batch = _expectations(session, name, inputs)
    source, target = session.get_inputs()[0].name, session.get_outputs()[0].name
    parts: list[NDArray[Any]] = []
    # An empty sample is run too: its result has the right shape.
    for first in range(0, max(len(inputs.raw), 1), batch):
        events = np.ascontiguousarray(inputs.raw[first : first + batch], dtype=np.int64)
        try:
            parts += session.run([target], {source: events})
        except _REFUSALS as error:
            msg = f"{name}: ONNX Runtime failed: {error}"
            raise InputError(msg) from error
        progress("running ONNX Runtime", first + len(events), len(inputs.raw))
    return RawTensor(format=fmt, raw=np.concatenate(parts))


def _content(model: ModelProto | Path) -> bytes:
    if not isinstance(model, Path):
        return bytes(model.SerializeToString(deterministic=True))
    if not model.is_file():
        msg = f"{model}: there is no such file"
        raise InputError(msg)
    with refusing_os_errors(f"reading {model}"):
        return model.read_bytes()


def _session(content: bytes, name: str, n_threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except _REFUSALS as error:
        msg = f"{name} is no ONNX model that ONNX Runtime can run: {error}"
        raise InputError(msg) from error


def _expectations(session: Any, name: str, inputs: RawTensor) -> tuple[FixedPointFormat, int]:
    """Return the format of the result and how many events fit in memory at a time."""
    properties: Mapping[str, str] = session.get_modelmeta().custom_metadata_map
    try:
        expected = parse_format(properties[INPUT_FORMAT])
        fmt = parse_format(properties[OUTPUT_FORMAT])
        largest = int(properties[VALUES_PER_EVENT])
        (source,), (_,) = session.get_inputs(), session.get_outputs()
        _, n_elements = source.shape
    except (KeyError, ValueError, InputError) as error:
        msg = f"{name} was not exported by trigforge: its formats are not in its metadata"
        raise InputError(msg) from error
    if (inputs.format, inputs.raw.shape[1]) != (expected, n_elements):
        msg = (
            f"{name} takes {n_elements} elements of {expected}, not {inputs.raw.shape[1]} of "
            f"{inputs.format}"
        )
        raise InputError(msg)
    return fmt, min(_LARGEST_BATCH, max(1, _VALUES_IN_MEMORY // max(largest, 1)))
