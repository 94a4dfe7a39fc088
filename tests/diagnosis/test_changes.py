"""Causes that hide each other are all found; formats have the bits that numbers need."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigforge.core.diagnosis import hls_format
from trigforge.core.fixed_point import FixedPointFormat, parse_format, to_raw
from trigforge.core.graph import Dense, FixedPointGraph, Input
from trigforge.core.records import RawTensor
from trigforge.core.traces import LayerTrace, LayerWeights, Original
from trigforge.diagnosis import Cause, diagnose
from trigforge.diagnosis.formats import fraction_of, integer_bits_of, smallest_format
from trigforge.diagnosis.functions import FUNCTIONS, softmax

LINK = parse_format("fixed<6,6>")


def dense_graph(**changes):
    """Sums of integers: 4 inputs, 2 outputs, all formats wide but for the changes."""
    wide = parse_format("fixed<20,18>")
    node = Dense(
        name="sum",
        inputs=("inputs",),
        shape=(2,),
        format=wide,
        weights=np.array([[3, -2], [5, 1], [-7, 4], [2, 2]]),
        weight_format=parse_format("fixed<5,5>"),
        bias=np.array([1, -1]),
        bias_format=parse_format("fixed<5,5>"),
        accumulator=wide,
    )
    start = Input(name="inputs", inputs=(), shape=(4,), format=LINK)
    return FixedPointGraph(name="sums", nodes=(start, replace(node, **changes)))


def events():
    raw = np.random.default_rng(2).integers(-32, 31, size=(60, 4), endpoint=True)
    return RawTensor(format=LINK, raw=raw)


def original_of(function=None, grid=None):
    """Return what a float64 layer gives, then a function of it."""
    node, x = dense_graph()["sum"], events().raw.astype(np.float64)

    def apply(name, inputs):
        sums = inputs[0] @ node.weights + node.bias
        return sums if function is None else function(sums)

    layers = (
        LayerTrace(name="inputs", values=x.copy()),
        LayerTrace(name="sum", values=apply("sum", (x,)), inputs=("inputs",), format=grid),
    )
    weights = (
        LayerWeights(layer="sum", role="weight", values=node.weights.astype(np.float64)),
        LayerWeights(layer="sum", role="bias", values=node.bias.astype(np.float64)),
    )
    return Original(what="float64", layers=layers, weights=weights, apply=apply)


def causes(graph, original):
    diagnosis = diagnose(graph, events(), original)
    return [finding.cause for finding in diagnosis.findings], diagnosis


def test_an_accumulator_and_a_result_that_hide_each_other_are_both_found():
    narrow = parse_format("fixed<7,7>")
    found, diagnosis = causes(dense_graph(accumulator=narrow, format=narrow), original_of())
    assert found == [Cause.ACCUMULATOR_OVERFLOW, Cause.RESULT_INTEGER_BITS]
    assert [str(mend) for mend in diagnosis.configuration] == [
        "LayerName.sum.Precision.accum: fixed<10,10>",
        "LayerName.sum.Precision.result: fixed<10,10>",
    ]


@pytest.mark.parametrize(("low", "mode"), [(-64, "SAT"), (-63, "SAT_SYM")])
def test_a_saturation_that_is_not_told_of_is_guessed_from_its_values(low, mode):
    original = original_of(lambda sums: np.clip(sums, low, 63))
    (cause,), diagnosis = causes(dense_graph(format=parse_format("fixed<7,7>")), original)
    assert cause is Cause.RESULT_OVERFLOW
    assert str(diagnosis.configuration[0]) == (
        f"LayerName.sum.Precision.result: fixed<7,7,TRN,{mode}>"
    )


def test_a_rounding_mode_is_guessed_from_its_values():
    original = original_of(lambda sums: 4 * np.rint(sums / 4))
    (cause,), diagnosis = causes(dense_graph(format=parse_format("fixed<16,18>")), original)
    assert cause is Cause.RESULT_ROUNDING
    assert diagnosis.configuration[0].value == "fixed<16,18,RND_CONV,WRAP>"


def test_a_layer_that_computes_something_else_is_unknown():
    (cause,), diagnosis = causes(dense_graph(), original_of(np.square))
    assert cause is Cause.UNKNOWN
    assert diagnosis.configuration == ()
    assert "of this Dense that was tried" in diagnosis.first.evidence


@pytest.mark.parametrize("index", [0, 7])
def test_one_wrong_weight_is_named_by_its_index(index):
    weights = dense_graph()["sum"].weights.copy()
    weights.reshape(-1)[index] += 1
    (cause,), diagnosis = causes(dense_graph(weights=weights), original_of())
    assert cause is Cause.WEIGHT
    assert f"weight {divmod(index, 2)} is " in diagnosis.first.evidence
    assert "1 of 8" in diagnosis.first.evidence


@given(st.integers(1, 30), st.integers(-6, 20), st.booleans(), st.data())
def test_the_smallest_format_holds_numbers_and_a_narrower_does_not(width, integer, signed, data):
    fmt = FixedPointFormat(signed=signed, width=width, integer_bits=integer)
    raws = data.draw(st.lists(st.integers(fmt.raw_min, fmt.raw_max), min_size=1, max_size=8))
    values = np.array(raws) * fmt.lsb
    found = smallest_format(values)
    assert found is not None
    to_raw(values, found)
    assert found.fractional_bits == max(fraction_of(values), found.fractional_bits)
    if found.width > 1 and np.any(values):
        low, high = values.min(), values.max()
        reach = 2.0 ** (found.integer_bits - found.signed - 1)
        assert low < -reach or high >= reach


def test_integer_bits_are_those_of_the_step_below():
    assert integer_bits_of(np.array([3.99]), signed=False, fractional_bits=0) == 2
    assert integer_bits_of(np.array([4.0]), signed=False, fractional_bits=0) == 3
    assert integer_bits_of(np.array([-4.0]), signed=True, fractional_bits=2) == 3
    assert integer_bits_of(np.array([-4.1]), signed=True, fractional_bits=2) == 4


def test_numbers_that_64_bits_do_not_hold_have_no_format():
    assert smallest_format(np.array([2.0**40, 2.0**-40])) is None
    assert smallest_format(np.array([1 / 3])) is not None
    assert fraction_of(np.array([2.0**-70])) is None


def test_functions_are_those_of_their_names():
    x = np.array([-3.0, 0.0, 2.0])
    assert FUNCTIONS["sigmoid"](x) == pytest.approx(1 / (1 + np.exp(-x)))
    assert FUNCTIONS["softplus"](x) == pytest.approx(np.log1p(np.exp(x)))
    assert FUNCTIONS["softsign"](x) == pytest.approx(x / (1 + np.abs(x)))
    assert FUNCTIONS["elu"](x) == pytest.approx([np.exp(-3) - 1, 0, 0])
    assert FUNCTIONS["selu"](x) == pytest.approx([1.75809934 * (np.exp(-3) - 1), 0, 0])
    assert softmax(x) == pytest.approx(np.exp(x) / np.exp(x).sum())


def test_a_format_is_written_as_hls4ml_reads_it():
    for text in ("fixed<18,8>", "ufixed<5,2,RND_CONV,SAT>", "fixed<6,3,TRN,SAT_SYM>"):
        assert hls_format(parse_format(text)) == text
