from __future__ import annotations

import json
import multiprocessing
import os

import numpy as np
import pytest

from trigforge.core.errors import InputError, SpecError, StoreError, ToolError
from trigforge.core.store import Store
from trigforge.samples import archive, chunks, generation
from trigforge.samples.chunks import ChunkKey
from trigforge.samples.features import FEATURE_NAMES
from trigforge.samples.jet_recipe import JetRecipe


def chunk_times(store):
    return {path: path.stat().st_mtime_ns for path in store.root.rglob("x.npy")}


def die(*_):
    os._exit(9)


class Interrupt:
    """Press Ctrl-C after so many calls of progress."""

    def __init__(self, after):
        self.left = after

    def __call__(self, what, done, total):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def test_a_jet_sample_has_the_asked_number_of_every_class(jets_sample, jets_spec):
    labels = np.concatenate([jets_sample.y_train, jets_sample.y_test])
    assert np.bincount(labels).tolist() == [100] * 5
    assert jets_sample.class_names == ("gluon", "light_quark", "w", "z", "top")
    assert jets_sample.feature_names == FEATURE_NAMES
    assert jets_sample.x_train.dtype == np.float32
    assert jets_sample.x_train.shape == (len(jets_sample.y_train), 16)
    assert np.isfinite(jets_sample.x_train).all()
    assert not jets_sample.x_train.flags.writeable


def test_groomed_masses_peak_where_the_particles_are(jets_sample):
    mass = jets_sample.x_train[:, FEATURE_NAMES.index("mass_mmdt")]
    for name, expected, width in (("w", 80.4, 6), ("z", 91.2, 6), ("top", 173, 25)):
        own = mass[jets_sample.y_train == jets_sample.class_names.index(name)]
        assert abs(np.median(own) - expected) < width, name


def test_an_image_sample_has_the_asked_number_of_every_class(images_sample):
    labels = np.concatenate([images_sample.y_train, images_sample.y_test])
    assert np.bincount(labels).tolist() == [100, 100]
    assert images_sample.class_names == ("qcd", "top")
    assert images_sample.x_test.dtype == np.uint8
    assert images_sample.x_test.shape == (len(images_sample.y_test), 16, 16, 1)


def test_top_images_are_wider_than_qcd_images(images_sample):
    lit = (images_sample.x_train > 2).sum(axis=(1, 2, 3))
    qcd, top = (lit[images_sample.y_train == label].mean() for label in (0, 1))
    assert top > 1.2 * qcd


def test_classes_are_mixed(jets_sample):
    assert len(set(jets_sample.y_train[:20].tolist())) >= 4


def test_provenance_says_how_the_sample_was_made(jets_sample, jets_spec):
    record = json.loads(jets_sample.provenance)
    assert record["spec"] == jets_spec.model_dump(mode="json")
    assert record["digest"] == jets_sample.digest == generation.sample_digest(jets_spec)
    assert record["n_generated"] == 500
    assert record["generators"]["pythia8mc"].startswith("8.3")
    assert record["counts"]["test"]["top"] == np.count_nonzero(jets_sample.y_test == 4)


