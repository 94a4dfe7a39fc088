"""Small samples, generated once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from trigforge.core.config import CalorimeterRegions, JetsHlf, TopImages, TriggerObjects
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


CROSSINGS = {
    "zero_bias_events": 300,
    "signal_events": 20,
    "signals": ("top_pair", "higgs_four_leptons"),
    "pileup": 30.0,
    "pool_collisions": 100,
    "test_fraction": 0.4,
    "seed": 13,
}


@pytest.fixture(scope="session")
def regions_spec() -> CalorimeterRegions:
    return CalorimeterRegions(
        kind="calorimeter_regions", region_bits=10, region_lsb_gev=0.5, **CROSSINGS
    )


@pytest.fixture(scope="session")
def objects_spec() -> TriggerObjects:
    return TriggerObjects(kind="trigger_objects", **CROSSINGS)


@pytest.fixture(scope="session")
def regions_sample(regions_spec, session_store) -> Sample:
    return generation.generate(regions_spec, session_store, n_processes=1)


@pytest.fixture(scope="session")
def objects_sample(objects_spec, session_store, regions_sample) -> Sample:
    """The pools of collisions are those of the regions: nothing is generated."""
    return generation.generate(objects_spec, session_store, n_processes=1)


@pytest.fixture
def copied_store(store, jets_sample, tmp_path) -> Store:
    """Return a copy of the store that a test may spoil."""
    return Store(Path(shutil.copytree(store.root, tmp_path / "store")))
