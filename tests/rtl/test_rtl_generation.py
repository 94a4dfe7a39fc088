"""Generated RTL, simulated cycle by cycle, against the exact evaluator."""

import dataclasses
import re
import shutil
import subprocess

import numpy as np
import pytest
from random_graphs import random_graph, random_inputs

from trigforge import comparison, cosim, rtl
from trigforge.core.config import Hardware
from trigforge.core.errors import InputError
from trigforge.core.files import FileSet
from trigforge.core.fixed_point import parse_format
from trigforge.core.graph import Activation, ActivationKind, Dense, FixedPointGraph, Input
from trigforge.core.records import Stimulus
from trigforge.evaluation import evaluate
from trigforge.rtl import da
from trigforge.rtl.da import generation

HARDWARE = Hardware(part="xcvu13p-flga2577-2-e", clock_mhz=320, io_type="io_parallel")
N_GRAPHS = 32
N_EVENTS = 2000


def small_network(**changes) -> FixedPointGraph:
    """Return two dense layers with a ReLU between them."""
    rng = np.random.default_rng(4)
    source = Input(name="x", inputs=(), shape=(6,), format=parse_format("fixed<6,3>"))

    def dense(name: str, before: str, n_in: int, n_out: int, fmt: str) -> Dense:
        return Dense(
            name=name,
            inputs=(before,),
            shape=(n_out,),
            format=parse_format(fmt),
            weights=rng.integers(-16, 16, (n_in, n_out)),
            weight_format=parse_format("fixed<5,1>"),
            bias=rng.integers(-16, 16, n_out),
            bias_format=parse_format("fixed<5,1>"),
            accumulator=parse_format(fmt),
        )

    first = dense("hidden", "x", 6, 5, "fixed<16,8>")
    relu = Activation(
        name="relu",
        inputs=("hidden",),
        shape=(5,),
        format=parse_format("ufixed<5,2,RND_CONV,SAT>"),
        kind=ActivationKind.RELU,
    )
    last = dense("logits", "relu", 5, 3, "fixed<16,8>")
    first = dataclasses.replace(first, **changes)
    return FixedPointGraph(name="tiny", nodes=(source, first, relu, last))


def stimulus_of(graph: FixedPointGraph, n_events: int = N_EVENTS) -> Stimulus:
    return comparison.make_stimulus(random_inputs(graph, n_events), seed=1)


def written(folder, graph: FixedPointGraph, hardware: Hardware = HARDWARE, language="verilog"):
    """Write the firmware of a graph with vectors of its own."""
    design = da.generate(graph, hardware, language=language)
    stimulus = stimulus_of(graph)
    expected = evaluate(graph, stimulus.inputs).outputs
    files = rtl.assemble(design, graph, hardware, stimulus, expected, FileSet({}))
    return rtl.write(folder, files, "digest")


def outcomes(firmware, graph: FixedPointGraph, store):
    stimulus = stimulus_of(graph)
    return cosim.check(firmware, stimulus, evaluate(graph, stimulus.inputs).outputs, store)


@pytest.mark.toolchain
@pytest.mark.parametrize("seed", range(N_GRAPHS))
def test_random_networks_are_exact_in_rtl(tmp_path, session_store, seed):
    graph = random_graph(seed, n_nodes=4, max_width=10)
    firmware = written(tmp_path / "firmware", graph)
    inputs = random_inputs(graph, N_EVENTS, seed)
    found = cosim.run(firmware, inputs, session_store)
    assert found.outputs.raw.tolist() == evaluate(graph, inputs).outputs.raw.tolist()
    assert found.latency_cycles == (firmware.latency_cycles, firmware.latency_cycles)


@pytest.mark.toolchain
def test_every_scenario_is_met(tmp_path, session_store):
    graph = small_network()
    found = outcomes(written(tmp_path / "firmware", graph), graph, session_store)
    assert [outcome.fault for outcome in found] == [None] * len(found)
    names = {outcome.name for outcome in found}
    assert {"gaps in valid", "reset in mid-stream", "an event every cycle: held_out"} <= names


@pytest.mark.toolchain
def test_a_flipped_weight_bit_is_seen_in_every_scenario(tmp_path, session_store):
    graph = small_network()
    weights = graph["hidden"].weights.copy()
    weights[2, 1] ^= 1
    found = outcomes(
        written(tmp_path / "firmware", small_network(weights=weights)), graph, session_store
    )
    assert all(outcome.n_different > 0 for outcome in found if outcome.n_events > 100), [
        outcome.fault for outcome in found
    ]


