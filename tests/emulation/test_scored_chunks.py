"""A chunk is scored exactly, and its result is kept until something of it changes."""

import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import small_campaigns
from small_campaigns import TOP, exact, prepared, scores_in, values, write

from trigforge.core.errors import InputError, StoreError
from trigforge.emulation import parquet, work
from trigforge.physics import Discriminant, ScoreCounts

pytestmark = pytest.mark.toolchain


@pytest.fixture
def events(tmp_path):
    """A file of 250 events in three row groups."""
    tags = pa.array([f"tag {i % 3}" for i in range(250)])
    return write(tmp_path / "x.parquet", values(250), tag=tags)


@pytest.fixture
def scored(scorer, events, tmp_path):
    """A campaign of one chunk that is done."""
    campaign = prepared(scorer, tmp_path / "scores", events)
    small_campaigns.alone(campaign)
    return campaign


def test_scores_stand_in_the_row_groups_of_the_events(scorer, events, scored, tmp_path):
    path = tmp_path / "scores" / "x.000000.parquet"
    np.testing.assert_array_equal(scores_in(path), exact(values(250)))
    with pq.ParquetFile(path) as file:
        rows = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        schema = file.schema_arrow
    assert rows == [100, 100, 50]
    assert schema.names == ["quark", "top"]
    assert [field.type for field in schema] == [pa.int32()] * 2
    about = json.loads(schema.metadata[b"trigforge"])
    assert about == {
        "network": "small",
        "graph": scorer.graph,
        "score_format": "ap_fixed<14,14>",
        "input": str(events),
        "row_groups": [0, 2],
    }
    assert {entry.name for entry in (tmp_path / "scores").iterdir()} == {path.name, "records"}


def test_kept_columns_stand_beside_the_scores(scorer, events, tmp_path):
    campaign = prepared(scorer, tmp_path / "kept", events, keep=("tag", "event", "mass"))
    small_campaigns.alone(campaign)
    found = pq.read_table(tmp_path / "kept" / "x.000000.parquet")
    assert found.column_names == ["quark", "top", "tag", "event", "mass"]
    assert found.select(["tag", "event", "mass"]).equals(
        pq.read_table(events, columns=["tag", "event", "mass"])
    )
    np.testing.assert_array_equal(found["top"].to_numpy(), exact(values(250))[:, 1])


def test_large_row_groups_are_read_and_written_in_parts(scorer, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "BATCH_EVENTS", 64)
    monkeypatch.setattr(work, "LARGEST_ROW_GROUP", 128)
    sizes = []
    score = type(scorer).score
    monkeypatch.setattr(
        type(scorer),
        "score",
        lambda self, columns: sizes.append(columns.n_events) or score(self, columns),
    )
    events = write(tmp_path / "x.parquet", values(500), row_group=300)
    small_campaigns.alone(prepared(scorer, tmp_path / "scores", events, keep=("event",)))
    found = pq.ParquetFile(tmp_path / "scores" / "x.000000.parquet")
    rows = [found.metadata.row_group(i).num_rows for i in range(found.num_row_groups)]
    assert (sum(rows), max(rows), rows[:2]) == (500, 128, [128, 128])
    assert (sum(sizes), max(sizes)) == (500, 64)
    np.testing.assert_array_equal(
        scores_in(tmp_path / "scores" / "x.000000.parquet"), exact(values(500))
    )
    np.testing.assert_array_equal(found.read()["event"].to_numpy(), np.arange(500))


def test_no_more_of_a_row_group_than_a_batch_is_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "BATCH_EVENTS", 1 << 16)
    monkeypatch.setattr(parquet, "BUFFER_BYTES", 1 << 16)
    events = write(tmp_path / "x.parquet", values(1 << 21), row_group=1 << 21)
    footer = parquet.read_footer(events)
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    with parquet.opened(events, footer.size_bytes, footer.modified_ns) as file:
        batches = file.batches([0], small_campaigns.INPUTS, 1 << 21)
        held = [pool.bytes_allocated() - before for _ in batches]
    assert len(held) == 32
    assert max(held) < footer.size_bytes / 3


def test_fewer_rows_than_the_footer_says_are_refused(tmp_path):
    events = write(tmp_path / "x.parquet", values(250))
    footer = parquet.read_footer(events)
    with parquet.opened(events, footer.size_bytes, footer.modified_ns) as file:
        batches = file.batches([0, 1], ["pt"], 250)
        assert len(next(batches)) == 200
        with pytest.raises(InputError, match="the footer says 250 rows where 200 could be read"):
            next(batches)


def test_counts_are_those_of_all_scores_by_whatever_way(scorer, events, tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "BATCH_EVENTS", 64)
    outputs = exact(values(250))
    expected = {
        entry: ScoreCounts.of(entry.score(outputs))
        for entry in (Discriminant(0), Discriminant(1), TOP)
    }
    for scores in (True, False):
        campaign = prepared(
            scorer,
            tmp_path / f"scores_{scores}",
            events,
            selected=small_campaigns.selection(),
            scores=scores,
        )
        campaign.work.results.open(campaign.plan)
        (chunk,) = campaign.plan.chunks
        for found in (False, True):  # counted while scored, then from the file
            done = campaign.work(chunk)
            assert done.found is found
            assert list(done.counts) == list(expected)
            for entry, counts in done.counts.items():
                np.testing.assert_array_equal(counts.values, expected[entry].values)
                np.testing.assert_array_equal(counts.counts, expected[entry].counts)
        assert campaign.work.results.path_of(chunk).exists()
    assert not list((tmp_path / "scores_False").glob("*.parquet"))


