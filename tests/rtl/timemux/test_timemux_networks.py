"""Time-multiplexed networks, simulated cycle by cycle, against the exact evaluator."""

import re
from dataclasses import replace

import pytest
from random_graphs import random_graph, random_inputs
from timemux_networks import (
    ACTIVATION,
    CLOCKS_MHZ,
    Layers,
    budget,
    faults_of,
    hardware,
    random_network,
    simulated,
)

from trigforge import comparison, rtl, synthesis
from trigforge.core.errors import ConversionError, InputError
from trigforge.core.files import FileSet
from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding
from trigforge.core.graph import FixedPointGraph, Input, Merge, MergeKind, PoolKind
from trigforge.evaluation import evaluate
from trigforge.rtl import reserved_words, timemux
from trigforge.rtl.timemux import generation

WORD = FixedPointFormat(False, 8, 2)
SIGNED = FixedPointFormat(True, 8, 3)
N_NETWORKS, N_GRAPHS = 24, 18


@pytest.mark.toolchain
@pytest.mark.parametrize("seed", range(N_NETWORKS))
def test_random_layers_of_multipliers_are_exact_at_every_clock(session_store, seed):
    faults, design = faults_of(
        random_network(seed), session_store, CLOCKS_MHZ[seed % len(CLOCKS_MHZ)]
    )
    assert faults == []
    assert design.schedule.latency_cycles == design.latency_cycles


@pytest.mark.toolchain
@pytest.mark.parametrize("seed", range(N_GRAPHS))
def test_random_graphs_of_every_kind_of_node_are_exact(session_store, seed):
    graph = random_graph(seed, n_nodes=4, max_width=14)
    faults, _ = faults_of(graph, session_store, CLOCKS_MHZ[seed % len(CLOCKS_MHZ)])
    assert faults == []


@pytest.mark.toolchain
def test_dense_layers_are_exact_under_cocotb(session_store):
    graph = Layers("dense", (12,), SIGNED, 1).dense(10).relu().dense(8, 0.5).relu().dense(3)
    faults, _ = faults_of(graph.graph(), session_store, bench="cocotb")
    assert faults == []


@pytest.mark.toolchain
def test_convolutions_with_strides_padding_and_channels_are_exact_under_cocotb(session_store):
    layers = Layers("conv2d", (7, 6, 2), SIGNED, 2)
    layers.conv(4, (3, 2), (1, 2), (1, 0, 2, 1)).relu()
    layers.conv(4, (2, 2), depthwise=True).relu().conv(3, (1, 1)).relu().pool()
    faults, _ = faults_of(layers.graph(), session_store, bench="cocotb")
    assert faults == []


@pytest.mark.toolchain
def test_one_dimensional_convolutions_are_exact_under_cocotb(session_store):
    layers = Layers("conv1d", (1, 12, 3), WORD, 3)
    layers.conv(4, (1, 3), (1, 2), (0, 0, 1, 1)).relu().pool((1, 2)).conv(2, (1, 2))
    faults, _ = faults_of(layers.graph(), session_store, bench="cocotb")
    assert faults == []


@pytest.mark.toolchain
@pytest.mark.parametrize("kind", list(PoolKind))
def test_pooling_of_overlapping_windows_is_exact(session_store, kind):
    layers = Layers(f"pool_{kind}", (6, 7, 2), SIGNED, 4)
    layers.pool((3, 2), (2, 1), kind=kind).conv(2, (2, 2)).relu().pool((1, 2), kind=kind)
    faults, _ = faults_of(layers.graph(), session_store)
    assert faults == []


@pytest.mark.toolchain
@pytest.mark.parametrize("multipliers", ["da", "auto"])
def test_layers_of_constant_multiplication_are_exact(session_store, multipliers):
    layers = Layers("unrolled", (6, 6, 2), WORD, 5).conv(3, (3, 3)).relu().pool()
    graph = layers.flatten().dense(4).graph()
    faults, design = faults_of(graph, session_store, multipliers=multipliers)
    assert faults == []
    if multipliers == "da":
        assert design.schedule.n_dsp == 0
        assert design.schedule.layers[0].n_slots == 8


@pytest.mark.toolchain
def test_one_layer_can_be_built_otherwise(session_store):
    graph = Layers("mixed", (10,), WORD, 6).dense(8).relu().dense(5).graph()
    faults, design = faults_of(graph, session_store, layer_multipliers={"n1": "da"})
    assert faults == []
    built = {layer.name: layer.built_as for layer in design.schedule.layers}
    assert (built["n1"], built["n3"]) == ("distributed arithmetic", "dsp")


@pytest.mark.toolchain
def test_several_crossings_an_event_need_fewer_multipliers(session_store):
    graph = Layers("slow", (16,), WORD, 7).dense(16).relu().dense(4).graph()
    fast = timemux.generate(graph, hardware(), budget())
    slow = timemux.generate(graph, hardware(), budget(interval_crossings=3))
    assert slow.interval_cycles == 24
    assert slow.schedule.n_dsp < 0.5 * fast.schedule.n_dsp
    assert all(outcome.met for outcome in simulated(slow, graph, session_store))


