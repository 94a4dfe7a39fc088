import pytest

from trigforge.core.crossing import clocks_per_crossing, crossings


@pytest.mark.parametrize(
    ("clock_mhz", "n_clocks"),
    [(40, 1), (240, 6), (280, 7), (320, 8), (320.64, 8), (360, 9), (480, 12), (200, 5), (300, 7)],
)
def test_clocks_named_by_multiples_of_40_mhz_are_multiples_of_the_crossing_rate(
    clock_mhz, n_clocks
):
    assert clocks_per_crossing(clock_mhz) == n_clocks


@pytest.mark.parametrize(("clock_mhz", "n_clocks"), [(319, 7), (39, 0), (359, 8)])
def test_a_clock_that_is_too_slow_is_not_rounded_up(clock_mhz, n_clocks):
    assert clocks_per_crossing(clock_mhz) == n_clocks


def test_a_crossing_is_25_ns():
    assert crossings(24.95) == pytest.approx(1, abs=1e-4)
