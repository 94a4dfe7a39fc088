"""Random networks: evaluator, emulator and ONNX Runtime give the same raw integers."""

import itertools

import numpy as np
import pytest
from batches import build_together
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from random_graphs import random_graph, random_inputs

from trigforge import onnx_export
from trigforge.core.errors import ConversionError
from trigforge.emulator import generate
from trigforge.evaluation import evaluate

N_TOGETHER, N_EXAMPLES, N_EVENTS = 20, 4, 200
MOST_REFUSED = 0.1
"""Share of the networks that ONNX may refuse before the test proves too little."""

seeds = st.lists(
    st.tuples(st.integers(0, 10**6), st.integers(3, 7)),
    min_size=N_TOGETHER,
    max_size=N_TOGETHER,
    unique_by=lambda drawn: drawn[0],
)


@pytest.mark.toolchain
def test_random_networks_agree_in_evaluator_emulator_and_onnx(tmp_path, capsys):
    counts = {"networks": 0, "values": 0, "refused": 0}
    numbers = itertools.count()

    @settings(max_examples=N_EXAMPLES, suppress_health_check=list(HealthCheck))
    @given(seeds)
    def agree(drawn):
        graphs = [random_graph(seed, n_nodes=n_nodes) for seed, n_nodes in drawn]
        folder = tmp_path / str(next(numbers))
        folder.mkdir()
        compiled = build_together([generate(graph) for graph in graphs], folder)
        for graph, emulator in zip(graphs, compiled, strict=True):
            inputs = random_inputs(graph, N_EVENTS)
            expected = evaluate(graph, inputs).outputs.raw
            np.testing.assert_array_equal(emulator.predict(inputs.raw), expected, graph.name)
            counts["networks"] += 1
            counts["values"] += expected.size
            try:
                model = onnx_export.export(graph)
            except ConversionError:
                counts["refused"] += 1
                continue
            found = onnx_export.run(model, inputs).raw
            np.testing.assert_array_equal(found, expected, graph.name)

    agree()
    assert counts["networks"] >= N_TOGETHER * N_EXAMPLES
    assert counts["refused"] <= MOST_REFUSED * counts["networks"]
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{counts['networks']} random networks tried, {counts['values']} values, "
            f"{counts['refused']} refused by ONNX: no difference"
        )
