from __future__ import annotations

from fractions import Fraction

import keras
import numpy as np
import pytest
import qkeras
from hypothesis import given
from hypothesis import strategies as st
from simulating import LINK, cast, chain, hardware, relu, weights

from trigforge.conversion import handlers
from trigforge.conversion.configuration import configure, smallest_format
from trigforge.core.errors import ConversionError
from trigforge.core.fixed_point import parse_format, to_raw, to_values
from trigforge.networks.layers import Standardise

dyadic = st.builds(
    lambda number, exponent: number * 2.0**exponent,
    st.integers(-(2**20), 2**20) | st.sampled_from([1, -1, 3, -3]),
    st.integers(-20, 20),
)


def holds(values, fmt) -> bool:
    step = Fraction(2) ** -fmt.fractional_bits
    low, high = fmt.raw_min * step, fmt.raw_max * step
    return all(low <= Fraction(value) <= high and Fraction(value) % step == 0 for value in values)


@given(st.lists(dyadic, min_size=1, max_size=8))
def test_the_smallest_format_holds_every_number_and_none_narrower_does(values):
    fmt = smallest_format(np.array(values))
    assert holds(values, fmt)
    np.testing.assert_array_equal(to_values(to_raw(values, fmt), fmt), values)
    assert fmt.signed == any(value < 0 for value in values)
    if fmt.width > 1:
        fewer_integer = parse_format(
            f"{'' if fmt.signed else 'u'}fixed<{fmt.width - 1},{fmt.integer_bits - 1}>"
        )
        fewer_fraction = parse_format(
            f"{'' if fmt.signed else 'u'}fixed<{fmt.width - 1},{fmt.integer_bits}>"
        )
        assert not holds(values, fewer_fraction)
        assert not holds(values, fewer_integer)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0], "ufixed<1,1>"),
        ([1.0], "ufixed<1,1>"),
        ([-1.0], "fixed<1,1>"),
        ([-1.0, 1.0], "fixed<2,2>"),
        ([0.25], "ufixed<1,-1>"),
        ([-0.25, 0.125], "fixed<2,-1>"),
        ([64.0, 128.0], "ufixed<2,8>"),
        ([-128.0, 127.0], "fixed<8,8>"),
    ],
)
def test_the_smallest_format_of_known_numbers(values, expected):
    assert smallest_format(np.array(values)) == parse_format(expected)


def test_numbers_too_far_apart_for_64_bits_are_refused():
    with pytest.raises(ConversionError, match=r"between 1e-10 .*need \d+ bits, above 64"):
        smallest_format(np.array([1e-10, 2.0**40]))


def configured(model, **changes):
    handlers.register()
    link = parse_format("fixed<6,3,RND,SAT_SYM>")
    return configure(model, link, hardware(**changes))["LayerName"]


def test_every_format_that_a_quantiser_states_is_written_out():
    model = chain(
        (4,),
        qkeras.QDense(3, activation=qkeras.quantized_relu(5, 1), name="first", **weights(6, 1)),
        qkeras.QDense(3, use_bias=False, name="second", **weights(4, -1)),
        relu(4, 2, name="rectified"),
    )
    names = configured(model)
    assert names["first"]["Precision"]["weight"] == "ap_fixed<6,2>"
    assert names["first"]["Precision"]["bias"] == "ap_fixed<6,2>"
    assert names["first"]["Precision"]["accum"] == "auto"
    assert names["first_act"]["Precision"]["result"] == "ap_ufixed<5,1,AP_RND_CONV,AP_SAT>"
    assert names["second"]["Precision"]["weight"] == "ap_fixed<4,0>"
    assert names["rectified"]["Precision"]["result"] == "ap_ufixed<4,2,AP_RND_CONV,AP_SAT>"


def test_the_link_has_no_rounding_modes():
    assert configured(chain((4,), relu()))["inputs"]["Precision"]["result"] == "ap_fixed<6,3>"


def test_the_cast_that_hls4ml_would_drop_is_written_to_the_layer_before_it():
    model = chain((4,), qkeras.QDense(3, name="first", **weights()), cast(6, 2, name="narrow"))
    names = configured(model)
    expected = "ap_fixed<6,3,AP_RND_CONV,AP_SAT>"
    assert names["first"]["Precision"]["result"] == expected
    assert names["narrow"]["Precision"]["result"] == expected


def test_a_rectifier_is_not_drawn_into_the_layer_before_it():
    unsigned = qkeras.quantized_bits(5, 1, keep_negative=False, alpha=1)
    for activation in (relu(), qkeras.QActivation(unsigned)):
        names = configured(chain((4,), qkeras.QDense(3, name="first", **weights()), activation))
        assert names["first"]["Precision"]["result"] == "auto"


def test_the_standardisation_has_the_narrowest_formats():
    model = chain((3,), Standardise(name="standardise"), cast(name="narrow"))
    model.layers[1].offsets.assign([4, -6, 0])
    model.layers[1].shifts.assign([1, 2, -1])
    precision = configured(model)["standardise"]["Precision"]
    assert precision["scale"] == "ap_ufixed<4,2>"
    assert precision["bias"] == "ap_fixed<3,2>"
    assert precision["result"] == "ap_fixed<6,3,AP_RND_CONV,AP_SAT>"


def test_strategy_and_reuse_reach_every_layer_that_has_them():
    model = chain((4,), qkeras.QDense(3, name="first", **weights()), relu())
    names = configured(model, strategy="Resource", reuse_factor=4)
    assert names["first"]["Strategy"] == "Resource"
    assert names["first"]["ReuseFactor"] == 4


def test_our_handlers_leave_other_libraries_layers_of_the_same_name_alone():
    from hls4ml.converters.keras_v3._base import registry

    handlers.register()
    assert "QDense" not in registry
    assert isinstance(registry["qkeras.qlayers.QDense"], handlers.QDenseHandler)
    assert type(registry[f"{keras.layers.Dense.__module__}.Dense"]) is not handlers.QDenseHandler
    assert LINK.width == 6
