import dataclasses
import json
import resource
import signal

import numpy as np
import pytest
import tiny_models

from trigforge import training
from trigforge.core.errors import InputError, StoreError
from trigforge.core.fixed_point import FixedPointFormat, to_values
from trigforge.core.records import Sample
from trigforge.core.store import file_digest
from trigforge.networks.quantisers import quantised_weights

CLASSIFIERS = ("jets_hlf", "top_images")
DETECTORS = ("calorimeter_regions", "trigger_objects")
KINDS = (*CLASSIFIERS, *DETECTORS)


def weights_of(trained) -> list[np.ndarray]:
    return [*trained.float_model.get_weights(), *trained.quantised_model.get_weights()]


def train(kind, **changes):
    spec = tiny_models.make_spec(kind, {"training": changes})
    return training.train(spec, tiny_models.make_sample(spec))


@pytest.fixture(scope="module")
def trained():
    """Both tiny networks, trained once."""
    return {kind: train(kind) for kind in KINDS}


def part_of(sample: Sample, n: int) -> Sample:
    return dataclasses.replace(sample, x_train=sample.x_train[:n], y_train=sample.y_train[:n])


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_weights(trained, kind):
    again = train(kind)
    for first, second in zip(weights_of(trained[kind]), weights_of(again), strict=True):
        assert (first == second).all()


def test_another_seed_gives_other_weights(trained):
    other = train("jets_hlf", seed=8)
    pairs = zip(weights_of(trained["jets_hlf"]), weights_of(other), strict=True)
    assert any((first != second).any() for first, second in pairs)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_training_learns_something(trained, kind):
    histories = trained[kind].provenance["training"]
    n_classes = len(tiny_models.CLASS_NAMES[kind])
    for history in histories.values():
        assert history["best_validation_loss"] < 0.95 * np.log(n_classes)


@pytest.mark.parametrize("kind", DETECTORS)
def test_a_detector_never_sees_a_signal(trained, kind):
    spec = tiny_models.make_spec(kind)
    sample = tiny_models.make_sample(spec)
    signal = sample.x_test[sample.y_test == 1][:30]
    mixed = dataclasses.replace(
        sample,
        x_train=np.concatenate([sample.x_train, signal]),
        y_train=np.concatenate([sample.y_train, np.ones(len(signal), np.int64)]),
    )
    again = training.train(spec, mixed)
    for first, second in zip(weights_of(trained[kind]), weights_of(again), strict=True):
        assert (first == second).all()
    assert again.provenance["n_train"] == len(sample.x_train)


@pytest.mark.parametrize("kind", DETECTORS)
def test_a_trained_detector_scores_signals_higher_than_background(kind):
    spec = tiny_models.make_spec(kind, {"training": {"epochs": 20}})
    sample = tiny_models.make_sample(spec)
    networks = training.train(spec, sample)
    link = to_values(networks.encoding.encode(sample.x_test), networks.encoding.format)
    for model, x in ((networks.float_model, sample.x_test), (networks.quantised_model, link)):
        score = model.predict(x.astype(np.float32), verbose=0)[:, 0]
        assert (score >= 0).mean() > 0.99
        background, signal = score[sample.y_test == 0], score[sample.y_test == 2]
        assert np.median(signal) > np.quantile(background, 0.6)


def test_a_student_is_trained_after_its_teacher(trained):
    history = trained["calorimeter_regions"].provenance["training"]
    assert list(history) == ["teacher", "float", "quantised"]
    assert history["teacher"]["epochs"] == 2


def test_training_stops_when_it_no_longer_improves():
    stopped = train("jets_hlf", epochs=200, patience_epochs=1, learning_rate=0.3)
    for history in stopped.provenance["training"].values():
        assert history["epochs"] < 200


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("sparsity", [0.5, 0.75])
def test_pruning_reaches_the_stated_sparsity_of_the_quantised_weights(kind, sparsity):
    pruned = train(kind, sparsity=sparsity, epochs=4)
    for layer in pruned.quantised_model.layers:
        if layer.name.startswith(("conv", "dense", "logits")) and hasattr(layer, "kernel"):
            kernel = quantised_weights(layer)["kernel"]
            assert (kernel == 0).sum() >= round(sparsity * kernel.size)
    for layer in pruned.float_model.layers:
        if hasattr(layer, "kernel"):
            assert (np.asarray(layer.kernel) != 0).all()