def edited(firmware, path: str, pattern: str, replacement: str):
    """Change a source by hand, once."""
    file = firmware.folder / path
    text, n_changes = re.subn(pattern, replacement, file.read_text(), count=1)
    assert n_changes == 1, f"{pattern} is not in {path}"
    file.write_text(text)
    return rtl.read(firmware.folder)


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("path", "pattern", "replacement"),
    [
        # A register of the data path becomes a wire: the result comes a cycle early.
        (
            "rtl/tiny_pipeline.v",
            r"reg (\[\d+:0\] stage1_inp);((?s:.)*?)\n +stage1_inp(\[\d+:0\]) <= (.*?);",
            r"wire \1;\2\n end assign stage1_inp\3 = \4; always @(posedge clk) begin",
        ),
        # The valid flag has one register too few.
        ("rtl/tiny.v", r"\.N_CYCLES\((\d+)\)", r".N_CYCLES(\1 - 1)"),
        # Two outputs are swapped in part.
        (
            "rtl/tiny.v",
            r"(assign out_data\[15:0\] = .*?)logic_out\[(\d+):0\]",
            r"\1~logic_out[\2:0]",
        ),
        # A reset is ignored.
        ("rtl/valid_line.v", r"if \(rst\) flags", r"if (1'b0) flags"),
    ],
)
def test_a_fault_in_the_rtl_is_seen(tmp_path, session_store, path, pattern, replacement):
    graph = small_network()
    fast = HARDWARE.model_copy(update={"clock_mhz": 480})
    firmware = edited(written(tmp_path / "firmware", graph, fast), path, pattern, replacement)
    assert firmware.modified == (path,)
    assert not all(outcome.met for outcome in outcomes(firmware, graph, session_store))


@pytest.mark.toolchain
@pytest.mark.skipif(shutil.which("ghdl") is None, reason="GHDL translates VHDL for Verilator")
def test_vhdl_is_the_same_arithmetic(tmp_path, session_store):
    graph = small_network()
    firmware = written(tmp_path / "firmware", graph, language="vhdl")
    for source in firmware.sources:
        analysed = ["ghdl", "-a", "--std=08", firmware.folder / source]
        subprocess.run(analysed, cwd=tmp_path, check=True, capture_output=True)
    translated = ["ghdl", "--synth", "--std=08", "--out=verilog", firmware.name]
    result = subprocess.run(translated, cwd=tmp_path, check=True, capture_output=True)
    (tmp_path / "top.v").write_bytes(result.stdout)
    verilog = dataclasses.replace(firmware, folder=tmp_path, language="verilog", sources=("top.v",))
    assert all(outcome.met for outcome in outcomes(verilog, graph, session_store))


def test_a_faster_clock_takes_more_stages():
    graph = small_network()
    cycles = [
        da.generate(graph, HARDWARE.model_copy(update={"clock_mhz": mhz})).latency_cycles
        for mhz in (40, 160, 320, 480)
    ]
    assert cycles == sorted(cycles)
    assert cycles[0] < cycles[-1]


def test_a_clock_that_leaves_no_time_is_refused():
    with pytest.raises(InputError, match="1000 MHz leaves no time for an adder"):
        da.generate(small_network(), HARDWARE.model_copy(update={"clock_mhz": 1000}))


@pytest.mark.parametrize("name", ["small", "wire", "signal", "mux"])
def test_a_network_that_bears_a_keyword_is_refused(name):
    with pytest.raises(InputError, match=f"'{name}' is a reserved word.*{name}_net"):
        da.generate(dataclasses.replace(small_network(), name=name), HARDWARE)


def test_an_unknown_language_is_refused():
    with pytest.raises(InputError, match="unknown language 'chisel'; known: verilog, vhdl"):
        da.generate(small_network(), HARDWARE, language="chisel")


@pytest.mark.parametrize("language", ["verilog", "vhdl"])
def test_the_same_graph_gives_the_same_files(language):
    first = da.generate(small_network(), HARDWARE, language=language)
    assert da.generate(small_network(), HARDWARE, language=language) == first


def test_two_networks_can_meet_in_one_project():
    modules = re.compile(r"^module (\w+)", re.MULTILINE)
    shared = {"valid_line", "binop", "multiplier", "mux", "negative", "shift_adder"}
    names = []
    for name in ("left", "right"):
        graph = dataclasses.replace(small_network(), name=name)
        design = da.generate(graph, HARDWARE)
        text = "".join(content.decode() for content in design.sources.values())
        names.append(set(modules.findall(text)))
    assert names[0] & names[1] == shared | {"ternary_adder"}


def test_alkaids_primitives_are_copied_unchanged():
    design = da.generate(small_network(), HARDWARE)
    folder = generation._ALKAID / "codegen/rtl/verilog/source"
    copied = {path.rpartition("/")[2] for path in design.sources if "/alkaid/" in path}
    assert copied == {path.name for path in folder.glob("*.v")}
    for name in copied:
        assert design.sources[f"rtl/alkaid/{name}"] == (folder / name).read_bytes()


def test_inputs_that_are_not_used_do_no_harm(tmp_path):
    graph = small_network()
    weights = graph["hidden"].weights.copy()
    weights[[0, 3, 5]] = 0
    firmware = written(tmp_path / "firmware", small_network(weights=weights))
    assert firmware.input.n_elements == 6
