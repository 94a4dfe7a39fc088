import contextlib
import io
import re
import shutil

import hls4ml
import keras
import numpy as np
import pytest
from delivered_projects import FACTS, INPUT, RESULT, unpack

from trigforge.conversion.lowering import lower
from trigforge.core.errors import InputError, ToolError
from trigforge.core.fixed_point import parse_format
from trigforge.core.records import RawTensor
from trigforge.core.store import file_digests
from trigforge.csim import foreign, trace
from trigforge.evaluation import evaluate
from trigforge.vendor import toolchain

pytestmark = pytest.mark.toolchain


@pytest.fixture
def delivered(tmp_path):
    return lambda name: unpack(name, tmp_path / name)


@pytest.fixture
def compilations(monkeypatch):
    """What was compiled."""
    found, run = [], toolchain.run

    def record(arguments, **options):
        if options["what"].startswith("compiling"):
            found.append(options["what"])
        return run(arguments, **options)

    monkeypatch.setattr(toolchain, "run", record)
    return found


@pytest.mark.parametrize("name", FACTS)
def test_a_project_of_every_version_gives_what_its_own_hls4ml_predicts(
    name, delivered, session_store
):
    delivery = delivered(name)
    before = file_digests(delivery.folder)
    opened = foreign.open_project(delivery.folder, session_store)
    project = opened.project
    assert (project.name, project.backend, project.io_type) == FACTS[name][:3]
    assert (project.input.format, project.output.format) == (INPUT, RESULT)
    assert (project.input.n_elements, project.output.n_elements) == (
        delivery.inputs.raw.shape[1],
        2,
    )
    found = foreign.run(opened, delivery.inputs)
    np.testing.assert_array_equal(found.raw, delivery.expected)
    assert len(np.unique(found.raw)) > 50
    assert opened.warnings == ()
    assert file_digests(delivery.folder) == before


@pytest.mark.parametrize("name", ["hls4ml_0_7_1_dense_parallel", "hls4ml_0_8_1_conv_stream"])
def test_the_layers_of_an_old_project_are_traced(name, delivered, session_store):
    delivery = delivered(name)
    opened = foreign.open_project(delivery.folder, session_store)
    traced = trace.run(opened.project, delivery.inputs, session_store)
    layers = dict(traced.layers)
    assert tuple(layers) == FACTS[name][3]
    assert traced.left_out == ()
    np.testing.assert_array_equal(traced.output.raw, delivery.expected)
    np.testing.assert_array_equal(layers["fc2_linear"].raw, delivery.expected)
    assert str(layers["relu1"].format) == "ap_ufixed<7,4,AP_RND,AP_SAT>"
    linear = layers[FACTS[name][3][1]]
    step = linear.format.fractional_bits - layers["relu1"].format.fractional_bits
    rounded = (linear.raw + (1 << (step - 1))) >> step
    np.testing.assert_array_equal(layers["relu1"].raw, np.clip(rounded, 0, 127))


@pytest.mark.parametrize("name", ["hls4ml_0_7_1_dense_parallel", "hls4ml_0_8_1_conv_stream"])
def test_sizes_returned_by_reference_as_until_0_6_change_no_result(name, delivered, session_store):
    delivery = delivered(name)
    return_sizes(delivery.folder, FACTS[name][0], delivery.inputs.raw.shape[1])
    opened = foreign.open_project(delivery.folder, session_store)
    assert opened.project.input.n_elements == delivery.inputs.raw.shape[1]
    found = foreign.run(opened, delivery.inputs)
    np.testing.assert_array_equal(found.raw, delivery.expected)
    traced = trace.run(opened.project, delivery.inputs, session_store)
    assert (tuple(dict(traced.layers)), traced.left_out) == (FACTS[name][3], ())


