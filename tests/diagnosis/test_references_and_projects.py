"""Faults that are not the configuration's: float32, a changed project, what nobody explains."""

from dataclasses import replace

import numpy as np
import pytest
from faults import LINK, WIDE_SUMS, floating, quantised
from keras import layers

from trigforge.conversion import lowering
from trigforge.core.errors import ComparisonError
from trigforge.core.fixed_point import quantise
from trigforge.core.graph import FixedPointGraph
from trigforge.core.records import RawTensor
from trigforge.diagnosis import Cause, ProjectTrace, diagnose
from trigforge.evaluation import evaluate
from trigforge.networks import tracing


@pytest.fixture(scope="module")
def network():
    """Graph, inputs and the original of a clean network."""
    case = quantised()
    graph = case.graph
    inputs = RawTensor(format=graph.input.format, raw=quantise(case.values, graph.input.format))
    return graph, inputs, tracing.trace(case.model, case.values)


def flipped(graph, name, index, bit, field="weights"):
    """Return the graph with one bit of a constant turned, as a damaged header would have it."""
    raw = getattr(graph[name], field).copy()
    raw[index] ^= 1 << bit
    nodes = (replace(node, **{field: raw}) if node.name == name else node for node in graph)
    return FixedPointGraph(name=graph.name, nodes=tuple(nodes))


def project_of(graph, inputs, **fields):
    tensors = evaluate(graph, inputs, keep=tuple(node.name for node in graph)).tensors
    return ProjectTrace(tensors=tensors, **fields)


def test_a_flipped_weight_in_a_changed_project_is_found(network):
    graph, inputs, original = network
    changed = flipped(graph, "second", (2, 1), 2)
    project = project_of(changed, inputs, modified=("firmware/weights/w4.h",))
    (finding,) = diagnose(graph, inputs, original, project=project).findings
    assert (finding.cause, finding.layer) == (Cause.PROJECT_CHANGED, "second")
    assert finding.element == 1
    before, after = graph["second"].weights[2, 1], changed["second"].weights[2, 1]
    assert "firmware/weights/w4.h" in finding.evidence
    assert f"weights (2, 1) were {after} instead of {before} (raw)" in finding.evidence
    assert finding.advice == "write the project again from its spec"


def test_a_flipped_bias_is_told_from_a_weight(network):
    graph, inputs, original = network
    project = project_of(flipped(graph, "first", 3, 1, "bias"), inputs, modified=("b2.h",))
    (finding,) = diagnose(graph, inputs, original, project=project).findings
    assert (finding.layer, finding.element) == ("first", 3)
    assert "as if bias (3,) were" in finding.evidence


def test_a_project_that_nobody_changed_has_an_unknown_cause(network):
    graph, inputs, original = network
    project = project_of(flipped(graph, "first", (0, 0), 3), inputs)
    (finding,) = diagnose(graph, inputs, original, project=project).findings
    assert (finding.cause, finding.layer) == (Cause.UNKNOWN, "first")
    assert "as if weights (0, 0) were" in finding.evidence
    assert finding.n_explained == 0 < finding.n_remaining


def test_a_project_that_computes_its_graph_gives_no_finding(network):
    graph, inputs, original = network
    assert diagnose(graph, inputs, original, project=project_of(graph, inputs)).met


def test_the_project_of_another_graph_is_refused(network):
    graph, inputs, original = network
    tensor = RawTensor(format=graph["act"].format, raw=np.zeros((150, 3), dtype=np.int64))
    project = ProjectTrace(tensors=(("act", tensor),))
    with pytest.raises(ComparisonError, match="layer act of the project gives .150, 3. values"):
        diagnose(graph, inputs, original, project=project)


def test_sums_that_float32_rounds_are_the_reference_s_fault():
    (finding,) = WIDE_SUMS().diagnosed().findings
    assert (finding.cause, finding.layer) == (Cause.FLOAT32_ROUNDING, "first")
    assert "float32 holds 24 bits; the sum it comes from runs over 2" in finding.evidence
    assert "compare with the exact evaluation" in finding.advice
    assert finding.mends == ()


def test_without_float32_values_there_is_nothing_to_blame():
    case = WIDE_SUMS()
    graph = case.graph
    inputs = RawTensor(format=graph.input.format, raw=quantise(case.values, graph.input.format))
    original = replace(tracing.trace(case.model, case.values), single=())
    assert diagnose(graph, inputs, original).met


