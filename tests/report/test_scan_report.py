import csv
import io
import json

import pytest
from rich.console import Console
from scan_results import TRIALS, failed, result, trial

from trigforge.report import scanning
from trigforge.report.page import scan


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan")
    return scanning.publish(result(), folder)


def table_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_the_page_names_the_best_design_beside_the_base(published):
    text = published.read_text()
    assert "The best design: tagger_1" in text
    assert "accuracy 0.7260, against 0.7290 of the base, tagger" in text
    assert "9,100 LUT against 23,000 (40 %)" in text
    assert "It is the cheapest of those that lose no more than 0.005 against the base" in text
    assert "5 designs of 5 tried, 1 failed, 3 on the front; 1 trial ran again" in text


def test_an_error_is_text_and_nothing_else(published):
    text = published.read_text()
    assert "&lt;b&gt;no&lt;/b&gt; such &amp; format" in text
    assert "<b>no</b>" not in text


def test_pictures_come_with_their_numbers(published):
    figures = published.parent / "figures"
    assert {path.name for path in figures.iterdir()} >= {
        f"{name}.{ending}"
        for name in ("front", "measured")
        for ending in ("svg", "pdf", "png", "csv")
    }
    rows = table_of(figures / "front.csv")
    assert [row["trial"] for row in rows] == ["0", "1", "2", "4"]
    assert [row["cost"] for row in rows] == ["37000", "14000", "6000", "39000"]
    (row,) = table_of(figures / "measured.csv")
    assert (row["lut_measured"], row["accuracy"]) == ("9100.0", "0.726")


def test_nothing_synthesised_is_no_picture_of_it(tmp_path):
    bare = [entry for entry in TRIALS if not entry.measured]
    scanning.publish(result(trials=tuple(bare), best=(4, 2), base_measured={}), tmp_path)
    assert not (tmp_path / "figures" / "measured.svg").exists()
    assert (tmp_path / "figures" / "front.svg").exists()


def test_a_design_that_loses_too_much_is_not_called_cheap(tmp_path):
    text = scan.make(result(trials=(trial(2, 0.7, 6000, on_front=True),), best=(2,)), {})
    assert "No design loses so little as 0.005" in text


def test_a_design_that_its_own_spec_refuses_is_marked(tmp_path):
    line = "loss of accuracy: +0.0120, allowed 0.01"
    refused = trial(2, 0.728, 6000, on_front=True, not_met=(line,))
    found = result(trials=(refused,), best=(2,))
    text = scan.make(found, {})
    assert f"A run of it will fail: {line}." in text
    assert f"<br>not met: {line}</td>" in text
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(scanning.summarise(found))
    assert f"NOT MET: {line}" in console.export_text()


def test_the_terminal_shows_the_front_by_cost_and_what_failed():
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(scanning.summarise(result()))
    text = console.export_text()
    places = [text.index(name) for name in ("tagger_2", "tagger_1", "tagger_4")]
    assert places == sorted(places)
    assert "failed: tagger_3: <b>no</b> such & format" in text
    assert "best: tagger_1: accuracy 0.7260, ebops 14,000, 9,100 LUT after synthesis" in text


def test_json_holds_every_trial():
    record = json.loads(scanning.dump(result()))
    assert [entry["number"] for entry in record["trials"]] == [0, 1, 2, 3, 4]
    assert record["trials"][3]["error"] == failed(3, "<b>no</b> such & format").error
