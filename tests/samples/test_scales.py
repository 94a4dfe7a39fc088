from __future__ import annotations

import numpy as np
import pytest

from trigforge.samples.scales import EGAMMA, JET, MUON, SUM


def test_transverse_momenta_are_rounded_to_half_a_gev_and_saturate():
    assert JET.pt(np.array([0, 0.2, 0.3, 100.0, 1023.5, 5000])).tolist() == [
        0, 0, 1, 200, 2047, 2047,
    ]  # fmt: skip
    assert [scale.pt(np.array([1e6]))[0] for scale in (SUM, EGAMMA, MUON)] == [4095, 511, 511]


def test_pseudorapidities_have_a_sign():
    assert MUON.eta(np.array([-2.4, 0.0, 0.010875, 2.4, 9.0])).tolist() == [-221, 0, 1, 221, 225]
    assert JET.eta(np.array([-5.0, 0.0435])).tolist() == [-115, 1]


@pytest.mark.parametrize(("scale", "n_phi"), [(JET, 144), (EGAMMA, 144), (SUM, 144), (MUON, 576)])
def test_azimuths_go_once_around_from_zero(scale, n_phi):
    angle = (np.arange(-2 * n_phi, 2 * n_phi) + 0.5) * 2 * np.pi / n_phi
    assert scale.phi(angle).tolist() == list(range(n_phi)) * 4
