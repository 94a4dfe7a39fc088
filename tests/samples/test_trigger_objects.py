from __future__ import annotations

import numpy as np
import pytest
from made_up_pools import collision, draws, random_pool

from trigforge.samples import crossings, trigger_objects
from trigforge.samples.trigger_objects import FEATURE_NAMES

NO_OBJECT = [0, 0, 0]


def objects_of(towers=(), muons=(), forward=()):
    found = crossings.overlay(collision(towers, muons, forward), draws([(0, 0, False)]))
    return dict(zip(FEATURE_NAMES, trigger_objects.describe(found)[0].tolist(), strict=True))


def three(objects, name):
    return [objects[f"{name}_{quantity}"] for quantity in ("pt", "eta", "phi")]


@pytest.fixture
def random():
    return np.random.default_rng(6)


def test_there_are_57_numbers_in_the_order_of_arxiv_2108_03986():
    assert len(FEATURE_NAMES) == len(set(FEATURE_NAMES)) == 57
    assert FEATURE_NAMES[:4] == ("met_pt", "met_eta", "met_phi", "egamma_1_pt")
    assert FEATURE_NAMES[15] == "muon_1_pt"
    assert FEATURE_NAMES[27] == "jet_1_pt"
    assert FEATURE_NAMES[-1] == "jet_10_phi"


def test_an_empty_crossing_is_all_zeros():
    assert not any(objects_of().values())


def test_a_planted_photon_appears_at_its_integers():
    objects = objects_of([(10, 30, 25.0, 0.0), (10, 31, 5.0, 0.0), (10, 33, 5, 0)])
    # row 10: the middle of the eleventh tower, 10.5 of 72, is 21 of 144; column 30 is the third
    # on the positive side: eta 2.5 * 0.087 = 5 * 0.0435
    assert three(objects, "egamma_1") == [60, 5, 21]
    assert three(objects, "egamma_2") == [10, 11, 21]
    assert three(objects, "jet_1") == [70, 5, 21]
    assert three(objects, "jet_2") == NO_OBJECT


def test_missing_energy_balances_what_is_there():
    objects = objects_of([(0, 20, 30.0, 20.0)])
    assert three(objects, "met") == [100, 0, 73]  # half a turn on: 0.5 + 36 rows of 72
    balanced = objects_of([(0, 20, 30.0, 20.0), (36, 40, 50.0, 0.0)])
    assert three(balanced, "met") == NO_OBJECT
    forward = objects_of([(0, 20, 30.0, 20.0)], forward=[(36, 20.0)])
    assert three(forward, "met") == [60, 0, 73]


def test_hadronic_energy_behind_a_cluster_makes_it_no_electron():
    assert three(objects_of([(5, 20, 20.0, 2.5)]), "egamma_1")[0] == 40
    assert three(objects_of([(5, 20, 20.0, 3.0)]), "egamma_1") == NO_OBJECT


def test_electrons_end_where_the_fine_calorimeter_does():
    for column, expected in ((1, 0), (2, 40), (53, 40), (54, 0)):
        assert objects_of([(5, column, 20.0, 0)])["egamma_1_pt"] == expected


def test_a_planted_muon_appears_as_the_chambers_gave_it():
    objects = objects_of(muons=[(44, -180, 575)])
    assert three(objects, "muon_1") == [44, -180, 575]
    assert three(objects, "muon_2") == NO_OBJECT


def test_a_planted_jet_is_summed_over_9_by_9_towers_and_sits_on_its_hottest():
    towers = [(row % 72, column, 0.5, 0.5) for row in range(-4, 5) for column in range(24, 33)]
    inside = objects_of([*towers, (0, 28, 10.0, 10.0)])
    assert three(inside, "jet_1") == [81 * 2 - 2 + 2 * 21, 1, 1]
    beside = objects_of([*towers, (0, 28, 10.0, 10.0), (5, 28, 0, 3.0), (0, 33, 0, 3.0)])
    assert beside["jet_1_pt"] == inside["jet_1_pt"]


def test_even_pile_up_is_taken_off_a_jet():
    flat = [(row, column, 1.0, 0.5) for row in range(72) for column in range(56)]
    for column in (0, 2, 28, 55):
        objects = objects_of([*flat, (30, column, 40.0, 40.0)])
        assert objects["jet_1_pt"] == 160
        assert objects["jet_2_pt"] == 0


def test_another_jet_beside_one_is_not_taken_for_pile_up():
    objects = objects_of([(30, 28, 0, 50.0), (36, 28, 0, 40.0)])
    assert [objects["jet_1_pt"], objects["jet_2_pt"]] == [100, 80]


def test_of_two_equal_towers_one_is_the_jet():
    objects = objects_of([(71, 28, 0, 20.0), (0, 28, 0, 20.0)])
    assert [objects["jet_1_pt"], objects["jet_2_pt"]] == [80, 0]


def test_objects_saturate():
    towers = [(row, column, 200, 200) for row in range(9) for column in range(20, 29)]
    objects = objects_of(towers)
    assert three(objects, "jet_1")[0] == 2047
    assert three(objects, "egamma_1") == NO_OBJECT
    assert objects["met_pt"] == 4095
    assert objects_of([(0, 9, 200, 0), (0, 10, 200, 0)])["egamma_1_pt"] == 510


def test_objects_of_a_kind_are_sorted_and_padded_with_zeros(random):
    pool = random_pool(random, n_collisions=8, n_towers=500)
    found = trigger_objects.describe(crossings.overlay(pool, crossings.draw(pool, 5, 300, random)))
    assert found.shape == (300, 57)
    assert found.dtype == np.int16
    for first, n_objects in ((3, 4), (15, 4), (27, 10)):
        own = found[:, first : first + 3 * n_objects].reshape(300, n_objects, 3)
        assert (np.diff(own[:, :, 0], axis=1) <= 0).all()
        assert not own[own[:, :, 0] == 0].any()
        assert (own[:, :, 0] > 0).any()
    assert (np.abs(found[:, 1::3]) <= 225).all()
    assert (found[:, 2::3] >= 0).all()
    assert (found[:, 2::3] < 576).all()


def test_a_turned_and_mirrored_crossing_has_turned_and_mirrored_objects(random):
    pool = random_pool(random, n_collisions=1, n_towers=30)
    plain, moved = (
        trigger_objects.describe(crossings.overlay(pool, draws([(0, rows, mirror)])))[0]
        for rows, mirror in ((0, False), (9, True))
    )
    egammas, jets = plain[3:15].reshape(4, 3), plain[27:].reshape(10, 3)
    for own, other in ((egammas, moved[3:15]), (jets, moved[27:])):
        real = own[own[:, 0] > 0]
        expected = np.column_stack((real[:, 0], -real[:, 1], (real[:, 2] + 18) % 144))
        assert sorted(expected.tolist()) == sorted(other.reshape(-1, 3)[: len(real)].tolist())
