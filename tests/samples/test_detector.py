from __future__ import annotations

import numpy as np
import pytest

from trigforge.samples import detector
from trigforge.samples.inelastic import Particles

MASSES = {22: 0.0, 11: 0.000511, 13: 0.1057, 211: 0.1396, 2212: 0.9383, 130: 0.4976}


def particles(*listed, n_collisions=1):
    """Return particles given as ``(code, pt, eta, phi)`` or with their collision at the end."""
    code, pt, eta, phi, collision = np.array(
        [(*own, 0)[:5] if len(own) == 4 else own for own in listed], float
    ).T
    mass = np.array([MASSES[abs(int(own))] for own in code])
    return Particles(
        n_collisions=n_collisions,
        collision=collision.astype(np.int64),
        code=code.astype(np.int64),
        px=pt * np.cos(phi),
        py=pt * np.sin(phi),
        pz=pt * np.sinh(eta),
        energy=np.hypot(pt * np.cosh(eta), mass),
    )


@pytest.fixture
def random():
    return np.random.default_rng(7)


@pytest.fixture
def perfect(monkeypatch):
    """No smearing, and every muon is found."""
    monkeypatch.setattr(detector, "EM_RESOLUTION", (0.0, 0.0))
    monkeypatch.setattr(detector, "HADRON_RESOLUTION", (0.0, 0.0))
    monkeypatch.setattr(detector, "FORWARD_RESOLUTION", (0.0, 0.0))
    monkeypatch.setattr(detector, "MUON_EFFICIENCY", 1.0)
    monkeypatch.setattr(detector, "MUON_CURVATURE_RESOLUTION", 0.0)
    monkeypatch.setattr(detector, "MUON_ANGLE_RESOLUTION", 0.0)


def test_the_towers_are_those_of_cms():
    edges = detector.TOWER_EDGES
    assert len(edges) == 57
    np.testing.assert_array_equal(edges, -edges[::-1])
    np.testing.assert_allclose(np.diff(edges)[8:48], 0.087)
    np.testing.assert_allclose(edges[-3:], [2.5, 2.65, 3.0])


def test_a_photon_is_in_its_tower_and_electromagnetic(perfect, random):
    found = detector.deposit(particles((22, 20.0, 0.1, 0.1)), random)
    assert (found.tower.tolist(), found.had.tolist()) == ([1 * 56 + 29], [0])
    assert found.em.tolist() == [20 * 1024]


def test_positions_at_the_seam_of_azimuth_and_at_the_ends_have_a_tower():
    eta, phi = np.array([-2.999, 0.0, 2.999, 0.0]), np.array([-1e-9, 1e-9, np.pi, -np.pi])
    found = detector.tower_of(eta, phi)
    assert found.tolist() == [71 * 56, 28, 36 * 56 + 55, 36 * 56 + 28]


def test_energy_is_added_up_by_tower_beyond_3_by_row_and_lost_beyond_5(perfect, random):
    listed = particles(
        (22, 3.0, 0.05, 0.01, 0),
        (22, 4.0, 0.06, 0.02, 0),
        (22, 9.0, 3.1, 0.02, 0),
        (22, 9.0, 5.1, 0.02, 0),
        (22, 5.0, 0.05, 0.01, 2),
        n_collisions=3,
    )
    found = detector.deposit(listed, random)
    assert found.collision.tolist() == [0, 2]
    assert found.em.tolist() == [7 * 1024, 5 * 1024]
    assert found.forward.shape == (3, 72)
    assert found.forward.sum() == found.forward[0, 0] == 9 * 1024


def test_muons_leave_nothing_in_the_calorimeters_and_hadrons_all_they_have(perfect, random):
    listed = particles((13, 50.0, 0.5, 1.0), *[(130, 30.0, 0.5, 1.0)] * 400)
    found = detector.deposit(listed, random)
    energy = 400 * np.hypot(30 * np.cosh(0.5), 0.4976) / np.cosh(0.5) * 1024
    assert found.em[0] + found.had[0] == pytest.approx(energy, abs=400)
    assert found.em[0] / energy == pytest.approx((1 - np.exp(-1.1)) / 2, abs=0.05)


