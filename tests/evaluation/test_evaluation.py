"""The evaluator follows the casts of the C++: cases small enough to follow by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from trigforge import evaluation
from trigforge.core.errors import InputError
from trigforge.core.fixed_point import FixedPointFormat, parse_format
from trigforge.core.graph import (
    Activation,
    ActivationKind,
    Conv,
    Dense,
    FixedPointGraph,
    Gather,
    Input,
    Merge,
    MergeKind,
    Node,
    Pool,
    PoolKind,
    Quantise,
    Scale,
    Softmax,
    SoftmaxKind,
    Summation,
    Table,
)
from trigforge.core.records import RawTensor
from trigforge.evaluation import evaluate

BYTE = parse_format("fixed<8,8>")


def run(node_type: type[Node], raw: Any, fmt: FixedPointFormat = BYTE, **fields: Any) -> list[Any]:
    """Evaluate one node on events given as rows; return its rows."""
    events = np.atleast_2d(np.asarray(raw))
    source = Input(name="x", inputs=(), shape=(events.shape[1],), format=fmt)
    node = node_type(name="y", inputs=("x",), **fields)
    graph = FixedPointGraph(name="one", nodes=(source, node))
    return evaluate(graph, RawTensor(format=fmt, raw=events)).outputs.raw.tolist()


def dense(**fields: Any) -> dict[str, Any]:
    """Return the fields of a dense layer that adds its inputs, some replaced."""
    return {
        "shape": (1,),
        "format": parse_format("fixed<16,16>"),
        "weights": np.ones((3, 1), dtype=np.int64),
        "weight_format": parse_format("fixed<4,4>"),
        "bias": np.zeros(1, dtype=np.int64),
        "bias_format": BYTE,
        "accumulator": parse_format("fixed<16,16>"),
        **fields,
    }


def test_a_sum_that_saturates_on_the_way_stays_there() -> None:
    narrow = parse_format("fixed<8,8,TRN,SAT>")
    fields = dense(accumulator=narrow)
    assert run(Dense, [[100, 100, -100], [-100, 100, 100]], **fields) == [[27], [100]]


def test_a_sum_that_wraps_on_the_way_comes_back() -> None:
    fields = dense(accumulator=BYTE)
    assert run(Dense, [[100, 100, -100]], **fields) == [[100]]
    assert run(Dense, [[100, 100, 0]], **fields) == [[200 - 256]]


def test_an_unsigned_sum_that_saturates_at_zero_stays_there() -> None:
    unsigned = parse_format("ufixed<8,8,TRN,SAT>")
    assert run(Dense, [[-7, 9, 0], [9, -7, 0]], **dense(accumulator=unsigned)) == [[9], [9]]


def test_the_order_of_the_terms_decides_a_saturating_sum() -> None:
    narrow = parse_format("fixed<8,8,TRN,SAT>")
    order = np.array([[2], [0], [1]])
    assert run(Dense, [[100, 100, -100]], **dense(accumulator=narrow, order=order)) == [[100]]


def test_each_product_is_rounded_before_it_is_added() -> None:
    halves = parse_format("fixed<8,7>")
    whole = {"accumulator": parse_format("fixed<16,16>")}
    assert run(Dense, [[1, 1, 1]], halves, **dense(**whole)) == [[0]]
    rounding = {"accumulator": parse_format("fixed<16,16,RND,WRAP>")}
    assert run(Dense, [[1, 1, 1]], halves, **dense(**rounding)) == [[3]]


def test_a_bias_is_cast_to_the_accumulator() -> None:
    fields = dense(bias=np.array([3]), bias_format=parse_format("fixed<8,7>"))
    assert run(Dense, [[0, 0, 0]], **fields) == [[1]]


def test_dense_takes_an_input_row_by_row() -> None:
    fields = dense(shape=(2, 1))
    assert run(Dense, [[1, 2, 3, 4, 5, 6]], **fields) == [[6, 15]]


def test_sums_of_more_than_63_bits_are_exact() -> None:
    wide = parse_format("fixed<40,40>")
    fields = dense(
        format=parse_format("fixed<64,64>"),
        weights=np.array([[2**29], [-(2**29)], [1]]),
        weight_format=parse_format("fixed<40,40>"),
        accumulator=parse_format("fixed<64,64,TRN,SAT>"),
    )
    top = 2**38
    assert run(Dense, [[top, 0, 0], [0, top, 7]], wide, **fields) == [[2**63 - 1], [7 - 2**63]]


def convolution(**fields: Any) -> dict[str, Any]:
    """Return the fields of a 2x2 convolution of a 3x3 image, some replaced."""
    return {
        "shape": (4,),
        "format": parse_format("fixed<16,16>"),
        "weights": np.arange(1, 5).reshape(2, 2, 1, 1),
        "weight_format": parse_format("fixed<5,5>"),
        "bias": np.zeros(1, dtype=np.int64),
        "bias_format": BYTE,
        "accumulator": parse_format("fixed<16,16>"),
        "input_shape": (3, 3, 1),
        "strides": (1, 1),
        "padding": (0, 0, 0, 0),
        **fields,
    }


def test_a_convolution_slides_its_kernel() -> None:
    image = [[1, 2, 3, 4, 5, 6, 7, 8, 9]]
    assert run(Conv, image, **convolution()) == [[37, 47, 67, 77]]


def test_padding_adds_zeros_and_strides_skip() -> None:
    image = [[1, 2, 3, 4, 5, 6, 7, 8, 9]]
    fields = convolution(strides=(2, 2), padding=(1, 0, 1, 0))
    assert run(Conv, image, **fields) == [[4, 2 * 3 + 3 * 4, 4 * 2 + 7 * 4, 77]]


def test_a_depthwise_kernel_keeps_channels_apart() -> None:
    fields = convolution(
        shape=(2,),
        weights=np.array([1, 10, 2, 20]).reshape(1, 2, 2, 1),
        weight_format=BYTE,
        bias=np.array([0, 1]),
        input_shape=(1, 2, 2),
        depthwise=True,
    )
    assert run(Conv, [[1, 2, 3, 4]], **fields) == [[1 + 6, 20 + 80 + 1]]


def pooling(**fields: Any) -> dict[str, Any]:
    """Return the fields of pooling over pairs of a row of three, some replaced."""
    return {
        "shape": (2,),
        "format": BYTE,
        "kind": PoolKind.MAXIMUM,
        "input_shape": (1, 3, 1),
        "window": (1, 2),
        "strides": (1, 1),
        "padding": (0, 0, 0, 0),
        "accumulator": BYTE,
        **fields,
    }


def test_a_maximum_is_taken_of_each_window() -> None:
    assert run(Pool, [[5, -3, -4]], **pooling()) == [[5, -3]]


def test_padding_wins_where_the_generated_code_lets_it() -> None:
    fields = pooling(shape=(3,), padding=(0, 0, 0, 1), padding_raw=64)
    assert run(Pool, [[5, -3, -4]], **fields) == [[5, -3, 64]]


@pytest.mark.parametrize(("count_padding", "last"), [(False, -4), (True, -2)])
def test_an_average_leaves_padding_out_unless_told(count_padding: bool, last: int) -> None:
    fields = pooling(
        shape=(3,),
        kind=PoolKind.AVERAGE,
        padding=(0, 0, 0, 1),
        count_padding=count_padding,
    )
    assert run(Pool, [[5, -3, -4]], **fields) == [[1, -3, last]]


def test_an_average_of_padding_alone_is_refused() -> None:
    fields = pooling(shape=(4,), kind=PoolKind.AVERAGE, padding=(0, 0, 0, 2))
    with pytest.raises(InputError, match="node y: the average of a window of padding alone"):
        run(Pool, [[5, -3, -4]], **fields)


def test_an_average_wraps_in_its_accumulator_whichever_way_it_is_summed() -> None:
    for summation in Summation:
        fields = pooling(kind=PoolKind.AVERAGE, summation=summation)
        assert run(Pool, [[100, 100, 2]], **fields) == [[-28, 51]]


def test_an_average_in_64_bits_is_exact() -> None:
    wide, top = parse_format("fixed<64,64,TRN,SAT>"), 2**63 - 1
    for summation in Summation:
        fields = pooling(kind=PoolKind.AVERAGE, format=wide, accumulator=wide, summation=summation)
        assert run(Pool, [[top, top, -top]], wide, **fields) == [[top // 2, 0]]


def test_a_scale_is_cast_once() -> None:
    fields = {
        "shape": (2,),
        "format": parse_format("fixed<8,8,RND,SAT>"),
        "scale": np.array([3, -3]),
        "scale_format": parse_format("fixed<4,3>"),
        "bias": np.array([1, 1]),
        "bias_format": parse_format("fixed<4,2>"),
    }
    assert run(Scale, [[1, 1], [127, -127]], **fields) == [[2, -1], [127, 127]]


@pytest.mark.parametrize(
    ("kind", "parameters", "raw", "expected"),
    [
        (ActivationKind.RELU, [], [-5, 0, 5], [0, 0, 5]),
        (ActivationKind.RELU_MAX, [6], [-5, 6, 9], [0, 6, 6]),
        (ActivationKind.LEAKY_RELU, [1], [-5, 0, 5], [-3, 0, 5]),
        (ActivationKind.THRESHOLDED_RELU, [6], [2, 3, 4], [0, 0, 4]),
        (ActivationKind.PRELU, [1, 2, 4], [-4, -4, -4], [-2, -4, -8]),
        (ActivationKind.BINARY_TANH, [], [-5, 0, 5], [-1, 1, 1]),
        (ActivationKind.TERNARY_TANH, [], [-1, 0, 1], [-1, 0, 1]),
        (ActivationKind.HARD_SIGMOID, [1, 1], [-9, 0, 9], [0, 0, 1]),
        (ActivationKind.HARD_TANH, [1, 1], [-9, 0, 9], [-1, 0, 1]),
    ],
)
def test_piecewise_linear_activations(
    kind: ActivationKind, parameters: list[int], raw: list[int], expected: list[int]
) -> None:
    fields = {
        "shape": (3,),
        "format": BYTE,
        "kind": kind,
        "parameters": np.array(parameters, dtype=np.int64),
        "parameter_format": parse_format("fixed<8,7>"),
    }
    assert run(Activation, [raw], **fields) == [expected]


def test_a_table_index_is_truncated_towards_zero_and_clamped() -> None:
    fields = {
        "shape": (5,),
        "format": BYTE,
        "function": "any",
        "table": np.arange(10, 18),
        "table_format": BYTE,
        "multiplier": 1,
        "divisor": 2,
        "offset": 4,
    }
    assert run(Table, [[-127, -3, -1, 3, 127]], **fields) == [[10, 13, 14, 15, 17]]


def test_a_softmax_gives_one_to_the_first_largest() -> None:
    empty = np.zeros(1, dtype=np.int64)
    fields = {
        "shape": (4,),
        "format": BYTE,
        "kind": SoftmaxKind.ARGMAX,
        "n_slice": 4,
        "n_inner": 1,
        "exponentials": empty,
        "exponential_format": BYTE,
        "inverses": empty,
        "inverse_format": BYTE,
        "accumulator": BYTE,
        "distance_format": BYTE,
        "sum_format": BYTE,
    }
    assert run(Softmax, [[1, 7, 7, -2]], **fields) == [[0, 1, 0, 0]]


def test_elements_are_moved_and_holes_are_zero() -> None:
    fields = {"shape": (3,), "format": BYTE, "kind": "any", "indices": np.array([2, -1, 0])}
    assert run(Gather, [[1, 2, 3]], **fields) == [[3, 0, 1]]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (MergeKind.ADD, [-1, 8]),
        (MergeKind.SUBTRACT, [0, 0]),
        (MergeKind.MULTIPLY, [0, 16]),
        (MergeKind.AVERAGE, [-1, 4]),
        (MergeKind.MAXIMUM, [-1, 4]),
        (MergeKind.MINIMUM, [-1, 4]),
    ],
)
def test_two_tensors_are_merged_exactly(kind: MergeKind, expected: list[int]) -> None:
    halves = parse_format("fixed<8,7>")
    nodes = (
        Input(name="x", inputs=(), shape=(2,), format=halves),
        Quantise(name="same", inputs=("x",), shape=(2,), format=parse_format("fixed<9,7>")),
        Merge(name="y", inputs=("x", "same"), shape=(2,), format=BYTE, kind=kind),
    )
    raw = RawTensor(format=halves, raw=np.array([[-1, 8]]))
    graph = FixedPointGraph(name="two", nodes=nodes)
    assert evaluate(graph, raw).outputs.raw.tolist() == [expected]


def two_layers() -> FixedPointGraph:
    """Return a graph whose first layer saturates its result for large inputs."""
    first = dense(shape=(1,), format=parse_format("fixed<8,8,TRN,SAT>"))
    nodes = (
        Input(name="x", inputs=(), shape=(3,), format=BYTE),
        Dense(name="first", inputs=("x",), **first),
        Quantise(name="last", inputs=("first",), shape=(1,), format=parse_format("ufixed<4,4>")),
    )
    return FixedPointGraph(name="two_layers", nodes=nodes)


def test_tensors_asked_for_are_returned_and_overflows_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(evaluation, "BATCH", 2)
    raw = RawTensor(format=BYTE, raw=np.array([[1, 2, 1], [100, 100, 0], [0, 0, 8]]))
    result = evaluate(two_layers(), raw, keep=("first",), health=True)
    ((name, first),) = result.tensors
    assert (name, first.raw.tolist()) == ("first", [[4], [127], [8]])
    assert result.outputs.raw.tolist() == [[4], [15], [8]]
    health = {entry.name: entry for entry in result.health}
    assert (health["first"].n_overflows, health["last"].n_overflows) == (1, 1)
    assert (health["first"].minimum, health["first"].maximum) == (4, 127)
    assert (health["x"].n_values, health["x"].n_overflows) == (9, 0)
    assert (health["x"].unused_high_bits, health["x"].unused_low_bits) == (0, 0)
    small = evaluate(two_layers(), RawTensor(format=BYTE, raw=raw.raw[[0, 2]]), health=True)
    assert (small.health[1].unused_high_bits, small.health[1].unused_low_bits) == (3, 2)


def test_no_events_give_no_outputs() -> None:
    raw = RawTensor(format=BYTE, raw=np.zeros((0, 3), dtype=np.int64))
    assert evaluate(two_layers(), raw).outputs.raw.shape == (0, 1)


def test_inputs_of_another_size_or_format_are_refused() -> None:
    with pytest.raises(InputError, match="takes 3 elements of ap_fixed<8,8>, not 2 of"):
        evaluate(two_layers(), RawTensor(format=BYTE, raw=np.zeros((1, 2), dtype=np.int64)))
    other = parse_format("fixed<9,9>")
    with pytest.raises(InputError, match="not 3 of ap_fixed<9,9>"):
        evaluate(two_layers(), RawTensor(format=other, raw=np.zeros((1, 3), dtype=np.int64)))


def test_an_unknown_tensor_is_refused_with_the_known_ones() -> None:
    raw = RawTensor(format=BYTE, raw=np.zeros((1, 3), dtype=np.int64))
    with pytest.raises(InputError, match=r"unknown node 'firts'; known: first, last, x"):
        evaluate(two_layers(), raw, keep=("firts",))
