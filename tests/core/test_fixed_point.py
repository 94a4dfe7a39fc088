from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigforge.core.errors import InputError
from trigforge.core.fixed_point import (
    FixedPointFormat,
    Overflow,
    Rounding,
    convert,
    parse_format,
    quantise,
    to_raw,
    to_values,
)

SIGNED = FixedPointFormat(True, 8, 3)
UNSIGNED_64 = FixedPointFormat(False, 64, 64)
SIGNED_64 = FixedPointFormat(True, 64, 64)

formats = st.builds(
    FixedPointFormat,
    st.booleans(),
    st.integers(1, 64),
    st.integers(-512, 512),
    st.sampled_from(Rounding),
    st.sampled_from(Overflow),
)


def with_modes(rounding: str, overflow: str) -> FixedPointFormat:
    return FixedPointFormat(True, 16, 6, Rounding(rounding), Overflow(overflow))


WRITTEN = {
    "ap_fixed<16,6>": with_modes("TRN", "WRAP"),
    " ap_fixed < 16 , 6 > ": with_modes("TRN", "WRAP"),
    "fixed<16,6>": with_modes("TRN", "WRAP"),
    "ap_fixed<16,6,AP_RND_CONV,AP_SAT>": with_modes("RND_CONV", "SAT"),
    "ap_fixed<16,6,AP_RND_MIN_INF,AP_SAT_SYM,0>": with_modes("RND_MIN_INF", "SAT_SYM"),
    "fixed<16,6,RND,SAT_ZERO,0>": with_modes("RND", "SAT_ZERO"),
    "fixed<16,6,TRN_ZERO>": with_modes("TRN_ZERO", "WRAP"),
    "ac_fixed<16,6>": with_modes("TRN", "WRAP"),
    "ac_fixed<16,6,true>": with_modes("TRN", "WRAP"),
    "ac_fixed<16,6,true,AC_RND_INF,AC_SAT_SYM>": with_modes("RND_INF", "SAT_SYM"),
    "ac_fixed<16,6,1,AC_RND_ZERO>": with_modes("RND_ZERO", "WRAP"),
    "ap_ufixed<4,6>": FixedPointFormat(False, 4, 6),
    "ufixed<4,-2>": FixedPointFormat(False, 4, -2),
    "ac_fixed<4,0,false>": FixedPointFormat(False, 4, 0),
    "ap_int<7>": FixedPointFormat(True, 7, 7),
    "int<7>": FixedPointFormat(True, 7, 7),
    "ap_uint<64>": FixedPointFormat(False, 64, 64),
    "uint<1>": FixedPointFormat(False, 1, 1),
    "ac_int<7>": FixedPointFormat(True, 7, 7),
    "ac_int<7,false>": FixedPointFormat(False, 7, 7),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_a_type_is_read_as_its_language_means_it(text):
    assert parse_format(text) == WRITTEN[text]


@given(fmt=formats)
def test_a_printed_format_is_read_back(fmt):
    assert parse_format(str(fmt)) == fmt


def test_default_modes_are_not_printed():
    assert str(SIGNED) == "ap_fixed<8,3>"
    assert str(FixedPointFormat(False, 8, 3, Rounding.RND)) == "ap_ufixed<8,3,AP_RND,AP_WRAP>"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "float",
        "ap_fixed",
        "ap_fixed<>",
        "ap_fixed<16>",
        "ap_fixed<16,6",
        "ap_fixed<16,6>>",
        "ap_fixed<16,six>",
        "ap_fixed<1_6,6>",
        "ap_fixed<١٦,6>",
        "ap_fixed<16.0,6>",
        "ap_fixed<16,6,AP_RND,AP_SAT,1>",
        "ap_fixed<16,6,AP_RND,AP_SAT,0,0>",
        "ap_fixed<16,6,AP_SAT,AP_RND>",
        "ap_fixed<16,6,AP_RND,AP_WRAP_SM>",
        "ap_fixed<16,6,AC_RND>",
        "ap_int<16,6>",
        "ap_int<16,AP_RND>",
        "ac_fixed<16>",
        "ac_fixed<16,6,yes>",
        "ac_fixed<16,6,true,AP_RND>",
        "ac_fixed<16,6,true,AC_RND_CONV_ODD>",
        "ac_fixed<16,6,true,AC_RND,AC_SAT,0>",
        "ac_int<7,true,AC_RND>",
        "ac_ufixed<16,6>",
        "ac_uint<16>",
        "AP_FIXED<16,6>",
    ],
)
def test_what_is_no_fixed_point_type_is_refused(text):
    with pytest.raises(InputError, match="is no fixed-point type") as error:
        parse_format(text)
    assert repr(text) in str(error.value)