def test_other_processes_make_the_same_bytes(images_spec, images_sample, tmp_path):
    again = generation.generate(images_spec, Store(tmp_path / "store"), n_processes=2)
    for sample, name in ((images_sample, "a.npz"), (again, "b.npz")):
        archive.save(sample, tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert multiprocessing.active_children() == []


def test_a_second_generation_takes_every_chunk_from_the_store(jets_spec, jets_sample, store):
    before, calls = chunk_times(store), []
    again = generation.generate(
        jets_spec, store, n_processes=2, progress=lambda *call: calls.append(call)
    )
    assert chunk_times(store) == before
    assert calls == [("jets", 500, 500)]
    np.testing.assert_array_equal(again.x_train, jets_sample.x_train)


@pytest.mark.parametrize("n_processes", [1, 2])
def test_an_interrupted_generation_goes_on_where_it_stopped(few_images_spec, tmp_path, n_processes):
    store = Store(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        generation.generate(few_images_spec, store, n_processes=n_processes, progress=Interrupt(1))
    assert multiprocessing.active_children() == []
    finished = chunk_times(store)
    assert finished
    calls = []
    generation.generate(
        few_images_spec, store, n_processes=1, progress=lambda *call: calls.append(call)
    )
    assert calls[0] == ("jets", 10 * len(finished), 20)
    assert finished.items() <= chunk_times(store).items()


def test_a_smaller_sample_is_contained_in_a_larger_one(jets_spec, jets_sample, copied_store):
    small = jets_spec.model_copy(update={"jets_per_class": 100, "test_fraction": 0.5})
    other_split = generation.generate(small, copied_store, n_processes=1)
    rows = {row.tobytes() for row in np.concatenate([other_split.x_train, other_split.x_test])}
    assert rows == {
        row.tobytes() for row in np.concatenate([jets_sample.x_train, jets_sample.x_test])
    }
    test_rows = {row.tobytes() for row in jets_sample.x_test}
    assert test_rows <= {row.tobytes() for row in other_split.x_test}


def test_no_collision_is_on_both_sides(jets_spec, jets_sample, store):
    pairs = 0
    test_rows = {row.tobytes() for row in jets_sample.x_test}
    recipe = JetRecipe(jets_spec)
    for key in recipe.chunk_keys():
        chunk = chunks.read_chunk(recipe, key, store)
        in_test = np.array([row.tobytes() in test_rows for row in chunk.x])
        for event in np.unique(chunk.event):
            sides = in_test[chunk.event == event]
            assert sides.all() or not sides.any()
            pairs += len(sides) == 2
    assert pairs > 100


def test_the_split_depends_on_the_event_alone(jets_spec):
    recipe = JetRecipe(jets_spec)
    event = np.arange(20_000)
    test = recipe.held_out(ChunkKey(class_name="w", index=3, n_examples=1000), event)
    assert abs(test.mean() - 0.3) < 0.01
    more = JetRecipe(jets_spec.model_copy(update={"jets_per_class": 90_000}))
    smaller_key = ChunkKey(class_name="w", index=3, n_examples=7)
    np.testing.assert_array_equal(more.held_out(smaller_key, event[:50]), test[:50])
    other = ChunkKey(class_name="w", index=4, n_examples=1000)
    assert (recipe.held_out(other, event) != test).mean() > 0.3


def test_a_corrupt_chunk_is_refused(jets_spec, copied_store):
    path = min(copied_store.root.rglob("x.npy"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"x.npy is missing, new or changed since"):
        generation.generate(jets_spec, copied_store, n_processes=1)


def test_a_half_written_chunk_is_made_again(images_spec, images_sample, copied_store):
    recipe = JetRecipe(images_spec)
    folder = chunks.find_chunk(recipe, recipe.chunk_keys()[0], copied_store)
    folder.rename(folder.with_name(f".{folder.name}.cut_off"))
    again = generation.generate(images_spec, copied_store, n_processes=1)
    np.testing.assert_array_equal(again.x_train, images_sample.x_train)


def test_a_process_that_dies_is_an_error_that_says_what_to_do(
    few_images_spec, tmp_path, monkeypatch
):
    monkeypatch.setattr(chunks, "store_chunk", die)
    with pytest.raises(ToolError, match=r"died.*run again, with fewer processes than 2"):
        generation.generate(few_images_spec, Store(tmp_path), n_processes=2)
    assert multiprocessing.active_children() == []


def test_a_store_that_cannot_be_written_is_an_error(few_images_spec, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(StoreError, match=r"writing .*file.* failed"):
        generation.generate(few_images_spec, Store(blocked), n_processes=1)


def test_zero_processes_are_refused(few_images_spec, tmp_path):
    with pytest.raises(InputError, match="n_processes is 0; at least 1"):
        generation.generate(few_images_spec, Store(tmp_path), n_processes=0)


def test_a_window_out_of_reach_is_refused_before_anything_is_made(jets_spec, tmp_path):
    spec = jets_spec.model_copy(update={"parton_pt_gev": (1200.0, 1300.0)})
    with pytest.raises(SpecError, match="boson_source: pair"):
        generation.generate(spec, Store(tmp_path), n_processes=1)


def test_a_subset_is_even_over_the_classes_and_keeps_where_it_is_from(jets_sample):
    small = generation.subset(jets_sample, 52, 25)
    assert np.bincount(small.y_train).tolist() == [11, 11, 10, 10, 10]
    assert np.bincount(small.y_test).tolist() == [5] * 5
    assert (small.digest, small.provenance) == (jets_sample.digest, jets_sample.provenance)
    assert {row.tobytes() for row in small.x_test} <= {row.tobytes() for row in jets_sample.x_test}


@pytest.mark.parametrize(
    ("limits", "n_wanted", "shares"),
    [
        ([9, 9, 9], 7, [3, 2, 2]),
        ([40, 3, 3], 20, [14, 3, 3]),
        ([2, 30, 9, 30], 30, [2, 10, 9, 9]),
        ([2, 3], 5, [2, 3]),
        ([4, 4], 0, [0, 0]),
    ],
)
def test_what_a_small_class_lacks_the_larger_give(limits, n_wanted, shares):
    assert generation._even_shares(limits, n_wanted) == shares


def test_a_subset_larger_than_the_sample_is_refused(images_sample):
    with pytest.raises(
        InputError, match=rf"{len(images_sample.x_test)} test examples, 1000 wanted"
    ):
        generation.subset(images_sample, 10, 1000)
