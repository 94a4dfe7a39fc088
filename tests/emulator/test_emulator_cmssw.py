"""Emulators are loaded, several at once, as CMSSW loads them."""

import subprocess
from pathlib import Path

import numpy as np
import pytest
from emulated_networks import dense_network
from random_graphs import random_inputs

from trigforge.core.store import Store
from trigforge.emulator import build_cmssw, generate
from trigforge.evaluation import evaluate
from trigforge.vendor import toolchain

pytestmark = pytest.mark.toolchain

N_EVENTS = 400
N_THREADS = 4


@pytest.fixture(scope="module")
def loader(tmp_path_factory):
    folder = tmp_path_factory.mktemp("loader")
    here = Path(__file__).parent
    include = here.parents[1] / "src/trigforge/emulator/templates"
    program = folder / "cmssw_loader"
    command = [toolchain.compiler(), "-std=c++17", "-O1", "-Wall", f"-I{include}"]
    command += [here / "cmssw_loader.cpp", "-o", program, "-ldl", "-pthread"]
    subprocess.run(command, check=True)
    return program


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return the libraries of two models, one of them in two versions."""
    store = Store(tmp_path_factory.mktemp("store"))
    graphs = [
        (dense_network("muons", seed=1, sizes=(16, 8, 3)), 1),
        (dense_network("muons", seed=2, sizes=(16, 8, 3)), 2),
        (dense_network("photons", seed=3, sizes=(9, 12, 2)), 1),
    ]
    return [(graph, build_cmssw(generate(graph, version=v), store).path) for graph, v in graphs]


def play(loader, models, folder):
    arguments = [loader, str(N_THREADS)]
    for i, (graph, path) in enumerate(models):
        inputs = random_inputs(graph, N_EVENTS, seed=i)
        expected = evaluate(graph, inputs).outputs.raw
        for name, raw in (("inputs", inputs.raw), ("expected", expected)):
            (folder / f"{name}_{i}").write_bytes(raw.astype(np.int32).tobytes())
        sizes = [str(graph.input.n_elements), str(graph.output.n_elements)]
        arguments += [path, *sizes, folder / f"inputs_{i}", folder / f"expected_{i}"]
    return subprocess.run(arguments, capture_output=True, text=True, check=True).stdout


def test_two_models_and_two_versions_in_one_process_are_all_right(loader, models, tmp_path):
    output = play(loader, models, tmp_path)
    for _, path in models:
        n_events = N_EVENTS * (N_THREADS + 2)
        assert f"{path} events {n_events} different 0\n" in output


def test_a_wrong_answer_would_be_seen(loader, models, tmp_path):
    (first, path), (second, _), _ = models
    assert first.name == second.name
    assert "different 0\n" not in play(loader, [(second, path)], tmp_path)


def test_no_memory_is_allocated_for_an_event(loader, models, tmp_path):
    output = play(loader, models, tmp_path)
    n_allocations = int(output.rpartition("allocations ")[2])
    assert n_allocations <= 2 * len(models)
    assert 10 * n_allocations < N_EVENTS


def test_a_value_of_another_type_is_refused_at_once(loader, models, tmp_path):
    output = play(loader, models, tmp_path)
    assert "muons_v2: input of 16 int expected" in output
    assert "took a double" not in output


def test_only_the_factory_is_visible(models):
    for _, path in models:
        listing = subprocess.run(
            ["nm", "-D", "--defined-only", path], capture_output=True, text=True, check=True
        )
        names = {line.split()[-1] for line in listing.stdout.splitlines()}
        assert names == {"create_model", "destroy_model"}


def test_the_library_has_the_name_cmssw_looks_for(models):
    assert [path.name for _, path in models] == ["muons_v1.so", "muons_v2.so", "photons_v1.so"]
