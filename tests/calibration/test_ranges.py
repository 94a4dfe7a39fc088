import numpy as np
import pytest

from trigforge.calibration.ranges import format_for, grid_bits, integer_bits


@pytest.mark.parametrize(
    ("minimum", "maximum", "margin", "bits"),
    [(0.0, 0.9, 1, 0), (0.0, 1.0, 1, 1), (-1.0, 0.9, 1, 1), (-1.1, 0.9, 1, 2), (0.0, 3.0, 2, 3)],
)
def test_integer_bits_hold_the_widened_range(minimum, maximum, margin, bits):
    assert integer_bits(minimum, maximum, margin) == bits


def test_a_format_holds_what_it_was_made_for():
    random = np.random.default_rng(1)
    for _ in range(200):
        low, high = sorted(random.normal(scale=random.choice([0.01, 1, 300]), size=2))
        fmt = format_for(low, high, 14, margin=1)
        assert fmt.raw_min * fmt.lsb <= low
        assert high <= (fmt.raw_max + 1) * fmt.lsb
        assert fmt.signed is (low < 0)


def test_events_on_a_grid_are_told_from_others():
    assert grid_bits(np.array([0.0, 3.0, -7.0])) == 0
    assert grid_bits(np.array([0.5, 0.125])) == 3
    assert grid_bits(np.array([1 / 3])) is None
