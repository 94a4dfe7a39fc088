from __future__ import annotations

import numpy as np
import pytest

from trigforge.core.errors import SpecError, StoreError
from trigforge.samples import chunks
from trigforge.samples.chunks import ChunkKey


def key(class_name="w", index=0, n_jets=30):
    return ChunkKey(class_name=class_name, index=index, n_jets=n_jets)


def test_a_sample_is_made_of_full_chunks_and_a_rest(jets_spec):
    spec = jets_spec.model_copy(update={"jets_per_class": 2300})
    own = [entry for entry in chunks.keys_of(spec) if entry.class_name == "top"]
    assert [(entry.index, entry.n_jets) for entry in own] == [(0, 1000), (1, 1000), (2, 300)]
    assert len(chunks.keys_of(spec)) == 15


def test_a_smaller_chunk_is_the_beginning_of_a_larger_one(images_spec):
    small, large = (chunks.make_chunk(images_spec, key("qcd", n_jets=n)) for n in (20, 90))
    np.testing.assert_array_equal(small.x, large.x[:20])
    np.testing.assert_array_equal(small.event, large.event[:20])
    assert len(large.x) == 90


def test_event_numbers_go_on_over_batches(images_spec):
    event = chunks.make_chunk(images_spec, key("qcd", n_jets=90)).event
    assert event.max() > 100
    assert (np.diff(event) >= 0).all()
    assert np.bincount(event).max() <= 2


def test_seeds_differ_by_class_chunk_and_spec_but_not_by_size(jets_spec):
    other = jets_spec.model_copy(update={"seed": 12})
    keys = [key(), key("z"), key(index=1)]
    seeds = {chunks.seed_of(spec, own) for spec in (jets_spec, other) for own in keys}
    assert len(seeds) == 6
    assert all(1 <= seed <= 900_000_000 for seed in seeds)
    assert chunks.seed_of(jets_spec, key(n_jets=5)) == chunks.seed_of(jets_spec, key())


def test_a_chunk_s_digest_follows_the_physics_and_not_the_size_of_the_sample(jets_spec):
    digest = chunks.chunk_digest(jets_spec, key())
    for update in ({"jets_per_class": 9000}, {"test_fraction": 0.5}):
        assert chunks.chunk_digest(jets_spec.model_copy(update=update), key()) == digest
    for update in ({"seed": 5}, {"jet_radius": 0.4}, {"boson_source": "pair"}):
        assert chunks.chunk_digest(jets_spec.model_copy(update=update), key()) != digest


def test_another_algorithm_version_makes_other_digests(jets_spec, monkeypatch):
    digest = chunks.chunk_digest(jets_spec, key())
    monkeypatch.setattr(chunks, "ALGORITHM_VERSION", chunks.ALGORITHM_VERSION + 1)
    assert chunks.chunk_digest(jets_spec, key()) != digest


def test_a_chunk_that_vanished_is_named(jets_spec, tmp_path):
    with pytest.raises(StoreError, match=r"sample_chunks.* is missing"):
        chunks.read_chunk(jets_spec, key(), chunks.Store(tmp_path))


def test_a_window_without_jets_ends(images_spec, monkeypatch):
    monkeypatch.setattr(chunks, "MAX_EMPTY_BATCHES", 2)
    monkeypatch.setattr(chunks, "WINDOW_SHARES", (0.2, 0.21))
    with pytest.raises(SpecError, match="no qcd jet in 200 events"):
        chunks.make_chunk(images_spec, key("qcd"))
