"""Models of others go the whole way: import, C simulation, evaluator, emulator, ONNX."""

import json
from pathlib import Path

import pytest
import yaml

from trigforge.core.spec_file import read_spec
from trigforge.pipeline import importing, spec_folder

PUBLIC = Path(__file__).parents[1] / "public_models"
MODELS = {
    "keras_3layer": ("KERAS_3layer.json", "KERAS_3layer_weights.h5", None),
    "qkeras_3layer": (
        "qkeras_3layer.json",
        "qkeras_3layer_weights.h5",
        "qkeras_3layer_config.yml",
    ),
    "jettagger_conv2d_small": (
        "jetTagger_Conv2D_Small.json",
        "jetTagger_Conv2D_Small_weights.h5",
        None,
    ),
    "qkeras_v3_3layer": ("qkeras-v3_3layer.keras", None, None),
    "bnn_model_fc_1layer": ("bnn_model_fc_1layer.onnx", None, None),
    "two_layer_keras": ("two_layer_keras.onnx", None, None),
    "conv2d_small_mp_keras": ("conv2d_small_mp_keras.onnx", None, None),
}
IN_STREAMS_TOO = ("bnn_model_fc_1layer", "two_layer_keras", "conv2d_small_mp_keras")


def request(name, out):
    model, weights, config = (None if file is None else PUBLIC / file for file in MODELS[name])
    return spec_folder.ImportRequest(model=model, weights=weights, hls_config=config, out=out)


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("imported")
    return {name: importing.take_in(request(name, folder)) for name in MODELS}


def test_every_public_model_becomes_a_spec_for_both_io_types(imported):
    for name, found in imported.items():
        assert found.name == name
        assert read_spec(found.spec).name == name
        assert found.io_types == ("io_parallel", "io_stream")


def test_float_models_are_profiled_and_quantised_ones_state_their_formats(imported):
    origins = {name: found.formats_from for name, found in imported.items()}
    assert origins["qkeras_3layer"] == "the hls4ml configuration qkeras_3layer_config.yml"
    assert origins["qkeras_v3_3layer"] == "the model's own quantisers"
    assert origins["bnn_model_fc_1layer"] == "the model's own quantisers"
    for name in ("keras_3layer", "jettagger_conv2d_small", "two_layer_keras"):
        assert origins[name] == "profiling on random events"
        assert imported[name].calibration.met
        assert len(imported[name].calibration.narrower) == 4


@pytest.mark.toolchain
@pytest.mark.pipeline
@pytest.mark.parametrize("name", MODELS)
def test_every_implementation_of_a_public_model_agrees_bit_for_bit(
    imported, name, tmp_path, trigforge_says
):
    spec = imported[name].spec
    content = yaml.safe_load(spec.read_text())
    if name not in IN_STREAMS_TOO:
        content["acceptance"]["io_types"] = ["io_parallel"]
    content["inputs"]["n_events"] = 200
    spec.write_text(yaml.safe_dump(content))
    folders = [f"--{kind}={tmp_path / kind}" for kind in ("store", "projects", "reports")]
    code, out, err = trigforge_says(*folders, "run", spec, "--quiet")
    assert code == 0, out + err
    report = json.loads((tmp_path / "reports" / name / "report.json").read_text())
    candidates = {entry["candidate"].partition(",")[0] for entry in report["agreements"]}
    assert candidates == {"evaluator", "emulator", "ONNX Runtime"}
    for entry in report["agreements"]:
        assert entry["n_different"] == 0
        assert entry["n_values"] > 200
    assert report["original"]["n_events"] == 200
    if name == "bnn_model_fc_1layer":
        assert report["original"]["n_equal"] == report["original"]["n_values"]
    else:
        assert 0 < report["original"]["mean"] < 0.05 * report["original"]["output_range"]
