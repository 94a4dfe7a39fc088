"""What every test runs under: no GPU, no chatter, the same examples each time."""

import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest
import tiny_models
from hypothesis import settings

from trigforge.cli import main
from trigforge.core.store import Store

settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci")


def pytest_addoption(parser):
    parser.addoption(
        "--rewrite-golden",
        action="store_true",
        help="write files that hold generated text anew instead of comparing with them",
    )


@pytest.fixture
def rewrite_golden(request) -> bool:
    return request.config.getoption("--rewrite-golden")


@pytest.fixture(scope="session")
def session_store(tmp_path_factory) -> Store:
    """One store for the whole suite and its processes: nothing is trained or compiled twice."""
    base = tmp_path_factory.getbasetemp()
    return Store((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "store")


@pytest.fixture
def tiny_model(tmp_path, session_store):
    """Write a tiny model of a kind, with its sample, in a workspace of this test."""

    def write(kind: str = "jets_hlf", changes=None, store: Store = session_store):
        return tiny_models.write_model(tmp_path / "models", store, kind, changes)

    return write


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