def test_what_no_hypothesis_explains_stays_unknown_with_what_is_known():
    case = floating((3,), layers.Activation("hard_sigmoid", name="hard"), link="fixed<10,4>")
    (finding,) = case.diagnosed().findings
    assert (finding.cause, finding.layer) == (Cause.UNKNOWN, "hard")
    assert "known of it: layer hard (HardActivation): its slope is 0.2" in finding.evidence
    assert finding.mends == ()
    assert finding.n_remaining > 0


def test_another_network_s_layers_are_refused(network):
    graph, inputs, _ = network
    other = floating((6,), layers.Dense(5, name="first"), link=LINK)
    original = tracing.trace(other.model, other.values)
    with pytest.raises(ComparisonError, match="first gives 5 elements .* has 4: they are not the"):
        diagnose(graph, inputs, original)


def test_without_single_layers_only_events_with_equal_inputs_count(network):
    _, inputs, original = network
    case = quantised(act={"result": "ufixed<5,2,RND_CONV>"}, second={"bias": "fixed<3,1>"})
    faulty = lowering.lower(case.hls, "net")
    both = diagnose(faulty, inputs, replace(original, apply=None))
    assert [finding.cause for finding in both.findings] == [Cause.RESULT_OVERFLOW, Cause.BIAS]
    whole = diagnose(faulty, inputs, original)
    assert both.findings[1].n_explained < whole.findings[1].n_explained


def test_a_float_model_without_single_layers_carries_its_distances_on():
    case = floating((6,), layers.Dense(4, name="first"), layers.Dense(3, name="second"),
                    link="fixed<10,4>")  # fmt: skip
    graph = case.graph
    inputs = RawTensor(format=graph.input.format, raw=quantise(case.values, graph.input.format))
    original = replace(tracing.trace(case.model, case.values), apply=None)
    assert diagnose(graph, inputs, original).met


def test_padding_that_an_average_counts_is_told_from_its_truncation():
    pool = layers.AveragePooling2D(2, padding="same", name="pool")
    case = floating((3, 3, 2), pool, link=LINK, pool={"accum": "fixed<16,8>"})
    graph = case.graph
    nodes = (graph.input, replace(graph["pool"], count_padding=True))
    counting = FixedPointGraph(name=graph.name, nodes=nodes)
    inputs = RawTensor(format=graph.input.format, raw=quantise(case.values, graph.input.format))
    original = tracing.trace(case.model, case.values)
    (finding,) = diagnose(counting, inputs, original).findings
    assert (finding.cause, finding.element) == (Cause.AVERAGE_PADDING, 2)
    assert "2 of the 4 cells of this window are padding" in finding.evidence
    assert diagnose(graph, inputs, original).met


def test_a_fault_behind_wide_results_is_found_too():
    stack = [layers.Dense(3, name=name) for name in ("one", "two", "three")]
    weights = {name: {"weight": "fixed<12,2>"} for name in ("one", "two", "three")}
    weights["three"]["result"] = "fixed<16,4>"
    case = floating((4,), *stack, link="fixed<16,6>", **weights)
    (finding,) = case.diagnosed().findings
    assert (finding.cause, finding.layer) == (Cause.RESULT_INTEGER_BITS, "three")


def renamed(original, old, new):
    """Return the original with a layer under a name that the graph does not know."""
    layers = tuple(
        replace(
            layer,
            name=new if layer.name == old else layer.name,
            inputs=tuple(new if name == old else name for name in layer.inputs),
        )
        for layer in original.layers
    )
    return replace(original, layers=layers, single=())


def test_layers_without_a_counterpart_are_listed_and_the_rest_is_compared(network):
    graph, inputs, original = network
    diagnosis = diagnose(graph, inputs, renamed(original, "act", "other"))
    assert diagnosis.findings == ()
    assert (diagnosis.unmatched, diagnosis.unmatched_nodes) == (("other",), ("act",))
    assert [(layer.layer, layer.n_own) for layer in diagnosis.layers] == [
        ("first", 0),
        ("second", None),
    ]


def test_a_fault_among_layers_without_a_counterpart_is_unknown(network):
    _, inputs, original = network
    faulty = quantised(act={"result": "ufixed<5,2,RND_CONV>"}).graph
    (finding,) = diagnose(faulty, inputs, renamed(original, "act", "other")).findings
    assert (finding.cause, finding.layer) == (Cause.UNKNOWN, "second")
    assert "what layer second reads has no node of its name in the graph" in finding.evidence
