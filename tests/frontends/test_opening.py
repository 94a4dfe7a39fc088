import json
import zipfile

import h5py
import keras
import model_files
import numpy as np
import pytest

from trigforge.core.errors import InputError
from trigforge.frontends import open_model

PUBLIC_MODELS = (
    "KERAS_3layer.json",
    "qkeras_3layer.json",
    "jetTagger_Conv2D_Small.json",
    "qkeras-v3_3layer.keras",
    "bnn_model_fc_1layer.onnx",
    "conv2d_small_mp_keras.onnx",
    "two_layer_keras.onnx",
)


def events(model, n_events=20):
    return np.random.default_rng(5).normal(size=(n_events, *model.input_shape))


def opened(name):
    path = model_files.PUBLIC / name
    weights = path.with_name(f"{path.stem}_weights.h5") if path.suffix == ".json" else None
    return open_model(path, weights)


@pytest.mark.parametrize("name", PUBLIC_MODELS)
def test_public_models_are_read_and_compute(name):
    model = opened(name)
    outputs = model.predict(events(model))
    assert outputs.shape == (20, model.n_outputs)
    assert len(np.unique(outputs)) > 1
    assert model.quantised is ("qkeras" in name or "bnn" in name)


@pytest.mark.parametrize("make", [model_files.quantised_network, model_files.float_network])
@pytest.mark.parametrize("kind", [".keras", ".h5"])
def test_what_keras_3_saves_computes_the_same_when_it_is_read(tmp_path, make, kind):
    network = make()
    path = tmp_path / f"model{kind}"
    network.save(path)
    model = open_model(path)
    x = events(model).astype(np.float32)
    expected = np.asarray(network(x, training=False)).reshape(20, -1)
    np.testing.assert_array_equal(model.predict(x).astype(np.float32), expected)


def test_json_and_weights_of_keras_3_belong_together(tmp_path):
    network = model_files.float_network()
    (tmp_path / "model.json").write_text(network.to_json())
    network.save_weights(tmp_path / "its.weights.h5")
    model = open_model(tmp_path / "model.json", tmp_path / "its.weights.h5")
    x = events(model).astype(np.float32)
    expected = np.asarray(network(x, training=False))
    np.testing.assert_array_equal(model.predict(x).astype(np.float32), expected)


def test_one_file_of_keras_2_is_its_architecture_with_its_weights(tmp_path):
    whole = open_model(model_files.keras_2_whole(tmp_path))
    parts = opened("qkeras_3layer.json")
    x = events(parts)
    np.testing.assert_array_equal(whole.predict(x), parts.predict(x))
    assert whole.what.startswith("Keras 2.4.0 model")


def test_weights_of_keras_2_find_their_layers_by_name_in_any_order(tmp_path):
    architecture, weights = model_files.keras_2(tmp_path, "KERAS_3layer")
    expected = open_model(architecture, weights).predict(events(opened("KERAS_3layer.json")))
    with h5py.File(weights, "a") as file:
        file.attrs["layer_names"] = file.attrs["layer_names"][::-1]
    found = open_model(architecture, weights)
    np.testing.assert_array_equal(found.predict(events(found)), expected)


@pytest.mark.parametrize("pads", [True, False])
@pytest.mark.parametrize("batch", [1, "n"])
def test_cleaning_an_onnx_model_does_not_change_what_it_computes(tmp_path, batch, pads):
    model = open_model(model_files.float_onnx(tmp_path / "net.onnx", batch=batch, pads=pads))
    x = events(model, 6)
    traced = model.trace(x.reshape(6, -1))
    np.testing.assert_allclose(traced.layers[-1].values, model.predict(x), rtol=1e-4, atol=1e-5)


def test_names_that_no_program_takes_are_replaced(tmp_path):
    def rename(content):
        for layer in content["config"]["layers"]:
            if layer["config"]["name"] == "fc2_relu":
                layer["config"]["name"] = layer["name"] = "2/fc:relu"
            for node in layer["inbound_nodes"]:
                for source in node:
                    source[0] = "2/fc:relu" if source[0] == "fc2_relu" else source[0]

    architecture, weights = model_files.keras_2(tmp_path, "KERAS_3layer")
    expected = open_model(architecture, weights)
    renamed = open_model(model_files.edited(architecture, rename), weights)
    assert renamed.network.layers[2].name == "layer_2_fc_relu"
    x = events(expected)
    np.testing.assert_array_equal(renamed.predict(x), expected.predict(x))


def test_a_softmax_at_the_end_can_be_left_out(tmp_path):
    for name in ("KERAS_3layer.json", "qkeras_3layer.json", "conv2d_small_mp_keras.onnx"):
        model = opened(name)
        logits = model.ending_in_logits()
        x = events(model, 5)
        raised = np.exp(logits.predict(x))
        probabilities = raised / raised.sum(axis=1, keepdims=True)
        np.testing.assert_allclose(probabilities, model.predict(x), atol=1e-5)
        with pytest.raises(InputError, match="no softmax"):
            logits.ending_in_logits()
    path = tmp_path / "logits.keras"
    model_files.quantised_network().save(path)
    with pytest.raises(InputError, match="no softmax"):
        open_model(path).ending_in_logits()


