from __future__ import annotations

import json
from pathlib import Path

import pytest

from trigforge.core.errors import StoreError
from trigforge.core.store import MANIFEST, Store, changed_files, key_of

DIGEST = key_of({"seed": 1, "events": 100})


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def entry(store):
    with store.adding("sample", DIGEST) as folder:
        (folder / "sub").mkdir()
        (folder / "events.npy").write_bytes(b"0123456789")
        (folder / "sub" / "card.txt").write_text("a card")
    return store.folder("sample", DIGEST)


def test_an_entry_is_found_under_its_kind_and_digest(store, entry):
    assert store.find("sample", DIGEST) == entry
    assert (entry / "events.npy").read_bytes() == b"0123456789"
    assert changed_files(entry) == ()


def test_what_was_never_added_is_not_found(store, entry):
    assert store.find("sample", key_of({"seed": 2, "events": 100})) is None
    assert store.find("training", DIGEST) is None


def test_a_key_does_not_depend_on_the_order_of_a_description_but_on_its_values():
    assert key_of({"a": 1, "b": [2]}) == key_of({"b": [2], "a": 1})
    assert key_of({"a": 1}) != key_of({"a": "1"})
    assert key_of({"a": 1}) != key_of({"a": 1.5})


def truncate(entry):
    (entry / "events.npy").write_bytes(b"01234")
    return "events.npy"


def change(entry):
    (entry / "sub" / "card.txt").write_text("b card")
    return "sub/card.txt"


def remove(entry):
    (entry / "sub" / "card.txt").unlink()
    return "sub/card.txt"


def add(entry):
    (entry / "sub" / "notes.txt").write_text("mine")
    return "sub/notes.txt"


@pytest.mark.parametrize("damage", [truncate, change, remove, add])
def test_a_damaged_entry_is_refused_and_the_file_named(store, entry, damage):
    name = damage(entry)
    with pytest.raises(StoreError, match=f"corrupt store: .*{name} is missing, new or changed"):
        store.find("sample", DIGEST)
    assert changed_files(entry) == (name,)


def test_the_message_says_what_to_do(store, entry):
    truncate(entry)
    with pytest.raises(StoreError, match=f"remove {entry} and run again"):
        store.find("sample", DIGEST)


@pytest.mark.parametrize(
    "manifest",
    ["", "{", "[]", "null", "{}", '{"digest": "x", "files": []}', '{"files": {}}', "\udcff"],
)
def test_an_entry_without_a_readable_manifest_is_refused(store, entry, manifest):
    (entry / MANIFEST).write_text(manifest, errors="surrogateescape")
    with pytest.raises(StoreError, match=r"manifest\.json is missing or unreadable"):
        store.find("sample", DIGEST)


def test_a_half_written_entry_is_not_trusted(store):
    folder = store.folder("sample", DIGEST)
    folder.mkdir(parents=True)
    (folder / "events.npy").write_bytes(b"0123")
    with pytest.raises(StoreError, match=r"manifest\.json is missing"):
        store.find("sample", DIGEST)


def test_the_result_of_another_input_is_refused(store, entry):
    manifest = json.loads((entry / MANIFEST).read_text())
    manifest["digest"] = key_of("other")
    (entry / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(StoreError, match="holds the result of another input"):
        store.find("sample", DIGEST)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_adding_leaves_no_entry(store, error):
    def add_half():
        with store.adding("sample", DIGEST) as folder:
            (folder / "events.npy").write_bytes(b"0123")
            assert store.find("sample", DIGEST) is None
            raise error

    with pytest.raises(error):
        add_half()
    assert store.find("sample", DIGEST) is None
    assert list((store.root / "sample").iterdir()) == []


def test_adding_again_replaces_a_damaged_entry(store, entry):
    truncate(entry)
    with store.adding("sample", DIGEST) as folder:
        (folder / "events.npy").write_bytes(b"new")
    assert store.find("sample", DIGEST) == entry
    assert sorted(path.name for path in entry.iterdir()) == ["events.npy", MANIFEST]
    assert [path.name for path in entry.parent.iterdir()] == [entry.name]


def test_an_entry_that_another_process_added_meanwhile_stays(store):
    with store.adding("kind", DIGEST) as folder:
        (folder / "a").write_text("mine")
        with store.adding("kind", DIGEST) as other:
            (other / "a").write_text("theirs")
        there = store.find("kind", DIGEST)
        inode = there.stat().st_ino
    assert store.find("kind", DIGEST).stat().st_ino == inode
    assert (there / "a").read_text() == "theirs"
    assert [path.name for path in there.parent.iterdir()] == [there.name]


def test_a_full_disk_is_told_and_leaves_no_entry(store, monkeypatch):
    def refuse(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    def add_on_a_full_disk():
        with store.adding("sample", DIGEST):
            monkeypatch.setattr(Path, "write_text", refuse)

    with pytest.raises(StoreError, match="No space left on device"):
        add_on_a_full_disk()
    assert store.find("sample", DIGEST) is None
