from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from trigforge.core.errors import InputError, StoreError
from trigforge.core.records import Sample
from trigforge.samples import archive


def made_up(kind="top_images", **changes):
    random = np.random.default_rng(1)
    values = {
        "kind": kind,
        "digest": "ab" * 32,
        "feature_names": ("transverse_energy",),
        "class_names": ("qcd", "top"),
        "x_train": random.integers(0, 255, (20, 4, 4, 1)).astype(np.uint8),
        "y_train": random.integers(0, 2, 20),
        "x_test": random.integers(0, 255, (9, 4, 4, 1)).astype(np.uint8),
        "y_test": random.integers(0, 2, 9),
        "provenance": '{"n_generated": 29}',
    }
    return Sample(**{**values, **changes})


MODELS = Path(__file__).parents[2] / "models"


def with_variables(**changes):
    variables = np.arange(18, dtype=np.float32).reshape(9, 2)
    own = {"variable_names": ("generated_ht_gev", "n_interactions"), "variables_test": variables}
    return made_up(**{**own, **changes})


def rewritten(path, **arrays):
    """Exchange arrays of a file, as somebody might by hand."""
    with np.load(path) as old:
        kept = {name: old[name] for name in old.files}
    np.savez_compressed(path, **{**kept, **arrays})


@pytest.fixture
def path(tmp_path):
    archive.save(made_up(), tmp_path / "sample.npz")
    return tmp_path / "sample.npz"


def test_what_was_saved_is_loaded(path):
    original, loaded = made_up(), archive.load(path)
    for name in ("kind", "digest", "feature_names", "class_names", "provenance"):
        assert getattr(loaded, name) == getattr(original, name)
    for name in archive.ARRAYS:
        np.testing.assert_array_equal(getattr(loaded, name), getattr(original, name))
        assert getattr(loaded, name).dtype == getattr(original, name).dtype
        assert not getattr(loaded, name).flags.writeable


def test_a_generated_sample_survives_the_file(jets_sample, tmp_path):
    archive.save(jets_sample, tmp_path / "jets.npz")
    loaded = archive.load(tmp_path / "jets.npz")
    np.testing.assert_array_equal(loaded.x_test, jets_sample.x_test)
    assert loaded.provenance == jets_sample.provenance


def test_the_same_sample_gives_the_same_bytes(path, tmp_path):
    archive.save(made_up(), tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()


def test_what_is_known_of_held_out_events_is_kept(tmp_path):
    archive.save(with_variables(), tmp_path / "more.npz")
    loaded = archive.load(tmp_path / "more.npz")
    assert loaded.variable_names == ("generated_ht_gev", "n_interactions")
    np.testing.assert_array_equal(loaded.variables_test, with_variables().variables_test)
    assert loaded.variables_test.dtype == np.float32
    assert not loaded.variables_test.flags.writeable


def test_a_sample_without_variables_is_written_as_it_always_was(path):
    with np.load(path) as file:
        assert set(file.files) == {archive.HEADER, *archive.ARRAYS}
        header = json.loads(file[archive.HEADER].tobytes())
    assert header.pop("arrays_sha256").startswith("d5f40a6ad66d5294")
    names = ("kind", "digest", "feature_names", "class_names", "provenance", "format")
    assert header.keys() == set(names)
    assert archive.load(path).variables_test is None


@pytest.mark.parametrize("name", ["jet_tagger", "top_tagger"])
def test_files_from_before_variables_are_read(name):
    loaded = archive.load(MODELS / name / "sample.npz")
    assert (loaded.variable_names, loaded.variables_test) == ((), None)
    assert loaded.read_provenance()["digest"] == loaded.digest


def test_integers_of_trigger_objects_survive_the_file(tmp_path):
    random = np.random.default_rng(2)
    x = {
        f"x_{side}": random.integers(-225, 4096, (n, 3)).astype(np.int16)
        for side, n in (("train", 20), ("test", 9))
    }
    sample = made_up(feature_names=("met_pt", "met_eta", "met_phi"), **x)
    archive.save(sample, tmp_path / "objects.npz")
    np.testing.assert_array_equal(archive.load(tmp_path / "objects.npz").x_test, sample.x_test)


def test_variables_that_were_exchanged_or_taken_out_are_refused(tmp_path):
    path = tmp_path / "more.npz"
    archive.save(with_variables(), path)
    rewritten(path, variables_test=np.zeros((9, 2), np.float32))
    with pytest.raises(InputError, match="arrays are not those that were written"):
        archive.load(path)
    archive.save(with_variables(), path)
    with np.load(path) as old:
        np.savez(path, **{name: old[name] for name in old.files if name != "variables_test"})
    with pytest.raises(InputError, match="arrays are not those that were written"):
        archive.load(path)


def test_a_file_cut_off_anywhere_is_refused(path):
    content = path.read_bytes()
    for length in range(0, len(content), 97):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match="is not a sample file that can be trusted"):
            archive.load(path)


