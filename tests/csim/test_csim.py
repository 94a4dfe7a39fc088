from __future__ import annotations

import os
import shutil

import numpy as np
import pytest

from trigforge import csim
from trigforge.core.errors import StoreError, ToolError
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import HlsProject, Port, RawTensor
from trigforge.core.store import Store
from trigforge.vendor import toolchain

LINK = parse_format("fixed<8,8>")
FIRMWARE = '#include "weights/w2.h"\nint weigh(int x) { return x * w2; }\n'
BENCH = """
#include <fstream>
#include <sstream>
#include <string>
int weigh(int x);
int main(int, char **arguments) {
    std::ifstream inputs(arguments[1]);
    std::ofstream results(arguments[3]);
    std::string line;
    while (std::getline(inputs, line)) {
        std::istringstream words(line);
        int x, sum = 0, first = 0;
        for (bool at_first = true; words >> x; sum += weigh(x), at_first = false)
            if (at_first) first = x;
        results << sum << " " << first << "\\n";
    }
    return 0;
}
"""
"""A project like a real one, but without the templates that take seconds to compile."""


@pytest.fixture
def toy(tmp_path):
    folder = tmp_path / "project"
    (folder / "firmware/weights").mkdir(parents=True)
    (folder / "firmware/toy.cpp").write_text(FIRMWARE)
    (folder / "firmware/weights/w2.h").write_text("const int w2 = 3;\n")
    (folder / "toy_test.cpp").write_text(BENCH)
    return HlsProject(
        name="toy",
        folder=folder,
        backend="Vitis",
        io_type="io_parallel",
        input=Port(name="inputs", shape=(3,), format=LINK),
        output=Port(name="outputs", shape=(2,), format=parse_format("fixed<16,16>")),
    )


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


@pytest.fixture
def compilations(monkeypatch):
    """The commands that were run, but for questions about the version."""
    commands, run = [], toolchain.run

    def record(arguments, **options):
        if options["what"].startswith("compiling"):
            commands.append([str(argument) for argument in arguments])
        return run(arguments, **options)

    monkeypatch.setattr(toolchain, "run", record)
    return commands


def events(n_events: int) -> RawTensor:
    raw = np.random.default_rng(1).integers(-128, 128, (n_events, 3))
    return RawTensor(format=LINK, raw=raw)


def expected(inputs: RawTensor, weight: int = 3) -> np.ndarray:
    return np.stack([weight * inputs.raw.sum(axis=1), inputs.raw[:, 0]], axis=1)


pytestmark = pytest.mark.toolchain


def test_a_project_is_compiled_and_run(toy, store):
    inputs = events(10)
    outputs = csim.run(toy, inputs, store)
    np.testing.assert_array_equal(outputs.raw, expected(inputs))
    assert outputs.format == toy.output.format


def test_a_single_event_is_enough(toy, store):
    inputs = events(1)
    np.testing.assert_array_equal(csim.run(toy, inputs, store).raw, expected(inputs))


@pytest.mark.parametrize("n_cores", [1, 2, 3, None])
def test_the_result_does_not_depend_on_the_number_of_processes(toy, store, monkeypatch, n_cores):
    monkeypatch.setattr(os, "cpu_count", lambda: n_cores)
    inputs = events(641)
    np.testing.assert_array_equal(csim.run(toy, inputs, store).raw, expected(inputs))


def test_a_program_is_compiled_once_and_used_again(toy, store, compilations):
    assert not csim.is_built(toy, store)
    first = csim.build(toy, store)
    assert csim.is_built(toy, store)
    assert csim.build(toy, store) == first
    assert len(compilations) == 1
    assert set(csim.FLAGS) <= set(compilations[0])


