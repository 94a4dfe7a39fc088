"""Events are mapped and results appear whole or not at all."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from trigforge.core.errors import InputError, StoreError
from trigforge.core.event_file import open_events, writing_events

if TYPE_CHECKING:
    from pathlib import Path


def test_events_of_any_shape_are_flattened(tmp_path: Path) -> None:
    events = np.arange(24).reshape(2, 3, 4)
    np.save(tmp_path / "events.npy", events)
    assert np.array_equal(open_events(tmp_path / "events.npy", 12), events.reshape(2, 12))


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
    with writing_events(path, (4, 2), np.int32) as scores:
        scores[:2] = 1
        assert not path.exists()
        scores[2:] = 2
    assert np.load(path).tolist() == [[1, 1], [1, 1], [2, 2], [2, 2]]


def test_an_interrupted_run_leaves_no_results(tmp_path: Path) -> None:
    path = tmp_path / "scores.npy"
    with pytest.raises(KeyboardInterrupt), writing_events(path, (4, 2), np.int32):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_noticed_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    path = tmp_path / "scores.npy"
    with (
        pytest.raises(StoreError, match="No space left on device"),
        writing_events(path, (4, 2), np.int32),
    ):
        pytest.fail("the block must not begin")
    assert list(tmp_path.iterdir()) == []
