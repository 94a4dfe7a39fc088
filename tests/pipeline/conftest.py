"""A tiny model that has been run."""

from __future__ import annotations

import shutil

import pytest

from trigforge import pipeline
from trigforge.core.store import Store


@pytest.fixture
def own_store(session_store, tmp_path):
    """A copy of what the suite has made so far, for tests that damage it."""
    root = tmp_path / "own_store"
    session_store.root.mkdir(exist_ok=True)
    shutil.copytree(session_store.root, root)
    return Store(root)


@pytest.fixture
def jets(tiny_model):
    """The tiny jet model, run once: networks and program are in the store."""
    model = tiny_model("jets_hlf")
    pipeline.run(model.spec, model.workspace)
    return model
