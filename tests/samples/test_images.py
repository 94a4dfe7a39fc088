from __future__ import annotations

import awkward as ak
import numpy as np
import pytest
from four_momenta import momentum

from trigforge.samples import images
from trigforge.samples.images import Towers


def spread_towers(n_jets=6, n_towers=40, seed=0):
    random = np.random.default_rng(seed)
    jet = np.repeat(np.arange(n_jets), n_towers)
    size = n_jets * n_towers
    return Towers(
        n_jets=n_jets,
        jet=jet,
        eta=random.normal(0, 0.15, size) + 0.4,
        phi=random.normal(0, 0.3, size) + 1.0,
        et_gev=random.exponential(10, size),
    )


def transformed(towers, angle=0.0, eta_sign=1, phi_sign=1, shift=(0.0, 0.0)):
    eta, phi = eta_sign * towers.eta, phi_sign * towers.phi
    cosine, sine = np.cos(angle), np.sin(angle)
    return towers.moved_to(
        cosine * eta - sine * phi + shift[0], sine * eta + cosine * phi + shift[1]
    )


def assert_same_positions(first, second):
    np.testing.assert_allclose(first.eta, second.eta, atol=1e-9)
    np.testing.assert_allclose(first.phi, second.phi, atol=1e-9)


@pytest.mark.parametrize("angle", [0.3, 1.2, -0.8])
def test_a_turned_jet_gives_the_same_towers(angle):
    towers = spread_towers()
    assert_same_positions(images.turned(towers), images.turned(transformed(towers, angle)))


@pytest.mark.parametrize("signs", [(-1, 1), (1, -1), (-1, -1)])
def test_a_mirrored_jet_gives_the_same_towers(signs):
    towers = spread_towers()
    mirrored = transformed(towers, eta_sign=signs[0], phi_sign=signs[1])
    assert_same_positions(images.turned(towers), images.turned(mirrored))


def test_a_moved_jet_gives_the_same_towers_even_across_the_seam_of_the_azimuth():
    towers = spread_towers()
    moved = transformed(towers, shift=(0.7, 2.3))
    moved = moved.moved_to(moved.eta, np.angle(np.exp(1j * moved.phi)))
    assert np.ptp(moved.phi) > 6
    assert_same_positions(images.turned(towers), images.turned(moved))


def test_the_centroid_is_the_origin_and_the_long_axis_is_vertical():
    towers = images.turned(spread_towers())
    np.testing.assert_allclose(towers.sums(towers.et_gev * towers.eta), 0, atol=1e-9)
    np.testing.assert_allclose(towers.sums(towers.et_gev * towers.phi), 0, atol=1e-9)
    np.testing.assert_allclose(towers.sums(towers.et_gev * towers.eta * towers.phi), 0, atol=1e-9)
    vertical = towers.sums(towers.et_gev * towers.phi**2)
    assert (vertical > towers.sums(towers.et_gev * towers.eta**2)).all()


def test_the_hottest_tower_is_in_the_first_quadrant():
    towers = images.turned(spread_towers(n_jets=50))
    hottest = [
        np.flatnonzero(towers.jet == jet)[np.argmax(towers.et_gev[towers.jet == jet])]
        for jet in range(50)
    ]
    assert (towers.eta[hottest] >= 0).all()
    assert (towers.phi[hottest] >= 0).all()


@pytest.mark.parametrize("n_pixels", [4, 16, 40])
def test_energy_inside_the_window_is_conserved(n_pixels):
    towers = images.turned(spread_towers())
    inside = (abs(towers.eta) < 0.5) & (abs(towers.phi) < 0.5)
    assert np.count_nonzero(~inside) > 0
    pixels = images.pixelated(towers, n_pixels, 1.0)
    np.testing.assert_allclose(pixels.sum((1, 2)), towers.sums(towers.et_gev * inside))


def test_rows_follow_azimuth_and_columns_pseudorapidity():
    one = Towers(
        n_jets=1,
        jet=np.zeros(1, np.int64),
        eta=np.array([-0.19]),
        phi=np.array([0.05]),
        et_gev=np.ones(1),
    )
    pixels = images.pixelated(one, 4, 0.4)[0]
    assert np.argwhere(pixels).tolist() == [[2, 0]]


def test_particles_in_the_same_tower_are_summed():
    own = [momentum(10, 0.01, 0.01), momentum(5, 0.03, 0.04), momentum(2, 0.07, 0.01)]
    towers = images.sum_into_towers(ak.Array([own, own[:1]]), 0.05)
    assert towers.jet.tolist() == [0, 0, 1]
    np.testing.assert_allclose(towers.et_gev, [15, 2, 10])
    np.testing.assert_allclose(towers.eta, [0.025, 0.075, 0.025])


def test_towers_carry_the_transverse_energy_of_the_particles():
    random = np.random.default_rng(5)
    own = [
        momentum(pt, y, phi) for pt, y, phi in random.uniform([1, -2, -3.2], [50, 2, 3.2], (30, 3))
    ]
    towers = images.sum_into_towers(ak.Array([own]), 0.1)
    assert towers.et_gev.sum() == pytest.approx(sum(np.hypot(p["px"], p["py"]) for p in own))
    assert (abs(towers.phi) < np.pi).all()


def test_values_round_and_saturate():
    values = np.array([0.0, 0.4, 0.6, 1.0, 300.0, 1e9])
    assert images.quantised(values, 8, 1.0).tolist() == [0, 0, 1, 1, 255, 255]
    assert images.quantised(values, 4, 0.5).tolist() == [0, 1, 1, 2, 15, 15]
    assert images.quantised(values, 8, 1.0).dtype == np.uint8
    assert images.quantised(values, 9, 1.0).dtype == np.uint16
    assert images.quantised(values, 16, 1.0)[-1] == 65535


@pytest.mark.parametrize(("how", "reduce"), [("sum", np.sum), ("maximum", np.max)])
def test_normalised_images_are_one_and_empty_ones_stay_empty(how, reduce):
    pixels = np.random.default_rng(6).random((3, 8, 8))
    pixels[1] = 0
    result = images.normalised(pixels, how)
    np.testing.assert_allclose(reduce(result, axis=(1, 2)), [1, 0, 1])


def test_the_spec_decides_shape_and_type(images_spec):
    own = ak.Array([[momentum(400, 0.1, 0.2), momentum(150, 0.4, 0.5)]])
    for n_pixels, bits, dtype in ((16, 8, np.uint8), (40, 12, np.uint16)):
        spec = images_spec.model_copy(update={"n_pixels": n_pixels, "pixel_bits": bits})
        result = images.jet_images(own, spec)
        assert result.shape == (1, n_pixels, n_pixels, 1)
        assert result.dtype == dtype
        assert np.sort(result[result > 0]).tolist() == [150, min(400, 2**bits - 1)]
