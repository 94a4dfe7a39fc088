from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from trigforge.core.config import CROSSING_VARIABLES
from trigforge.core.errors import InputError, SpecError
from trigforge.core.store import Store
from trigforge.samples import (
    archive,
    chunks,
    crossing_recipe,
    generation,
    pools,
    streaming,
    trigger_objects,
    workers,
)
from trigforge.samples.crossing_recipe import CrossingRecipe


def pools_of(store):
    return {path: path.stat().st_mtime_ns for path in store.root.rglob(pools.FILE)}


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(crossing_recipe, "CHUNK_CROSSINGS", 100)
    monkeypatch.setattr(streaming, "CHUNK_CROSSINGS", 100)


def test_training_sees_zero_bias_alone_and_signals_are_all_held_out(regions_sample):
    assert regions_sample.class_names == ("zero_bias", "top_pair", "higgs_four_leptons")
    assert np.bincount(regions_sample.y_train).tolist() == [180]
    assert np.bincount(regions_sample.y_test).tolist() == [120, 20, 20]
    assert regions_sample.x_train.shape == (180, 18, 14, 1)
    assert regions_sample.x_test.dtype == np.uint16
    assert regions_sample.feature_names == ("transverse_energy",)


def test_objects_are_57_integers_of_the_same_crossings(objects_sample, regions_sample):
    assert objects_sample.x_train.shape == (180, 57)
    assert objects_sample.x_train.dtype == np.int16
    assert objects_sample.feature_names == trigger_objects.FEATURE_NAMES
    np.testing.assert_array_equal(objects_sample.variables_test, regions_sample.variables_test)
    hottest = regions_sample.x_test.max(axis=(1, 2, 3))
    hardest_jet = objects_sample.x_test[:, 27]
    assert np.corrcoef(hottest, hardest_jet)[0, 1] > 0.5


def test_what_was_generated_is_known_of_every_held_out_crossing(regions_sample):
    assert regions_sample.variable_names == CROSSING_VARIABLES
    jet_pt, ht, met, n_interactions = regions_sample.variables_test.T
    zero_bias, top, higgs = (regions_sample.y_test == label for label in range(3))
    assert n_interactions[zero_bias].mean() == pytest.approx(30, abs=4 * np.sqrt(30 / 120))
    assert n_interactions[top | higgs].mean() == pytest.approx(31, abs=4 * np.sqrt(31 / 40))
    assert np.median(jet_pt[top]) > 60 > np.median(jet_pt[zero_bias]) > 5
    assert (ht[top] > 100).mean() > 0.8
    assert met[top].max() > 30 > np.median(met[zero_bias])


def test_signals_look_harder_than_zero_bias(objects_sample):
    jet, muon = (objects_sample.feature_names.index(name) for name in ("jet_1_pt", "muon_1_pt"))
    zero_bias, top, higgs = (objects_sample.x_test[objects_sample.y_test == i] for i in range(3))
    assert np.median(top[:, jet]) > 2 * np.median(zero_bias[:, jet])
    assert (higgs[:, muon] > 10).mean() > 0.2 > (zero_bias[:, muon] > 10).mean()


def test_rates_of_jets_in_zero_bias_are_plausible(objects_sample):
    """At 30 interactions; the bounds are wide, the pools of these tests are small."""
    jets = objects_sample.x_train[:, 27::3] / 2
    assert 0.01 < (jets > 30).sum(axis=1).mean() < 2
    assert (jets > 200).any(axis=1).mean() < 0.02


def test_provenance_says_how_the_crossings_were_made(regions_sample, regions_spec):
    record = json.loads(regions_sample.provenance)
    assert record["spec"] == regions_spec.model_dump(mode="json")
    assert record["digest"] == regions_sample.digest == generation.sample_digest(regions_spec)
    assert record["n_generated"] == 340
    assert record["chunk_crossings"] == 5000
    assert record["counts"]["train"] == {"zero_bias": 180, "top_pair": 0, "higgs_four_leptons": 0}


