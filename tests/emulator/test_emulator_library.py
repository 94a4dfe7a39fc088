"""The library as others use it: arrays, threads, symbols, refusals, faults."""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from emulated_networks import dense_network
from random_graphs import random_inputs

from trigforge.core.errors import ConversionError, InputError, StoreError, ToolError
from trigforge.core.files import FileSet, write_folder
from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.graph import FixedPointGraph, Input, Quantise, Scale
from trigforge.core.records import RawTensor
from trigforge.core.store import Store
from trigforge.emulator import EmulatorSources, build, generate, load
from trigforge.evaluation import evaluate

pytestmark = pytest.mark.toolchain

GRAPH = dense_network("small", sizes=(16, 12, 5))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def library(store):
    return build(generate(GRAPH), store)


@pytest.fixture(scope="module")
def emulator(library):
    return load(library)


def changed(sources: EmulatorSources, path: str, content: bytes) -> EmulatorSources:
    return replace(sources, files=FileSet({**sources.files, path: content}))


def test_any_number_of_events_gives_the_right_answers(emulator):
    inputs = random_inputs(GRAPH, 200)
    expected = evaluate(GRAPH, inputs).outputs.raw
    for n_events in (0, 1, 2, 31, 63, 64, 65, 200):
        np.testing.assert_array_equal(emulator.predict(inputs.raw[:n_events]), expected[:n_events])


def test_tensors_and_other_integer_types_and_orders_are_taken(emulator):
    inputs = random_inputs(GRAPH, 100)
    expected = evaluate(GRAPH, inputs).outputs
    outputs = emulator.run(inputs)
    assert outputs.format == expected.format
    np.testing.assert_array_equal(outputs.raw, expected.raw)
    turned = np.asfortranarray(inputs.raw.astype(np.int16))
    np.testing.assert_array_equal(emulator.predict(turned), expected.raw)


def test_results_go_where_the_caller_wants_them(emulator):
    inputs = random_inputs(GRAPH, 500)
    expected = evaluate(GRAPH, inputs).outputs.raw
    room = np.full((600, 5), -1, dtype=np.int32)
    filled = emulator.predict(inputs.raw, n_threads=2, out=room[50:550])
    assert np.shares_memory(filled, room)
    np.testing.assert_array_equal(room[50:550], expected)
    assert (room[:50] == -1).all()
    assert (room[550:] == -1).all()


@pytest.mark.parametrize(
    "room",
    [np.zeros((4, 5), np.int32), np.zeros((3, 5), np.int64), np.zeros((5, 3), np.int32).T],
    ids=["shape", "type", "order"],
)
def test_room_that_does_not_fit_is_refused(emulator, room):
    with pytest.raises(InputError, match=r"fills \(3, 5\) int32 in C order"):
        emulator.predict(np.zeros((3, 16), np.int32), out=room)


@pytest.mark.parametrize("n_threads", [2, 5])
def test_threads_give_what_one_thread_gives(emulator, n_threads):
    inputs = random_inputs(GRAPH, 100_000).raw
    expected = emulator.predict(inputs)
    np.testing.assert_array_equal(emulator.predict(inputs, n_threads=n_threads), expected)


def test_one_emulator_may_be_used_from_many_threads_at_once(emulator):
    samples = [random_inputs(GRAPH, 3000, seed).raw for seed in range(6)]
    expected = [emulator.predict(sample) for sample in samples]

    def n_wrong(i):
        return sum((emulator.predict(samples[i]) != expected[i]).any() for _ in range(20))

    with ThreadPoolExecutor(len(samples)) as pool:
        assert sum(pool.map(n_wrong, range(len(samples)))) == 0


def test_wrong_inputs_are_refused(emulator):
    good = random_inputs(GRAPH, 10).raw
    with pytest.raises(InputError, match=r"takes \(n_events, 16\) inputs, not \(10, 15\)"):
        emulator.predict(good[:, :15])
    with pytest.raises(InputError, match="not \\(16,\\)"):
        emulator.predict(good[0])
    with pytest.raises(InputError, match="takes raw integers, not float64"):
        emulator.predict(good / 1.0)
    with pytest.raises(InputError, match="do not fit into ap_fixed<16,6>"):
        emulator.predict(good * 0 + 32768)
    late = np.zeros((1000, 16), dtype=np.int32)
    late[700, 3] = -32769
    with pytest.raises(InputError, match="from -32769 to 0 do not fit"):
        emulator.predict(late)
    with pytest.raises(InputError, match="do not fit"):
        emulator.predict(np.concatenate([good] * 5000) * 0 - 32769, n_threads=2)
    with pytest.raises(InputError, match="0 threads"):
        emulator.predict(good, n_threads=0)
    other = FixedPointFormat(True, 16, 7)
    with pytest.raises(InputError, match="takes ap_fixed<16,6>, not ap_fixed<16,7>"):
        emulator.run(RawTensor(format=other, raw=good))
    with pytest.raises(InputError, match="no instruction set 'neon'"):
        emulator.set_path("neon")


def test_only_the_interface_is_visible(library):
    listing = subprocess.run(
        ["nm", "-D", "--defined-only", library.path], capture_output=True, text=True, check=True
    )
    names = {line.split()[-1] for line in listing.stdout.splitlines()}
    assert names == {f"small_v1_{name}" for name in ("predict", "metadata", "path", "set_path")}


