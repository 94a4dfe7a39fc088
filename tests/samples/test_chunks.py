from __future__ import annotations

import numpy as np
import pytest

from trigforge.core.errors import SpecError, StoreError
from trigforge.core.store import Store
from trigforge.samples import chunks, jet_recipe
from trigforge.samples.chunks import ChunkKey
from trigforge.samples.jet_recipe import JetRecipe


def key(class_name="w", index=0, n_jets=30):
    return ChunkKey(class_name=class_name, index=index, n_examples=n_jets)


def changed(spec, **update):
    return JetRecipe(spec.model_copy(update=update))


def test_a_sample_is_made_of_full_chunks_and_a_rest(jets_spec):
    keys = changed(jets_spec, jets_per_class=2300).chunk_keys()
    own = [entry for entry in keys if entry.class_name == "top"]
    assert [(entry.index, entry.n_examples) for entry in own] == [(0, 1000), (1, 1000), (2, 300)]
    assert len(keys) == 15


def test_a_smaller_chunk_is_the_beginning_of_a_larger_one(images_spec, store):
    recipe = JetRecipe(images_spec)
    small, large = (recipe.make(key("qcd", n_jets=n), store) for n in (20, 90))
    np.testing.assert_array_equal(small.x, large.x[:20])
    np.testing.assert_array_equal(small.event, large.event[:20])
    assert len(large.x) == 90


def test_event_numbers_go_on_over_batches(images_spec, store):
    event = JetRecipe(images_spec).make(key("qcd", n_jets=90), store).event
    assert event.max() > 100
    assert (np.diff(event) >= 0).all()
    assert np.bincount(event).max() <= 2


def test_seeds_differ_by_class_chunk_and_spec_but_not_by_size(jets_spec):
    recipes = (JetRecipe(jets_spec), changed(jets_spec, seed=12))
    keys = [key(), key("z"), key(index=1)]
    seeds = {recipe.seed(own) for recipe in recipes for own in keys}
    assert len(seeds) == 6
    assert all(1 <= seed <= 900_000_000 for seed in seeds)
    assert recipes[0].seed(key(n_jets=5)) == recipes[0].seed(key())


def test_a_chunk_s_digest_follows_the_physics_and_not_the_size_of_the_sample(jets_spec):
    digest = JetRecipe(jets_spec).digest(key())
    for update in ({"jets_per_class": 9000}, {"test_fraction": 0.5}):
        assert changed(jets_spec, **update).digest(key()) == digest
    for update in ({"seed": 5}, {"jet_radius": 0.4}, {"boson_source": "pair"}):
        assert changed(jets_spec, **update).digest(key()) != digest


def test_another_algorithm_version_makes_other_digests(jets_spec, monkeypatch):
    digest = JetRecipe(jets_spec).digest(key())
    monkeypatch.setattr(jet_recipe, "ALGORITHM_VERSION", jet_recipe.ALGORITHM_VERSION + 1)
    assert JetRecipe(jets_spec).digest(key()) != digest


def test_a_chunk_that_vanished_is_named(jets_spec, tmp_path):
    with pytest.raises(StoreError, match=r"sample_chunks.* is missing"):
        chunks.read_chunk(JetRecipe(jets_spec), key(), Store(tmp_path))


def test_a_window_without_jets_ends(images_spec, store, monkeypatch):
    monkeypatch.setattr(jet_recipe, "MAX_EMPTY_BATCHES", 2)
    monkeypatch.setattr(jet_recipe, "WINDOW_SHARES", (0.2, 0.21))
    with pytest.raises(SpecError, match="no qcd jet in 200 events"):
        JetRecipe(images_spec).make(key("qcd"), store)


def test_chunks_that_stores_hold_already_are_found(jets_spec, monkeypatch):
    """Another digest would make every jet anew: raise ALGORITHM_VERSION if that is wanted."""
    monkeypatch.setattr(jet_recipe, "version", lambda package: "1")
    assert JetRecipe(jets_spec).digest(key()).startswith("693ccf91914ee3a97a4cfd60")