def test_a_flipped_byte_is_refused_or_changes_nothing(path):
    content, original = path.read_bytes(), made_up()
    n_refused = 0
    for position in range(0, len(content), 13):
        broken = bytearray(content)
        broken[position] ^= 0x10
        path.write_bytes(broken)
        try:
            loaded = archive.load(path)
        except InputError:
            n_refused += 1
        else:
            np.testing.assert_array_equal(loaded.x_train, original.x_train)
            np.testing.assert_array_equal(loaded.y_test, original.y_test)
    assert n_refused > len(content) / 13 / 2


def test_arrays_that_were_exchanged_are_refused(path):
    x = made_up().x_train.copy()
    x[3, 2, 1, 0] += 1
    rewritten(path, x_train=x)
    with pytest.raises(InputError, match="arrays are not those that were written"):
        archive.load(path)


def test_a_foreign_archive_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", weights=np.ones(3))
    with pytest.raises(InputError, match="it holds weights instead of header, x_train"):
        archive.load(tmp_path / "other.npz")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK", b"\x93NUMPY"])
def test_a_foreign_file_is_refused(tmp_path, content):
    (tmp_path / "other.npz").write_bytes(content)
    with pytest.raises(InputError, match="not a sample file"):
        archive.load(tmp_path / "other.npz")


def test_a_single_array_is_refused(tmp_path):
    with (tmp_path / "other.npz").open("wb") as stream:
        np.save(stream, np.ones(3))
    with pytest.raises(InputError, match="not a sample file"):
        archive.load(tmp_path / "other.npz")


def test_a_zip_of_something_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "other.npz", "w") as other:
        other.writestr("readme.txt", "hello")
    with pytest.raises(InputError, match="it holds readme"):
        archive.load(tmp_path / "other.npz")


def test_pickled_objects_are_never_executed(path):
    rewritten(path, x_train=np.array([{"a": 1}], dtype=object))
    with pytest.raises(InputError, match="allow_pickle=False"):
        archive.load(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none.npz .*No such file"):
        archive.load(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_test": np.full(9, 2)}, "y_test must be int64 labels from 0 to 1"),
        ({"y_test": np.zeros(9, np.int32)}, "y_test must be int64"),
        ({"x_test": np.zeros((9, 4, 4, 1), np.int8)}, "images are uint8 or uint16"),
        ({"x_test": np.zeros((9, 4, 4, 2), np.uint8)}, "images are uint8 or uint16"),
        ({"x_test": np.zeros((9, 1))}, "x_test is float64"),
        ({"x_test": np.zeros((9, 2), np.float32)}, "one column a name"),
        ({"x_test": np.zeros((9, 1), np.int32)}, "features are float32 or int16"),
        (
            {"variable_names": ("n",), "variables_test": np.zeros((9, 1))},
            "variables_test is float64, not float32",
        ),
    ],
)
def test_wrong_shapes_types_and_labels_are_refused(tmp_path, changes, message):
    archive.save(made_up(**changes), tmp_path / "wrong.npz")
    with pytest.raises(InputError, match=message):
        archive.load(tmp_path / "wrong.npz")


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="writing"):
        archive.save(made_up(), tmp_path / "file" / "sample.npz")
