import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigforge.core.errors import InputError
from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.link import LinkEncoding, fit_encoding

SIGNED = FixedPointFormat(True, 8, 8)
UNSIGNED = FixedPointFormat(False, 8, 2)


def test_values_become_steps_of_powers_of_two():
    encoding = LinkEncoding(format=SIGNED, lsb_exponents=(-2, 3))
    assert encoding.encode([[1.25, 16.0], [-1.0, -8.0]]).tolist() == [[5, 2], [-4, -1]]


def test_halves_round_to_even():
    encoding = LinkEncoding(format=SIGNED, lsb_exponents=(0,))
    values = [[0.5, 1.5, 2.5, -0.5, -1.5]]
    assert encoding.encode(values).tolist() == [[0, 2, 2, 0, -2]]


def test_values_out_of_range_saturate():
    assert LinkEncoding(format=SIGNED, lsb_exponents=(0,)).encode([[1e30, -1e30]]).tolist() == [
        [127, -128]
    ]
    assert LinkEncoding(format=UNSIGNED, lsb_exponents=(0,)).encode([[300, -1]]).tolist() == [
        [255, 0]
    ]


def test_one_step_serves_images_of_any_shape():
    encoding = LinkEncoding(format=UNSIGNED, lsb_exponents=(0,))
    image = np.arange(8, dtype=np.uint8).reshape(1, 2, 4, 1)
    raw = encoding.encode(image)
    assert raw.dtype == np.int64
    assert (raw == image).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_cannot_go_onto_a_link(value):
    encoding = LinkEncoding(format=SIGNED, lsb_exponents=(0,))
    with pytest.raises(InputError, match=r"value .* at \(1, 2\) cannot go onto a link"):
        encoding.encode([[0.0, 0.0, 0.0], [0.0, 0.0, value]])


def test_another_number_of_quantities_is_refused():
    encoding = LinkEncoding(format=SIGNED, lsb_exponents=(0, 1, 2))
    with pytest.raises(InputError, match="2 quantities an event, but the link encodes 3"):
        encoding.encode([[1.0, 2.0]])


@given(
    exponent=st.integers(-12, 12),
    values=st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=20),
)
def test_an_encoded_value_is_the_nearest_the_link_can_carry(exponent, values):
    encoding = LinkEncoding(format=SIGNED, lsb_exponents=(exponent,))
    raw = encoding.encode(np.array(values)[:, None])[:, 0]
    carried = np.arange(SIGNED.raw_min, SIGNED.raw_max + 1) * 2.0**exponent
    nearest = np.abs(carried[None, :] - np.array(values)[:, None]).min(axis=1)
    assert (np.abs(raw * 2.0**exponent - values) == nearest).all()


def test_the_fitted_step_is_the_finest_that_keeps_the_share_in_range():
    random = np.random.default_rng(1)
    values = random.normal(size=(4000, 5)) * 10.0 ** np.arange(-2, 3)
    for kept in (0.9, 0.999):
        encoding = fit_encoding(values, SIGNED, kept=kept)
        assert (share_in_range(values, encoding.lsb_exponents) >= kept).all()
        finer = tuple(exponent - 1 for exponent in encoding.lsb_exponents)
        assert (share_in_range(values, finer) < kept).all()


def share_in_range(values, exponents):
    largest = SIGNED.raw_max * 2.0 ** np.array(exponents)
    return (np.abs(values) <= largest).mean(axis=0)


def test_a_quantity_that_is_always_zero_is_carried():
    encoding = fit_encoding(np.zeros((10, 1)), SIGNED)
    assert encoding.encode(np.zeros((10, 1))).tolist() == [[0]] * 10
