"""The lowered arithmetic, value by value against the C simulation of what hls4ml wrote."""

import dataclasses
from pathlib import Path

import lowering_branches
import numpy as np
import pytest
import simulating
from lowering_nets import compare_all, model_graph, stimulus_for

from trigforge.conversion import convert, lowering
from trigforge.core import graph_file
from trigforge.core.graph import FixedPointGraph, SumOfProducts
from trigforge.core.spec_file import read_spec
from trigforge.evaluation import evaluate
from trigforge.networks import reference, zoo

pytestmark = pytest.mark.toolchain

MODELS = Path(__file__).parents[2] / "models"

FAMILIES = {
    "activations": lowering_branches.activations,
    "images": lowering_branches.images,
    "vectors": lowering_branches.vectors,
}
RESOURCE = {
    ("images", "io_parallel"): 3,
    ("images", "io_stream"): 6,
    ("vectors", "io_parallel"): 4,
}
"""Reuse factors; single layers have others, up to above the number of terms."""


def without_resource(model, precisions):
    """Keep depthwise layers at Latency: in io_parallel hls4ml has nothing else."""
    for layer in model.layers:
        if "Depthwise" in type(layer).__name__:
            precisions[layer.name]["Strategy"] = "Latency"


def family_graph(family, io_type, **options):
    model, precisions = FAMILIES[family](io_type)
    if options.get("strategy") == "Resource" and io_type == "io_parallel":
        without_resource(model, precisions)
    return model_graph(model, precisions, io_type, **options)


@pytest.fixture(scope="module")
def graphs():
    latency = {
        f"{family} {io_type}": family_graph(family, io_type)
        for family in FAMILIES
        for io_type in simulating.IO_TYPES
    }
    resource = {
        f"{family} {io_type} reuse {reuse}": family_graph(
            family, io_type, strategy="Resource", reuse_factor=reuse
        )
        for (family, io_type), reuse in RESOURCE.items()
    }
    vivado = {"images Vivado": family_graph("images", "io_parallel", backend="Vivado")}
    return latency | resource | vivado


def test_every_layer_gives_what_the_simulation_gives(graphs, tmp_path):
    agreements = compare_all(graphs, tmp_path)
    for name, agreement in agreements.items():
        assert agreement.met, (name, agreement.first_difference)
    n_values = sum(agreement.n_values for agreement in agreements.values())
    print(f"{len(agreements)} networks, {n_values} values, 0 different")  # noqa: T201 - the size of the evidence


def reversed_order(node):
    """Add the terms of a sum the other way round."""
    if not isinstance(node, SumOfProducts):
        return node
    n_channels = len(node.bias)
    n_terms = node.weights.size // n_channels
    order = np.broadcast_to(np.arange(n_terms)[::-1, None], (n_terms, n_channels))
    return dataclasses.replace(node, order=order if node.order is None else node.order[::-1])


@pytest.mark.parametrize("family", ["images", "vectors"])
def test_the_order_of_a_saturating_sum_matters(graphs, family):
    graph = lowering.lower(graphs[f"{family} io_parallel"], "net")
    other = FixedPointGraph(name="net", nodes=tuple(map(reversed_order, graph)))
    inputs = stimulus_for(graph).inputs
    same = evaluate(graph, inputs).outputs.raw == evaluate(other, inputs).outputs.raw
    assert not same.all()


def test_a_lowered_graph_survives_storage(graphs):
    for name, hls_graph in graphs.items():
        graph = lowering.lower(hls_graph, "net")
        loaded = graph_file.from_files(graph_file.to_files(graph))
        inputs = stimulus_for(graph).inputs
        expected, found = (evaluate(each, inputs).outputs.raw for each in (graph, loaded))
        np.testing.assert_array_equal(expected, found, err_msg=name)


def test_every_branch_is_found_by_the_name_of_its_layer(graphs):
    for io_type in simulating.IO_TYPES:
        for family, make in FAMILIES.items():
            model, _ = make(io_type)
            graph = lowering.lower(graphs[f"{family} {io_type}"], "net")
            names = {node.name for node in graph}
            wanted = {layer.name for layer in model.layers if "flatten_" not in layer.name}
            assert wanted <= names


SPECS = ("jet_tagger", "top_tagger")
BUILDS = [("io_parallel", "Latency", 1), ("io_stream", "Latency", 1), ("io_stream", "Resource", 4)]


def shipped_case(name, build):
    """A shipped architecture with random weights."""
    io_type, strategy, reuse_factor = build
    spec = read_spec(MODELS / f"{name}.yaml")
    shape = (16,) if name == "jet_tagger" else (16, 16, 1)
    n_outputs = 5 if name == "jet_tagger" else 1
    model = zoo.build_quantised(spec.network, spec.quantization, shape, n_outputs)
    return simulating.Case(
        model=simulating.fill(model),
        link=spec.quantization.parsed("link_format"),
        hardware=simulating.hardware(io_type, strategy=strategy, reuse_factor=reuse_factor),
    )


def test_a_shipped_network_has_one_arithmetic_in_three_forms(tmp_path):
    cases = {
        f"{name} {' '.join(map(str, build))}": shipped_case(name, build)
        for name in SPECS
        for build in BUILDS
    }
    n_values = 0
    for name, agreement in simulating.agreements(cases, tmp_path).items():
        assert agreement.met, (name, agreement.first_difference)
        case = cases[name]
        conversion = convert.convert(case.model, case.name, case.link, case.hardware)
        inputs = simulating.stimulus_of(case).inputs
        exact = reference.evaluate(case.model, inputs, conversion.output)
        found = evaluate(conversion.graph, inputs).outputs
        np.testing.assert_array_equal(found.raw, exact.raw, err_msg=name)
        n_values += found.raw.size
    print(f"{len(cases)} shipped networks, {n_values} values, 0 different")  # noqa: T201 - the size of the evidence
