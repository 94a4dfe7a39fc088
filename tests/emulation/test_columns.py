"""Columns become the raw integers of the link, exactly as ``LinkEncoding`` says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigforge.core.errors import InputError
from trigforge.core.fixed_point import parse_format
from trigforge.core.link import LinkEncoding
from trigforge.emulation import columns
from trigforge.emulation.columns import Columns, raw_integers

NAMES = ("pt", "eta", "mass")
WIDTHS = {np.float16: 16, np.float32: 32, np.float64: 64}


def columns_of(*arrays, first=0):
    return Columns(names=NAMES[: len(arrays)], arrays=arrays, first=first)


def link(text="fixed<12,12>", *exponents):
    return LinkEncoding(format=parse_format(text), lsb_exponents=exponents or (0,))


@given(st.data())
def test_values_are_encoded_as_the_link_does(data):
    width = data.draw(st.sampled_from([1, 8, 12, 24, 25, 33, 53, 54, 60]))
    signed = data.draw(st.booleans()) or width > 53
    fmt = f"{'fixed' if signed else 'ufixed'}<{width},{width}>"
    exponents = st.integers(-20, 20) | st.integers(-140, 140)
    encoding = link(fmt, *(data.draw(exponents) for _ in range(3)))
    arrays = []
    for _ in range(3):
        dtype = data.draw(st.sampled_from([*WIDTHS]))
        finite = st.floats(allow_nan=False, allow_infinity=False, width=WIDTHS[dtype])
        halves = st.integers(-4096, 4096).map(lambda number: number / 4)
        numbers = data.draw(st.lists(finite | halves, min_size=7, max_size=7))
        arrays.append(np.array(numbers, dtype))
    with np.errstate(over="ignore"):
        expected = encoding.encode(np.stack([array.astype(np.float64) for array in arrays], axis=1))
    found = raw_integers(columns_of(*arrays), encoding, np.int64)
    np.testing.assert_array_equal(found, expected)
    assert found.flags.c_contiguous


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_blocks_do_not_matter(dtype, monkeypatch):
    monkeypatch.setattr(columns, "BLOCK_EVENTS", 7)
    values = np.random.default_rng(1).normal(size=(50, 3)) * 1000
    values = values.astype(dtype)
    encoding = link("fixed<12,12>", -1, 2, 0)
    for part in (values, values[:7], values[:0]):
        found = raw_integers(columns_of(*part.T), encoding, np.int32)
        np.testing.assert_array_equal(found, encoding.encode(part))
        assert found.dtype == np.int32


def test_one_exponent_serves_all_elements_and_one_a_channel_each_pixel():
    values = np.random.default_rng(2).normal(size=(5, 2, 3)) * 10
    for exponents in ((-3,), (-3, 0, 2)):
        encoding = link("fixed<12,12>", *exponents)
        found = raw_integers(
            Columns(names=range(6), arrays=tuple(values.reshape(5, 6).T)), encoding, np.int64
        )
        np.testing.assert_array_equal(found, encoding.encode(values).reshape(5, 6))


def test_integers_are_raw_unless_a_float_stands_beside_them():
    integers = np.array([2047, -2048, 3]), np.array([1, 2, 3], np.uint8)
    found = raw_integers(columns_of(*integers), link("fixed<12,12>", -4, -4), np.int32)
    np.testing.assert_array_equal(found.T, integers)
    mixed = (*integers, np.array([0.5, 1.5, 2.5]))
    encoding = link("fixed<16,16>", -4, -4, -1)
    found = raw_integers(columns_of(*mixed), encoding, np.int32)
    np.testing.assert_array_equal(found.T[0], [2047 * 16, -2048 * 16, 48])
    np.testing.assert_array_equal(found.T[2], [1, 3, 5])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            [np.array([0, 2048])],
            r"column 'pt': row 1001 is 2048, which does not fit into ap_fixed<12",
        ),
        ([np.array([0, 1]), np.array([-2049, 0])], "column 'eta': row 1000 is -2049"),
        ([np.array([0, 2**63 + 5], np.uint64)], "row 1001 is 9223372036854775813"),
        ([np.array([0.0, np.nan])], "column 'pt': row 1001 is nan; it cannot go onto a link"),
        ([np.array([0.0, 1.0]), np.array([-np.inf, 0])], "column 'eta': row 1000 is -inf"),
        ([np.array([0.5]), np.array([2**53 + 1])], "column 'eta' holds integers above 2.53"),
        ([np.array([1j])], "column 'pt' is complex128; it must hold integers or floats"),
        ([np.array([1.0], np.longdouble)], "column 'pt' is float128"),
    ],
)
def test_what_cannot_be_on_the_link_is_refused_with_its_place(arrays, message):
    with pytest.raises(InputError, match=message):
        raw_integers(columns_of(*arrays, first=1000), link(), np.int32)
