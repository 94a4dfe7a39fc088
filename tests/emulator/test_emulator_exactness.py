"""The emulator gives what the exact evaluator gives, on every instruction set."""

import numpy as np
import pytest
from batches import QUICK_FLAGS, build_together, usable_paths
from emulated_networks import convolutional_network, dense_network
from random_graphs import random_graph, random_inputs

from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding
from trigforge.core.graph import FixedPointGraph, Gather, Input, Quantise, Softmax, Table
from trigforge.core.records import RawTensor
from trigforge.emulator import generate
from trigforge.evaluation import evaluate

pytestmark = pytest.mark.toolchain

OPTIMISED = ("-std=c++17", "-O3", "-fPIC", "-fvisibility=hidden", "-w")


def check(graphs, folder, flags=None, n_events=300):
    """Compare all outputs of all graphs; return the number of values compared."""
    sources = [generate(graph) for graph in graphs]
    emulators = build_together(sources, folder, *([flags] if flags else []))
    n_values = 0
    for graph, emulator in zip(graphs, emulators, strict=True):
        inputs = random_inputs(graph, n_events)
        expected = evaluate(graph, inputs).outputs.raw
        for path in usable_paths(emulator):
            emulator.set_path(path)
            np.testing.assert_array_equal(
                emulator.predict(inputs.raw), expected, err_msg=f"{graph.name} {path}"
            )
            n_values += expected.size
    return n_values


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_random_graphs_agree(first, tmp_path, capsys):
    graphs = [random_graph(seed, n_nodes=4 + seed % 4) for seed in range(first, first + 20)]
    n_values = check(graphs, tmp_path)
    with capsys.disabled():
        print(f"\n{len(graphs)} random graphs, {n_values} values: no difference")  # noqa: T201


def test_random_graphs_of_wide_numbers_agree(tmp_path, capsys):
    graphs = [random_graph(seed, n_nodes=4, max_width=44) for seed in range(1000, 1015)]
    n_values = check(graphs, tmp_path)
    with capsys.disabled():
        print(f"\n{len(graphs)} wide random graphs, {n_values} values: no difference")  # noqa: T201


def test_random_graphs_agree_when_the_compiler_optimises(tmp_path):
    check([random_graph(seed, n_nodes=4) for seed in range(2000, 2005)], tmp_path, OPTIMISED)


def test_networks_like_the_shipped_ones_agree(tmp_path):
    assert check([dense_network(), convolutional_network()], tmp_path, n_events=2000) > 0


@pytest.mark.parametrize(("min_empty", "name"), [(0.0, "unrolled"), (2.0, "looped")])
def test_loops_and_straight_line_code_agree(min_empty, name, tmp_path, monkeypatch):
    monkeypatch.setattr("trigforge.emulator.kernels.MIN_EMPTY", min_empty)
    graphs = [dense_network(name), convolutional_network(f"{name}_images")]
    graphs += [random_graph(seed) for seed in range(3000, 3008)]
    check(graphs, tmp_path)


def test_plain_cpp_agrees_where_there_are_no_intrinsics(tmp_path):
    graphs = [dense_network("plain"), *(random_graph(seed) for seed in range(4000, 4010))]
    emulators = build_together(
        [generate(graph) for graph in graphs],
        tmp_path,
        (*QUICK_FLAGS, "-U__SSE2__"),
        machine="aarch64-linux-gnu",
    )
    for graph, emulator in zip(graphs, emulators, strict=True):
        assert usable_paths(emulator) == ["portable"]
        inputs = random_inputs(graph, 200)
        expected = evaluate(graph, inputs).outputs.raw
        np.testing.assert_array_equal(emulator.predict(inputs.raw), expected)


def test_every_cast_agrees_for_every_input(tmp_path):
    source = FixedPointFormat(True, 9, 4)
    everything = FixedPointFormat(True, 40, 20)
    nodes = [Input(name="x", inputs=(), shape=(1,), format=source)]
    for rounding in Rounding:
        for overflow in Overflow:
            for signed, width, integer in [
                (True, 5, 3),
                (False, 4, 2),
                (True, 3, -6),
                (True, 9, 1),
            ]:
                fmt = FixedPointFormat(signed, width, integer, rounding, overflow)
                nodes.append(Quantise(name=f"q{len(nodes)}", inputs=("x",), shape=(1,), format=fmt))
    casts = nodes[1:]
    nodes.append(
        Gather(
            name="all",
            inputs=tuple(node.name for node in casts),
            shape=(len(casts),),
            format=everything,
            kind="concatenate",
            indices=np.arange(len(casts)),
        )
    )
    graph = FixedPointGraph(name="casts", nodes=tuple(nodes))
    inputs = RawTensor(format=source, raw=np.arange(-256, 256)[:, None])
    expected = evaluate(graph, inputs).outputs.raw
    (emulator,) = build_together([generate(graph)], tmp_path)
    for path in usable_paths(emulator):
        emulator.set_path(path)
        np.testing.assert_array_equal(emulator.predict(inputs.raw), expected)
    assert len(casts) == 7 * 4 * 4


def test_the_random_graphs_hold_every_kind_of_node_and_of_sum():
    from trigforge.core.graph import NODE_TYPES
    from trigforge.emulator import stages
    from trigforge.emulator.sums import Method

    nodes, methods = set(), set()
    for seed in range(60):
        graph = random_graph(seed, n_nodes=4 + seed % 4)
        groups = stages.grouped(graph)
        stages.measured(graph, groups)
        nodes |= {type(node).__name__ for node in graph}
        methods |= {stage.sums.method for stage in groups if stage.sums is not None}
    assert nodes == set(NODE_TYPES)
    assert methods == set(Method)
    assert {Softmax, Table} <= {NODE_TYPES[name] for name in nodes}
