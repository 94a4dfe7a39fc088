"""Campaigns on a cluster: exact, complete, and none the worse for workers and clients killed."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import small_campaigns
from small_campaigns import TOP, DyingWork, alone, exact, prepared, selection, values, write

from trigforge import emulation
from trigforge.core.errors import InputError
from trigforge.emulation import counting
from trigforge.physics import LotCounts, ScoreCounts, count_study
from trigforge.physics.intervals import clopper_pearson

pytestmark = pytest.mark.toolchain
N_FILES, N_EVENTS = 3, 950


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """Files of events in row groups of 100."""
    folder = tmp_path_factory.mktemp("events")
    for seed in range(N_FILES):
        write(folder / f"{'abc'[seed]}.parquet", values(N_EVENTS, seed))
    return folder


@pytest.fixture
def campaign(scorer, events, tmp_path):
    """A campaign of 15 chunks."""
    return prepared(
        scorer,
        tmp_path / "scores",
        events / "*.parquet",
        selected=selection(100, 10**6),
        chunk_events=200,
    )


def record(folder):
    return json.loads((folder / "emulated.json").read_text())


def expected_scores():
    return [exact(values(N_EVENTS, seed)) for seed in range(N_FILES)]


def check_scores(folder):
    for stem, scores in zip("abc", expected_scores(), strict=True):
        np.testing.assert_array_equal(small_campaigns.all_scores(folder, stem), scores)


def digests_of(found):
    return {Path(chunk.output).stem: chunk.digest for chunk in found.chunks}


def test_a_cluster_gives_what_one_process_gives(client, scorer, events, campaign, tmp_path):
    told = []
    found = emulation.run(client, campaign, lambda *step: told.append(step))
    check_scores(tmp_path / "scores")
    expected = prepared(scorer, tmp_path / "alone", events / "*.parquet", chunk_events=200)
    assert digests_of(found) == alone(expected)
    assert found.complete
    assert (found.summary.n_events, found.summary.n_chunks, found.n_found) == (2850, 15, 0)
    assert told[0] == ("events", 0, 2850)
    assert told[-1] == ("events", 2850, 2850)
    content = record(tmp_path / "scores")
    assert [chunk["output"] for chunk in content["chunks"][:6]] == [
        *(f"a.{index:06d}.parquet" for index in (0, 2, 4, 6, 8)),
        "b.000000.parquet",
    ]
    assert content["chunks"][4]["row_groups"] == [8, 9]
    assert content["summary"]["graph"] == scorer.graph
    outputs = np.concatenate(expected_scores())
    for index, entry in enumerate(content["outputs"]):
        counted, n_events = np.unique(outputs[:, index], return_counts=True)
        assert entry["name"] == small_campaigns.OUTPUTS[index]
        assert (entry["values"], entry["counts"]) == (counted.tolist(), n_events.tolist())


def test_shares_and_rates_are_those_of_the_counted_events(client, campaign):
    (found,) = emulation.run(client, campaign).summary.accepted
    lots = [LotCounts.of(ScoreCounts.of(TOP.score(scores))) for scores in expected_scores()]
    study = count_study(small_campaigns.TRIGGER, lots[0] + lots[1] + lots[2])
    assert (found.signals, found.discriminant) == (("top",), "top minus quark")
    assert (found.n_events, found.n_lots) == (2850, 3)
    assert found.working.threshold == study.threshold
    assert found.working.rate_khz == study.rate_khz
    score = TOP.score(np.concatenate(expected_scores()))
    low, high = found.wanted
    assert [entry.threshold for entry in found.wanted] == [100, 10**6]
    assert low.share.value == (score >= 100).mean()
    assert low.rate_khz.value == pytest.approx(100 * low.share.value)
    assert (high.share.value, high.share.low) == (0, 0)


def test_the_interval_of_one_file_is_clopper_s_and_pearson_s(client, scorer, events, tmp_path):
    one = prepared(scorer, tmp_path / "scores", events / "a.parquet", selected=selection(50))
    (found,) = emulation.run(client, one).summary.accepted
    n_accepted = int((TOP.score(expected_scores()[0]) >= 50).sum())
    low, high = clopper_pearson(n_accepted, N_EVENTS)
    share = found.wanted[0].share
    assert (share.low, share.value, share.high) == (low, n_accepted / N_EVENTS, high)


def test_counts_alone_say_the_same_as_scores(client, scorer, events, campaign, tmp_path):
    scores = emulation.run(client, campaign)
    counts = prepared(
        scorer,
        tmp_path / "counts",
        events / "*.parquet",
        selected=selection(100, 10**6),
        chunk_events=400,
        scores=False,
    )
    for n_found in (0, 9):
        found = emulation.run(client, counts)
        assert found.n_found == n_found
        assert (found.outputs, found.summary.accepted) == (
            scores.outputs,
            scores.summary.accepted,
        )
    assert not list((tmp_path / "counts").glob("*.parquet"))


def test_a_worker_killed_in_mid_chunk_loses_nothing(client, scorer, events, campaign, tmp_path):
    parts = {entry.name: getattr(campaign.work, entry.name) for entry in fields(campaign.work)}
    marks = tmp_path / "marks"
    marks.mkdir()
    dying = DyingWork(**parts, name="b.000002", marks=marks)
    found = emulation.run(client, replace(campaign, work=dying))
    killed = (marks / "b.000002.0").read_text()
    assert ".b.000002.parquet." in killed  # it had begun to write
    assert found.complete
    check_scores(tmp_path / "scores")
    expected = prepared(scorer, tmp_path / "alone", events / "*.parquet", chunk_events=200)
    assert digests_of(found) == alone(expected)


def allow_failures(dask_scheduler, n_failures):
    before = dask_scheduler.allowed_failures
    dask_scheduler.allowed_failures = n_failures
    return before


def test_a_chunk_that_kills_every_worker_is_missing_alone(client, campaign, tmp_path):
    parts = {entry.name: getattr(campaign.work, entry.name) for entry in fields(campaign.work)}
    marks = tmp_path / "marks"
    marks.mkdir()
    dying = DyingWork(**parts, name="c.000008", marks=marks, n_deaths=9)
    allowed = client.run_on_scheduler(allow_failures, n_failures=0)  # starting anew takes seconds
    try:
        found = emulation.run(client, replace(campaign, work=dying))
    finally:
        client.run_on_scheduler(allow_failures, n_failures=allowed)
    assert allowed == 2
    reasons = {entry.input: entry.reason for entry in found.summary.missing}
    assert "every worker that tried it died" in " ".join(reasons.values())
    again = emulation.run(client, campaign)
    assert again.complete
    assert again.n_found == found.summary.n_chunks
    check_scores(tmp_path / "scores")


CLIENT = """
import pickle, sys
from trigforge import cluster, emulation

