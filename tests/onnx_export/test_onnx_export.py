"""The exported model as a file: what it says of itself, and what happens to foreign ones."""

import itertools

import numpy as np
import onnx
import onnx_graphs
import pytest
from onnx import numpy_helper

from trigforge import onnx_export
from trigforge.core.errors import InputError
from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding
from trigforge.core.graph import Activation, ActivationKind, Dense, Softmax, SoftmaxKind
from trigforge.core.records import RawTensor
from trigforge.evaluation import evaluate

SOURCE = FixedPointFormat(True, 8, 3)
SIZES = (16, 64, 32, 32, 5)


def jet_tagger():
    """Return a network like the jet taggers of the field: 6 bits, three hidden layers."""
    rng = np.random.default_rng(5)
    weight_format = FixedPointFormat(True, 6, 1)
    narrow = FixedPointFormat(False, 6, 2, Rounding.RND, Overflow.SAT)
    nodes, name = [onnx_graphs.source(SOURCE, SIZES[0])], "x"
    for index, (n_in, n_out) in enumerate(itertools.pairwise(SIZES)):
        dense = Dense(
            name=f"dense_{index}",
            inputs=(name,),
            shape=(n_out,),
            format=FixedPointFormat(True, 16, 6),
            weights=rng.integers(-32, 32, (n_in, n_out)),
            weight_format=weight_format,
            bias=rng.integers(-32, 32, n_out),
            bias_format=weight_format,
            accumulator=FixedPointFormat(True, 24, 10),
        )
        relu = Activation(
            name=f"relu_{index}",
            inputs=(dense.name,),
            shape=(n_out,),
            format=narrow,
            kind=ActivationKind.RELU,
        )
        nodes += [dense, relu]
        name = relu.name
    return onnx_graphs.graph_of(*nodes[:-1])


@pytest.fixture(scope="module")
def graph():
    return jet_tagger()


@pytest.fixture
def inputs(graph):
    return onnx_graphs.events_of(np.random.default_rng(7), graph, 3000)


@pytest.fixture
def path(graph, tmp_path):
    path = tmp_path / "model.onnx"
    onnx_export.write(graph, path)
    return path


def test_a_whole_network_is_exact(graph, inputs):
    onnx_graphs.assert_exact(graph, inputs)


