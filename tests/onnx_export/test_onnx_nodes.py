"""Every node type gives the evaluator's integers in ONNX Runtime."""

import numpy as np
import onnx_graphs
import pytest
import random_graphs
from onnx.reference import ReferenceEvaluator

from trigforge import onnx_export
from trigforge.core.errors import ConversionError
from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding, cast
from trigforge.core.graph import (
    Activation,
    ActivationKind,
    Dense,
    MergeKind,
    Pool,
    PoolKind,
    Quantise,
    SoftmaxKind,
)
from trigforge.core.records import RawTensor
from trigforge.evaluation import evaluate


@pytest.mark.parametrize("factory", onnx_graphs.FACTORIES, ids=lambda factory: factory.__name__)
@pytest.mark.parametrize("widest", [5, 12, 26])
def test_random_nodes_are_exact(factory, widest):
    for seed in range(60):
        rng = np.random.default_rng((seed, widest))
        graph = factory(rng, widest)
        onnx_graphs.assert_exact(graph, onnx_graphs.events_of(rng, graph))


@pytest.mark.parametrize("factory", onnx_graphs.FACTORIES, ids=lambda factory: factory.__name__)
def test_nodes_of_wide_formats_are_exact_or_refused(factory):
    n_exact = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        graph = factory(rng, 48)
        inputs = onnx_graphs.events_of(rng, graph)
        try:
            onnx_export.export(graph)
        except ConversionError:
            with pytest.raises(ConversionError, match="graph small, node (y|kept): .* reaches"):
                onnx_export.export(graph)
            continue
        onnx_graphs.assert_exact(graph, inputs)
        n_exact += 1
    assert n_exact >= 20


@pytest.mark.parametrize("widest", [4, 8, 16, 24])
def test_random_networks_are_exact(widest):
    for seed in range(100):
        rng = np.random.default_rng((seed, widest))
        graph = onnx_graphs.network(rng, widest)
        onnx_graphs.assert_exact(graph, onnx_graphs.events_of(rng, graph))


def test_the_random_graphs_of_the_other_stages_are_exact():
    for seed in range(120):
        graph = random_graphs.random_graph(seed)
        onnx_graphs.assert_exact(graph, random_graphs.random_inputs(graph, 60, seed))


@pytest.mark.parametrize("factory", onnx_graphs.FACTORIES, ids=lambda factory: factory.__name__)
def test_the_reference_implementation_of_onnx_agrees(factory):
    for seed in range(25):
        rng = np.random.default_rng((seed, 3))
        graph = factory(rng)
        inputs = onnx_graphs.events_of(rng, graph)
        session = ReferenceEvaluator(onnx_export.export(graph))
        (outputs,) = session.run(None, {graph.input.name: inputs.raw})
        np.testing.assert_array_equal(outputs, evaluate(graph, inputs).outputs.raw)


@pytest.mark.parametrize("kind", list(ActivationKind))
def test_activations_are_exact(kind):
    for seed in range(40):
        rng = np.random.default_rng(seed)
        graph = onnx_graphs.activation(rng, 9, kind)
        onnx_graphs.assert_exact(graph, onnx_graphs.events_of(rng, graph, 300))


@pytest.mark.parametrize("kind", list(SoftmaxKind))
def test_softmax_is_exact(kind):
    for seed in range(40):
        rng = np.random.default_rng(seed)
        graph = onnx_graphs.softmax(rng, 10, kind)
        onnx_graphs.assert_exact(graph, onnx_graphs.events_of(rng, graph, 100))


@pytest.mark.parametrize("kind", list(MergeKind))
def test_merges_are_exact(kind):
    for seed in range(40):
        rng = np.random.default_rng(seed)
        graph = onnx_graphs.merge(rng, 9, kind)
        onnx_graphs.assert_exact(graph, onnx_graphs.events_of(rng, graph, 100))


def dense_of(weights, accumulator, source, order=None):
    """Return a layer of whole weights whose result is its accumulator."""
    wide = FixedPointFormat(accumulator.signed, accumulator.width, accumulator.integer_bits)
    node = Dense(
        **onnx_graphs.after((weights.shape[1],), wide),
        weights=weights,
        weight_format=FixedPointFormat(True, 8, 8),
        bias=np.zeros(weights.shape[1], dtype=np.int64),
        bias_format=FixedPointFormat(True, 8, 8),
        accumulator=accumulator,
        order=order,
    )
    return onnx_graphs.graph_of(onnx_graphs.source(source, weights.shape[0]), node)