@pytest.mark.toolchain
def test_a_layer_that_rounds_each_product_is_unrolled_and_says_why(session_store):
    coarse = FixedPointFormat(True, 12, 8, Rounding.RND, Overflow.SAT)
    graph = Layers("lossy", (6,), WORD, 8).dense(4, accumulator=coarse).graph()
    faults, design = faults_of(graph, session_store)
    assert faults == []
    assert "each product loses" in design.schedule.layers[0].reason


@pytest.mark.toolchain
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (r"\.ROUNDING\(6\)", ".ROUNDING(0)"),
        (r"enable\(valid\[\d+\]\)", "enable(valid[2])"),
        (r"\.CONTENT\((\d+)'h(\w)", r".CONTENT(\1'h0"),
        (r"\.c\(\d+'h(\w+)\)", ".c(1'h0)"),
        (r"phase\(phase\[\d+:\d+\]\)", "phase(phase[5:3])"),
    ],
)
def test_a_planted_fault_is_seen(session_store, before, after):
    layers = Layers("planted", (10,), WORD, 9).dense(8).relu().dense(5).relu().dense(4).relu()
    graph = layers.dense(3).graph()
    design = timemux.generate(graph, hardware(), budget())
    top = f"rtl/{design.name}.sv"
    text = design.sources[top]
    text = text if isinstance(text, str) else text.decode()
    damaged, n_changes = re.subn(before, after, text)
    assert n_changes
    broken = replace(design, sources=FileSet({**dict(design.sources.items()), top: damaged}))
    assert not all(outcome.met for outcome in simulated(broken, graph, session_store))


@pytest.mark.toolchain
def test_synthesis_finds_the_dsps_of_the_schedule_and_no_others(session_store, tmp_path):
    layers = Layers("counted", (6, 6, 1), WORD, 4).conv(3, (3, 3)).relu().pool().flatten()
    graph = layers.dense(4).graph()
    design = timemux.generate(graph, hardware(), budget())
    stimulus = comparison.make_stimulus(random_inputs(graph, 20), seed=1)
    expected = evaluate(graph, stimulus.inputs).outputs
    files = rtl.assemble(design, graph, hardware(), stimulus, expected, FileSet({}))
    found = synthesis.run(rtl.write(tmp_path / "counted", files, "digest"), session_store)
    assert found.resources.dsp == design.schedule.n_dsp > 0
    assert found.resources.bram_18k == 0
    assert "-nodsp -nosrl" in (found.log.parent / "synthesis.ys").read_text()


def test_an_interval_below_one_cycle_is_refused():
    graph = Layers("late", (4,), WORD).dense(2).graph()
    with pytest.raises(InputError, match="interval of a time-multiplexed design is at least 1"):
        timemux.generate(graph, hardware(30), budget())


def test_a_keyword_as_a_name_is_refused():
    graph = Layers("always_ff", (4,), WORD).dense(2).graph()
    with pytest.raises(InputError, match="reserved word"):
        timemux.generate(graph, hardware(), budget())


def test_no_network_can_have_the_name_of_a_module():
    modules = {path.stem for path in generation.LIBRARY.glob("tm_*.sv")}
    assert modules <= reserved_words.RESERVED
    assert len(modules) > 10


def test_a_node_that_cannot_be_scheduled_is_named():
    fmt = FixedPointFormat(True, 6, 3, overflow=Overflow.SAT_SYM)
    other = FixedPointFormat(True, 7, 3)
    layers = Layers("torn", (4,), fmt, 1).quantise(other)
    chosen = Merge(
        name="larger", inputs=("x", "n1"), shape=(4,), format=fmt, kind=MergeKind.MAXIMUM
    )
    graph = FixedPointGraph(name="torn", nodes=(*layers.nodes, chosen))
    with pytest.raises(ConversionError, match="graph torn, node larger"):
        timemux.generate(graph, hardware(), budget())


@pytest.mark.toolchain
def test_words_beyond_a_multiplier_are_unrolled_and_say_why(session_store):
    wide = FixedPointFormat(True, 30, 10)
    graph = Layers("wide", (3,), wide, 2).dense(2).graph()
    faults, design = faults_of(graph, session_store)
    assert faults == []
    assert "27 by 18 bits" in design.schedule.layers[0].reason


@pytest.mark.toolchain
def test_outputs_that_are_constant_or_the_input_itself_are_exact(session_store):
    layers = Layers("pruned", (5,), WORD, 3).dense(4, 1.0).relu()
    faults, design = faults_of(layers.graph(), session_store)
    assert faults == []
    assert design.schedule.n_dsp == 0
    alone = FixedPointGraph(
        name="nothing", nodes=(Input(name="x", inputs=(), shape=(3,), format=ACTIVATION),)
    )
    faults, _ = faults_of(alone, session_store)
    assert faults == []


def test_the_design_lists_each_module_that_it_needs_once():
    graph = Layers("listed", (5,), WORD, 3).dense(4).relu().dense(2).graph()
    design = timemux.generate(graph, hardware(), budget())
    names = [path.rsplit("/", 1)[-1] for path in design.order]
    assert names[-1] == "listed.sv"
    assert len(set(names)) == len(names)
    assert {"tm_chain.sv", "tm_dsp.sv", "DSP48E2.sv", "tm_control.sv"} <= set(names)
    assert set(design.sources) == set(design.order)
