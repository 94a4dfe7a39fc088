"""The compiled emulator beside what it replaces: hls4ml's predict and float onnxruntime.

All on the shipped models, in one process and one run, so that the ratios hold on machines
of any speed. hls4ml's library is what its own ``compile()`` builds.
"""

from __future__ import annotations

import contextlib
import io
from functools import partial
from typing import TYPE_CHECKING, Any

import float_network
import numpy as np
import shipped_models
from stopwatch import seconds

from trigforge import emulator, evaluation, pipeline
from trigforge.conversion import convert
from trigforge.core.fixed_point import to_values
from trigforge.core.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from trigforge.core.graph import FixedPointGraph

N_EVENTS = {"jet_tagger": 1 << 21, "top_tagger": 1 << 18}
N_PREDICTED = 2048
BATCHES = (64, 256, 1024, 4096, 16384)
REPEATS = 15


def measure(folder: Path) -> dict[str, float]:
    figures = {}
    for model in shipped_models.open_all(folder):
        graph = pipeline.firmware.delivered_graph(model.job, model.ready)
        figures |= _measure_one(model, graph, folder)
    return figures


def _measure_one(
    model: shipped_models.ReadyModel, graph: FixedPointGraph, folder: Path
) -> dict[str, float]:
    name, n_events = model.name, N_EVENTS[model.name]
    sources, store = emulator.generate(graph), Store(folder / "emulator_store")
    compile_s = seconds(lambda: emulator.build(sources, store))
    compiled = emulator.load(emulator.build(sources, store))
    raw = model.inputs(n_events).raw.astype(np.int32)
    one, two = _emulator_events_per_s(compiled, raw)
    onnxruntime = _onnxruntime_events_per_s(graph, n_events // 8)
    predict = _hls4ml_events_per_s(model, folder)
    inputs = model.inputs(n_events // 8)
    evaluator_s = seconds(lambda: evaluation.evaluate(graph, inputs), repeats=3)
    return {
        f"emulator_events_per_s_{name}": one,
        f"emulator_vs_hls4ml_predict_{name}": one / predict,
        f"emulator_vs_onnxruntime_float_{name}": one / onnxruntime,
        f"emulator_two_threads_vs_one_{name}": two / one,
        f"emulator_compile_s_{name}": compile_s,
        f"evaluator_events_per_s_{name}": n_events // 8 / evaluator_s,
        f"hls4ml_predict_events_per_s_{name}": predict,
        f"onnxruntime_float_events_per_s_{name}": onnxruntime,
    }


def _emulator_events_per_s(
    compiled: emulator.Emulator, raw: NDArray[np.int32]
) -> tuple[float, float]:
    """Time one and two threads in turn, into memory that is there already."""
    out = np.zeros((len(raw), compiled.output.n_elements), dtype=compiled.dtype)
    times: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(REPEATS):
        for n_threads, taken in times.items():
            taken.append(seconds(partial(compiled.predict, raw, n_threads=n_threads, out=out)))
    return len(raw) / min(times[1]), len(raw) / min(times[2])


def _onnxruntime_events_per_s(graph: FixedPointGraph, n_events: int) -> float:
    """Run the float network on one thread at the batch size that suits it best."""
    session = float_network.session(graph)
    shape = (n_events, *float_network.input_shape(graph))
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)

    def run(batch: int) -> None:
        for first in range(0, n_events, batch):
            session.run(None, {"x": x[first : first + batch]})

    return max(n_events / seconds(partial(run, batch), repeats=3) for batch in BATCHES)


def _hls4ml_events_per_s(model: shipped_models.ReadyModel, folder: Path) -> float:
    """Compile hls4ml's own library and time its ``predict``."""
    networks, hardware = model.ready.source.networks, model.job.spec.hardware
    link = networks.encoding.format
    shape = networks.quantised_model.input_shape[1:]
    inputs = model.inputs(N_PREDICTED)
    x = to_values(inputs.raw, inputs.format).reshape(-1, *shape).astype(np.float32)
    with contextlib.redirect_stdout(io.StringIO()):
        graph: Any = convert.to_model_graph(
            networks.quantised_model, model.name, link, hardware, folder / f"hls4ml_{model.name}"
        )
        graph.compile()
        return N_PREDICTED / seconds(partial(graph.predict, np.ascontiguousarray(x)), repeats=3)