def test_the_provenance_says_how_the_weights_came_about(trained):
    provenance = trained["jets_hlf"].provenance
    spec = tiny_models.make_spec("jets_hlf")
    assert provenance["name"] == "tiny_jets"
    assert provenance["n_train"] == tiny_models.N_TRAIN
    assert provenance["seed"] == 7
    assert provenance["sample"]["spec"] == spec.sample.model_dump(mode="json")
    assert set(provenance["training"]) == {"float", "quantised"}
    assert set(provenance["versions"]) == {"trigforge", "keras", "qkeras", "numpy"}
    assert json.loads(json.dumps(provenance)) == provenance


def test_two_classes_need_one_logit_and_five_need_five(trained):
    assert trained["top_images"].quantised_model.output_shape == (None, 1)
    assert trained["top_images"].float_model.output_shape == (None, 1)
    assert trained["jets_hlf"].quantised_model.output_shape == (None, 5)


def test_images_go_onto_the_link_as_they_are():
    spec = tiny_models.make_spec("top_images")
    sample = tiny_models.make_sample(spec)
    encoding = training.encode_for(spec, sample)
    assert encoding.lsb_exponents == (0,)
    assert encoding.format == FixedPointFormat(False, 8, 2)
    assert (encoding.encode(sample.x_test) == sample.x_test).all()


def test_features_get_the_finest_step_that_keeps_them_in_range():
    spec = tiny_models.make_spec("jets_hlf")
    sample = tiny_models.make_sample(spec)
    encoding = training.encode_for(spec, sample)
    assert len(encoding.lsb_exponents) == tiny_models.N_FEATURES
    lsb = 2.0 ** np.array(encoding.lsb_exponents)
    in_range = np.abs(sample.x_train) <= encoding.format.raw_max * lsb
    assert (in_range.mean(axis=0) >= 0.995).all()
    carried = encoding.encode(sample.x_train) * lsb
    assert (np.abs(carried - sample.x_train)[in_range] <= (lsb / 2 + 0 * carried)[in_range]).all()


@pytest.mark.parametrize("model", ["float", "qkeras"])
def test_a_training_that_diverges_is_an_error(model):
    spec = tiny_models.make_spec("jets_hlf")
    lively = spec.training.model_copy(update={"learning_rate": 1e38})
    spec = spec.model_copy(update={"training": lively})
    sample = tiny_models.make_sample(spec)
    with pytest.raises(
        InputError, match=r"network diverged: (val_)?loss is (nan|inf) in epoch \d.*1e\+38"
    ):
        training.train(spec, sample)


@pytest.mark.parametrize(("n_train", "fraction"), [(4, 0.2), (1, 0.9), (0, 0.5)])
def test_a_sample_too_small_to_validate_with_is_refused(n_train, fraction):
    spec = tiny_models.make_spec("jets_hlf", {"training": {"validation_fraction": fraction}})
    sample = part_of(tiny_models.make_sample(spec), n_train)
    with pytest.raises(InputError, match=f"of {n_train} training events.*larger sample"):
        training.train(spec, sample)


