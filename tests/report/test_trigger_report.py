"""Trigger physics in ``report.json`` and on a terminal."""

import dataclasses
import io
import json
from pathlib import Path

import jsonschema
import pytest
from rich.console import Console
from trigger_physics import PHYSICS, RATES, STREAMED

from trigforge.core.trigger import CountedRates, Curve, SignalRates
from trigforge.report import card, document, terminal, trigger_entries, trigger_tables


def lines_of(renderable) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=170, markup=False, soft_wrap=True).print(renderable)
    return out.getvalue().splitlines()


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("│").split("│")]


def rates_of(streamed, name="top_pair", discriminant="output"):
    return CountedRates(
        name="tiny",
        file=Path("models/tiny/rates.json"),
        background="zero_bias",
        background_rate_khz=28_608.8,
        working_rate_khz=10,
        signals=(
            SignalRates(name="top_pair", discriminant="output", counted=streamed),
            SignalRates(name=name, discriminant=discriminant, counted=streamed),
        ),
    )


def test_the_report_holds_the_record_number_by_number(summary, spec):
    document.write(dataclasses.replace(summary, trigger=PHYSICS), spec)
    report = json.loads(summary.report.read_text(), parse_constant=pytest.fail)
    jsonschema.Draft202012Validator(json.loads(document.SCHEMA.read_text())).validate(report)
    expected = json.loads(json.dumps(dataclasses.asdict(PHYSICS)))
    assert report["trigger"] == expected


def test_without_rates_there_is_null(summary, spec):
    document.write(summary, spec)
    assert json.loads(summary.report.read_text())["trigger"] is None
    assert trigger_entries.trigger(None) is None


def test_each_signal_has_a_line_with_every_implementation(summary):
    lines = lines_of(terminal.summarise(dataclasses.replace(summary, trigger=PHYSICS)))
    assert "trigger: signal accepted at 10 kHz of zero_bias" in [line.strip() for line in lines]
    (top,) = [cells(line) for line in lines if "top_pair" in line]
    assert top == [
        "top_pair",
        "0.4500 +0.0200 -0.0100",
        "0.4300 +0.0200 -0.0100",
        "0.4300 +0.0200 -0.0100",
        "+0.0200 +0.0200 -0.0100",
        "208",
        "9.5 +3.5 -2.5",
    ]
    (other,) = [cells(line) for line in lines if "leptoquark_pair" in line]
    assert other == ["leptoquark_pair", "0.8000 +0.0200 -0.0100", "", "", "", "3.25", top[-1]]


def test_counted_events_have_a_line_of_their_own():
    lines = lines_of(trigger_tables.efficiencies(PHYSICS))
    (counted,) = [cells(line) for line in lines if "2,000,000 counted events" in line]
    assert counted[1:] == ["", "", "0.4100 +0.0200 -0.0100", "", "213", "9.9 +0.3 -0.2"]
    caption = (
        "28,609 kHz of zero_bias reach the network, 60000 held-out events; intervals of 68.3 %"
    )
    assert caption in [line.strip() for line in lines]


def test_thresholds_are_shown_against_rates_with_the_working_point():
    lines = lines_of(trigger_tables.counted_rates(rates_of(STREAMED, "leptoquark_pair")))
    title = "tiny: zero_bias accepted as top_pair, leptoquark_pair (output)"
    assert [line.strip() for line in lines].count(title) == 1
    assert [cells(line) for line in lines if line.startswith("│")] == [
        ["100", "900 +20 -20", ""],
        ["200", "12 +3 -3", ""],
        ["213", "9.9 +0.3 -0.2", "working point"],
        ["231", "below 1.8", ""],
    ]
    assert "top_pair: 0.4100 +0.0200 -0.0100 accepted at 10 kHz, threshold 213" in lines
    assert lines[-1] == "counts: models/tiny/rates.json"


def test_scores_of_several_kinds_have_a_table_each():
    renderable = trigger_tables.counted_rates(rates_of(STREAMED, "w", "w minus qcd"))
    assert sum("working point" in line for line in lines_of(renderable)) == 2


def test_a_long_table_shows_every_decade():
    y = tuple(10.0 ** (4 - index / 40) for index in range(200))
    long = Curve(x=tuple(range(200)), y=y, low=y, high=y)
    counted = dataclasses.replace(STREAMED, rates=long, efficiency=None)
    lines = [
        cells(line) for line in lines_of(trigger_tables.thresholds(counted, "")) if "│" in line
    ]
    assert 14 < len(lines) <= trigger_tables.MOST_RATES + 1
    shown = [float(line[1].split()[0]) for line in lines]
    assert (max(shown), min(shown)) == (10_000, pytest.approx(y[-1], rel=1e-3))
    assert RATES.y[-1] == 0


def test_a_score_without_accuracy_shows_none(summary, spec):
    scores = [
        dataclasses.replace(metrics, accuracy=None)
        for metrics in (summary.float_metrics, summary.quantised_metrics)
    ]
    anomaly = dataclasses.replace(summary, float_metrics=scores[0], quantised_metrics=scores[1])
    shown = [cells(line)[0] for line in lines_of(terminal.summarise(anomaly))]
    assert "AUC top" in shown
    assert "accuracy" not in shown
    provenance = {"n_train": 1, "seed": 7, "sample": {"seed": 1}, "versions": {}}
    assert "accuracy" not in card.make(spec, provenance, (scores[0], scores[1]))
    document.write(anomaly, spec)
    report = json.loads(summary.report.read_text())
    jsonschema.Draft202012Validator(json.loads(document.SCHEMA.read_text())).validate(report)
    assert report["physics"]["quantised_network"]["accuracy"] is None
