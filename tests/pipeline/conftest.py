"""A tiny model that has been run, and the command line in this process."""

from __future__ import annotations

import shutil
import sys

import pytest

from trigforge import pipeline
from trigforge.cli import main
from trigforge.core.store import Store


@pytest.fixture
def trigforge_says(monkeypatch, capfd):
    """Run the command line in this process; return exit code, standard output and error."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["trigforge", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return ended.value.code, out, err

    return run


@pytest.fixture
def own_store(session_store, tmp_path):
    """A copy of what the suite has made so far, for tests that damage it."""
    root = tmp_path / "own_store"
    shutil.copytree(session_store.root, root)
    return Store(root)


@pytest.fixture
def jets(tiny_model):
    """The tiny jet model, run once: networks and program are in the store."""
    model = tiny_model("jets_hlf")
    pipeline.run(model.spec, model.workspace)
    return model
