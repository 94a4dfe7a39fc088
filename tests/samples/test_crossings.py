from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_up_pools import collision, draws, random_pool
from scipy import stats

from trigforge.samples import crossings, pools


@pytest.fixture
def random():
    return np.random.default_rng(5)


def towers_of(found):
    return np.stack((found.em, found.had))


def test_a_collision_alone_is_its_towers():
    pool = collision([(3, 7, 1.5, 0.25), (71, 55, 0, 2)])
    found = crossings.overlay(pool, draws([(0, 0, False)]))
    assert found.em.shape == found.had.shape == (1, 72, 56)
    assert found.em.sum() == found.em[0, 3, 7] == 1536
    assert (found.had[0, 3, 7], found.had[0, 71, 55], found.had.sum()) == (256, 2048, 2304)


def test_a_crossing_is_exactly_the_sum_of_its_collisions(random):
    pool = random_pool(random)
    entries = [(random.integers(5), random.integers(72), random.integers(2)) for _ in range(30)]
    together = towers_of(crossings.overlay(pool, draws(entries)))
    apart = towers_of(crossings.overlay(pool, draws(*[[entry] for entry in entries])))
    np.testing.assert_array_equal(together[:, 0], apart.sum(axis=1))
    backwards = towers_of(crossings.overlay(pool, draws(entries[::-1])))
    np.testing.assert_array_equal(together, backwards)
    forward = [crossings.overlay(pool, draws([entry])).forward[0] for entry in entries]
    np.testing.assert_array_equal(crossings.overlay(pool, draws(entries)).forward[0], sum(forward))


def test_turning_and_mirroring_move_energy_and_keep_it(random):
    pool = random_pool(random, n_collisions=1)
    plain, turned, mirrored, both = (
        towers_of(crossings.overlay(pool, draws([(0, rows, mirror)])))[:, 0]
        for rows, mirror in ((0, False), (11, False), (0, True), (71, True))
    )
    np.testing.assert_array_equal(turned, np.roll(plain, 11, axis=1))
    np.testing.assert_array_equal(mirrored, plain[:, :, ::-1])
    np.testing.assert_array_equal(both, np.roll(plain, -1, axis=1)[:, :, ::-1])


def test_forward_rows_turn_and_mirroring_leaves_them():
    pool = collision(forward=[(70, 3.0), (2, 1.5)])
    found = crossings.overlay(pool, draws([(0, 0, True)], [(0, 5, False), (0, 5, True)]))
    assert np.flatnonzero(found.forward[0]).tolist() == [2, 70]
    assert found.forward[1, [3, 7]].tolist() == [6144, 3072]
    assert found.forward.sum() == 3 * 4.5 * 1024


def test_muons_turn_with_the_towers_and_are_sorted():
    pool = collision(muons=[(20, 100, 570), (30, -7, 0), (20, 1, 1)])
    found = crossings.overlay(pool, draws([(0, 0, False)], [(0, 2, True)], []))
    assert found.muons[0, :4].tolist() == [[30, -7, 0], [20, 100, 570], [20, 1, 1], [0, 0, 0]]
    assert found.muons[1, :3].tolist() == [[30, 7, 16], [20, -100, 10], [20, -1, 17]]
    assert not found.muons[2].any()


def test_of_many_muons_the_hardest_are_kept(random):
    own = random.integers((1, -200, 0), (500, 200, 576), (30, 3))
    found = crossings.overlay(collision(muons=own), draws([(0, 0, False)]))
    assert found.muons[0, :, 0].tolist() == sorted(own[:, 0])[:-9:-1]


def test_pile_up_has_the_wanted_mean_and_is_poisson(random):
    pool = random_pool(random)
    n = crossings.draw(pool, 60, 20_000, random).n_interactions
    assert abs(n.mean() - 60) < 4 * np.sqrt(60 / len(n))
    assert abs(n.var() / 60 - 1) < 4 * np.sqrt(2 / len(n))
    assert crossings.draw(pool, 0.01, 500, random).n_interactions.min() == 0


def test_collisions_are_drawn_with_their_probabilities_turns_and_mirrors_evenly(random):
    pool = pools.join([collision()] * 3)
    probability = np.array([0.7, 0.3 - 1e-3, 1e-3])
    pool = replace(pool, probability=probability)
    drawn = crossings.draw(pool, 100, 1000, random)
    n_drawn = len(drawn.collision)
    for found, expected in (
        (np.bincount(drawn.collision), probability),
        (np.bincount(drawn.rows), np.full(72, 1 / 72)),
        (np.bincount(drawn.mirrored), np.full(2, 1 / 2)),
    ):
        assert stats.chisquare(found, n_drawn * expected).pvalue > 1e-3


def test_a_collision_of_probability_0_is_never_drawn(random):
    pool = pools.set_apart(random_pool(random, n_collisions=2), collision())
    assert set(crossings.draw(pool, 50, 100, random).collision) == {2}


def test_a_collision_of_its_own_is_in_each_crossing_as_it_is():
    pile_up = draws([(2, 5, True), (3, 6, False)], [], [(4, 7, True)])
    found = crossings.with_own(pile_up, np.array([0, 1, 0]))
    assert found.first.tolist() == [0, 3, 4, 6]
    assert found.collision.tolist() == [0, 2, 3, 1, 0, 4]
    assert found.rows.tolist() == [0, 5, 6, 0, 0, 7]
    assert found.mirrored.tolist() == [False, True, False, False, False, True]


def test_the_hardest_collision_of_each_crossing_is_found():
    hardness = np.array([3, 9, 0, 7], np.float32)
    found = crossings.hardest(
        draws([(0, 0, 0), (3, 0, 0), (2, 0, 0)], [], [(2, 0, 0)], [(1, 0, 0), (3, 0, 0)]), hardness
    )
    assert found.tolist() == [3, -1, 2, 1]


def test_primitives_are_rounded_cut_and_saturated():
    energy = np.array([0, 511, 512, 767, 768, 512 * 255 + 255, 512 * 300, 2**30], np.int32)
    found = crossings.primitives(energy.reshape(1, 2, 4)).reshape(-1)
    assert found.tolist() == [0, 0, 1, 1, 2, 255, 255, 255]