def test_the_library_needs_no_others_but_the_systems(library):
    listing = subprocess.run(
        ["readelf", "-d", library.path], capture_output=True, text=True, check=True
    )
    needed = re.findall(r"NEEDED.*\[(.*?)\]", listing.stdout)
    assert {name.split(".")[0] for name in needed} <= {"libstdc++", "libm", "libgcc_s", "libc"} | {
        name.split(".")[0] for name in needed if name.startswith("ld-")
    }


def test_the_library_says_what_it_is(emulator):
    assert emulator.metadata["name"] == "small"
    assert emulator.metadata["inputs"] == [16, "ap_fixed<16,6>"]
    assert len(emulator.metadata["digest"]) == 64


def test_a_library_is_compiled_once(library, store, monkeypatch):
    monkeypatch.setattr("trigforge.emulator.library._compile", lambda *_: pytest.fail("compiled"))
    assert build(generate(GRAPH), store).path == library.path


def test_a_flipped_weight_is_seen(store, emulator):
    sources = generate(GRAPH)
    text = sources.files["network.hpp"].decode()
    flipped = re.sub(
        r"(?<=[{ ])-?\d{7,}(?=[,}])", lambda weights: str(int(weights[0]) ^ 0x10000), text, count=1
    )
    assert flipped != text
    wrong = changed(sources, "network.hpp", flipped.encode())
    inputs = random_inputs(GRAPH, 500).raw
    assert (load(build(wrong, store)).predict(inputs) != emulator.predict(inputs)).any()


def test_a_flipped_rounding_mode_is_seen(store, emulator):
    sources = generate(GRAPH)
    text = sources.files["network.hpp"].decode()
    assert "rounded_to_even" in text
    wrong = changed(
        sources, "network.hpp", text.replace("rounded_to_even", "rounded_down").encode()
    )
    inputs = random_inputs(GRAPH, 500).raw
    assert (load(build(wrong, store)).predict(inputs) != emulator.predict(inputs)).any()


def test_a_compilers_failure_is_told(store):
    broken = changed(generate(GRAPH), "network.hpp", b"int broken(;\n")
    with pytest.raises(ToolError, match=r"compiling (\w+).cpp of the emulator small_v1"):
        build(broken, store)


def test_a_corrupt_library_is_refused_before_it_is_loaded(tmp_path):
    graph = dense_network("corrupt", sizes=(16, 2))
    store = Store(tmp_path)
    library = build(generate(graph), store)
    content = bytearray(library.path.read_bytes())
    content[len(content) // 2] ^= 1
    library.path.write_bytes(content)
    with pytest.raises(StoreError, match="libcorrupt_v1.so is missing, new or changed"):
        build(generate(graph), store)


def test_a_library_of_other_sources_is_refused(library):
    other = replace(generate(dense_network("small", seed=1, sizes=(16, 12, 5))), version=1)
    with pytest.raises(StoreError, match="other sources"):
        load(replace(library, sources=other))
    with pytest.raises(ToolError, match="cannot be loaded"):
        load(replace(library, path=Path("/nowhere.so")))


def test_generation_is_deterministic():
    assert generate(GRAPH).files == generate(GRAPH).files
    assert generate(GRAPH).files.digest != generate(GRAPH, version=2).files.digest


def test_names_that_are_no_identifiers_are_refused():
    graph = FixedPointGraph(name="not-a-name", nodes=GRAPH.nodes)
    with pytest.raises(ConversionError, match="'not-a-name'"):
        generate(graph)


def test_what_needs_more_than_128_bits_is_refused_by_name():
    wide = FixedPointFormat(True, 64, 64)
    nodes = (
        Input(name="x", inputs=(), shape=(1,), format=FixedPointFormat(True, 60, 60)),
        Scale(
            name="squeezed",
            inputs=("x",),
            shape=(1,),
            format=wide,
            scale=np.array([1 << 62]),
            scale_format=wide,
            bias=np.array([1]),
            bias_format=FixedPointFormat(True, 64, -200),
        ),
    )
    with pytest.raises(ConversionError, match="squeezed: .* bits"):
        generate(FixedPointGraph(name="wide", nodes=nodes))


def test_ports_of_64_bits_are_carried(store):
    fmt = FixedPointFormat(True, 50, 20)
    nodes = (
        Input(name="x", inputs=(), shape=(2,), format=fmt),
        Quantise(name="y", inputs=("x",), shape=(2,), format=FixedPointFormat(False, 63, 30)),
    )
    graph = FixedPointGraph(name="long_ports", nodes=nodes)
    emulator = load(build(generate(graph), store))
    inputs = random_inputs(graph, 100)
    assert emulator.dtype == np.int64
    np.testing.assert_array_equal(emulator.predict(inputs.raw), evaluate(graph, inputs).outputs.raw)


def test_make_builds_the_same_libraries(tmp_path):
    sources = generate(dense_network("made", sizes=(16, 3)))
    write_folder(tmp_path / "made", sources.files)
    subprocess.run(["make", "-s", "-j2", "CXXFLAGS=-O1"], cwd=tmp_path / "made", check=True)
    assert (tmp_path / "made" / "libmade_v1.so").exists()
    assert (tmp_path / "made" / "made_v1.so").exists()
