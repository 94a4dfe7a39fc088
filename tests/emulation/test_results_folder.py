"""A folder of results holds those of the events that were given, and nothing else is touched."""

import json

import pytest
import small_campaigns
from small_campaigns import alone, prepared, values, write

from trigforge.core.errors import InputError

pytestmark = pytest.mark.toolchain


@pytest.fixture
def out(tmp_path):
    return tmp_path / "scores"


@pytest.fixture
def done(scorer, tmp_path, out):
    """Results of two files, and the campaign that made them."""
    for seed, name in enumerate("ab"):
        write(tmp_path / f"events/{name}.parquet", values(250, seed))
    campaign = prepared(scorer, out, tmp_path / "events" / "*.parquet", chunk_events=100)
    alone(campaign)
    return campaign


def names(out):
    return sorted(path.name for path in out.glob("*.parquet"))


def opened(scorer, out, *patterns, **request):
    campaign = prepared(scorer, out, *patterns, **request)
    campaign.work.results.open(campaign.plan)
    return campaign


def test_more_files_may_be_added(scorer, done, out, tmp_path):
    write(tmp_path / "events/c.parquet", values(90, 2))
    again = opened(scorer, out, tmp_path / "events" / "*.parquet", chunk_events=100)
    assert [again.work(chunk).found for chunk in again.plan.chunks] == [True] * 6 + [False]


def test_results_of_chunks_cut_otherwise_are_removed(scorer, done, out, tmp_path):
    assert len(names(out)) == 6
    alone(prepared(scorer, out, tmp_path / "events" / "*.parquet", chunk_events=200))
    assert names(out) == [f"{n}.{i}.parquet" for n in "ab" for i in ("000000", "000002")]
    records = {path.stem for path in (out / "records").glob("*.json")} - {"settings"}
    assert records == {name.removesuffix(".parquet") for name in names(out)}


def test_results_of_events_not_given_are_refused(scorer, done, out, tmp_path):
    with pytest.raises(InputError, match=r"b.000000.parquet is no result of the events given"):
        opened(scorer, out, tmp_path / "events" / "a.parquet", chunk_events=100)
    assert len(names(out)) == 6


def test_results_of_a_file_that_cannot_be_opened_now_are_left(scorer, done, out, tmp_path):
    (tmp_path / "events/b.parquet").write_bytes(b"")
    opened(scorer, out, tmp_path / "events" / "*.parquet", chunk_events=100)
    assert len(names(out)) == 6


def test_what_interrupted_writers_left_is_removed(scorer, done, out, tmp_path):
    left = out / f".a.000000.parquet.{'0f' * 16}"
    for path in (left, out / "records" / left.name, out / "emulated.json"):
        path.write_text("half of it")
    opened(scorer, out, tmp_path / "events" / "*.parquet", chunk_events=100)
    assert not left.exists()
    assert not (out / "records" / left.name).exists()
    assert not (out / "emulated.json").exists()


def test_files_of_others_are_not_touched(scorer, done, out, tmp_path):
    (out / "notes.txt").write_text("mine")
    (out / "merged.parquet").write_text("mine")
    with pytest.raises(InputError, match="merged.parquet is no result of the events given"):
        opened(scorer, out, tmp_path / "events" / "*.parquet", chunk_events=100)
    (out / "merged.parquet").unlink()
    opened(scorer, out, tmp_path / "events" / "*.parquet", chunk_events=100)
    assert (out / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_a_folder_of_something_else_is_refused(scorer, done, tmp_path, kind):
    taken = tmp_path / "taken"
    taken.write_text("a file") if kind == "file" else write(taken / "z.parquet", values(3))
    with pytest.raises(InputError, match="taken exists and is not a folder of results"):
        opened(scorer, taken, tmp_path / "events" / "*.parquet")


def test_results_are_not_written_among_the_events(scorer, done, tmp_path):
    for out in (tmp_path / "events", tmp_path):
        with pytest.raises(InputError, match=r"a.parquet lies in .*; write results into another"):
            opened(scorer, out, tmp_path / "events" / "*.parquet")


def test_an_empty_folder_will_do(scorer, done, tmp_path):
    (tmp_path / "empty").mkdir()
    opened(scorer, tmp_path / "empty", tmp_path / "events" / "*.parquet")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"keep": ("event",)}, "made with kept columns '', now 'event'; name another folder"),
        ({"scores": False}, "made with results 'scores', now 'counts alone'"),
    ],
)
def test_results_made_otherwise_are_refused(scorer, done, tmp_path, changes, message):
    with pytest.raises(InputError, match=message):
        opened(scorer, tmp_path / "scores", tmp_path / "events" / "*.parquet", **changes)


def test_results_of_another_network_are_refused(scorer, done, out, tmp_path):
    settings = out / "records" / "settings.json"
    content = json.loads(settings.read_text())
    settings.write_text(json.dumps(content | {"network": "0" * 64}))
    with pytest.raises(InputError, match=rf"made with network '0{{64}}', now '{scorer.graph}'"):
        opened(scorer, out, tmp_path / "events" / "*.parquet")
    settings.write_text("[]")
    with pytest.raises(InputError, match="settings.json cannot be read; remove"):
        opened(scorer, out, tmp_path / "events" / "*.parquet")


def test_files_of_one_stem_have_results_of_their_own(scorer, out, tmp_path):
    for seed in (1, 2):
        write(tmp_path / f"run{seed}/x.parquet", values(50, seed))
    alone(prepared(scorer, out, tmp_path / "run*" / "x.parquet"))
    assert names(out) == ["run1.x.000000.parquet", "run2.x.000000.parquet"]
    for seed in (1, 2):
        found = small_campaigns.all_scores(out, f"run{seed}.x")
        assert (found == small_campaigns.exact(values(50, seed))).all()


def test_counts_of_other_scores_are_refused_but_scores_can_be_counted_anew(scorer, done, tmp_path):
    events = tmp_path / "events" / "*.parquet"
    selected = small_campaigns.selection()
    opened(scorer, tmp_path / "scores", events, selected=selected, chunk_events=100)
    opened(scorer, tmp_path / "counts", events, scores=False)
    with pytest.raises(InputError, match="counted 'quark, top', now 'quark, top, top minus quark'"):
        opened(scorer, tmp_path / "counts", events, scores=False, selected=selected)
