"""What was counted is kept as it was, and a file that is something else is refused."""

import json

import numpy as np
import pytest

from trigforge.core.errors import InputError
from trigforge.physics import Discriminant, LotCounts, ScoreCounts
from trigforge.pipeline import rates_file
from trigforge.pipeline.rates_file import Counted

SCORES = (Discriminant(4, (0, 1)), Discriminant(2, (0, 1)))


def lot(seed):
    random = np.random.default_rng(seed)
    return {entry: LotCounts.of(ScoreCounts.of(random.integers(-90, 90, 500))) for entry in SCORES}


@pytest.fixture
def counted():
    nothing = Counted(graph="a1", sample=None, lots=(), scores=())
    return nothing.adding("one.npy", lot(1)).adding("two.npy", lot(2))


def test_lots_are_added(counted):
    assert counted.lots == ("one.npy", "two.npy")
    for entry, counts in counted.scores:
        whole = lot(1)[entry] + lot(2)[entry]
        assert counts.lot_events == (500, 500)
        assert counts.accepted.tolist() == whole.accepted.tolist()


def test_what_is_read_is_what_was_written(counted, tmp_path):
    path = tmp_path / "models" / "rates.json"
    rates_file.write(path, counted)
    found = rates_file.read(path)
    assert (found.graph, found.sample, found.lots) == ("a1", None, ("one.npy", "two.npy"))
    for (entry, counts), (read_entry, read_counts) in zip(
        counted.scores, found.scores, strict=True
    ):
        assert read_entry == entry
        assert read_counts.lot_events == counts.lot_events
        for name in ("values", "accepted", "squares", "products"):
            assert getattr(read_counts, name).tolist() == getattr(counts, name).tolist()


def test_no_file_is_nothing_counted(tmp_path):
    assert rates_file.read(tmp_path / "rates.json") is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content.update(format="trigforge rates 2"),
        lambda content: content.update(extra=1),
        lambda content: content.update(lots=[]),
        lambda content: content["lots"][0].update(n_events=499),
        lambda content: content["lots"][0].update(n_events=-1),
        lambda content: content["scores"][0]["accepted"].reverse(),
        lambda content: content["scores"][0]["values"].reverse(),
        lambda content: content["scores"][0]["values"].pop(),
        lambda content: content["scores"][0].update(
            accepted=[], values=[], squares=[], products=[]
        ),
        lambda content: content["scores"][0].update(output=-1),
    ],
)
def test_counts_that_cannot_be_are_refused(counted, tmp_path, damage):
    path = tmp_path / "rates.json"
    rates_file.write(path, counted)
    content = json.loads(path.read_text())
    damage(content)
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="rates.json is no file of counted rates: .*; remove it"):
        rates_file.read(path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\x00", b"[]"])
def test_what_is_no_json_of_counts_is_refused(tmp_path, content):
    path = tmp_path / "rates.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match="is no file of counted rates"):
        rates_file.read(path)
