from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from trigforge.core import files
from trigforge.core.errors import InputError, StoreError
from trigforge.core.files import (
    FileSet,
    digest_of,
    read_folder,
    refusing_os_errors,
    write_file,
    write_folder,
    writing_folder,
)


def refuse(*_arguments, **_options):
    raise OSError(errno.ENOSPC, "No space left on device", "disk")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("path", ["/etc/passwd", "../up", "a/../../b", "a/..", "", "."])
def test_a_file_set_refuses_paths_that_leave_its_folder(path):
    with pytest.raises(InputError, match="must be relative and stay in its folder"):
        FileSet({path: ""})


@pytest.mark.parametrize("paths", [("a", "a/b"), ("a/b", "a/b/c/d"), ("a/b", "a/./b")])
def test_a_file_set_refuses_paths_that_cannot_all_be_files(paths):
    with pytest.raises(InputError, match="cannot stand beside the file"):
        FileSet(dict.fromkeys(paths, ""))


def test_a_file_set_is_a_sorted_mapping_of_bytes():
    made = FileSet({"b/c.txt": "text", "./a": b"\x00"})
    assert dict(made) == {"a": b"\x00", "b/c.txt": b"text"}
    assert list(made) == ["a", "b/c.txt"]
    assert len(made) == 2
    assert "b" not in made


def test_a_file_set_does_not_follow_the_mapping_it_was_made_from():
    source = {"a": b"1"}
    made = FileSet(source)
    source["a"] = b"2"
    assert made["a"] == b"1"


def test_the_digest_of_a_file_set_depends_on_names_contents_and_their_borders():
    digests = [
        FileSet(content).digest
        for content in (
            {},
            {"a": ""},
            {"a": "b"},
            {"ab": ""},
            {"a": "", "b": ""},
            {"a": "b", "c": ""},
            {"a": "bc"},
            {"b": "a"},
        )
    ]
    assert len(set(digests)) == len(digests)


def test_the_digest_of_a_file_set_does_not_depend_on_order_or_kind_of_text():
    assert FileSet({"a": "1", "b": "2"}).digest == FileSet({"b": b"2", "a": b"1"}).digest


def test_a_digest_changes_when_a_border_moves():
    assert digest_of("ab", "c") != digest_of("a", "bc")
    assert digest_of("abc") != digest_of("abc", "")
    assert digest_of("abc") == digest_of(b"abc")


def test_a_written_file_is_read_back_and_replaces_the_old_one(tmp_path):
    path = tmp_path / "deep" / "down" / "file.txt"
    write_file(path, "one")
    write_file(path, b"two\x00")
    assert path.read_bytes() == b"two\x00"
    assert names_in(path.parent) == ["file.txt"]


def test_a_written_file_may_be_read_by_those_the_umask_allows(tmp_path):
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "file", "x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


@pytest.mark.parametrize("call", ["fsync", "fdopen"])
def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, call):
    path = tmp_path / "file"
    write_file(path, "old")
    monkeypatch.setattr(files.os, call, refuse)
    with pytest.raises(StoreError, match=r"writing .*file failed: No space left on device"):
        write_file(path, "new")
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["file"]


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    def interrupt(_handle):
        raise KeyboardInterrupt

    path = tmp_path / "file"
    write_file(path, "old")
    monkeypatch.setattr(files.os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_file(path, "new")
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["file"]


def test_a_file_in_the_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(StoreError, match=r"writing .*taken/file failed"):
        write_file(tmp_path / "taken" / "file", "x")


def test_a_written_folder_is_read_back_and_replaces_the_old_one_as_a_whole(tmp_path):
    folder = tmp_path / "deep" / "project"
    write_folder(folder, FileSet({"old.txt": "old", "sub/both.txt": "old"}))
    new = FileSet({"new.txt": "new", "sub/both.txt": "new"})
    write_folder(folder, new)
    assert dict(read_folder(folder)) == dict(new)
    assert read_folder(folder).digest == new.digest
    assert names_in(folder.parent) == ["project"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_folder_whose_writing_was_interrupted_leaves_nothing(tmp_path, error):
    def write_half():
        with writing_folder(tmp_path / "new") as temporary:
            (temporary / "half").write_text("half")
            assert names_in(tmp_path) == [temporary.name]
            raise error

    with pytest.raises(error):
        write_half()
    assert names_in(tmp_path) == []


def test_a_folder_that_could_not_be_replaced_stays_as_it_was(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    write_folder(folder, FileSet({"file": "old"}))
    monkeypatch.setattr(files.Path, "write_bytes", refuse)
    with pytest.raises(StoreError, match="No space left on device"):
        write_folder(folder, FileSet({"file": "new"}))
    monkeypatch.undo()
    assert dict(read_folder(folder)) == {"file": b"old"}
    assert names_in(tmp_path) == ["project"]


def test_a_failed_swap_puts_the_old_folder_back(tmp_path, monkeypatch):
    folder = tmp_path / "project"
    write_folder(folder, FileSet({"file": "old"}))
    replace = Path.replace

    def refuse_the_new(source, target):
        if target == folder and source.parent == tmp_path:
            refuse()
        return replace(source, target)

    monkeypatch.setattr(files.Path, "replace", refuse_the_new)
    with pytest.raises(StoreError, match="No space left on device"):
        write_folder(folder, FileSet({"file": "new"}))
    monkeypatch.undo()
    assert dict(read_folder(folder)) == {"file": b"old"}
    assert names_in(tmp_path) == ["project"]


def test_a_missing_folder_cannot_be_read(tmp_path):
    with pytest.raises(StoreError, match="nowhere is not a folder"):
        read_folder(tmp_path / "nowhere")


def test_an_error_of_the_system_says_what_was_being_done():
    with (
        pytest.raises(StoreError, match=r"reading x failed: No space left on device \(disk\)"),
        refusing_os_errors("reading x"),
    ):
        refuse()
