"""Small samples, generated once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from trigforge.core.config import JetsHlf, TopImages
from trigforge.core.records import Sample
from trigforge.core.store import Store
from trigforge.samples import generation


@pytest.fixture(scope="session")
def jets_spec() -> JetsHlf:
    return JetsHlf(
        kind="jets_hlf",
        jets_per_class=100,
        test_fraction=0.3,
        seed=11,
        jet_radius=0.8,
        multi_parton_interactions=False,
        parton_pt_gev=(950, 1050),
        boson_source="scalar",
    )


@pytest.fixture(scope="session")
def images_spec() -> TopImages:
    return TopImages(
        kind="top_images",
        jets_per_class=100,
        test_fraction=0.3,
        seed=12,
        jet_radius=0.8,
        multi_parton_interactions=False,
        jet_pt_gev=(550, 650),
        n_pixels=16,
        image_width=1.6,
        tower_size=0.05,
        normalise="none",
        pixel_bits=8,
        pixel_lsb=1.0,
    )


@pytest.fixture(scope="session")
def few_images_spec(images_spec) -> TopImages:
    """Fewer than a spec may ask for: for tests of what happens around the generator."""
    return images_spec.model_copy(update={"jets_per_class": 10})


@pytest.fixture(scope="session")
def store(tmp_path_factory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="session")
def jets_sample(jets_spec, store) -> Sample:
    return generation.generate(jets_spec, store, n_processes=1)


@pytest.fixture(scope="session")
def images_sample(images_spec, store) -> Sample:
    return generation.generate(images_spec, store, n_processes=1)


@pytest.fixture
def copied_store(store, jets_sample, tmp_path) -> Store:
    """Return a copy of the store that a test may spoil."""
    return Store(Path(shutil.copytree(store.root, tmp_path / "store")))