if __name__ == "__main__":
    campaign = pickle.load(open(sys.argv[1], "rb"))
    with cluster.connect(None, n_workers=1) as client:
        emulation.run(client, campaign)
"""


def test_a_client_killed_in_mid_run_goes_on_where_it_was(client, campaign, tmp_path):
    (tmp_path / "client.py").write_text(CLIENT)
    (tmp_path / "campaign.pickle").write_bytes(pickle.dumps(campaign))
    folder = tmp_path / "scores"
    process = subprocess.Popen(
        [sys.executable, tmp_path / "client.py", tmp_path / "campaign.pickle"],
        stderr=subprocess.DEVNULL,
    )
    try:
        while len(done := list((folder / "records").glob("?.*.json"))) < 3:
            assert process.poll() is None, "the client ended before it could be killed"
            time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not (folder / "emulated.json").exists()
    before = {path: path.stat().st_mtime_ns for path in done}
    found = emulation.run(client, campaign)
    assert found.complete
    assert len(done) <= found.n_found < 15
    assert {path: path.stat().st_mtime_ns for path in done} == before
    check_scores(folder)
    first = (folder / "emulated.json").read_bytes()
    assert emulation.run(client, campaign).n_found == 15
    assert (folder / "emulated.json").read_bytes() == first


def test_chunks_that_fail_keep_no_other_from_being_scored(client, scorer, events, tmp_path):
    folder = tmp_path / "events"
    for name in "abc":
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.parquet").write_bytes((events / f"{name}.parquet").read_bytes())
    wrong = values(N_EVENTS, 1)
    wrong[350, 2] = np.nan
    write(folder / "b.parquet", wrong)
    (folder / "d.parquet").write_bytes(b"PAR1")
    raw = np.zeros((100, 3), np.int64)
    raw[99, 0] = 5000
    write(folder / "e.parquet", raw)
    campaign = prepared(
        scorer, tmp_path / "out", folder / "*", selected=selection(), chunk_events=200
    )
    found = emulation.run(client, campaign)
    assert not found.complete
    unread, chunk, outside = found.summary.missing
    assert (unread.input, unread.row_groups) == (str(folder / "d.parquet"), None)
    assert (chunk.input, chunk.row_groups) == (str(folder / "b.parquet"), (2, 3))
    assert "column 'mass': row 350 is nan" in chunk.reason
    assert "column 'pt': row 99 is 5000, which does not fit into ap_fixed<12,12>" in outside.reason
    assert found.summary.n_events == 3 * N_EVENTS - 200
    assert found.summary.accepted[0].n_events == found.summary.n_events
    assert record(tmp_path / "out")["summary"]["missing"][1]["row_groups"] == [2, 3]
    expected = np.delete(exact(np.nan_to_num(wrong)), np.s_[200:400], axis=0)
    np.testing.assert_array_equal(small_campaigns.all_scores(tmp_path / "out", "b"), expected)
    write(folder / "b.parquet", values(N_EVENTS, 1))
    write(folder / "d.parquet", values(10))
    write(folder / "e.parquet", raw[:50])
    os.utime(folder / "b.parquet", ns=(1, 1))
    mended = prepared(
        scorer, tmp_path / "out", folder / "*", selected=selection(), chunk_events=200
    )
    again = emulation.run(client, mended)
    assert (again.complete, again.n_found) == (True, 10)
    check_scores(tmp_path / "out")


def test_nothing_but_failures_is_recorded_too(client, scorer, tmp_path):
    write(tmp_path / "a.parquet", np.full((10, 3), np.nan))
    campaign = prepared(scorer, tmp_path / "out", tmp_path / "a.parquet", selected=selection())
    found = emulation.run(client, campaign)
    assert (found.summary.n_events, found.summary.accepted) == (0, ())
    assert [entry.values for entry in found.outputs] == [(), ()]
    assert record(tmp_path / "out")["chunks"] == []


def test_counts_that_grow_too_large_are_given_up_but_not_the_scores(
    client, scorer, campaign, tmp_path, monkeypatch
):
    monkeypatch.setattr(counting, "MOST_VALUES", 900)
    found = emulation.run(client, campaign)
    assert found.complete
    assert [entry.values for entry in found.outputs] == [None, None]
    assert found.summary.accepted == ()
    assert record(tmp_path / "scores")["outputs"][0]["counts"] is None
    check_scores(tmp_path / "scores")
    events = campaign.plan.chunks[0].path.parent / "*.parquet"
    counts = prepared(scorer, tmp_path / "counts", events, scores=False)
    with pytest.raises(InputError, match="more than 900 different values, too many to be counted"):
        emulation.run(client, counts)


def test_results_can_be_read_back_in_order(client, scorer, events, tmp_path):
    campaign = prepared(
        scorer, tmp_path / "scores", events / "*.parquet", keep=("event",), chunk_events=300
    )
    emulation.run(client, campaign)
    table = pq.read_table(tmp_path / "scores" / "b.000003.parquet")
    np.testing.assert_array_equal(table["event"].to_numpy(), np.arange(300, 600))
