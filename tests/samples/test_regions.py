from __future__ import annotations

import numpy as np
import pytest
from made_up_pools import collision, draws

from trigforge.samples import crossings, regions


def regions_of(spec, *towers):
    found = crossings.overlay(collision(towers), draws([(0, 0, False)]))
    return regions.describe(found, spec)


def test_a_planted_tower_is_in_the_region_that_holds_it(regions_spec):
    for row, column, expected in (
        (0, 0, (0, 0)),
        (3, 3, (0, 0)),
        (4, 7, (1, 1)),
        (71, 55, (17, 13)),
    ):
        found = regions_of(regions_spec, (row, column, 10, 2.5))
        assert found.shape == (1, 18, 14, 1)
        assert found.sum() == found[0, *expected, 0] == 25


def test_a_region_is_the_sum_of_its_towers(regions_spec):
    towers = [(row, column, 1.0, 0.5) for row in range(8, 12) for column in range(20, 24)]
    assert regions_of(regions_spec, *towers)[0, 2, 5, 0] == 16 * 3


def test_energy_below_a_primitive_is_not_seen(regions_spec):
    towers = [(row, column, 0.49, 0.49) for row in range(8, 12) for column in range(20, 24)]
    assert not regions_of(regions_spec, *towers).any()


@pytest.mark.parametrize(
    ("bits", "lsb_gev", "dtype", "expected"),
    [
        (10, 0.5, np.uint16, 120),
        (6, 0.5, np.uint8, 63),
        (8, 1.0, np.uint8, 60),
        (10, 7, np.uint16, 8),
    ],
)
def test_regions_are_cut_to_steps_and_saturate(regions_spec, bits, lsb_gev, dtype, expected):
    spec = regions_spec.model_copy(update={"region_bits": bits, "region_lsb_gev": lsb_gev})
    found = regions_of(spec, (0, 0, 60, 0))
    assert (found.dtype, found[0, 0, 0, 0]) == (dtype, expected)


def test_the_hottest_region_saturates_at_16_bits_only_beyond_all_its_towers(regions_spec):
    spec = regions_spec.model_copy(update={"region_bits": 16})
    towers = [(row, column, 1e4, 1e4) for row in range(4) for column in range(4)]
    assert regions_of(spec, *towers)[0, 0, 0, 0] == 16 * 2 * 255
