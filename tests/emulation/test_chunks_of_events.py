"""Files of events are found, named apart, and cut into chunks of row groups."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import small_campaigns
from small_campaigns import prepared, values, write

from trigforge.core.errors import InputError
from trigforge.emulation import chunks
from trigforge.emulation.chunks import found_files, stems_of

pytestmark = pytest.mark.toolchain


@pytest.fixture
def events(tmp_path):
    """The folder of some files of events."""
    folder = tmp_path / "events"
    for seed, name in enumerate(("b.parquet", "a.parquet", "more/c.pq")):
        write(folder / name, values(250, seed))
    return folder


def plan_of(scorer, folder, *patterns, **request):
    return prepared(scorer, folder.parent / "scores", *patterns, **request).plan


def test_patterns_name_files_each_once_and_in_order(events, monkeypatch):
    a, b, c = events / "a.parquet", events / "b.parquet", events / "more" / "c.pq"
    assert found_files([f"{events}/*.parquet"]) == (a, b)
    assert found_files([f"{events}/**/*.p*q*"]) == (a, b, c)
    assert found_files([str(b), f"{events}/*.parquet"]) == (b, a)
    monkeypatch.chdir(events)
    assert found_files(["a.parquet"]) == (a,)
    literal = events / "x[1].parquet"
    a.rename(literal)
    assert found_files([str(literal)]) == (literal,)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("*.root", "no file matches '.*root'"),
        ("z.parquet", "no file matches '.*z.parquet'"),
        ("more", "more is no Parquet file .* name files: 'DIR/"),
        ("notes.txt", "notes.txt is no Parquet file"),
    ],
)
def test_what_is_no_file_of_events_is_refused(events, pattern, message):
    (events / "notes.txt").write_text("no events")
    with pytest.raises(InputError, match=message):
        found_files([str(events / pattern)])


def test_files_of_one_stem_are_told_apart_by_their_folders():
    paths = [
        Path(name)
        for name in ("/d/run1/x.parquet", "/d/run2/x.parquet", "/d/y.parquet", "/e/run1/x.parquet")
    ]
    assert stems_of(paths) == ("d.run1.x", "d.run2.x", "y", "e.run1.x")
    assert stems_of(paths[:3]) == ("run1.x", "run2.x", "y")
    assert stems_of(paths[:1]) == ("x",)


@pytest.mark.parametrize(
    "names",
    [
        ("/d/x.parquet", "/d/x.pq"),
        ("/d/a/x.parquet", "/d/b/x.parquet", "/d/b.x.parquet"),
    ],
)
def test_files_whose_results_would_have_one_name_are_refused(names):
    with pytest.raises(InputError, match=r"results of .* and .* would both be called .*x; rename"):
        stems_of([Path(name) for name in names])


def test_a_chunk_is_consecutive_row_groups_up_to_a_number_of_events(scorer, events):
    a = events / "a.parquet"
    for most, expected in (
        (1000, [("a.000000", (100, 100, 50), 0)]),
        (200, [("a.000000", (100, 100), 0), ("a.000002", (50,), 200)]),
        (150, [("a.000000", (100,), 0), ("a.000001", (100, 50), 100)]),
        (7, [("a.000000", (100,), 0), ("a.000001", (100,), 100), ("a.000002", (50,), 200)]),
    ):
        plan = plan_of(scorer, events, a, chunk_events=most)
        assert [(c.name, c.rows, c.first_row) for c in plan.chunks] == expected
        assert plan.n_events == 250
    assert plan.chunks[1].row_groups == (1, 1)
    assert plan.chunks[1].columns == small_campaigns.INPUTS


def test_files_that_cannot_be_used_are_named_and_the_others_planned(scorer, events):
    (events / "broken.parquet").write_bytes(b"PAR1 and nothing more")
    pq.write_table(pa.table({"pt": [1.0], "mass": [2.0]}), events / "narrow.parquet")
    pq.write_table(pa.table({"pt": ["a"], "eta": [1], "mass": [2.0]}), events / "text.parquet")
    write(events / "empty.parquet", values(0))
    plan = plan_of(scorer, events, f"{events}/*.parquet")
    assert [chunk.stem for chunk in plan.chunks] == ["a", "b"]
    broken, narrow, text = plan.missing
    assert "broken.parquet is no .parquet file that can be read" in broken.reason
    assert "there is no column 'eta'; there is 'pt', 'mass'. Inputs are columns named" in (
        narrow.reason
    )
    assert "column 'pt' is of type string; inputs are numbers" in text.reason
    assert all(entry.row_groups is None for entry in plan.missing)


def test_events_there_are_none_of_are_refused(scorer, events):
    write(events / "empty.parquet", values(0))
    with pytest.raises(InputError, match="there are no events in '.*empty.parquet'"):
        plan_of(scorer, events, events / "empty.parquet")
    with pytest.raises(InputError, match="chunk_events is 0; a chunk has at least one event"):
        plan_of(scorer, events, events / "a.parquet", chunk_events=0)


def fixed_lists(array, size):
    return pa.FixedSizeListArray.from_arrays(pa.array(array.ravel()), size)


@pytest.mark.parametrize("kind", ["fixed", "plain", "nested"])
def test_inputs_may_be_one_column_of_lists(scorer, tmp_path, kind):
    events = values(250)
    lists = {
        "fixed": fixed_lists(events, 3),
        "plain": pa.array(list(events)),
        "nested": pa.array([[[a], [b], [c]] for a, b, c in events.tolist()], None),
    }[kind]
    pq.write_table(
        pa.table({"weight": np.ones(250), "x": lists, "pair": fixed_lists(events[:, :2], 2)}),
        tmp_path / "lists.parquet",
        row_group_size=100,
    )
    campaign = prepared(scorer, tmp_path / "scores", tmp_path / "lists.parquet")
    assert campaign.plan.chunks[0].columns == ("x",)
    small_campaigns.alone(campaign)
    found = small_campaigns.all_scores(tmp_path / "scores", "lists")
    expected = small_campaigns.exact(events if kind != "nested" else events.astype(np.float64))
    np.testing.assert_array_equal(found, expected)


def test_columns_may_be_named(scorer, tmp_path):
    events = values(50)
    table = {"a": events[:, 2], "b": events[:, 0], "c": events[:, 1], "l": fixed_lists(events, 3)}
    pq.write_table(pa.table({**table, "m": fixed_lists(-events, 3)}), tmp_path / "x.parquet")
    for columns in (("b", "c", "a"), ("l",)):
        folder = tmp_path / columns[0]
        small_campaigns.alone(prepared(scorer, folder, tmp_path / "x.parquet", columns=columns))
        expected = small_campaigns.exact(events)
        np.testing.assert_array_equal(small_campaigns.all_scores(folder, "x"), expected)
    for columns, message in (
        ((), "the inputs may be any of the lists 'l', 'm'; name one with --columns"),
        (("a", "b"), "2 columns are named, but small takes 3 numbers"),
        (("a", "b", "z"), "there is no column 'z'; there is 'a', 'b', 'c', 'l', 'm'"),
        (("a", "b", "l"), "column 'l' is of type fixed_size_list"),
    ):
        plan = plan_of(scorer, tmp_path, tmp_path / "x.parquet", columns=columns)
        assert message in plan.missing[0].reason


def test_kept_columns_have_names_of_their_own(scorer, events):
    for keep, message in (
        (("top",), "keep: a column 'top' of the results is named so already"),
        (("event", "event"), "keep: a column 'event'"),
    ):
        with pytest.raises(InputError, match=message):
            plan_of(scorer, events, events / "a.parquet", keep=keep)
    plan = plan_of(scorer, events, events / "a.parquet", keep=("run",))
    assert "there is no column 'run'; there is 'pt', 'eta', 'mass', 'event'" in (
        plan.missing[0].reason
    )


def test_row_groups_without_events_make_no_chunk(scorer, tmp_path, monkeypatch):
    path = tmp_path / "x.parquet"
    events = values(30)
    schema = pa.schema([(name, pa.float32()) for name in small_campaigns.INPUTS])
    with pq.ParquetWriter(path, schema) as writer:
        for part in (events[:0], events[:10], events[:0], events[10:], events[:0]):
            writer.write_table(pa.table(list(part.T), schema=schema))
    campaign = prepared(scorer, tmp_path / "scores", path, chunk_events=1)
    assert sum(chunk.n_events for chunk in campaign.plan.chunks) == 30
    small_campaigns.alone(campaign)
    found = small_campaigns.all_scores(tmp_path / "scores", "x")
    np.testing.assert_array_equal(found, small_campaigns.exact(events))
    assert chunks.CHUNK_EVENTS == 1 << 20