def test_the_result_does_not_depend_on_the_threads(graph, inputs):
    model = onnx_export.export(graph)
    one, two = (onnx_export.run(model, inputs, n_threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one.raw, two.raw)


def test_the_checker_accepts_every_kind_of_node():
    for factory in onnx_graphs.FACTORIES:
        for seed in range(6):
            model = onnx_export.export(factory(np.random.default_rng(seed)))
            onnx.checker.check_model(model, full_check=True)
            assert {node.domain for node in model.graph.node} == {""}
            assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", 13)]


def test_the_checker_accepts_a_network(graph):
    onnx.checker.check_model(onnx_export.export(graph), full_check=True)


def test_the_model_says_what_it_is(graph):
    model = onnx_export.export(graph)
    properties = {entry.key: entry.value for entry in model.metadata_props}
    assert model.producer_name == "trigforge"
    assert model.graph.name == properties["graph"] == "small"
    assert properties["input_format"] == "ap_fixed<8,3>"
    assert properties["output_format"] == "ap_fixed<16,6>"
    assert (properties["input_shape"], properties["output_shape"]) == ("16", "5")
    assert "16 elements of ap_fixed<8,3>; the integer r stands for r * 2**-5" in model.doc_string
    assert [entry.name for entry in model.graph.input] == ["x"]
    assert [entry.name for entry in model.graph.output] == ["dense_3"]


def test_the_number_of_events_is_symbolic(graph):
    model = onnx_export.export(graph)
    for value in (*model.graph.input, *model.graph.output):
        assert value.type.tensor_type.shape.dim[0].dim_param == "n_events"
        assert value.type.tensor_type.elem_type == onnx.TensorProto.INT64


@pytest.mark.parametrize("factory", onnx_graphs.FACTORIES, ids=lambda factory: factory.__name__)
@pytest.mark.parametrize("n_events", [0, 1])
def test_a_sample_may_have_no_or_one_event(factory, n_events):
    for seed in range(12):
        rng = np.random.default_rng(seed)
        graph = factory(rng)
        onnx_graphs.assert_exact(graph, onnx_graphs.events_of(rng, graph, n_events))


def test_a_graph_that_only_takes_its_input_gives_it_back():
    graph = onnx_graphs.graph_of(onnx_graphs.source(SOURCE, 2))
    onnx.checker.check_model(onnx_export.export(graph), full_check=True)
    onnx_graphs.assert_exact(graph, onnx_graphs.events_of(np.random.default_rng(1), graph))


def test_the_same_graph_gives_the_same_bytes(graph):
    assert onnx_export.serialise(graph) == onnx_export.serialise(jet_tagger())


def test_a_written_file_runs_as_the_model_does(graph, inputs, path):
    expected = evaluate(graph, inputs).outputs
    outputs = onnx_export.run(path, inputs)
    assert outputs.format == expected.format
    np.testing.assert_array_equal(outputs.raw, expected.raw)
    assert path.read_bytes() == onnx_export.serialise(graph)


def test_large_tensors_are_run_in_smaller_batches(graph, inputs):
    model = onnx_export.export(graph)
    for entry in model.metadata_props:
        if entry.key == "values_per_event":
            entry.value = str(2**22)
    steps = []
    few = RawTensor(format=inputs.format, raw=inputs.raw[:5])
    outputs = onnx_export.run(
        model, few, progress=lambda what, done, total: steps.append((done, total))
    )
    assert steps == [(2, 5), (4, 5), (5, 5)]
    np.testing.assert_array_equal(outputs.raw, evaluate(graph, few).outputs.raw)


def test_a_changed_constant_is_seen(graph, inputs):
    model = onnx_export.export(graph)
    expected = evaluate(graph, inputs).outputs.raw
    weights = next(tensor for tensor in model.graph.initializer if len(tensor.dims) == 2)
    changed = numpy_helper.to_array(weights).copy()
    changed[3, 4] += 1
    weights.CopyFrom(numpy_helper.from_array(changed, weights.name))
    assert (onnx_export.run(model, inputs).raw != expected).any()


def test_inputs_of_another_format_or_size_are_refused(path, inputs):
    other = RawTensor(format=FixedPointFormat(True, 8, 4), raw=inputs.raw)
    with pytest.raises(InputError, match="takes 16 elements of ap_fixed<8,3>, not 16 of .*<8,4>"):
        onnx_export.run(path, other)
    with pytest.raises(InputError, match="takes 16 elements .* not 15"):
        onnx_export.run(path, RawTensor(format=SOURCE, raw=inputs.raw[:, 1:]))


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x07\x12"])
def test_a_damaged_file_is_refused(tmp_path, inputs, content):
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(content)
    with pytest.raises(InputError, match="damaged.onnx"):
        onnx_export.run(damaged, inputs)


def test_a_truncated_file_is_refused(path, inputs):
    content = path.read_bytes()
    for length in range(100, len(content), len(content) // 20):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match="model.onnx"):
            onnx_export.run(path, inputs)


def test_a_missing_file_is_refused(tmp_path, inputs):
    with pytest.raises(InputError, match="there is no such file"):
        onnx_export.run(tmp_path / "none.onnx", inputs)


def test_a_model_of_someone_else_is_refused(graph, inputs):
    model = onnx_export.export(graph)
    del model.metadata_props[:]
    with pytest.raises(InputError, match="was not exported by trigforge"):
        onnx_export.run(model, inputs)


def test_a_model_that_fails_on_the_way_is_refused(graph, inputs):
    model = onnx_export.export(graph)
    broken = next(node for node in model.graph.node if node.op_type == "MatMul")
    broken.op_type = "Gather"
    with pytest.raises(InputError, match="ONNX model small"):
        onnx_export.run(model, inputs)


def test_constants_and_operators_are_few(graph):
    model = onnx_export.export(graph)
    assert len(model.graph.node) < 60
    assert len(model.SerializeToString()) < 50_000


def test_softmax_of_a_network_reads_its_tables():
    rng = np.random.default_rng(2)
    graph = onnx_graphs.softmax(rng, 10, SoftmaxKind.STABLE)
    assert isinstance(graph.output, Softmax)
    operators = [node.op_type for node in onnx_export.export(graph).graph.node]
    assert operators.count("ReduceMax") == 1
    assert operators.count("Gather") >= 2
