"""Events are mapped and results appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest

from trigforge.core.errors import InputError, StoreError
from trigforge.core.event_file import open_events, writing_events

FULL = Path("/dev/full")


def test_events_of_any_shape_are_read_flat_and_piece_by_piece(tmp_path: Path) -> None:
    events = np.arange(60, dtype=np.int16).reshape(5, 3, 4)
    np.save(tmp_path / "events.npy", events)
    found = open_events(tmp_path / "events.npy", 12)
    assert (found.n_events, found.dtype) == (5, np.int16)
    pieces = [found.read(first, 2) for first in range(0, 5, 2)]
    assert [len(piece) for piece in pieces] == [2, 2, 1]
    assert np.array_equal(np.concatenate(pieces), events.reshape(5, 12))


def test_a_file_cut_short_meanwhile_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "events.npy"
    np.save(path, np.zeros((100, 4)))
    found = open_events(path, 4)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match="was cut short while it was read"):
        found.read(50, 50)


def test_fortran_order_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "events.npy", np.asfortranarray(np.zeros((3, 4))))
    with pytest.raises(InputError, match="write it in C order"):
        open_events(tmp_path / "events.npy", 4)


@pytest.mark.parametrize(
    ("array", "problem"),
    [
        (np.zeros(4), r"expected integers or floats, \(n_events, 4\)"),
        (np.zeros((3, 5)), "an event here has 4 elements"),
        (np.zeros((0, 4)), "an event here has 4 elements"),
        (np.array([["a"] * 4]), "expected integers or floats"),
    ],
)
def test_an_array_of_another_kind_is_refused(
    tmp_path: Path, array: np.ndarray, problem: str
) -> None:
    np.save(tmp_path / "events.npy", array)
    with pytest.raises(InputError, match=problem):
        open_events(tmp_path / "events.npy", 4)


def test_objects_are_not_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "events.npy", np.array([[print]], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"is no \.npy file of events"):
        open_events(tmp_path / "events.npy", 1)


def test_a_truncated_or_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.npy"
    with pytest.raises(InputError, match="No such file"):
        open_events(path, 4)
    np.save(path, np.zeros((100, 4)))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"is no \.npy file of events"):
        open_events(path, 4)


def test_results_are_written_piece_by_piece(tmp_path: Path) -> None:
    path = tmp_path / "new" / "scores.npy"
    with writing_events(path, (4, 2), np.int32) as append:
        append(np.full((2, 2), 1))
        assert not path.exists()
        append(np.full((2, 2), 2))
    scores = np.load(path)
    assert (scores.tolist(), scores.dtype) == ([[1, 1], [1, 1], [2, 2], [2, 2]], np.int32)


def test_an_interrupted_run_leaves_no_results(tmp_path: Path) -> None:
    path = tmp_path / "scores.npy"
    with pytest.raises(KeyboardInterrupt), writing_events(path, (4, 2), np.int32):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_results_that_are_not_all_there_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "scores.npy"
    with (
        pytest.raises(StoreError, match="2 events were written, not 4"),
        writing_events(path, (4, 2), np.int32) as append,
    ):
        append(np.zeros((2, 2)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = str(tmp_path / "temporary")

    def on_a_full_disk(**_: object) -> tuple[int, str]:
        return os.open(FULL, os.O_WRONLY), name

    monkeypatch.setattr(tempfile, "mkstemp", on_a_full_disk)
    with (
        pytest.raises(StoreError, match="No space left on device"),
        writing_events(tmp_path / "scores.npy", (10_000, 2), np.int32) as append,
    ):
        append(np.zeros((10_000, 2)))
    assert not (tmp_path / "scores.npy").exists()