def test_a_lambda_layer_is_refused_and_never_run(tmp_path):
    marker = tmp_path / "executed"
    inputs = keras.Input((3,))

    def spy(x):
        marker.write_text("code of a model file ran")
        return x

    network = keras.Model(inputs, keras.layers.Lambda(spy)(inputs))
    network.save(tmp_path / "spy.keras")
    marker.unlink(missing_ok=True)
    with pytest.raises(InputError, match="Lambda layer holds code.*never executed"):
        open_model(tmp_path / "spy.keras")
    assert not marker.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["config"]["layers"][1].update(class_name="Evil"), "'Evil' cannot be read"),
        (lambda c: c["config"]["layers"][1].update(module="os"), None),
        (
            lambda c: c["config"]["layers"][1]["config"].update(activation="os.system"),
            "unknown activation or quantiser 'os.system'",
        ),
        (
            lambda c: c["config"]["layers"][1]["config"].update(
                activation={"class_name": "function", "config": "eval"}
            ),
            "unknown activation or quantiser 'eval'",
        ),
        (
            lambda c: c["config"]["layers"][1]["config"].update(units=10**9),
            "no number up to",
        ),
        (lambda c: c["config"]["layers"][1]["config"].update(units=10**5), "needs .* weights"),
        (lambda c: c["config"]["layers"][1]["config"].update(secret=3), "secret = 3 is unknown"),
        (lambda c: c["config"].update(layers=[]), "0 layers"),
        (lambda c: c.update(class_name="Thing"), "no Keras model"),
        (lambda c: c["config"].update(output_layers=[["nowhere", 0, 0]]), "cannot be built"),
        (
            lambda c: c["config"]["layers"][0]["config"].update(batch_input_shape=[None, None]),
            "needs whole sizes",
        ),
        (
            lambda c: c["config"]["layers"][1].update(inbound_nodes=[[["input_1", 0, 0, {}]]] * 2),
            "it is used 2 times",
        ),
    ],
)
def test_an_architecture_of_other_things_is_refused_by_name(tmp_path, change, message):
    architecture, weights = model_files.keras_2(tmp_path, "KERAS_3layer")
    model_files.edited(architecture, change)
    if message is None:  # a module that is named is never imported: classes come from a table
        assert open_model(architecture, weights).n_outputs == 5
        return
    with pytest.raises(InputError, match=message) as refused:
        open_model(architecture, weights)
    assert len(str(refused.value).splitlines()) == 1


def test_a_quantiser_written_as_text_is_read_by_its_name_alone(tmp_path):
    def write(text):
        def change(content):
            config = content["config"]["layers"][2]["config"]
            config["activation"] = text

        return change

    architecture, weights = model_files.keras_2(tmp_path, "qkeras_3layer")
    model_files.edited(architecture, write("quantized_relu(6,0)"))
    x = events(opened("qkeras_3layer.json"))
    np.testing.assert_array_equal(
        open_model(architecture, weights).predict(x), opened("qkeras_3layer.json").predict(x)
    )
    model_files.edited(architecture, write("quantized_relu(__import__('os').getpid())"))
    with pytest.raises(InputError, match="unknown activation or quantiser"):
        open_model(architecture, weights)


def test_weights_of_another_model_are_refused(tmp_path):
    architecture, _ = model_files.keras_2(tmp_path, "KERAS_3layer")
    _, other = model_files.keras_2(tmp_path, "jetTagger_Conv2D_Small")
    with pytest.raises(InputError, match=r"needs 4389 weights|cannot be built"):
        open_model(architecture, other)


def test_weights_that_are_no_numbers_or_lie_elsewhere_are_refused(tmp_path):
    architecture, weights = model_files.keras_2(tmp_path, "KERAS_3layer")
    with h5py.File(weights, "a") as file:
        group = file["fc1_relu"]
        name = next(iter(group))
        inner = group[name] if isinstance(group[name], h5py.Group) else group
        dataset = next(entry for entry in inner.values() if isinstance(entry, h5py.Dataset))
        dataset[...] = np.nan
    with pytest.raises(InputError, match="not finite; the training diverged"):
        open_model(architecture, weights)
    with h5py.File(weights, "a") as file:
        file["elsewhere"] = h5py.ExternalLink("/etc/passwd", "/x")
    with pytest.raises(InputError, match="a link to elsewhere"):
        open_model(architecture, weights)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("model.pb", b"x", "no kind of model that is read"),
        ("model", b"x", "no ending is no kind of model"),
        ("model.keras", b"", "is empty"),
        ("model.keras", b"PK nonsense", "no readable .keras archive"),
        ("model.h5", b"nonsense", "no readable HDF5 file"),
        ("model.onnx", b"\xff\xff nonsense", "no readable ONNX model"),
        ("model.json", b"{}", "name its weights"),
    ],
)
def test_what_is_no_model_is_refused_in_one_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        open_model(tmp_path / name)


def test_files_that_are_not_there_or_not_wanted_are_named(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        open_model(tmp_path / "nothing.keras")
    (tmp_path / "folder.keras").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        open_model(tmp_path / "folder.keras")
    path = tmp_path / "model.keras"
    model_files.quantised_network().save(path)
    with pytest.raises(InputError, match="has its weights inside"):
        open_model(path, path)


def test_a_weight_file_alone_is_no_model():
    with pytest.raises(InputError, match="no architecture .no model_config."):
        open_model(model_files.PUBLIC / "KERAS_3layer_weights.h5")


def test_an_archive_without_its_parts_is_refused(tmp_path):
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({}))
    with pytest.raises(InputError, match="it has no metadata.json"):
        open_model(path)
