"""Counting the emulated firmware's scores over files and further crossings."""

import json

import numpy as np
import pytest
import tiny_models
from trigger_sections import allow_rate

from trigforge import evaluation
from trigforge.core.errors import InputError, SpecError
from trigforge.core.records import RawTensor, no_progress
from trigforge.pipeline import Job, firmware, prepare, rates
from trigforge.pipeline.rates import RatesRequest
from trigforge.samples import streaming

pytestmark = pytest.mark.toolchain


def count(model, *files, n_chunks=None):
    request = RatesRequest(files=files, n_chunks=n_chunks)
    return rates.count(model.spec, model.workspace, request, no_progress)


def scores_of(model, raw):
    """Return the largest logit but those of the background's, less theirs, by the evaluator."""
    job = Job(spec=model.spec, workspace=model.workspace)
    graph = firmware.delivered_graph(job, prepare(job, None))
    inputs = RawTensor(format=graph.input.format, raw=raw.reshape(len(raw), -1).astype(np.int64))
    return evaluation.evaluate(graph, inputs).outputs.raw


@pytest.fixture
def jets_at_a_rate(tiny_model):
    model = tiny_model("jets_hlf")
    allow_rate(model)
    return model


@pytest.fixture
def objects_at_a_rate(tiny_model):
    model = tiny_model("trigger_objects")
    allow_rate(model)
    return model


@pytest.fixture
def made_up_crossings(monkeypatch, objects_at_a_rate):
    """Chunks of crossings that nobody generated, and which of them were asked for."""
    asked = []

    def stream(spec, store, *, first_chunk, n_chunks, n_processes, progress):
        for index in range(first_chunk, first_chunk + n_chunks):
            asked.append(index)
            sample = tiny_models.make_sample(objects_at_a_rate.spec)
            random = np.random.default_rng(index)
            yield sample.x_train[random.integers(0, len(sample.x_train), 250)], index

    monkeypatch.setattr(streaming, "stream", stream)
    return asked


def test_scores_of_files_are_counted_exactly(jets_at_a_rate, tmp_path):
    model = jets_at_a_rate
    job = Job(spec=model.spec, workspace=model.workspace)
    raw = prepare(job, None).source.stimulus().inputs.raw
    parts = raw[:100], raw[100:]
    for index, part in enumerate(parts):
        np.save(tmp_path / f"background_{index}.npy", part)
    found = count(model, tmp_path / "background_0.npy", tmp_path / "background_1.npy")
    assert (found.name, found.background) == ("tiny_jets", "gluon, light_quark")
    assert found.file == model.workspace.model / "rates.json"
    outputs = scores_of(model, raw)
    for signal, column in zip(found.signals, (4, 2), strict=True):
        score = outputs[:, column] - outputs[:, :2].max(axis=1)
        counted = signal.counted
        assert (counted.n_events, counted.n_chunks) == (len(raw), 2)
        assert (score >= counted.threshold).mean() <= 0.1 < (score >= counted.threshold - 1).mean()
        expected = [(score >= threshold).mean() * 100 for threshold in counted.rates.x]
        assert counted.rates.y == pytest.approx(expected)
    assert [signal.name for signal in found.signals] == ["top", "w"]
    assert found.signals[0].discriminant == "top minus the largest of gluon, light_quark"


def test_values_are_encoded_and_labels_choose_the_background(jets_at_a_rate, tmp_path):
    model = jets_at_a_rate
    sample = model.sample
    np.savez(tmp_path / "all.npz", x=sample.x_test, y=sample.y_test)
    np.save(tmp_path / "background.npy", sample.x_test[sample.y_test < 2].astype(np.float64))
    labelled, alone = (count(model, tmp_path / name) for name in ("all.npz", "background.npy"))
    assert labelled.signals == alone.signals
    assert labelled.signals[0].counted.n_events == (sample.y_test < 2).sum()


