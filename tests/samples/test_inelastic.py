from __future__ import annotations

import numpy as np
import pytest

from trigforge.samples import inelastic, truth
from trigforge.samples.inelastic import BOSON, HARD, SIGNALS, SLICES, SOFT


def collided(process, n_collisions, seed=21):
    return list(inelastic.collide(process, seed, n_collisions))


def of_all(batches, name):
    return np.concatenate([getattr(batch.visible, name) for batch in batches])


def test_the_slices_are_all_inelastic_collisions():
    assert sum(part.probability for part in SLICES) == pytest.approx(1, abs=1e-15)
    assert sum(part.pool_share for part in SLICES) == pytest.approx(1, abs=1e-15)
    assert SOFT.probability > 0.98


def test_soft_collisions_are_as_many_as_asked_and_look_like_minimum_bias():
    batches = collided(SOFT.process, 150)
    assert [batch.visible.n_collisions for batch in batches] == [
        len(batch.weight) for batch in batches
    ]
    assert sum(len(batch.weight) for batch in batches) == 150
    assert all((batch.weight == 1).all() for batch in batches)
    eta, charge = of_all(batches, "eta"), np.isin(np.abs(of_all(batches, "code")), (211, 321, 2212))
    per_unit = np.count_nonzero(charge & (np.abs(eta) < 2)) / 4 / 150
    assert 4 < per_unit < 8  # about 6 measured at 13 TeV, diffraction included
    assert np.abs(eta).max() < 5


def test_a_pythia_that_is_used_again_gives_what_a_new_one_gives():
    first = collided(SOFT.process, 20, seed=5)
    collided(SOFT.process, 30, seed=6)
    again = collided(SOFT.process, 20, seed=5)
    inelastic._started.cache_clear()
    anew = collided(SOFT.process, 20, seed=5)
    for other in (again, anew):
        np.testing.assert_array_equal(of_all(first, "px"), of_all(other, "px"))
    assert len(of_all(collided(SOFT.process, 20, seed=6), "px")) != len(of_all(first, "px"))


def test_hard_collisions_are_weighted_for_being_made_too_often():
    batches = collided(HARD.process, 300)
    weight = np.concatenate([batch.weight for batch in batches])
    jet_pt = np.concatenate([truth.describe(batch)[:, 0] for batch in batches])
    assert np.count_nonzero(jet_pt > 80) > 30
    assert 0 < weight.min() < 1e-2 < weight.max() <= 1.02
    share = weight[jet_pt > 80].sum() / weight.sum()
    assert 1e-3 < share < 2e-2  # 0.0036 mb of 0.77 mb scatter at more than 80 GeV


def test_single_bosons_give_leptons():
    codes = np.abs(of_all(collided(BOSON.process, 100), "code"))
    pt = of_all(collided(BOSON.process, 100), "pt")
    assert np.count_nonzero(np.isin(codes, (11, 13)) & (pt > 20)) > 5


@pytest.mark.parametrize(("name", "hard_leptons"), [("top_pair", 0.3), ("higgs_four_leptons", 2)])
def test_signals_have_their_leptons_and_jets(name, hard_leptons):
    batches = collided(SIGNALS[name], 60)
    codes, pt = np.abs(of_all(batches, "code")), of_all(batches, "pt")
    assert np.count_nonzero(np.isin(codes, (11, 13)) & (pt > 8)) / 60 > hard_leptons
    described = np.concatenate([truth.describe(batch) for batch in batches])
    assert described.shape == (60, 3)
    assert (described[:, 1] >= described[:, 0] * (described[:, 0] > 30)).all()


@pytest.mark.parametrize("name", ["higgs_tau_tau", "leptoquark_pair"])
def test_taus_give_missing_momentum(name):
    described = np.concatenate([truth.describe(batch) for batch in collided(SIGNALS[name], 40)])
    assert np.median(described[:, 2]) > 8


def test_the_signals_are_those_a_spec_may_name():
    from typing import get_args

    from trigforge.core.config.sample import SignalName

    assert set(SIGNALS) == set(get_args(SignalName))


def test_neutrinos_are_not_visible():
    for batch in collided(SIGNALS["higgs_tau_tau"], 20):
        assert not np.isin(np.abs(batch.visible.code), (12, 14, 16)).any()
        assert np.isin(np.abs(batch.neutrinos.code), (12, 14, 16)).all()
        assert len(batch.neutrinos.code) >= 40
