"""The health of a tensor: counted here by hand, or again by plain means."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted_health import BYTE, planted, planted_inputs
from random_graphs import random_graph, random_inputs

from trigforge import evaluation
from trigforge.core.errors import InputError
from trigforge.core.fixed_point import parse_format
from trigforge.core.graph import (
    Activation,
    ActivationKind,
    FixedPointGraph,
    Gather,
    Input,
    Merge,
    MergeKind,
    Pool,
    PoolKind,
    Quantise,
    Softmax,
    SoftmaxKind,
    Table,
)
from trigforge.core.health import SHARES, integer_bits_needed
from trigforge.core.records import RawTensor
from trigforge.evaluation import TensorKind, evaluate, measure
from trigforge.evaluation.gauge import Gauge
from trigforge.evaluation.health import constants

N_EVENTS = 40


@pytest.fixture(scope="module")
def health():
    return {entry.name: entry for entry in measure(planted(), planted_inputs())}


def health_of(node, rows, fmt=BYTE):
    """Return the health of one node that reads an input called x."""
    raw = np.array(rows)
    source = Input(name="x", inputs=(), shape=(raw.shape[1],), format=fmt)
    graph = FixedPointGraph(name="one", nodes=(source, node))
    return evaluate(graph, RawTensor(format=fmt, raw=raw), health=True).health[1]


def test_a_wrapping_sum_is_counted_with_its_reach(health):
    entry = health["wrap_sum"]
    assert (entry.n_accumulator_wraps, entry.n_accumulator_saturations) == (2, 0)
    assert (entry.n_wraps, entry.n_saturations) == (0, 0)
    assert entry.accumulator_reach == (-1680, 1600)
    assert integer_bits_needed(entry.accumulator, entry.accumulator_reach) == 12


def test_a_saturating_sum_is_none_that_wraps(health):
    entry = health["held_sum"]
    assert entry.n_accumulator_wraps == 0
    assert entry.n_accumulator_saturations > 0


def test_wraps_and_saturations_are_told_apart_by_the_format(health):
    wrapping, saturating = health["wrapping"], health["saturating"]
    assert (wrapping.n_wraps, wrapping.n_saturations) == (6, 0)
    assert (saturating.n_wraps, saturating.n_saturations) == (0, 6)
    assert (wrapping.reach, saturating.reach) == ((-128, 127), (-128, 127))
    assert integer_bits_needed(wrapping.format, wrapping.reach) == 8


def test_a_negative_result_needs_a_sign(health):
    entry = health["unsigned"]
    assert (entry.n_wraps, entry.minimum, entry.reach) == (3, 0, (-128, 127))
    assert integer_bits_needed(entry.format, (-128, 127)) == 8


def test_a_dead_output_is_named(health):
    assert health["half_dead"].dead == (1,)
    assert health["x"].dead == ()


def test_unused_bits_are_counted_at_both_ends(health):
    assert (health["roomy"].unused_high_bits, health["roomy"].unused_low_bits) == (2, 1)


def test_a_weight_format_one_bit_too_wide_has_an_unused_bit(health):
    entry = health["wide weights"]
    assert (entry.kind, entry.unused_high_bits) == (TensorKind.WEIGHTS, 1)
    assert health["half_dead weights"].unused_high_bits == 0
    assert health["half_dead weights"].n_zeros == 3


def test_a_bias_its_accumulator_cannot_hold_is_counted_once(health):
    entry = health["big_bias bias"]
    assert (entry.kind, entry.n_accumulator_wraps) == (TensorKind.BIAS, 1)
    assert (entry.n_overflows, entry.dead) == (0, ())


def test_a_tensor_comes_after_what_it_is_made_with(health):
    names = [name for name in health if name.startswith("half")]
    assert names == ["half_dead weights", "half_dead bias", "half_dead"]


def test_batches_change_nothing(health, monkeypatch):
    monkeypatch.setattr(evaluation, "BATCH", 2)
    for entry in measure(planted(), planted_inputs()):
        assert entry == health[entry.name]


def test_without_events_nothing_is_claimed():
    none = RawTensor(format=BYTE, raw=np.zeros((0, 3), dtype=np.int64))
    entry = evaluate(planted(), none, health=True).health[0]
    assert (entry.n_values, entry.dead, entry.magnitudes) == (0, (), ())
    assert (entry.unused_high_bits, entry.unused_low_bits) == (0, 0)


def test_one_event_makes_no_output_dead():
    one = RawTensor(format=BYTE, raw=np.array([[1, 2, 3]]))
    assert all(entry.dead == () for entry in evaluate(planted(), one, health=True).health)


def test_inputs_of_another_format_are_refused():
    with pytest.raises(InputError, match="takes 3 elements of ap_fixed<8,8>, not 3 of"):
        measure(planted(), RawTensor(format=parse_format("fixed<9,9>"), raw=np.zeros((1, 3), int)))


def test_a_channel_is_dead_if_all_its_elements_are():
    node = Quantise(name="y", inputs=("x",), shape=(2, 2), format=BYTE)
    entry = health_of(node, [[1, 5, 2, 6], [1, 5, 3, 6]])
    assert (entry.dead, entry.dead_channels) == ((0, 1, 3), (1,))
    flat = dataclasses.replace(entry, shape=(4,))
    assert flat.dead_channels == ()


NIBBLE = parse_format("fixed<4,4>")
HALVES = parse_format("fixed<8,7>")


@pytest.mark.parametrize(
    "node",
    [
        Activation(
            name="y",
            inputs=("x",),
            shape=(2,),
            format=NIBBLE,
            kind=ActivationKind.RELU_MAX,
            parameters=np.array([6]),
        ),
        Activation(
            name="y",
            inputs=("x",),
            shape=(2,),
            format=parse_format("ufixed<8,8>"),
            kind=ActivationKind.THRESHOLDED_RELU,
            parameters=np.array([6]),
            parameter_format=HALVES,
        ),
        Table(
            name="y",
            inputs=("x",),
            shape=(2,),
            format=BYTE,
            function="any",
            table=np.array([0, 0, 500]),
            table_format=parse_format("fixed<16,16>"),
            multiplier=1,
            divisor=1,
            offset=1,
            positive=1,
            positive_format=BYTE,
        ),
        Gather(
            name="y", inputs=("x",), shape=(1,), format=NIBBLE, kind="any", indices=np.array([-1])
        ),
    ],
    ids=["relu_max", "thresholded_relu", "table", "gather"],
)
def test_what_another_branch_takes_overflows_nothing(node):
    assert health_of(node, [[100, -100], [2, 3]]).n_overflows == 0


def test_of_a_maximum_only_what_is_chosen_overflows():
    nodes = (
        Input(name="x", inputs=(), shape=(2,), format=BYTE),
        Gather(
            name="zero", inputs=("x",), shape=(1,), format=BYTE, kind="any", indices=np.array([-1])
        ),
        Merge(name="y", inputs=("x", "zero"), shape=(2,), format=NIBBLE, kind=MergeKind.MAXIMUM),
    )
    raw = RawTensor(format=BYTE, raw=np.array([[-100, -50], [100, 3]]))
    result = evaluate(FixedPointGraph(name="max", nodes=nodes), raw, health=True)
    assert result.health[-1].n_overflows == 1


def test_what_pooling_casts_to_its_accumulator_is_counted():
    for kind in PoolKind:
        node = Pool(
            name="y",
            inputs=("x",),
            shape=(1,),
            format=BYTE,
            kind=kind,
            input_shape=(1, 2, 1),
            window=(1, 2),
            strides=(1, 1),
            padding=(0, 0, 0, 0),
            accumulator=NIBBLE,
        )
        entry = health_of(node, [[100, 1], [1, 2]])
        assert (entry.n_accumulator_wraps, entry.accumulator_reach[1]) == (1, 100)


def test_tables_are_measured_but_those_of_an_argmax_are_not():
    fields = {
        "name": "y",
        "inputs": ("x",),
        "shape": (2,),
        "format": BYTE,
        "n_slice": 2,
        "n_inner": 1,
        "exponentials": np.array([0, 1, 2, 3]),
        "exponential_format": BYTE,
        "inverses": np.array([0, 4]),
        "inverse_format": BYTE,
        "accumulator": BYTE,
        "distance_format": BYTE,
        "sum_format": BYTE,
    }
    exponentials, inverses = constants(Softmax(kind=SoftmaxKind.STABLE, **fields))
    assert (exponentials.name, exponentials.kind) == ("y exponentials", TensorKind.TABLE)
    assert (exponentials.n_zeros, inverses.unused_low_bits) == (1, 2)
    assert list(constants(Softmax(kind=SoftmaxKind.ARGMAX, **fields))) == []


@given(seed=st.integers(0, 10_000))
def test_a_random_graph_is_measured_as_its_tensors_are(seed):
    graph = random_graph(seed, n_nodes=3)
    names = tuple(node.name for node in graph)
    result = evaluate(graph, random_inputs(graph, N_EVENTS), keep=names, health=True)
    for (name, tensor), entry in zip(result.tensors, result.health, strict=True):
        raw, fmt = tensor.raw.astype(object), tensor.format
        assert (entry.name, entry.n_values, entry.n_zeros) == (name, raw.size, (raw == 0).sum())
        assert (entry.minimum, entry.maximum) == (raw.min(), raw.max())
        same = [i for i in range(raw.shape[1]) if len(set(raw[:, i])) == 1]
        assert entry.dead == tuple(same)
        assert entry.n_overflows <= entry.n_values
        outside = entry.reach[0] < fmt.raw_min or entry.reach[1] > fmt.raw_max
        assert outside == (entry.n_overflows > 0)


@given(
    st.lists(st.integers(-(2**63), 2**63 - 1) | st.integers(-300, 300), min_size=1, max_size=60),
    st.integers(1, 5),
)
def test_quantiles_are_those_of_all_magnitudes_together(raw, n_batches):
    gauge = Gauge()
    for part in np.array_split(np.array(raw), n_batches):
        gauge.read(part.reshape(-1, 1))
    magnitudes = sorted(abs(value) for value in raw if value)
    if not magnitudes:
        assert gauge.magnitudes() == ()
        return
    ranks = [max(1, -(-int(share * 100) * len(magnitudes) // 100)) for share in SHARES]
    for found, rank in zip(gauge.magnitudes(), ranks, strict=True):
        exact = magnitudes[rank - 1]
        assert exact * (1 - 1 / 128) <= found <= exact * (1 + 2**-52)
        if exact < 256:
            assert found == exact


def test_magnitudes_of_the_widest_unsigned_format_are_measured():
    gauge = Gauge()
    gauge.read(np.array([[2**64 - 1], [2**63]], dtype=np.uint64))
    assert gauge.extremes == (2**63, 2**64 - 1)
    assert gauge.magnitudes()[0] == 2.0**63