def test_a_sum_that_saturates_depends_on_its_order():
    source = FixedPointFormat(True, 5, 5)
    accumulator = FixedPointFormat(True, 5, 5, Rounding.TRN, Overflow.SAT)
    inputs = RawTensor(format=source, raw=np.array([[10, 10, -10]]))
    weights = np.ones((3, 1), dtype=np.int64)
    results = [
        onnx_export.run(onnx_export.export(dense_of(weights, accumulator, source, order)), inputs)
        for order in (None, np.array([[0], [2], [1]]))
    ]
    assert [int(result.raw[0, 0]) for result in results] == [5, 10]


def test_products_saturate_one_by_one_in_an_unsigned_accumulator():
    source = FixedPointFormat(True, 5, 5)
    accumulator = FixedPointFormat(False, 8, 8, Rounding.TRN, Overflow.SAT)
    graph = dense_of(np.ones((2, 1), dtype=np.int64), accumulator, source)
    inputs = RawTensor(format=source, raw=np.array([[-7, 9]]))
    assert onnx_export.run(onnx_export.export(graph), inputs).raw.tolist() == [[9]]


@pytest.mark.parametrize("overflow", [Overflow.SAT, Overflow.SAT_ZERO, Overflow.SAT_SYM])
@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("signed", [True, False])
def test_saturating_sums_are_those_of_adding_integers_one_by_one(overflow, rounding, signed):
    rng = np.random.default_rng(11)
    source = FixedPointFormat(True, 6, 4)
    for integer_bits in (5, 7, 9, 12):
        accumulator = FixedPointFormat(signed, 9, integer_bits, rounding, overflow)
        graph = dense_of(rng.integers(-9, 10, (6, 3)), accumulator, source)
        inputs = onnx_graphs.events_of(rng, graph)
        outputs = onnx_export.run(onnx_export.export(graph), inputs)
        expected = added_one_by_one(inputs.raw, graph.output, source.fractional_bits)
        np.testing.assert_array_equal(outputs.raw, expected)


def added_one_by_one(raw, node, fractional_bits):
    """Return the sums of whole weights without bias, as the definition says."""
    accumulator = node.accumulator
    totals = np.zeros((len(raw), node.weights.shape[1]), dtype=np.int64)
    for column, weights in zip(raw.T, node.weights, strict=True):
        products = cast(column[:, None] * weights, fractional_bits, accumulator)
        totals = cast(totals + products, accumulator.fractional_bits, accumulator)
    return totals


def test_a_wide_accumulator_makes_one_matrix_product():
    graph = dense_of(
        np.ones((16, 4), dtype=np.int64),
        FixedPointFormat(True, 20, 20, Rounding.TRN, Overflow.SAT),
        FixedPointFormat(True, 8, 8),
    )
    operators = [node.op_type for node in onnx_export.export(graph).graph.node]
    assert operators == ["Cast", "MatMul", "Add", "Cast"]


def test_products_that_lose_bits_are_added_in_parts_that_fit_the_memory():
    rng = np.random.default_rng(3)
    source = FixedPointFormat(True, 8, 2)
    accumulator = FixedPointFormat(True, 16, 12)
    graph = dense_of(rng.integers(-128, 128, (200, 100)), accumulator, source)
    operators = [node.op_type for node in onnx_export.export(graph).graph.node]
    assert operators.count("ReduceSum") == 2
    onnx_graphs.assert_exact(graph, onnx_graphs.events_of(rng, graph))


def test_long_sums_beyond_float64_stay_exact():
    rng = np.random.default_rng(3)
    graph = dense_of(
        rng.integers(-128, 128, (64, 3)),
        FixedPointFormat(True, 60, 52),
        FixedPointFormat(True, 46, 40),
    )
    onnx_graphs.assert_exact(graph, onnx_graphs.events_of(rng, graph))