def test_other_processes_make_the_same_crossings(
    regions_spec, regions_sample, session_store, tmp_path
):
    spec = regions_spec.model_copy(update={"signals": ("top_pair",)})
    first = generation.generate(spec, session_store, n_processes=1)
    again = generation.generate(spec, Store(tmp_path / "store"), n_processes=2)
    for sample, name in ((first, "a.npz"), (again, "b.npz")):
        archive.save(sample, tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert multiprocessing.active_children() == []


def test_another_description_is_made_of_the_same_collisions(
    regions_spec, regions_sample, session_store
):
    before = pools_of(session_store)
    assert before
    finer = regions_spec.model_copy(update={"region_bits": 8, "pileup": 10.0})
    sample = generation.generate(finer, session_store, n_processes=1)
    assert pools_of(session_store) == before
    assert sample.x_train.dtype == np.uint8
    assert sample.x_train.mean() < regions_sample.x_train.mean() / 2


def test_no_two_chunks_share_a_pool(regions_spec):
    recipe = CrossingRecipe(regions_spec.model_copy(update={"zero_bias_events": 60_000}))
    keys = [*recipe.chunk_keys(), *map(recipe.further, range(20))]
    assert [key.n_examples for key in keys[:8]] == [5000] * 7 + [1000]
    assert len({recipe._seed("minimum_bias", key) for key in keys}) == len(keys)
    assert len({recipe.digest(key) for key in keys}) == len(keys)


@pytest.mark.parametrize(("fraction", "expected"), [(0.4, 120), (0.001, 1), (0.999, 299)])
def test_both_sides_get_zero_bias(regions_spec, fraction, expected):
    recipe = CrossingRecipe(regions_spec.model_copy(update={"test_fraction": fraction}))
    sizes = {key.series: key.n_examples for key in recipe.chunk_keys()[:2]}
    assert sizes == {"train": 300 - expected, "test": expected}


def test_fewer_crossings_are_the_beginning_of_more(objects_spec, session_store, objects_sample):
    recipe = CrossingRecipe(objects_spec)
    key = recipe.chunk_keys()[0]
    small, large = (
        recipe.make(replace(key, n_examples=n_crossings), session_store)
        for n_crossings in (40, 300)
    )
    np.testing.assert_array_equal(small.x, large.x[:40])
    np.testing.assert_array_equal(small.variables, large.variables[:40])


def test_the_digest_of_a_chunk_follows_the_physics_and_not_the_sizes(regions_spec):
    key = CrossingRecipe(regions_spec).chunk_keys()[0]
    digest = CrossingRecipe(regions_spec).digest(key)
    sizes = {"zero_bias_events": 9000, "test_fraction": 0.1, "signals": ("top_pair",)}
    for update in ({name: size} for name, size in sizes.items()):
        assert CrossingRecipe(regions_spec.model_copy(update=update)).digest(key) == digest
    for update in ({"seed": 5}, {"pileup": 29.0}, {"region_lsb_gev": 1.0}, {"pool_collisions": 99}):
        assert CrossingRecipe(regions_spec.model_copy(update=update)).digest(key) != digest


def test_another_algorithm_version_makes_other_crossings(regions_spec, monkeypatch):
    recipe = CrossingRecipe(regions_spec)
    digest = recipe.digest(recipe.chunk_keys()[0])
    monkeypatch.setattr(crossing_recipe, "ALGORITHM_VERSION", 99)
    assert recipe.digest(recipe.chunk_keys()[0]) != digest


def test_crossings_without_a_collision_have_nothing(objects_spec, session_store, objects_sample):
    recipe = CrossingRecipe(objects_spec.model_copy(update={"pileup": 1e-6}))
    chunk = recipe.make(recipe.chunk_keys()[0], session_store)
    assert not chunk.x.any()
    assert not chunk.variables.any()


def test_a_subset_is_even_over_the_classes_a_side_has(objects_sample):
    small = generation.subset(objects_sample, 50, 30)
    assert np.bincount(small.y_train).tolist() == [50]
    assert np.bincount(small.y_test).tolist() == [10, 10, 10]
    rows = {
        (x.tobytes(), variables.tobytes())
        for x, variables in zip(objects_sample.x_test, objects_sample.variables_test, strict=True)
    }
    for x, variables in zip(small.x_test, small.variables_test, strict=True):
        assert (x.tobytes(), variables.tobytes()) in rows
    larger = generation.subset(objects_sample, 10, 90)
    assert np.bincount(larger.y_test).tolist() == [50, 20, 20]


@pytest.mark.parametrize("kind", ["regions", "objects"])
def test_crossings_survive_the_file(kind, request, tmp_path):
    sample = request.getfixturevalue(f"{kind}_sample")
    archive.save(sample, tmp_path / "crossings.npz")
    loaded = archive.load(tmp_path / "crossings.npz")
    assert loaded.variable_names == CROSSING_VARIABLES
    for name in (*archive.ARRAYS, archive.VARIABLES):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(sample, name))
        assert getattr(loaded, name).dtype == getattr(sample, name).dtype


