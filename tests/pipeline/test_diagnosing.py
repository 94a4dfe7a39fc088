import dataclasses
import json

import numpy as np
import pytest
from test_public_models import request

from trigforge import evaluation
from trigforge.core.diagnosis import Cause
from trigforge.core.fixed_point import parse_format
from trigforge.core.graph import Dense, FixedPointGraph, Input, Quantise
from trigforge.core.records import RawTensor
from trigforge.pipeline import diagnosing, importing

FORMAT = parse_format("fixed<10,6>")


def graph():
    fmt = FORMAT
    dense = Dense(
        name="dense",
        inputs=("x",),
        shape=(2,),
        format=fmt,
        weights=np.array([[1, 2], [3, -1]]),
        weight_format=fmt,
        bias=np.zeros(2, dtype=np.int64),
        bias_format=fmt,
        accumulator=parse_format("fixed<30,16>"),
    )
    first = Quantise(name="first", inputs=("dense",), shape=(2,), format=fmt)
    last = Quantise(name="last", inputs=("first",), shape=(2,), format=fmt)
    return FixedPointGraph(
        name="net", nodes=(Input(name="x", inputs=(), shape=(2,), format=fmt), dense, first, last)
    )


def wrong_at(name):
    """A referee that adds one bit at a node, and is wrong behind it too."""

    def run(part, inputs):
        outputs = evaluation.evaluate(part, inputs).outputs
        if name not in {node.name for node in part}:
            return outputs
        return RawTensor(format=outputs.format, raw=outputs.raw ^ 1)

    return run


@pytest.mark.parametrize("name", ["dense", "first", "last"])
def test_the_first_node_that_an_implementation_computes_otherwise_is_found(name):
    raw = np.random.default_rng(1).integers(-50, 50, size=(20, 2))
    inputs = RawTensor(format=FORMAT, raw=raw)
    found = diagnosing.first_wrong_node(graph(), inputs, "emulator", wrong_at(name))
    assert found is not None
    assert (found.layer, found.event, found.element, found.cause) == (name, 0, 0, Cause.UNKNOWN)
    assert found.found_raw == found.expected_raw ^ 1
    assert "a fault of trigforge's emulator" in found.evidence


def test_an_implementation_that_is_right_has_no_first_wrong_node():
    inputs = RawTensor(format=FORMAT, raw=np.zeros((3, 2), dtype=np.int64))
    assert diagnosing.first_wrong_node(graph(), inputs, "emulator", wrong_at("nowhere")) is None


@pytest.mark.toolchain
@pytest.mark.pipeline
def test_a_spec_is_diagnosed_and_a_flipped_weight_on_disk_is_named(
    tiny_model, trigforge_says, tmp_path
):
    model = tiny_model("jets_hlf")
    plot = tmp_path / "health.svg"
    code, out, err = trigforge_says(*model.command("diagnose", "--quiet", "--plot", plot))
    assert code == 0, out + err
    assert "layers agree" in out
    assert "no value wraps" in out
    assert plot.read_text().startswith("<?xml")
    (project,) = [path for path in model.workspace.projects.iterdir() if path.is_dir()]
    weights = min((project / "firmware" / "weights").glob("w*.h"))
    text = weights.read_text()
    head, _, numbers = text.partition("{")
    first, _, rest = numbers.partition(",")
    weights.write_text(f"{head}{{{float(first) + 0.25},{rest}")
    code, out, _ = trigforge_says(*model.command("diagnose", "--quiet", "--json"))
    assert code == 1
    (io_type, found), *_ = json.loads(out)["diagnoses"]
    assert io_type == "io_parallel"
    assert found["findings"][0]["cause"] == Cause.PROJECT_CHANGED
    assert weights.name in found["findings"][0]["evidence"]


@pytest.mark.toolchain
@pytest.mark.pipeline
def test_a_binary_onnx_model_agrees_layer_by_layer(tmp_path, trigforge_says):
    found = importing.take_in(dataclasses.replace(request("bnn_model_fc_1layer", tmp_path)))
    folders = [f"--{kind}={tmp_path / kind}" for kind in ("store", "projects")]
    code, out, err = trigforge_says(
        *folders, "diagnose", found.spec, "--quiet", "--json", "--events", 100
    )
    for _, diagnosis in json.loads(out)["diagnoses"]:
        assert [layer["layer"] for layer in diagnosis["layers"]] == [
            "BipolarQuant_0_act",
            "Dense_MatMul_0",
            "bnbt_bn_Add_0",
        ]
        assert {layer["n_different"] for layer in diagnosis["layers"]} == {0}
    assert code == 0, err
