import numpy as np
import pytest
import yaml
from test_public_models import PUBLIC, request

from trigforge.core.errors import InputError, SpecError
from trigforge.core.spec_file import read_spec
from trigforge.pipeline import importing, spec_folder

BNN = PUBLIC / "bnn_model_fc_1layer.onnx"


def test_an_import_never_writes_over_an_earlier_one(tmp_path):
    found = importing.take_in(request("bnn_model_fc_1layer", tmp_path))
    before = found.spec.read_bytes()
    with pytest.raises(InputError, match="is there already; name another"):
        importing.take_in(request("bnn_model_fc_1layer", tmp_path))
    assert found.spec.read_bytes() == before


def test_events_and_labels_travel_with_the_model(tmp_path):
    random = np.random.default_rng(1)
    events = tmp_path / "events.npz"
    np.savez(events, x=random.normal(size=(300, 10)), y=random.integers(0, 2, 300))
    found = importing.take_in(
        spec_folder.ImportRequest(
            model=PUBLIC / "two_layer_keras.onnx",
            inputs=events,
            out=tmp_path / "out",
            auc_loss=0.01,
        )
    )
    assert found.calibration.measure == "loss of mean AUC"
    assert found.calibration.met
    spec = read_spec(found.spec)
    assert spec.inputs.class_names == ("class_0", "class_1")
    assert (found.spec.parent / spec.inputs.file).is_file()


def test_a_limit_on_auc_needs_labels(tmp_path):
    with pytest.raises(InputError, match="--auc-loss needs labelled events"):
        importing.take_in(
            spec_folder.ImportRequest(
                model=PUBLIC / "two_layer_keras.onnx", out=tmp_path, auc_loss=0.01
            )
        )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("- 1", "no hls4ml configuration"),
        ("{LayerName: {}}", "needs HLSConfig"),
        ("{Model: {Precision: 'fixed<16,6>'}, LayerNames: {}}", "unknown key 'LayerNames'"),
        (
            "{Model: {Precision: 'fixed<16,6>'}, LayerName: {nobody: {}}}",
            "unknown layer 'nobody'",
        ),
        ("{a: 1, a: 2}", "written twice"),
        ("{Model: 3}", "Model is 3, not a mapping"),
        ("{Model: {Precision: .nan}}", "Model.Precision is nan; write fixed<16,6>"),
        ("{Model: {ReuseFactor: .nan}}", "ReuseFactor is nan; write a whole number"),
        ("{Model: {}, LayerName: [1]}", "LayerName is .1., not a mapping"),
        ("{Model: {}, LayerName: {MatMul_0: 3}}", "LayerName.MatMul_0 is 3, not a mapping"),
        (
            "{Model: {}, LayerName: {MatMul_0: {Precision: {result: .inf}}}}",
            "LayerName.MatMul_0.Precision.result is inf",
        ),
        ("{Model: {}, LayerName: {x: {TableSize: -3}}}", "TableSize is -3"),
        ("{HLSConfig: {Model: {Precision: 'fixed<16,6>'}}, Part: 3}", "Input should be a valid"),
    ],
)
def test_a_wrong_configuration_is_refused_by_what_is_wrong(tmp_path, content, message):
    config = tmp_path / "config.yml"
    config.write_text(content)
    with pytest.raises(SpecError, match=message):
        importing.take_in(
            spec_folder.ImportRequest(model=BNN, hls_config=config, out=tmp_path / "out")
        )
    assert not (tmp_path / "out").exists()


def test_an_edited_spec_is_checked_like_any_other(tmp_path):
    found = importing.take_in(request("bnn_model_fc_1layer", tmp_path))
    content = yaml.safe_load(found.spec.read_text())
    content["model"]["shape"] = 3
    content["inputs"]["n_events"] = 0
    found.spec.write_text(yaml.safe_dump(content))
    with pytest.raises(SpecError, match=r"2 problem(.|\n)*model.shape: unknown key"):
        read_spec(found.spec)
    del content["model"]["shape"]
    content["inputs"] |= {"n_events": 10, "link_format": "fixed<16,6,RND,SAT>"}
    found.spec.write_text(yaml.safe_dump(content))
    with pytest.raises(SpecError, match="bits on a link know none"):
        read_spec(found.spec)
