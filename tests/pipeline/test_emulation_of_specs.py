"""The emulated firmware of a spec on files of events, and as a function."""

import json

import awkward as ak
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from trigger_sections import allow_rate

from trigforge import cluster, evaluation, pipeline
from trigforge.core.errors import SpecError
from trigforge.core.records import RawTensor, no_progress
from trigforge.emulation import Request
from trigforge.pipeline import emulation, rates
from trigforge.pipeline.emulation import EmulationRequest

pytestmark = [pytest.mark.toolchain, pytest.mark.pipeline]


def exact(model, events):
    """Return the raw scores of values by the evaluator."""
    job = pipeline.Job(spec=model.spec, workspace=model.workspace)
    ready = pipeline.prepare(job, None)
    graph = pipeline.firmware.delivered_graph(job, ready)
    raw = ready.source.encoding.encode(events).reshape(len(events), -1)
    inputs = RawTensor(format=graph.input.format, raw=raw)
    return evaluation.evaluate(graph, inputs).outputs.raw


@pytest.fixture
def jets(tiny_model):
    model = tiny_model("jets_hlf")
    allow_rate(model)
    return model


@pytest.fixture
def files(jets, tmp_path):
    """The held-out jets in two files, a column a feature, with numbers of their own."""
    sample = jets.sample
    for index, part in enumerate(np.split(sample.x_test, [90])):
        columns = {name: part[:, i] for i, name in enumerate(sample.feature_names)}
        table = pa.table({**columns, "number": np.arange(len(part))})
        pq.write_table(table, tmp_path / f"jets_{index}.parquet")
    return tmp_path / "jets_*.parquet"


def request(files, folder, **changes):
    events = Request(patterns=(str(files),), folder=folder, keep=("number",))
    return EmulationRequest(events=events, **changes)


@pytest.fixture(scope="module")
def scheduler():
    """The address of a scheduler with one worker."""
    with cluster.connect(None, n_workers=1) as client:
        yield client.scheduler.address


def test_files_are_scored_as_the_evaluator_does_with_the_rates_of_rates(
    jets, files, scheduler, tmp_path
):
    wanted = request(files, tmp_path / "out", thresholds=(3,), scheduler=scheduler)
    found = emulation.emulate_files(jets.spec, jets.workspace, wanted, no_progress)
    names = jets.sample.class_names
    tables = [pq.read_table(tmp_path / f"out/jets_{i}.000000.parquet") for i in (0, 1)]
    assert [table.column_names for table in tables] == [[*names, "number"]] * 2
    scores = np.concatenate([np.stack([t[name] for name in names], axis=1) for t in tables])
    np.testing.assert_array_equal(scores, exact(jets, jets.sample.x_test))
    parts = tmp_path / "jets_0.npy", tmp_path / "jets_1.npy"
    for path, part in zip(parts, np.split(jets.sample.x_test, [90]), strict=True):
        np.save(path, part)
    wanted = rates.RatesRequest(files=parts)
    counted = rates.count(jets.spec, jets.workspace, wanted, no_progress)
    assert [entry.signals for entry in found.summary.accepted] == [("top",), ("w",)]
    for entry, signal in zip(found.summary.accepted, counted.signals, strict=True):
        assert entry.discriminant == signal.discriminant
        assert entry.working.threshold == signal.counted.threshold
        assert entry.working.rate_khz == signal.counted.rate_khz
        assert (entry.n_events, entry.n_lots) == (150, 2)
        assert [at.threshold for at in entry.wanted] == [3]


def test_a_threshold_needs_a_trigger(tiny_model, tmp_path):
    model = tiny_model("jets_hlf")
    wanted = request("no such file", tmp_path / "out", thresholds=(3,))
    with pytest.raises(SpecError, match="a threshold needs a trigger section"):
        emulation.emulate_files(model.spec, model.workspace, wanted, no_progress)


def test_a_function_scores_awkward_records_and_images(jets, tiny_model):
    sample = jets.sample
    score = emulation.scorer(jets.spec, jets.workspace)
    records = ak.Array({name: sample.x_test[:, i] for i, name in enumerate(sample.feature_names)})
    found = score(records)
    expected = exact(jets, sample.x_test)
    for index, name in enumerate(sample.class_names):
        np.testing.assert_array_equal(ak.to_numpy(found[name]), expected[:, index])
    images = tiny_model("top_images")
    pixels = images.sample.x_test
    score = emulation.scorer(images.spec, images.workspace)
    assert (score.input_names, score.output_names) == ((), ("top",))
    np.testing.assert_array_equal(score(pixels), exact(images, pixels.astype(np.float64)))


def test_the_command_goes_on_and_says_what_is_missing(
    jets, files, scheduler, tmp_path, trigforge_says
):
    (tmp_path / "jets_2.parquet").write_bytes(b"PAR1")
    where = ("--scheduler", scheduler)
    options = ("--events", files, "--out", tmp_path / "out", "--threshold", 3, *where)
    code, out, err = trigforge_says(*jets.command("emulate", "--quiet", *map(str, options)))
    assert code == 2, out + err
    assert "150 events in 2 chunks" in out
    assert "missing: " in out
    assert "jets_2.parquet is no .parquet file that can be read" in out
    assert "working point" in out
    (tmp_path / "jets_2.parquet").unlink()
    here = (*options[:-2], "--workers", 1)
    more = ("--json", "--quiet", *map(str, here))
    code, out, err = trigforge_says(*jets.command("emulate", *more))
    assert code == 0, out + err
    summary = json.loads(out)
    assert (summary["n_events"], summary["n_chunks"], summary["missing"]) == (150, 2, [])
    assert summary["output_names"] == list(jets.sample.class_names)