@pytest.mark.parametrize("width", [0, -1, 65])
def test_a_width_that_no_raw_integer_has_is_refused(width):
    with pytest.raises(InputError, match=f"width {width} is not between 1 and 64"):
        parse_format(f"ap_fixed<{width},6>")


@pytest.mark.parametrize("integer_bits", [513, -513, 10**8])
def test_a_point_too_far_away_is_refused(integer_bits):
    with pytest.raises(InputError, match=f"{integer_bits} integer bits are not between -512"):
        FixedPointFormat(True, 8, integer_bits)


@pytest.mark.parametrize(
    ("text", "low", "high", "lsb"),
    [
        ("ap_fixed<8,3>", -128, 127, 2.0**-5),
        ("ap_ufixed<8,10>", 0, 255, 4.0),
        ("ap_fixed<1,1>", -1, 0, 1.0),
        ("ap_ufixed<1,0>", 0, 1, 0.5),
        ("ap_fixed<64,64>", -(2**63), 2**63 - 1, 1.0),
        ("ap_ufixed<64,0>", 0, 2**64 - 1, 2.0**-64),
    ],
)
def test_a_format_knows_its_range_and_step(text, low, high, lsb):
    fmt = parse_format(text)
    assert (fmt.raw_min, fmt.raw_max, fmt.lsb) == (low, high, lsb)
    ends = np.array([low, high], dtype=fmt.dtype)
    assert ends.tolist() == [low, high]
    assert fmt.contains(ends)


def test_only_integers_in_range_are_contained():
    assert SIGNED.contains([-128, 127])
    assert SIGNED.contains(np.array([], dtype=np.float64))
    assert not SIGNED.contains([0, 128])
    assert not SIGNED.contains([-129, 0])
    assert not SIGNED.contains([0.5])
    assert not UNSIGNED_64.contains([-1])
    assert not SIGNED_64.contains(np.array([2**63], dtype=np.uint64))


def test_raw_arrays_are_int64_but_for_unsigned_formats_of_64_bits():
    assert SIGNED_64.dtype == np.int64
    assert FixedPointFormat(False, 63, 0).dtype == np.int64
    assert UNSIGNED_64.dtype == np.uint64


def test_one_signed_bit_cannot_be_symmetric():
    one_bit = FixedPointFormat(True, 1, 1, overflow=Overflow.SAT_SYM)
    assert one_bit.saturation_limits == (-1, 0)
    two_bits = FixedPointFormat(True, 2, 2, overflow=Overflow.SAT_SYM)
    assert two_bits.saturation_limits == (-1, 1)


@given(fmt=formats, data=st.data())
def test_values_and_raw_integers_are_turned_into_each_other(fmt, data):
    mantissas = st.integers(max(fmt.raw_min, -(2**53)), min(fmt.raw_max, 2**53))
    raw = np.array(data.draw(st.lists(mantissas)), dtype=fmt.dtype)
    result = to_raw(to_values(raw, fmt), fmt)
    assert result.dtype == fmt.dtype
    np.testing.assert_array_equal(result, raw)


@pytest.mark.parametrize("fmt", [SIGNED_64, UNSIGNED_64, FixedPointFormat(True, 55, 0)])
def test_values_beyond_the_53_bits_of_a_float_are_refused(fmt):
    exact = [2**53, 2**53 + 2, 2**54 - 2]
    np.testing.assert_array_equal(to_values(exact, fmt), np.array(exact) * fmt.lsb)
    for inexact in (2**53 + 1, 2**54 - 1, fmt.raw_max):
        with pytest.raises(InputError, match="float64 cannot represent exactly"):
            to_values([inexact], fmt)