def test_the_efficiency_is_that_of_the_held_out_signal(jets_at_a_rate, tmp_path):
    model = jets_at_a_rate
    sample = model.sample
    np.save(tmp_path / "background.npy", sample.x_test[sample.y_test < 2])
    (top, _) = count(model, tmp_path / "background.npy").signals
    job = Job(spec=model.spec, workspace=model.workspace)
    source = prepare(job, None).source
    outputs = scores_of(model, source.encoding.encode(sample.x_test[sample.y_test == 4]))
    score = outputs[:, 4] - outputs[:, :2].max(axis=1)
    assert top.counted.efficiency.value == (score >= top.counted.threshold).mean()


def test_a_file_without_background_is_refused(jets_at_a_rate, tmp_path):
    sample = jets_at_a_rate.sample
    signal = sample.y_test > 1
    np.savez(tmp_path / "signal.npz", x=sample.x_test[signal], y=sample.y_test[signal])
    with pytest.raises(InputError, match="no event is labelled as gluon, light_quark"):
        count(jets_at_a_rate, tmp_path / "signal.npz")
    assert not (jets_at_a_rate.workspace.model / "rates.json").exists()


def test_files_are_counted_anew(jets_at_a_rate, tmp_path):
    np.save(tmp_path / "background.npy", jets_at_a_rate.sample.x_test)
    first = count(jets_at_a_rate, tmp_path / "background.npy")
    assert count(jets_at_a_rate, tmp_path / "background.npy") == first
    assert count(jets_at_a_rate) == first  # shown again


def test_crossings_go_on_where_the_last_count_stopped(objects_at_a_rate, made_up_crossings):
    model = objects_at_a_rate
    first = count(model, n_chunks=2)
    assert {signal.name for signal in first.signals} == {"top_pair", "higgs_tau_tau"}
    assert first.signals[0].counted.rates == first.signals[1].counted.rates
    second = count(model, n_chunks=5)
    assert made_up_crossings == [0, 1, 2, 3, 4]
    assert [entry.signals[0].counted.n_events for entry in (first, second)] == [500, 1250]
    assert count(model, n_chunks=3) == second
    (model.workspace.model / "rates.json").unlink()
    assert count(model, n_chunks=5) == second


def test_an_interrupted_count_keeps_what_it_had(objects_at_a_rate, made_up_crossings, monkeypatch):
    whole = streaming.stream

    def interrupted(*arguments, **keywords):
        for x, index in whole(*arguments, **keywords):
            if index == 2:
                raise KeyboardInterrupt
            yield x, index

    monkeypatch.setattr(streaming, "stream", interrupted)
    with pytest.raises(KeyboardInterrupt):
        count(objects_at_a_rate, n_chunks=4)
    monkeypatch.setattr(streaming, "stream", whole)
    assert count(objects_at_a_rate).signals[0].counted.n_chunks == 2
    assert count(objects_at_a_rate, n_chunks=3).signals[0].counted.n_chunks == 3


def test_counts_of_another_network_are_not_used(objects_at_a_rate, made_up_crossings):
    model = objects_at_a_rate
    count(model, n_chunks=2)
    path = model.workspace.model / "rates.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"graph": "0" * 64}))
    with pytest.raises(InputError, match="nothing was counted yet"):
        count(model)
    assert count(model, n_chunks=1).signals[0].counted.n_chunks == 1
    assert json.loads(path.read_text())["graph"] == content["graph"]


def test_chunks_after_files_start_a_count_of_their_own(
    objects_at_a_rate, made_up_crossings, tmp_path
):
    np.save(tmp_path / "crossings.npy", objects_at_a_rate.sample.x_test)
    assert count(objects_at_a_rate, tmp_path / "crossings.npy").signals[0].counted.n_events == 150
    assert count(objects_at_a_rate, n_chunks=1).signals[0].counted.n_events == 250
    assert made_up_crossings == [0]


def test_chunks_of_jets_cannot_go_on(jets_at_a_rate):
    with pytest.raises(SpecError, match="--chunks goes on with samples of crossings"):
        count(jets_at_a_rate, n_chunks=2)


def test_rates_need_a_trigger_section(tiny_model):
    with pytest.raises(SpecError, match="rates need a trigger section"):
        count(tiny_model("jets_hlf"), n_chunks=2)


def test_nothing_can_be_shown_before_something_is_counted(jets_at_a_rate):
    with pytest.raises(InputError, match="nothing was counted yet; give --events FILE"):
        count(jets_at_a_rate)
