"""Lower networks that hls4ml read, and hold the evaluator to their C simulation."""

from __future__ import annotations

import contextlib
import io
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hls4ml
import keras
import numpy as np
import simulating

from trigforge import comparison, csim
from trigforge.conversion import handlers, project
from trigforge.conversion.convert import from_model_graph
from trigforge.core.records import Agreement, RawTensor, Stimulus
from trigforge.core.store import Store
from trigforge.evaluation import evaluate

N_EVENTS = 200
TABLE_TYPES = ("table", "exp_table", "inv_table", "inv_inp")
"""What hls4ml ignores under ``Precision`` and reads beside it, with ``_t`` behind the name."""

WIDE = "ap_fixed<40,20>"
"""Holds every result of the small networks: a collector that changes nothing."""


def model_graph(
    model: Any, precisions: dict[str, dict[str, Any]], io_type: str = "io_parallel", **options: Any
) -> Any:
    """Convert a Keras model; ``precisions`` overrides the configuration layer by layer.

    Keys of lower case are precisions (``result``, ``accum``), others hls4ml's settings.
    """
    backend = options.pop("backend", "Vitis")
    strategy = options.pop("strategy", "Latency")
    reuse_factor = options.pop("reuse_factor", 1)
    handlers.register()
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        config = hls4ml.utils.config_from_keras_model(
            model, granularity="name", backend=backend, default_reuse_factor=reuse_factor
        )
        config["Model"]["Strategy"] = strategy
        for layer in config["LayerName"].values():
            layer["Strategy"] = strategy
        override(config["LayerName"], precisions)
        with tempfile.TemporaryDirectory() as folder:
            return hls4ml.converters.convert_from_keras_model(
                model,
                output_dir=folder,
                project_name="net",
                backend=backend,
                io_type=io_type,
                part="xcvu13p-flga2577-2-e",
                hls_config=config,
                write_weights_txt=False,
                write_tar=False,
                bit_exact=False,
                **options,
            )


def override(layers: dict[str, Any], precisions: dict[str, dict[str, Any]]) -> None:
    """Enter settings into hls4ml's configuration, each where it is read."""
    for name, values in precisions.items():
        layer = layers[name]
        for key, value in values.items():
            if key in TABLE_TYPES:
                layer[f"{key}_t"] = value
            elif key[0].islower():
                layer["Precision"][key] = value
            else:
                layer[key] = value


def collect(*tensors: Any) -> Any:
    """Flatten and concatenate: every tensor can be seen at the output."""
    flat = [x if len(x.shape) == 2 else keras.layers.Flatten()(x) for x in tensors]
    total = flat[0]
    for index, x in enumerate(flat[1:]):
        total = keras.layers.Concatenate(name=f"collect_{index}")([total, x])
    return total


def collected(*tensors: Any) -> dict[str, dict[str, str]]:
    """Return the precision of the collector of so many tensors."""
    return {f"collect_{index}": {"result": WIDE} for index in range(len(tensors) - 1)}


def stimulus_for(graph: Any, seed: int = 3) -> Stimulus:
    fmt, n_elements = graph.input.format, graph.input.n_elements
    raw = np.random.default_rng(seed).integers(
        fmt.raw_min, fmt.raw_max, size=(N_EVENTS, n_elements), endpoint=True
    )
    return comparison.make_stimulus(RawTensor(format=fmt, raw=raw), seed=seed)


def compare_all(graphs: dict[str, Any], folder: Path) -> dict[str, Agreement]:
    """Compare the evaluator with the C simulation of each network; two compile at a time."""
    store = Store(folder / "store")
    conversions = {
        name: from_model_graph(hls_graph, "net", hardware_of(hls_graph))
        for name, hls_graph in graphs.items()
    }

    def compare(item: tuple[str, Any]) -> Agreement:
        name, conversion = item
        stimulus = stimulus_for(conversion.graph)
        expected = evaluate(conversion.graph, stimulus.inputs).outputs
        assert len(np.unique(expected.raw)) > 1, "outputs that never change prove nothing"
        vectors = comparison.project_vectors(stimulus, 8)
        files = project.assemble(conversion, vectors, evaluate(conversion.graph, vectors).outputs)
        written = project.write(folder / name, files, "digest")
        found = csim.run(written, stimulus.inputs, store)
        names = tuple(str(i) for i in range(expected.raw.shape[1]))
        return comparison.compare(("evaluator", expected), ("C", found), stimulus, names)

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(graphs, pool.map(compare, conversions.items()), strict=True))


def hardware_of(hls_graph: Any) -> Any:
    io_type = hls_graph.config.get_config_value("IOType")
    return simulating.hardware(io_type, backend=hls_graph.config.backend.name)