def test_the_ends_of_64_bits_have_exact_values():
    assert to_values([-(2**63)], SIGNED_64).tolist() == [-(2.0**63)]
    assert to_values(np.array([2**63], dtype=np.uint64), UNSIGNED_64).tolist() == [2.0**63]
    assert to_raw([2.0**63], UNSIGNED_64).tolist() == [2**63]
    with pytest.raises(InputError, match="not representable"):
        to_raw([2.0**63], SIGNED_64)


@pytest.mark.parametrize(
    "number", [0.01, 4.0, -4.03125, float("nan"), float("inf"), -float("inf"), 5e-324, 1e300]
)
def test_a_number_off_the_grid_is_refused_with_its_place(number):
    values = np.zeros((2, 3))
    values[1, 2] = number
    with pytest.raises(InputError, match=r"weights: .* at \(1, 2\) is not representable in ap_f"):
        to_raw(values, SIGNED, where="weights")


def test_a_number_that_scaling_would_flush_to_zero_is_refused():
    with pytest.raises(InputError, match="not representable"):
        to_raw([5e-324], FixedPointFormat(True, 8, 300))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_number_that_is_not_finite_is_not_quantised(number):
    with pytest.raises(InputError, match="not finite"):
        quantise([0.0, number], SIGNED)


def test_small_and_large_numbers_are_quantised_side_by_side():
    fmt = FixedPointFormat(True, 64, 32, Rounding.RND, Overflow.SAT)
    raw = quantise([1e300, 1.5, -(2.0**31), 2.0**31, -5e-324], fmt)
    assert raw.tolist() == [fmt.raw_max, 3 << 31, fmt.raw_min, fmt.raw_max, 0]
    wrapping = FixedPointFormat(False, 64, 0)
    assert quantise([-(2.0**-64), 1.0, 3.5], wrapping).tolist() == [2**64 - 1, 0, 2**63]


@pytest.mark.parametrize("shape", [(), (0,), (3, 0), (2, 3), (1, 2, 2)])
@pytest.mark.parametrize("wide", [False, True])
def test_shapes_are_kept(shape, wide):
    source = FixedPointFormat(True, 64 if wide else 8, 4)
    target = FixedPointFormat(False, 64 if wide else 6, 3, Rounding.RND, Overflow.SAT)
    raw = np.ones(shape, dtype=np.int64)
    results = (convert(raw, source, target), quantise(np.ones(shape), target), raw)
    assert [result.shape for result in results] == [shape] * 3
    assert all(result.dtype == target.dtype for result in results[:2])


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint32, np.int64, np.uint64])
def test_raw_integers_may_come_in_any_integer_type(dtype):
    raw = np.array([0, 1, 100, 127], dtype=dtype)
    wide = FixedPointFormat(True, 60, 30)
    assert convert(raw, SIGNED, wide).tolist() == (raw.astype(object) << 25).tolist()
    assert to_values(raw, SIGNED_64).tolist() == raw.tolist()


def test_a_cast_returns_a_new_array():
    raw = np.array([1, 2], dtype=np.int64)
    for target in (
        SIGNED,
        FixedPointFormat(True, 9, 4),
        FixedPointFormat(True, 8, 3, Rounding.RND),
    ):
        convert(raw, SIGNED, target)[:] = 9
    assert raw.tolist() == [1, 2]


@pytest.mark.parametrize("raw", [[0.5], [True], ["1"], [2**70], np.array([1], dtype=object)])
def test_what_are_no_integers_is_not_cast(raw):
    with pytest.raises(InputError, match="raw integers expected"):
        convert(raw, SIGNED, SIGNED)


@pytest.mark.parametrize("raw", [[128], [-129], np.array([2**63], dtype=np.uint64)])
def test_raw_integers_out_of_range_are_not_cast(raw):
    with pytest.raises(InputError, match=r"raw integers outside ap_fixed<8,3>: -?\d+ to"):
        convert(raw, SIGNED, FixedPointFormat(True, 4, 3))


def test_between_equal_types_the_bits_are_copied():
    symmetric = FixedPointFormat(True, 8, 3, overflow=Overflow.SAT_SYM)
    assert convert([-128], symmetric, symmetric).tolist() == [-128]
    assert convert([-128], SIGNED, symmetric).tolist() == [-127]
