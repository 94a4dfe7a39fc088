import dataclasses
import re
import shutil

import numpy as np
import pytest
import traced_projects
from traced_projects import IO_TYPES, NETS

from trigforge import csim
from trigforge.core.errors import ToolError
from trigforge.csim import foreign, trace
from trigforge.evaluation import evaluate

pytestmark = pytest.mark.toolchain


@pytest.fixture(scope="module")
def projects(tmp_path_factory):
    folder = tmp_path_factory.mktemp("traced")
    return {
        (net, io_type): traced_projects.write(net, io_type, folder / f"{net}_{io_type}")
        for net in NETS
        for io_type in IO_TYPES
    }


def evaluated(case):
    """The exact tensors of all nodes of a graph but its input."""
    names = tuple(node.name for node in case.graph if node.inputs)
    return dict(evaluate(case.graph, case.inputs, keep=names).tensors)


def first_difference(case, traced):
    """The first layer of a trace that is not what the graph says; None if all are."""
    expected = evaluated(case)
    for name, tensor in traced.layers:
        if name in expected and not np.array_equal(tensor.raw, expected[name].raw):
            return name
    return None


@pytest.mark.parametrize("io_type", IO_TYPES)
@pytest.mark.parametrize("net", NETS)
def test_every_layer_is_what_the_exact_arithmetic_says(net, io_type, projects, session_store):
    case = projects[net, io_type]
    traced = trace.run(case.project, case.inputs, session_store)
    expected = evaluated(case)
    layers = dict(traced.layers)
    assert traced.left_out == ()
    compared = [name for name in layers if name in expected]
    wanted = {"dense": {"fc1", "relu1", "fc2"}, "conv": {"conv1", "relu1", "pool1", "fc2"}}
    assert wanted[net] <= set(compared)
    assert set(expected) - set(layers) <= {"flatten1"}
    for name in compared:
        assert layers[name].format == expected[name].format, name
        np.testing.assert_array_equal(layers[name].raw, expected[name].raw, err_msg=name)
        assert len(np.unique(layers[name].raw)) > 3, name
    outputs = evaluate(case.graph, case.inputs).outputs
    np.testing.assert_array_equal(traced.output.raw, outputs.raw)


@pytest.mark.parametrize(
    ("net", "io_type", "layer"),
    [("dense", "io_parallel", "fc1"), ("conv", "io_stream", "conv1")],
)
def test_a_changed_weight_shows_first_in_its_own_layer(  # noqa: PLR0917 - cases and fixtures
    net, io_type, layer, projects, session_store, tmp_path
):
    case = projects[net, io_type]
    folder = tmp_path / "changed"
    shutil.copytree(case.project.folder, folder)
    change_first_weight(folder / "firmware/weights/w2.h")
    changed = dataclasses.replace(case.project, folder=folder)
    traced = trace.run(changed, case.inputs, session_store)
    assert first_difference(case, traced) == layer


def test_a_weight_changed_in_the_last_layer_leaves_the_others_as_they_were(
    projects, session_store, tmp_path
):
    case = projects["dense", "io_parallel"]
    folder = tmp_path / "changed"
    shutil.copytree(case.project.folder, folder)
    (header,) = [path.name for path in folder.glob("firmware/weights/b*.h") if path.name != "b2.h"]
    change_first_weight(folder / "firmware/weights" / header)
    changed = dataclasses.replace(case.project, folder=folder)
    traced = trace.run(changed, case.inputs, session_store)
    assert first_difference(case, traced) == "fc2"


def change_first_weight(header):
    text = header.read_text()
    match = re.search(r"= \{(-?[\d.]+)", text)
    assert match is not None
    value = float(match[1])
    header.write_text(text.replace(match[0], f"= {{{value - 0.5 if value > 0 else value + 0.5}", 1))


def test_a_project_of_our_own_can_be_opened_like_any_other(projects, session_store):
    case = projects["conv", "io_stream"]
    opened = foreign.open_project(case.project.folder, session_store)
    assert opened.project.input.format == case.project.input.format
    assert opened.project.input.n_elements == 25
    assert opened.project.io_type == "io_stream"
    found = foreign.run(opened, case.inputs)
    np.testing.assert_array_equal(found.raw, csim.run(case.project, case.inputs, session_store).raw)


def test_a_layer_that_is_not_understood_is_named_and_the_rest_is_traced(
    projects, session_store, tmp_path
):
    case = projects["dense", "io_parallel"]
    folder = tmp_path / "by_hand"
    shutil.copytree(case.project.folder, folder)
    source = folder / "firmware/net.cpp"
    text = source.read_text()
    match = re.search(r"nnet::relu<.*?>\((\w+), (\w+)\); // relu1", text)
    assert match is not None
    loop = f"for (int i = 0; i < 3; i++) {match[2]}[i] = {match[1]}[i] > 0 ? {match[1]}[i] : "
    kind = re.search(rf"(\w+) {match[1]}\[", text)
    assert kind is not None
    source.write_text(text.replace(match[0], f"{loop}{kind[1]}(0); // relu1"))
    changed = dataclasses.replace(case.project, folder=folder)
    traced = trace.run(changed, case.inputs, session_store)
    ((name, reason),) = traced.left_out
    assert (name, reason.startswith("not a call: for (int i = 0;")) == ("relu1", True)
    assert "relu1" not in dict(traced.layers)
    assert {"fc1", "fc2"} <= set(dict(traced.layers))
    assert first_difference(case, traced) is None


def test_a_backend_that_gxx_cannot_compile_has_no_trace(projects, session_store):
    case = projects["dense", "io_parallel"]
    other = dataclasses.replace(case.project, backend="oneAPI")
    with pytest.raises(ToolError, match="backend oneAPI needs the vendor's compiler"):
        trace.run(other, case.inputs, session_store)