def test_progress_counts_the_epochs_of_both_networks():
    said = []
    spec = tiny_models.make_spec("jets_hlf", {"training": {"epochs": 2}})
    training.train(spec, tiny_models.make_sample(spec), progress=lambda *what: said.append(what))
    assert said == [
        (f"training {name}", done, 2) for name in ("float", "qkeras") for done in (1, 2, 2)
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_saved_networks_come_back_as_they_were(trained, kind, tmp_path):
    spec = tiny_models.make_spec(kind)
    training.save(trained[kind], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        training.RECORD,
        *training.WEIGHTS.values(),
    }
    found = training.find(tmp_path, spec, tiny_models.make_sample(spec))
    for before, after in zip(weights_of(trained[kind]), weights_of(found), strict=True):
        assert (before == after).all()
    assert found.encoding == trained[kind].encoding
    assert found.provenance == trained[kind].provenance
    assert found.key == training.training_key(spec)
    assert training.quantised_weights_digest(found) == training.quantised_weights_digest(
        trained[kind]
    )


@pytest.fixture
def saved(trained, tmp_path):
    training.save(trained["jets_hlf"], tmp_path)
    return tmp_path


def find(folder, **changes):
    spec = tiny_models.make_spec("jets_hlf", changes)
    return training.find(folder, spec, tiny_models.make_sample(spec))


def test_an_empty_folder_holds_no_networks(tmp_path):
    assert find(tmp_path) is None


def test_weights_of_another_spec_are_not_taken(saved):
    assert find(saved, training={"seed": 8}) is None
    assert find(saved, hardware={"clock_mhz": 160}) is not None


@pytest.mark.parametrize("name", training.WEIGHTS.values())
def test_a_weight_file_that_is_not_the_recorded_one_is_refused(saved, name):
    path = saved / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(StoreError, match=f"{name} is not the file .*training.json was written"):
        find(saved)


def test_a_missing_weight_file_is_named(saved):
    (saved / training.WEIGHTS["quantised"]).unlink()
    with pytest.raises(StoreError, match="quantised.weights.h5 cannot be read: No such file"):
        find(saved)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", '{"key": 1, "weights": 2}', "\udcff"]
)
def test_a_record_that_is_damaged_is_refused(saved, text):
    (saved / training.RECORD).write_bytes(text.encode(errors="surrogateescape"))
    if text == '{"key": 1, "weights": 2}':
        assert find(saved) is None
        return
    with pytest.raises(StoreError, match="training.json is unreadable .*; remove it and train"):
        find(saved)


@pytest.mark.parametrize(
    "damage",
    [
        lambda record: record.pop("weights"),
        lambda record: record["weights"].clear(),
        lambda record: record["link"].update(lsb_exponents=["a"]),
        lambda record: record.update(link=5),
        lambda record: record.update(provenance=5),
    ],
)
def test_a_record_with_a_wrong_part_is_refused(saved, damage):
    path = saved / training.RECORD
    record = json.loads(path.read_text())
    damage(record)
    path.write_text(json.dumps(record))
    with pytest.raises(StoreError, match="training.json is unreadable"):
        find(saved)


def test_weights_that_do_not_fit_the_network_are_refused(saved, trained):
    """The record vouches for them, but they are those of another architecture."""
    name = training.WEIGHTS["float"]
    trained["top_images"].float_model.save_weights(saved / name)
    path = saved / training.RECORD
    record = json.loads(path.read_text())
    record["weights"][name] = file_digest(saved / name)
    path.write_text(json.dumps(record))
    with pytest.raises(StoreError, match=f"{name} does not fit the network of the spec"):
        find(saved)


def test_a_save_that_was_interrupted_is_not_trusted(saved, trained, monkeypatch):
    def interrupted(stream):
        stream.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(trained["jets_hlf"].quantised_model, "save_weights", interrupted)
    with pytest.raises(KeyboardInterrupt):
        training.save(trained["jets_hlf"], saved)
    assert not [path for path in saved.iterdir() if path.name.startswith(".")]
    assert find(saved) is None


def test_a_file_system_that_takes_no_more_is_one_error(trained, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(StoreError, match=r"writing .*weights.h5 failed: File too large"):
            training.save(trained["jets_hlf"], tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert find(tmp_path) is None


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("sample", {"seed": 4}),
        ("network", {"hidden_units": [7]}),
        ("quantization", {"weight_format": "fixed<7,1>"}),
        ("training", {"learning_rate": 0.02}),
    ],
)
def test_the_key_depends_on_all_that_decides_the_weights(section, change):
    changed = tiny_models.make_spec("jets_hlf", {section: change})
    assert training.training_key(changed) != training.training_key(
        tiny_models.make_spec("jets_hlf")
    )


@pytest.mark.parametrize(
    ("section", "change"),
    [
        ("hardware", {"clock_mhz": 160}),
        ("budget", {"latency_ns": 10}),
        ("acceptance", {"signal_efficiency": 0.3}),
    ],
)
def test_the_key_does_not_depend_on_the_firmware(section, change):
    changed = tiny_models.make_spec("jets_hlf", {section: change})
    assert training.training_key(changed) == training.training_key(
        tiny_models.make_spec("jets_hlf")
    )
