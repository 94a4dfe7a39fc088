from __future__ import annotations

from itertools import combinations

import awkward as ak
import fastjet
import numpy as np
import pytest
from four_momenta import momentum

from trigforge.samples import features, jets
from trigforge.samples.features import FEATURE_NAMES
from trigforge.samples.jets import Groomed, Jets


def random_constituents(seed, sizes):
    random = np.random.default_rng(seed)
    return ak.Array(
        [
            [
                momentum(pt, y, phi, mass=0.14)
                for pt, y, phi in zip(
                    random.exponential(20, n) + 0.1,
                    random.normal(0.5, 0.3, n),
                    random.normal(np.pi, 0.3, n),  # across the seam of the azimuth
                    strict=True,
                )
            ]
            for n in sizes
        ]
    )


def as_jets(constituents):
    total = {axis: ak.sum(constituents[axis], axis=1) for axis in ("px", "py", "pz", "E")}
    event = np.arange(len(constituents), dtype=np.int64)
    return Jets(momenta=ak.zip(total), constituents=constituents, event=event)


def brute_force(constituents):
    """Compute the 16 features of one jet that is not groomed, from the definitions."""
    pt = np.array([np.hypot(p["px"], p["py"]) for p in constituents])
    y = np.array([np.arctanh(p["pz"] / p["E"]) for p in constituents])
    phi = np.array([np.arctan2(p["py"], p["px"]) for p in constituents])
    z = pt / pt.sum()

    def theta(i, j):
        return np.hypot(y[i] - y[j], np.angle(np.exp(1j * (phi[i] - phi[j]))))

    def e2(beta):
        return sum(z[i] * z[j] * theta(i, j) ** beta for i, j in combinations(range(len(z)), 2))

    def e3(beta, n_angles):
        total = 0.0
        for triple in combinations(range(len(z)), 3):
            angles = sorted(theta(i, j) for i, j in combinations(triple, 2))
            total += np.prod(z[list(triple)]) * np.prod(angles[:n_angles]) ** beta
        return total

    energy = [sum(p[axis] for p in constituents) for axis in ("E", "px", "py", "pz")]
    return {
        "zlogz": np.sum(z * np.log(z)),
        **{f"c1_b{b}_mmdt": e2(b) for b in (0, 1, 2)},
        **{f"c2_b{b}_mmdt": e3(b, 3) / e2(b) ** 2 for b in (1, 2)},
        **{f"d2_b{b}_mmdt": e3(b, 3) / e2(b) ** 3 for b in (1, 2)},
        "d2_a1_b1_mmdt": e3(1, 3) / e2(1) ** 3,
        "d2_a1_b2_mmdt": e3(1, 3) / e2(2) ** 1.5,
        **{f"m2_b{b}_mmdt": e3(b, 1) / e2(b) for b in (1, 2)},
        **{f"n2_b{b}_mmdt": e3(b, 2) / e2(b) ** 2 for b in (1, 2)},
        "mass_mmdt": np.sqrt(energy[0] ** 2 - sum(p**2 for p in energy[1:])),
        "multiplicity": len(z),
    }


def ungroomed(constituents):
    whole = as_jets(constituents)
    mass2 = sum(
        sign * whole.momenta[a] ** 2
        for a, sign in zip(["E", "px", "py", "pz"], (1, -1, -1, -1), strict=True)
    )
    return whole, Groomed(mass_gev=np.sqrt(np.asarray(mass2)), constituents=constituents)


def test_every_feature_agrees_with_its_definition():
    constituents = random_constituents(1, (3, 4, 9, 17))
    values = features.jet_features(*ungroomed(constituents))
    for row, own in zip(values, constituents.tolist(), strict=True):
        expected = brute_force(own)
        assert tuple(expected) == FEATURE_NAMES
        np.testing.assert_allclose(row, list(expected.values()), rtol=2e-6)


@pytest.mark.parametrize(
    ("column", "n_points", "n_angles", "beta"),
    [(1, 2, 1, 1.0), (2, 2, 1, 2.0)]
    + [
        (3 + i, 3, v, b)
        for i, (v, b) in enumerate([(3, 1.0), (3, 2.0), (1, 1.0), (1, 2.0), (2, 1.0), (2, 2.0)])
    ],
)
def test_correlators_agree_with_fastjet_contrib(column, n_points, n_angles, beta):
    constituents = random_constituents(2, (3, 12, 40))
    definition = fastjet.JetDefinition(fastjet.cambridge_algorithm, 10.0)
    sequence = fastjet.ClusterSequence(constituents, definition)
    reference = sequence.exclusive_jets_energy_correlator(
        njets=1, beta=beta, npoint=n_points, angles=n_angles, func="generalized", normalized=True
    )
    own = features.correlators(constituents)[:, column]
    np.testing.assert_allclose(own, np.ravel(reference), rtol=1e-9)


def test_groomed_features_ignore_soft_wide_radiation_but_multiplicity_counts_it():
    hard = [momentum(300, 0.0, 0.0), momentum(200, 0.2, 0.1), momentum(100, 0.1, 0.2)]
    soft = [momentum(1, 0.7, 0.1)]
    clean, noisy = (as_jets(ak.Array([own])) for own in (hard, hard + soft))
    first, second = (features.jet_features(own, jets.groom(own))[0] for own in (clean, noisy))
    np.testing.assert_array_equal(first[1:15], second[1:15])
    assert (first[15], second[15]) == (3, 4)
    assert first[0] != second[0]


@pytest.mark.parametrize("n", [1, 2])
def test_ratios_without_a_denominator_are_zero(n):
    values = features.jet_features(*ungroomed(random_constituents(3, (n,))))[0]
    assert np.isfinite(values).all()
    assert (values[4:14] == 0).all()


def test_two_particles_give_the_closed_form():
    own = ak.Array([[momentum(75, 0.0, 0.0), momentum(25, 0.3, 0.4)]])
    values = dict(zip(FEATURE_NAMES, features.jet_features(*ungroomed(own))[0], strict=True))
    z = 0.25
    assert values["c1_b0_mmdt"] == pytest.approx(z * (1 - z))
    assert values["c1_b1_mmdt"] == pytest.approx(z * (1 - z) * 0.5)
    assert values["c1_b2_mmdt"] == pytest.approx(z * (1 - z) * 0.25)
    assert values["zlogz"] == pytest.approx(0.75 * np.log(0.75) + 0.25 * np.log(0.25))


def test_features_do_not_depend_on_where_the_jet_points():
    constituents = random_constituents(4, (20,))
    turned = ak.zip(
        {
            "px": -constituents.py,
            "py": constituents.px,
            "pz": constituents.pz,
            "E": constituents.E,
        }
    )
    first, second = (features.jet_features(*ungroomed(own)) for own in (constituents, turned))
    np.testing.assert_allclose(first, second, rtol=1e-5)