@pytest.mark.parametrize(
    ("code", "eta", "resolution"),
    [(22, 0.05, (0.03, 0.005)), (130, 0.05, (1.0, 0.05)), (22, 4.0, (2.0, 0.09))],
)
def test_energies_are_smeared_with_the_calorimeter_s_resolution(code, eta, resolution, random):
    n, pt = 4000, 50.0
    listed = particles(*[(code, pt, eta, 0.01, i) for i in range(n)], n_collisions=n)
    found = detector.deposit(listed, random)
    measured = (found.forward[:, 0] if eta > 3 else found.em + found.had) / 1024
    spread = pt * np.hypot(resolution[0] / np.sqrt(pt * np.cosh(eta)), resolution[1])
    assert measured.mean() == pytest.approx(pt, abs=4 * spread / np.sqrt(n))
    assert measured.std() == pytest.approx(spread, rel=4 / np.sqrt(2 * n))


@pytest.mark.parametrize("charge", [1, -1])
def test_charged_particles_bend_by_the_field_and_neutral_ones_do_not(charge):
    pt = 5.0
    _, phi = detector.impact(particles((charge * 211, pt, 0.2, 1.0), (22, pt, 0.2, 1.0)))
    radius = pt / (0.299792458 * 3.8)
    assert phi[0] - 1.0 == pytest.approx(-charge * np.arcsin(1.29 / 2 / radius))
    assert phi[1] == pytest.approx(1.0)


def test_fast_charged_particles_go_straight():
    eta, phi = detector.impact(particles((211, 5000.0, 0.7, 1.0), (-211, 5000.0, 2.5, 2.0)))
    np.testing.assert_allclose(eta, [0.7, 2.5], atol=1e-4)
    np.testing.assert_allclose(phi, [1.0, 2.0], atol=1e-3)


def test_slow_charged_particles_curl_up_to_the_endcap():
    eta, _ = detector.impact(particles((211, 0.4, 0.1, 1.0), (211, 0.8, 0.1, 1.0)))
    assert abs(eta[0]) > 1.6  # 3.15 m along and less than 0.7 m out
    assert abs(eta[1]) < 0.2


def test_a_particle_across_the_beam_ends_somewhere():
    eta, phi = detector.impact(particles((211, 5.0, 0.0, 1.0), (211, 0.2, 0.0, 1.0)))
    assert abs(eta[0]) < 1e-6
    assert np.isfinite(phi).all()
    assert abs(eta[1]) > 2


def test_charges_follow_the_pdg_codes():
    code = np.array([11, -11, 13, 22, 211, -211, 321, 2212, -2212, 2112, 130, 3112, -3112, 3222])
    expected = [-1, 1, -1, 0, 1, -1, 1, 1, -1, 0, 0, -1, 1, 1]
    assert detector.charge_of(code).tolist() == expected


def test_muons_are_found_within_acceptance(perfect, random):
    listed = particles(
        (13, 20.0, -1.0, 2.0, 1),
        (-13, 2.9, 1.0, 2.0, 1),
        (13, 20.0, 2.41, 2.0, 1),
        (211, 20.0, 0.0, 2.0, 1),
        n_collisions=2,
    )
    found = detector.detect_muons(listed, random)
    assert found.collision.tolist() == [1]
    np.testing.assert_allclose((found.pt_gev, found.eta, found.phi), [[20], [-1], [2]])


def test_muons_are_found_with_their_efficiency_and_smeared_in_curvature(random):
    n = 5000
    listed = particles(*[(13, 10.0, 0.5, 1.0)] * n)
    found = detector.detect_muons(listed, random)
    assert len(found.pt_gev) / n == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / n))
    assert np.median(10 / found.pt_gev) == pytest.approx(1, abs=0.02)
    assert (10 / found.pt_gev).std() == pytest.approx(0.2, rel=0.06)
    assert found.pt_gev.max() <= 50