def test_a_stream_gives_further_chunks_in_order(
    objects_spec, objects_sample, session_store, small_chunks
):
    def some(**options):
        return list(streaming.stream(objects_spec, session_store, n_processes=1, **options))

    calls = []
    first = some(first_chunk=0, n_chunks=2, progress=lambda *call: calls.append(call))
    assert [index for _, index in first] == [0, 1]
    assert [x.shape for x, _ in first] == [(100, 57)] * 2
    assert calls == [("crossings", done, 200) for done in (0, 100, 200)]
    before = pools_of(session_store)
    ((again, index),) = some(first_chunk=1, n_chunks=1)
    assert (index, pools_of(session_store)) == (1, before)
    np.testing.assert_array_equal(again, first[1][0])
    seen = {row.tobytes() for row in np.concatenate((objects_sample.x_train, first[0][0]))}
    assert not seen & {row.tobytes() for row in first[1][0]}
    assert not list(session_store.root.glob(f"{chunks.STORE_KIND}/*further*"))


def test_a_stream_on_many_workers_gives_the_same_and_does_not_run_ahead(
    objects_spec, session_store, small_chunks, monkeypatch
):
    """Threads stand in for processes, which other tests start."""
    started = []

    def made(recipe, index, store):
        started.append(index)
        return np.full((100, 57), index)

    @contextmanager
    def threads(n_processes, unit, kept_in):
        with ThreadPoolExecutor(n_processes) as pool:
            yield pool

    monkeypatch.setattr(streaming, "_crossings", made)
    monkeypatch.setattr(workers, "working", threads)
    chunks_of = streaming.stream(
        objects_spec, session_store, first_chunk=5, n_chunks=9, n_processes=3
    )
    for expected in range(5, 14):
        x, index = next(chunks_of)
        assert (index, x[0, 0]) == (expected, expected)
        assert max(started) <= index + 3
    assert next(chunks_of, None) is None
    assert sorted(started) == list(range(5, 14))


def test_jets_cannot_be_streamed(jets_spec, tmp_path):
    with pytest.raises(SpecError, match=r"sample.kind: jets_hlf has no zero bias"):
        next(streaming.stream(jets_spec, Store(tmp_path), first_chunk=0, n_chunks=1, n_processes=1))


def test_a_stream_needs_a_process(objects_spec, tmp_path):
    with pytest.raises(InputError, match="n_processes is 0; at least 1"):
        next(
            streaming.stream(
                objects_spec, Store(tmp_path), first_chunk=0, n_chunks=1, n_processes=0
            )
        )
