from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from made_up_pools import collision, random_pool

from trigforge.core.errors import StoreError
from trigforge.core.store import Store
from trigforge.samples import inelastic, pools


def assert_same(first, other):
    for entry in fields(pools.Pool):
        np.testing.assert_array_equal(getattr(first, entry.name), getattr(other, entry.name))
        assert getattr(first, entry.name).dtype == getattr(other, entry.name).dtype


@pytest.fixture(scope="module")
def minimum_bias():
    return pools.make_minimum_bias(31, 100)


def test_a_pool_has_each_slice_with_its_share_and_its_probability(minimum_bias):
    assert len(minimum_bias) == 100
    soft, hard, boson = np.split(minimum_bias.probability, [50, 90])
    for part, found in zip(inelastic.SLICES, (soft, hard, boson), strict=True):
        assert found.sum() == pytest.approx(part.probability)
    assert (soft == soft[0]).all()
    assert hard.max() > 10 * hard.min()


def test_hard_collisions_are_among_them_but_rarely_drawn(minimum_bias):
    hard = minimum_bias.truth[:, 0] > 40
    assert np.count_nonzero(hard) > 10
    assert 1e-4 < minimum_bias.probability[hard].sum() < 5e-3  # 0.0009 in 2,000 collisions


def test_a_pool_s_lists_fit_together(minimum_bias):
    for first, flat in (
        (minimum_bias.first_tower, minimum_bias.em),
        (minimum_bias.first_muon, minimum_bias.muons),
    ):
        assert (np.diff(first) >= 0).all()
        assert (first[0], first[-1], len(first)) == (0, len(flat), 101)
    assert minimum_bias.row.max() < 72
    assert minimum_bias.column.max() < 56
    assert (minimum_bias.em >= 0).all()
    assert not minimum_bias.em.flags.writeable


def test_transverse_energy_is_that_of_minimum_bias(minimum_bias):
    towers = minimum_bias.em.astype(float) + minimum_bias.had
    collision_of = np.repeat(np.arange(100), np.diff(minimum_bias.first_tower))
    et_gev = np.bincount(collision_of, towers, 100) / 1024
    assert 20 < (et_gev * minimum_bias.probability).sum() < 60  # 38 in 1,000 collisions


def test_the_same_seed_gives_the_same_pool(minimum_bias):
    assert_same(minimum_bias, pools.make_minimum_bias(31, 100))
    assert pools.make(inelastic.BOSON.process, 32, 10).em.sum() != minimum_bias.em.sum()


def test_joined_pools_hold_the_collisions_of_both():
    random = np.random.default_rng(1)
    first, second = random_pool(random, n_collisions=3), random_pool(random, n_collisions=4)
    joined = pools.join([first, second])
    assert len(joined) == 7
    for number, (pool, own) in enumerate([*((first, i) for i in range(3)), (second, 2)]):
        place = number if pool is first else 5
        for first_name, name in (("first_tower", "em"), ("first_muon", "muons")):
            starts, expected = getattr(joined, first_name), getattr(pool, first_name)
            np.testing.assert_array_equal(
                getattr(joined, name)[starts[place] : starts[place + 1]],
                getattr(pool, name)[expected[own] : expected[own + 1]],
            )


def test_a_pool_is_made_once_and_then_found(tmp_path):
    made = []

    def make():
        made.append(1)
        return random_pool(np.random.default_rng(2))

    first, again = (pools.keep(Store(tmp_path), "ab" * 32, make) for _ in range(2))
    assert made == [1]
    assert_same(first, again)


def test_a_pool_that_was_changed_is_refused(tmp_path):
    pools.keep(Store(tmp_path), "ab" * 32, collision)
    (file,) = tmp_path.rglob(pools.FILE)
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(StoreError, match=r"pool.npz is missing, new or changed"):
        pools.keep(Store(tmp_path), "ab" * 32, collision)