def return_sizes(folder, name, n_inputs):
    """Give a top function the sizes of hls4ml 0.6; nothing else says what a stream carries."""
    for path in (f"{name}_bridge.cpp", f"{name}_test.cpp"):
        (folder / path).unlink()
    for path in (folder / "firmware").glob("*.*"):
        path.write_text(path.read_text().replace("N_INPUT_", "N_IN_"))
    sizes = "unsigned short &const_size_in_1,\n    unsigned short &const_size_out_1"
    values = f"const_size_in_1 = {n_inputs};\n    const_size_out_1 = 2;"
    header, source = (folder / f"firmware/{name}{suffix}" for suffix in (".h", ".cpp"))
    for path, end, replacement in (
        (header, "\n);", f",\n    {sizes}\n);"),
        (source, "\n) {\n", f",\n    {sizes}\n) {{\n    {values}\n"),
    ):
        text = path.read_text()
        assert text.count(end) == 1
        path.write_text(text.replace(end, replacement))


def test_a_project_is_compiled_once_wherever_it_lies(
    delivered, session_store, tmp_path, compilations
):
    delivery = delivered("hls4ml_0_7_1_dense_parallel")
    foreign.open_project(delivery.folder, session_store)
    compilations.clear()
    shutil.copytree(delivery.folder, tmp_path / "elsewhere")
    (tmp_path / "elsewhere/notes.txt").write_text("delivered on Monday")
    foreign.open_project(tmp_path / "elsewhere", session_store)
    assert compilations == []


def test_weights_in_text_are_simulated_and_said_to_differ_from_those_synthesised(
    delivered, session_store
):
    delivery = delivered("hls4ml_0_7_1_dense_parallel")
    path = delivery.folder / "firmware/weights/b5.txt"
    values = path.read_text().split(",")
    assert len(values) == 2
    path.write_text(f"{values[0]}, {float(values[1]) + 0.25}")
    opened = foreign.open_project(delivery.folder, session_store)
    found = foreign.run(opened, delivery.inputs)
    np.testing.assert_array_equal(found.raw - delivery.expected, [[0, 256]] * len(found.raw))
    (warning,) = opened.warnings
    assert warning == (
        "simulated are the weights of b5.txt, synthesised those of b5.h: 1 of 2 differ, the "
        f"first at 1: {float(values[1]) + 0.25:g} and {float(values[1]):g}"
    )


def test_missing_or_cut_weights_are_refused(delivered, session_store):
    delivery = delivered("hls4ml_0_7_1_dense_parallel")
    path = delivery.folder / "firmware/weights/w2.txt"
    path.write_text("0.5, 0.25")
    with pytest.raises(ToolError, match="ERROR: Expected 12 values but read only 2 values"):
        foreign.open_project(delivery.folder, session_store)
    path.unlink()
    with pytest.raises(ToolError, match=r"file w2.txt does not exist"):
        foreign.open_project(delivery.folder, session_store)


@pytest.mark.parametrize(
    ("n_inputs", "message"),
    [
        (50, "the design does not read all elements of an event"),
        (24, "the design reads more elements than an event of 24 has"),
    ],
)
def test_a_wrong_size_of_a_streams_events_is_noticed(delivered, session_store, n_inputs, message):
    delivery = delivered("hls4ml_0_8_1_conv_stream")
    with pytest.raises(ToolError, match=message):
        foreign.open_project(delivery.folder, session_store, n_inputs=n_inputs)


def test_a_wrong_size_of_an_arrays_events_is_refused(delivered, session_store):
    delivery = delivered("hls4ml_0_7_1_dense_parallel")
    with pytest.raises(ToolError, match="an event has 5 elements; the design takes 4"):
        foreign.open_project(delivery.folder, session_store, n_inputs=5)


def test_inputs_of_another_format_are_refused(delivered, session_store):
    delivery = delivered("hls4ml_0_7_1_dense_parallel")
    opened = foreign.open_project(delivery.folder, session_store)
    other = RawTensor(format=parse_format("ap_fixed<8,3>"), raw=delivery.inputs.raw)
    with pytest.raises(InputError, match=r"takes 4 elements of ap_fixed<8,4>, not 4 of ap_fixed<8"):
        foreign.run(opened, other)
    with pytest.raises(InputError, match=r"takes 4 elements of ap_fixed<8,4>, not 4 of ap_fixed<8"):
        trace.run(opened.project, other, session_store)