def test_averages_of_integers_beyond_float64_stay_exact():
    fmt = FixedPointFormat(True, 60, 60)
    node = Pool(
        **onnx_graphs.after((1, 1, 1), fmt),
        kind=PoolKind.AVERAGE,
        input_shape=(3, 2, 1),
        window=(3, 2),
        strides=(1, 1),
        padding=(0, 0, 0, 0),
        accumulator=fmt,
    )
    source = onnx_graphs.source(FixedPointFormat(True, 57, 57), 3, 2, 1)
    graph = onnx_graphs.graph_of(source, node)
    onnx_graphs.assert_exact(graph, onnx_graphs.events_of(np.random.default_rng(1), graph))


def test_a_sum_too_long_to_be_unrolled_is_refused_by_name():
    graph = dense_of(
        np.ones((9000, 1), dtype=np.int64),
        FixedPointFormat(True, 8, 8, Rounding.TRN, Overflow.SAT),
        FixedPointFormat(True, 8, 8),
    )
    with pytest.raises(ConversionError, match="node y: .* more than 20000 operators"):
        onnx_export.export(graph)


def test_integers_beyond_int64_are_refused_by_name_and_bound():
    graph = dense_of(
        np.full((2, 1), 127),
        FixedPointFormat(True, 64, 64, Rounding.TRN, Overflow.SAT),
        FixedPointFormat(True, 60, 60),
    )
    with pytest.raises(ConversionError, match=f"small, node y: .*{127 * 2**59}"):
        onnx_export.export(graph)


def test_unsigned_integers_of_64_bits_are_refused():
    with pytest.raises(ConversionError, match="int64 does not hold .*ap_ufixed<64,64>"):
        onnx_export.export(
            onnx_graphs.graph_of(onnx_graphs.source(FixedPointFormat(False, 64, 64), 1))
        )


def test_a_table_that_int64_does_not_hold_is_refused():
    fmt = FixedPointFormat(False, 64, 64)
    graph = onnx_graphs.graph_of(
        onnx_graphs.source(FixedPointFormat(True, 4, 4), 1),
        Activation(
            name="sign",
            inputs=("x",),
            shape=(1,),
            format=fmt,
            kind=ActivationKind.BINARY_TANH,
        ),
        Quantise(name="narrow", inputs=("sign",), shape=(1,), format=FixedPointFormat(True, 8, 8)),
    )
    with pytest.raises(ConversionError, match=f"node sign: a constant reaches {2**64 - 1}"):
        onnx_export.export(graph)


def test_cells_of_padding_may_be_wider_than_what_they_pad():
    wide = FixedPointFormat(True, 60, 60)
    fields = {"input_shape": (2, 1, 1), "window": (2, 1), "strides": (1, 1)}
    graph = onnx_graphs.graph_of(
        onnx_graphs.source(FixedPointFormat(True, 4, 4), 2),
        Quantise(name="wide", inputs=("x",), shape=(2,), format=wide),
        Pool(
            **onnx_graphs.after((3, 1, 1), wide, "wide"),
            **fields,
            kind=PoolKind.MAXIMUM,
            padding=(1, 1, 0, 0),
            accumulator=wide,
            padding_raw=2**58 + 1,
        ),
    )
    onnx_graphs.assert_exact(graph, onnx_graphs.events_of(np.random.default_rng(1), graph))


def test_an_average_of_no_cells_is_refused():
    fmt = FixedPointFormat(True, 8, 4)
    node = Pool(
        **onnx_graphs.after((3, 1, 1), fmt),
        kind=PoolKind.AVERAGE,
        input_shape=(2, 1, 1),
        window=(1, 1),
        strides=(1, 1),
        padding=(0, 1, 0, 0),
        accumulator=fmt,
    )
    graph = onnx_graphs.graph_of(onnx_graphs.source(fmt, 2, 1, 1), node)
    with pytest.raises(ConversionError, match="node y: divides by 0"):
        onnx_export.export(graph)


def test_a_softmax_table_that_bits_cannot_address_is_refused():
    graph = onnx_graphs.softmax(np.random.default_rng(1), 8, SoftmaxKind.LATENCY)
    node = graph.output
    fields = {name: getattr(node, name) for name in type(node).__dataclass_fields__}
    fields["exponentials"] = np.zeros(3, dtype=np.int64)
    changed = onnx_graphs.graph_of(graph.input, type(node)(**fields))
    with pytest.raises(ConversionError, match="node y: a table of 3 entries cannot be addressed"):
        onnx_export.export(changed)