@pytest.mark.parametrize("path", ["firmware/weights/w2.h", "firmware/toy.cpp", "toy_test.cpp"])
def test_a_changed_source_is_compiled_anew(toy, store, compilations, path):
    csim.build(toy, store)
    source = toy.folder / path
    source.write_text(source.read_text().replace("w2 = 3", "w2 = 4") + "\n")
    assert not csim.is_built(toy, store)
    inputs = events(4)
    weight = 4 if path.endswith("w2.h") else 3
    np.testing.assert_array_equal(csim.run(toy, inputs, store).raw, expected(inputs, weight))
    assert len(compilations) == 2


@pytest.mark.parametrize(
    "path", ["README.md", "tb_data/inputs_raw.txt", "toy_prj/solution1/syn.cpp", "notes.cpp"]
)
def test_what_is_not_compiled_does_not_count(toy, store, compilations, path):
    csim.build(toy, store)
    (toy.folder / path).parent.mkdir(parents=True, exist_ok=True)
    (toy.folder / path).write_text("changed")
    assert csim.is_built(toy, store)
    csim.build(toy, store)
    assert len(compilations) == 1


def test_two_projects_of_the_same_sources_share_a_program(toy, store, tmp_path, compilations):
    import dataclasses

    shutil.copytree(toy.folder, tmp_path / "copy")
    csim.build(toy, store)
    csim.build(dataclasses.replace(toy, folder=tmp_path / "copy"), store)
    assert len(compilations) == 1


def test_a_missing_compiler_is_named(toy, store, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(ToolError, match=r"g\+\+ is needed to compile C\+\+"):
        csim.build(toy, store)


def test_a_project_that_does_not_compile_is_named_with_the_compilers_words(toy, store):
    (toy.folder / "firmware/toy.cpp").write_text("int weigh(int x) { return y; }")
    with pytest.raises(ToolError, match=rf"compiling the C simulation of {toy.folder}: g\+\+ fai"):
        csim.build(toy, store)
    with pytest.raises(ToolError, match="was not declared in this scope"):
        csim.build(toy, store)
    assert not csim.is_built(toy, store)
    assert not list((store.root / "csim").iterdir())


@pytest.mark.parametrize(
    "change", [lambda path: path.write_bytes(b"x"), lambda path: path.unlink()]
)
def test_a_stored_program_that_was_changed_is_refused(toy, store, change):
    change(csim.build(toy, store))
    with pytest.raises(StoreError, match=r"corrupt store: .*csim is missing, new or changed"):
        csim.run(toy, events(3), store)


@pytest.mark.parametrize("backend", ["Quartus", "oneAPI", "Catapult"])
def test_a_backend_that_gxx_cannot_compile_is_refused(toy, store, backend):
    import dataclasses

    other = dataclasses.replace(toy, backend=backend)
    with pytest.raises(ToolError, match=f"backend {backend} needs the vendor's compiler"):
        csim.run(other, events(3), store)


def test_a_simulation_that_dies_is_named(toy, store):
    (toy.folder / "toy_test.cpp").write_text("#include <cstdlib>\nint main() { abort(); }")
    with pytest.raises(
        ToolError, match=rf"C simulation of {toy.folder}: csim was killed by SIGABRT"
    ):
        csim.run(toy, events(3), store)


@pytest.mark.parametrize("results", ["1 2 3", "1"])
def test_a_simulation_with_another_number_of_outputs_is_refused(toy, store, results):
    text = BENCH.replace('sum << " " << first', f'"{results}"')
    (toy.folder / "toy_test.cpp").write_text(text)
    with pytest.raises(ToolError, match=r"gave \(4, \d\) values for 4 events of 2 outputs"):
        csim.run(toy, events(4), store)


def test_progress_reaches_the_last_event(toy, store):
    told = []
    csim.run(toy, events(300), store, progress=lambda *step: told.append(step))
    assert told[:2] == [("compiling project", 0, 1), ("compiling project", 1, 1)]
    assert told[-1] == ("simulating project", 300, 300)
    assert [step[1] for step in told[2:]] == sorted(step[1] for step in told[2:])
