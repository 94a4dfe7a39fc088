"""How many random networks agree in evaluator, emulator and ONNX Runtime: not a speed.

The networks are those of the tests, from other seeds, with narrow accumulators that wrap
and saturate. A difference ends the benchmark with an error.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from trigforge import emulator, onnx_export
from trigforge.core.errors import ConversionError
from trigforge.evaluation import evaluate

TESTS = Path(__file__).parents[1] / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "emulator")]
from batches import build_together  # noqa: E402 - it lies with the tests
from random_graphs import random_graph, random_inputs  # noqa: E402 - so does this

FIRST_SEED, N_NETWORKS, TOGETHER = 10_000, 200, 40
N_EVENTS = 300


def measure(folder: Path) -> dict[str, float]:
    n_values = n_refused = 0
    seeds = range(FIRST_SEED, FIRST_SEED + N_NETWORKS)
    graphs = [random_graph(seed, n_nodes=4 + seed % 4) for seed in seeds]
    for first in range(0, N_NETWORKS, TOGETHER):
        some = graphs[first : first + TOGETHER]
        place = folder / str(first)
        place.mkdir()
        compiled = build_together([emulator.generate(graph) for graph in some], place)
        for graph, library in zip(some, compiled, strict=True):
            inputs = random_inputs(graph, N_EVENTS)
            expected = evaluate(graph, inputs).outputs.raw
            np.testing.assert_array_equal(library.predict(inputs.raw), expected, graph.name)
            n_values += expected.size
            try:
                model = onnx_export.export(graph)
            except ConversionError:
                n_refused += 1
                continue
            np.testing.assert_array_equal(onnx_export.run(model, inputs).raw, expected, graph.name)
    return {
        "random_networks_tried": N_NETWORKS,
        "random_networks_values_compared": n_values,
        "random_networks_refused_by_onnx": n_refused,
    }