def refound(campaign):
    """Say whether the one chunk was done before; afterwards it is right again."""
    done = campaign.work(campaign.plan.chunks[0])
    np.testing.assert_array_equal(
        scores_in(campaign.work.results.path_of(campaign.plan.chunks[0])), exact(values(250))
    )
    return done.found


def test_what_is_done_is_not_done_again(scored, monkeypatch):
    monkeypatch.setattr(type(scored.work), "_scores", None)
    assert refound(scored)


@pytest.mark.parametrize("name", ["x.000000.parquet", "records/x.000000.json"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "gone"])
def test_damaged_results_are_not_trusted(scored, name, damage):
    path = scored.work.results.folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    left = {"cut": content[:-9], "flipped": content, "emptied": b""}
    path.unlink()
    if damage in left:
        path.write_bytes(left[damage])
    assert not refound(scored)
    assert refound(scored)


def test_foreign_results_are_not_trusted(scored, tmp_path):
    result = scored.work.results.path_of(scored.plan.chunks[0])
    pq.write_table(pa.table({name: np.zeros(250, np.int32) for name in ("quark", "top")}), result)
    assert not refound(scored)


def test_results_of_changed_events_are_not_trusted(scorer, events, scored, tmp_path):
    write(events, values(250)[::-1])
    os.utime(events, ns=(1, 1))
    again = prepared(scorer, tmp_path / "scores", events)
    again.work.results.open(again.plan)
    assert not again.work(again.plan.chunks[0]).found
    result = scores_in(again.work.results.path_of(again.plan.chunks[0]))
    np.testing.assert_array_equal(result, exact(values(250)[::-1]))


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_events_that_change_are_refused(scorer, events, tmp_path, monkeypatch, when):
    campaign = prepared(scorer, tmp_path / "scores", events)
    if when == "before":
        os.utime(events, ns=(1, 1))
    else:
        score = type(scorer).score
        monkeypatch.setattr(
            type(scorer),
            "score",
            lambda self, columns: os.utime(events, ns=(1, 1)) or score(self, columns),
        )
    with pytest.raises(InputError, match=r"x.parquet was changed since the campaign began"):
        small_campaigns.alone(campaign)
    assert not campaign.work.results.path_of(campaign.plan.chunks[0]).exists()


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([1.0, None] * 50), "column 'mass': row 1 is null; every value must be there"),
        (pa.array([1.0] * 99 + [np.nan]), "column 'mass': row 99 is nan; it cannot go onto a link"),
        (pa.array([[1.0, 2.0, 3.0]] * 99 + [[1.0]]), "rows from 0 on hold lists that are missing"),
        (pa.array([[1.0, 2.0]] * 100), "rows from 0 on hold 2 numbers each; 3 numbers are needed"),
        (pa.array([[1.0, 2.0, None]] * 100), "rows from 0 on hold a null; 3 numbers are needed"),
    ],
)
def test_what_cannot_be_scored_is_refused_and_leaves_nothing(scorer, tmp_path, column, message):
    table = pa.table({"pt": np.ones(100), "eta": np.ones(100), "mass": column})
    wanted = ("mass",) if pa.types.is_list(column.type) else ()
    pq.write_table(table, tmp_path / "x.parquet")
    campaign = prepared(scorer, tmp_path / "scores", tmp_path / "x.parquet", columns=wanted)
    with pytest.raises(InputError, match=message):
        small_campaigns.alone(campaign)
    assert [path.name for path in (tmp_path / "scores").iterdir()] == ["records"]
    assert [path.name for path in (tmp_path / "scores/records").iterdir()] == ["settings.json"]


def test_rows_are_counted_through_the_file(scorer, tmp_path):
    events = values(250)
    events[207, 1] = np.inf
    write(tmp_path / "x.parquet", events)
    campaign = prepared(scorer, tmp_path / "scores", tmp_path / "x.parquet", chunk_events=100)
    with pytest.raises(InputError, match="column 'eta': row 207 is inf"):
        small_campaigns.alone(campaign)
    assert len(list((tmp_path / "scores").glob("*.parquet"))) == 2


def test_a_worker_that_does_not_see_the_folder_says_so(scored):
    scored.work.results.folder.rename(scored.work.results.folder.with_name("elsewhere"))
    with pytest.raises(StoreError, match=r"scores is not there on .*; workers need to see it"):
        scored.work(scored.plan.chunks[0])


def test_results_made_otherwise_are_not_those_of_a_chunk(scorer, scored, tmp_path):
    other = prepared(scorer, tmp_path / "scores", tmp_path / "x.parquet", keep=("event",))
    assert other.work.results.find(other.plan.chunks[0]) is None
    with pytest.raises(InputError, match="holds results made with kept columns '', now 'event'"):
        other.work.results.open(other.plan)
