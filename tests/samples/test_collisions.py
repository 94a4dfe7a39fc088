from __future__ import annotations

import awkward as ak
import numpy as np
import pytest

from trigforge.core.errors import SpecError, ToolError
from trigforge.samples import collisions
from trigforge.samples.collisions import Beam, process_of

BEAM = Beam(window_gev=(950.0, 1050.0), multi_parton_interactions=False)
SOURCES = [(name, source) for name in ("w", "z") for source in ("scalar", "graviton", "pair")]


def first_batch(class_name, source=None, seed=3, beam=BEAM):
    return next(collisions.generate(process_of(class_name, source), beam, seed))


def test_the_same_seed_gives_the_same_collisions():
    first, again, other = (first_batch("gluon", seed=seed) for seed in (3, 3, 4))
    assert ak.array_equal(first.particles, again.particles)
    assert not ak.array_equal(first.particles, other.particles)


@pytest.mark.parametrize("class_name", ["light_quark", "gluon", "top", "qcd"])
def test_every_event_has_two_partners_of_about_the_wanted_transverse_momentum(class_name):
    partners = first_batch(class_name).partners
    pt = np.hypot(partners.px, partners.py)
    if class_name == "light_quark":  # qq -> qq may have a heavy quark in it
        assert ak.all(ak.num(partners) <= 2)
        assert ak.mean(ak.num(partners)) > 1.8
    else:
        assert ak.all(ak.num(partners) == 2)
    assert 900 < np.median(ak.flatten(pt)) < 1100


@pytest.mark.parametrize(("class_name", "source"), SOURCES)
def test_bosons_have_their_mass_and_the_window_s_momentum(class_name, source):
    partners = first_batch(class_name, source).partners
    mass2 = partners.E**2 - partners.px**2 - partners.py**2 - partners.pz**2
    assert ak.all(ak.num(partners) == 2)
    assert np.median(ak.flatten(mass2)) == pytest.approx(
        {"w": 80.4, "z": 91.2}[class_name] ** 2, rel=0.05
    )
    pt = np.sort(ak.to_numpy(ak.flatten(np.hypot(partners.px, partners.py))))
    assert 900 < pt[len(pt) // 4] < pt[3 * len(pt) // 4] < 1100


def test_particles_balance_up_to_neutrinos_and_the_beam_pipe():
    particles = first_batch("gluon").particles
    balance = np.hypot(ak.sum(particles.px, axis=1), ak.sum(particles.py, axis=1))
    assert np.median(balance) < 60
    assert ak.all(abs(particles.pz) < np.sinh(5.0) * np.hypot(particles.px, particles.py))


def test_multi_parton_interactions_add_particles():
    busy = Beam(window_gev=BEAM.window_gev, multi_parton_interactions=True)
    with_them = first_batch("w", "scalar", beam=busy).particles
    without = first_batch("w", "scalar").particles
    assert ak.mean(ak.num(with_them)) > 1.3 * ak.mean(ak.num(without))


def test_nothing_is_printed(capfd):
    first_batch("z", "scalar")
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


def test_an_unknown_class_lists_the_known_ones():
    with pytest.raises(SpecError, match=r"'charm'; known: gluon, light_quark, qcd, top, w from"):
        process_of("charm")


def test_a_resonance_cannot_give_more_than_half_its_mass():
    beam = Beam(window_gev=(1000.0, 1100.0), multi_parton_interactions=False)
    with pytest.raises(SpecError, match="reach 1000 GeV, the window starts at 1000 GeV"):
        first_batch("w", "scalar", beam=beam)


def test_an_empty_window_is_refused():
    beam = Beam(window_gev=(600.0, 500.0), multi_parton_interactions=False)
    with pytest.raises(SpecError, match="600 to 500 GeV is empty"):
        first_batch("gluon", beam=beam)


def test_a_window_above_the_beams_is_refused(capfd):
    beam = Beam(window_gev=(7000.0, 8000.0), multi_parton_interactions=False)
    with pytest.raises(ToolError, match="cannot start with a window of 7000 to 8000 GeV"):
        first_batch("gluon", beam=beam)


def test_a_setting_pythia_does_not_know_is_refused(capfd):
    process = collisions.Process(settings=("HardQCD:nonsense = on",), partner_ids=(21,))
    with pytest.raises(ToolError, match="refuses the setting 'HardQCD:nonsense = on'"):
        next(collisions.generate(process, BEAM, 1))