def test_a_project_that_does_not_compile_is_refused_with_the_compilers_words(
    delivered, session_store
):
    delivery = delivered("hls4ml_0_7_1_dense_parallel")
    path = delivery.folder / "firmware/defines.h"
    path.write_text(path.read_text().replace("ap_fixed<16,6> result_t", "ap_fixd<16,6> result_t"))
    with pytest.raises(ToolError, match=r"(?s)compiling the C simulation of .*ap_fixd"):
        foreign.open_project(delivery.folder, session_store)


def test_elements_without_raw_integers_are_refused(delivered, session_store):
    delivery = delivered("hls4ml_0_7_1_dense_parallel")
    path = delivery.folder / "firmware/defines.h"
    path.write_text(path.read_text().replace("ap_fixed<16,6> result_t", "float result_t"))
    with pytest.raises(ToolError, match="must be ap_fixed or ap_int"):
        foreign.open_project(delivery.folder, session_store)


@pytest.mark.parametrize("backend", ["Quartus", "oneAPI", "Catapult"])
def test_a_backend_that_gxx_cannot_compile_is_refused_by_name(delivered, session_store, backend):
    delivery = delivered("hls4ml_0_7_1_dense_parallel")
    path = delivery.folder / "hls4ml_config.yml"
    path.write_text(path.read_text().replace("Backend: Vivado", f"Backend: {backend}"))
    message = f"hls4ml_config.yml: the C++ of backend {backend} needs the vendor's compiler"
    with pytest.raises(ToolError, match=re.escape(message)):
        foreign.open_project(delivery.folder, session_store)


def test_without_its_bridge_and_bench_a_streams_size_is_read_from_its_macros(
    delivered, session_store, compilations
):
    delivery = delivered("hls4ml_0_8_1_conv_stream")
    for path in ("myproject_bridge.cpp", "myproject_test.cpp", "hls4ml_config.yml"):
        (delivery.folder / path).unlink()
    opened = foreign.open_project(delivery.folder, session_store)
    assert (opened.project.backend, opened.project.input.n_elements) == ("Vivado", 25)
    path = delivery.folder / "firmware/defines.h"
    path.write_text(path.read_text().replace("N_INPUT_", "N_IN_"))
    compilations.clear()
    with pytest.raises(InputError, match="how many elements the stream inputs carries"):
        foreign.open_project(delivery.folder, session_store)
    assert compilations == []


@pytest.mark.parametrize("io_type", ["io_parallel", "io_stream"])
def test_a_project_that_hls4ml_itself_wrote_gives_what_it_predicts(
    io_type, session_store, tmp_path
):
    model_graph = write_with_hls4ml(io_type, tmp_path / "project")
    opened = foreign.open_project(tmp_path / "project", session_store)
    fmt = opened.project.input.format
    raw = np.random.default_rng(2).integers(fmt.raw_min, fmt.raw_max, (20, 4), endpoint=True)
    found = foreign.run(opened, RawTensor(format=fmt, raw=raw))
    expected = evaluate(lower(model_graph, "myproject"), RawTensor(format=fmt, raw=raw)).outputs
    np.testing.assert_array_equal(found.raw, expected.raw)
    assert opened.project.backend == "Vitis"
    assert len(np.unique(found.raw)) > 10


def write_with_hls4ml(io_type, folder):
    """Write a project as a user of the installed hls4ml does, weights in text files too."""
    inputs = keras.Input((4,), name="inputs")
    x = keras.layers.Dense(3, activation="relu", name="fc1")(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, name="fc2")(x))
    with contextlib.redirect_stdout(io.StringIO()):
        model_graph = hls4ml.converters.convert_from_keras_model(
            model,
            output_dir=str(folder),
            backend="Vitis",
            io_type=io_type,
            hls_config={"Model": {"Precision": "ap_fixed<12,6>", "ReuseFactor": 1}},
        )
        model_graph.write()
    return model_graph
