from __future__ import annotations

import awkward as ak
import numpy as np
import pytest
from four_momenta import momentum

from trigforge.samples import collisions, jets
from trigforge.samples.collisions import Beam, Events, process_of
from trigforge.samples.jets import Jets


@pytest.fixture(scope="module")
def events():
    beam = Beam(window_gev=(950.0, 1050.0), multi_parton_interactions=False)
    return next(collisions.generate(process_of("top"), beam, 5))


@pytest.fixture(scope="module")
def found(events):
    return jets.find_jets(events, 0.8, 475.0)


def test_a_jet_is_the_sum_of_its_constituents(found):
    for axis in ("px", "py", "pz", "E"):
        total = ak.sum(found.constituents[axis], axis=1)
        np.testing.assert_allclose(total, found.momenta[axis], rtol=1e-9, atol=1e-8)


def test_most_events_give_two_jets_and_none_gives_more(events, found):
    per_event = np.bincount(found.event, minlength=len(events.particles))
    assert per_event.max() == 2
    assert per_event.mean() > 1.7


def test_every_jet_is_near_its_partner_and_central(events, found):
    partners = events.partners[found.event]
    dphi = jets.wrap(jets.azimuth(found.momenta) - jets.azimuth(partners))
    dy = jets.rapidity(found.momenta) - jets.rapidity(partners)
    assert ak.all(ak.min(np.hypot(dy, dphi), axis=1) < 0.4)
    assert ak.all(abs(jets.rapidity(found.momenta)) < 2.5)


def test_jets_far_from_the_partner_or_beyond_the_tracker_are_dropped():
    particles = [momentum(300, 0, 3.1), momentum(200, 0, 0), momentum(90, 1, 1)]
    forward = [momentum(300, 2.6, 0)]
    partners = [[momentum(300, 0.1, -3.1), momentum(80, 1, 1)], [momentum(300, 2.6, 0)]]
    events = Events(particles=ak.Array([particles, forward]), partners=ak.Array(partners))
    found = jets.find_jets(events, 0.4, 50.0)
    assert found.event.tolist() == [0]
    assert jets.transverse_momentum(found.momenta)[0] == pytest.approx(300)


def test_events_without_jets_give_none():
    soft = Events(
        particles=ak.Array([[momentum(1, 0, 0)]] * 3),
        partners=ak.Array([[momentum(1, 0, 0)]] * 3),
    )
    assert len(jets.find_jets(soft, 0.4, 50.0)) == 0


@pytest.mark.parametrize("y", [-6.0, -1.0, 0.0, 0.3, 8.0])
def test_rapidity_is_the_one_a_momentum_was_made_with(y):
    assert jets.rapidity(ak.Array([momentum(10, y, 1, mass=3)]))[0] == pytest.approx(y)


def plain_soft_drop(constituents, z_cut):
    """Cluster with Cambridge/Aachen, pair by pair, and walk the tree down."""
    nodes = [(np.array([p["px"], p["py"], p["pz"], p["E"]]), None) for p in constituents]

    def distance(a, b):
        y = [0.5 * np.log((p[3] + p[2]) / (p[3] - p[2])) for p in (a, b)]
        dphi = abs(np.arctan2(a[1], a[0]) - np.arctan2(b[1], b[0]))
        return np.hypot(y[0] - y[1], min(dphi, 2 * np.pi - dphi))

    while len(nodes) > 1:
        pairs = [(i, j) for i in range(len(nodes)) for j in range(i)]
        i, j = min(pairs, key=lambda pair: distance(nodes[pair[0]][0], nodes[pair[1]][0]))
        second, first = nodes.pop(i), nodes.pop(j)
        nodes.append((first[0] + second[0], (first, second)))
    node = nodes[0]
    while node[1] is not None:
        hard, soft = sorted(node[1], key=lambda child: -np.hypot(*child[0][:2]))
        pt_hard, pt_soft = np.hypot(*hard[0][:2]), np.hypot(*soft[0][:2])
        if pt_soft / (pt_hard + pt_soft) >= z_cut:
            break
        node = hard
    p = node[0]
    return np.sqrt(max(p[3] ** 2 - p[0] ** 2 - p[1] ** 2 - p[2] ** 2, 0)), np.hypot(*p[:2])


def test_grooming_agrees_with_a_plain_implementation(found):
    few = found.select(np.asarray(ak.num(found.constituents) < 45))
    assert len(few) >= 3
    groomed = jets.groom(few)
    for index in range(min(len(few), 5)):
        mass, pt = plain_soft_drop(few.constituents[index].tolist(), 0.1)
        own = groomed.constituents[index]
        assert groomed.mass_gev[index] == pytest.approx(mass, rel=1e-6)
        assert np.hypot(ak.sum(own.px), ak.sum(own.py)) == pytest.approx(pt)


def test_a_jet_of_one_particle_survives_grooming():
    one = Jets(
        momenta=ak.Array([momentum(9, 0, 0)]),
        constituents=ak.Array([[momentum(9, 0, 0)]]),
        event=np.zeros(1, np.int64),
    )
    groomed = jets.groom(one)
    assert groomed.mass_gev.tolist() == [0.0]
    assert ak.num(groomed.constituents).tolist() == [1]


def test_nothing_is_printed(events, capfd):
    jets.groom(jets.find_jets(events, 0.8, 475.0))
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
