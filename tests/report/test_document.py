import dataclasses
import json

import jsonschema
import pytest
from schedules import SCHEDULE

from trigforge.core.errors import StoreError
from trigforge.core.records import Metrics
from trigforge.report import document


def written(summary, spec):
    document.write(summary, spec)
    return json.loads(summary.report.read_text(), parse_constant=pytest.fail)


def check(report):
    jsonschema.Draft202012Validator(json.loads(document.SCHEMA.read_text())).validate(report)


def test_the_shipped_schema_is_that_of_the_report(rewrite_golden):
    if rewrite_golden:
        document.SCHEMA.write_text(document.schema())
    assert document.SCHEMA.read_text() == document.schema()
    jsonschema.Draft202012Validator.check_schema(json.loads(document.schema()))


def test_a_report_is_valid_and_says_what_the_run_found(summary, spec):
    report = written(summary, spec)
    check(report)
    assert report["met"] is True
    assert report["report_version"] == 3
    assert report["agreements"] == [
        {
            "reference": "QKeras, exact",
            "candidate": "C simulation, io_parallel",
            "n_events": 5533,
            "n_values": 27665,
            "n_different": 0,
            "n_different_events": 0,
            "first_difference": None,
        }
    ]
    assert report["physics"]["n_test"] == 5000
    assert report["physics"]["quantised_network"]["accuracy"] == 0.7302
    assert report["physics"]["float_network"]["mean_auc"] == pytest.approx(0.9)
    assert report["stages"] == [{"stage": "samples", "seconds": 0.25, "cached": True}]
    assert report["provenance"] == {"keras": "3.15.1", "sample_seed": "1804"}


def test_a_failed_report_names_the_first_difference_and_the_modified_file(failed, spec):
    report = written(failed, spec)
    check(report)
    assert report["met"] is False
    assert report["agreements"][0]["first_difference"] == {
        "event": 17,
        "origin": "held_out[17]",
        "output": 1,
        "output_name": "top",
        "reference": -205,
        "candidate": -201,
    }
    assert report["projects"][0]["modified"] == ["firmware/weights/w2.h"]
    assert report["warnings"] == list(failed.warnings)


def test_what_was_not_measured_says_so(summary, spec):
    report = written(summary, spec)
    latency, resources = report["latency"], report["resources"]
    assert latency.pop("source") == resources.pop("source") == "not measured"
    assert latency.pop("clock_mhz") == 320
    assert resources.pop("part") == "xcvu13p-flga2577-2-e"
    assert set(latency.values()) == set(resources.values()) == {None}
    assert report["budget"] == []


def test_an_infinite_rejection_is_null(summary, spec):
    classes = tuple(
        dataclasses.replace(entry, background_rejection=float("inf"))
        for entry in summary.quantised_metrics.classes
    )
    perfect = Metrics(n_events=5000, accuracy=1.0, classes=classes)
    report = written(dataclasses.replace(summary, quantised_metrics=perfect), spec)
    check(report)
    entries = report["physics"]["quantised_network"]["classes"]
    assert [entry["background_rejection"] for entry in entries] == [None, None]


@pytest.mark.parametrize(
    "damage",
    [
        lambda report: report.pop("physics"),
        lambda report: report.update(extra=1),
        lambda report: report.update(report_version=1),
        lambda report: report["agreements"][0].update(n_different=-1),
        lambda report: report["latency"].update(source="guessed"),
        lambda report: report["latency"].pop("cycles"),
    ],
)
def test_the_schema_refuses_what_is_no_report(summary, spec, damage):
    report = written(summary, spec)
    damage(report)
    with pytest.raises(jsonschema.ValidationError):
        check(report)


def test_a_summary_without_a_path_writes_nothing(summary, spec, tmp_path):
    document.write(dataclasses.replace(summary, report=None), spec)
    assert list(tmp_path.iterdir()) == []


def test_a_report_that_cannot_be_written_is_one_error(summary, spec, tmp_path):
    (tmp_path / "reports").write_text("a file stands where the folder would be")
    with pytest.raises(StoreError, match="writing .*report.json failed"):
        document.write(summary, spec)


def test_a_schedule_is_there_with_what_follows_from_it_or_is_null(summary, spec):
    assert written(summary, spec)["schedule"] is None
    report = written(dataclasses.replace(summary, schedule=SCHEDULE), spec)
    check(report)
    entry = report["schedule"]
    layers = entry.pop("layers")
    assert entry == {
        "interval_cycles": 16,
        "latency_cycles": 21,
        "latency_bound_cycles": 15,
        "buffer_bits": 12_345,
        "n_dsp": 100,
        "efficiency": 0.75,
    }
    for layer, record in zip(layers, SCHEDULE.layers, strict=True):
        assert layer.pop("efficiency") == record.efficiency(16)
        assert layer == dataclasses.asdict(record)


def test_latency_and_resources_say_who_measured_them(with_firmware, spec):
    report = written(with_firmware, spec)
    check(report)
    assert report["met"] is False
    latency, resources = report["latency"], report["resources"]
    assert latency == {
        "source": "measured",
        "tool": "Verilator 5.048",
        "clock_mhz": 320,
        "cycles": 48,
        "interval_cycles": 1,
        "ns": 150.0,
        "crossings": pytest.approx(6.012),
    }
    assert (resources["tool"], resources["stage"]) == ("Yosys 0.70", "logic synthesis, Yosys")
    assert resources["shares"]["lut"] == 0.01
    assert resources["shares"]["uram"] == 0
    assert report["logic_delay"]["method"] == "cells alone"
    assert report["budget"][1] == {
        "name": "latency",
        "used": "48 cycles",
        "allowed": "40 cycles",
        "met": False,
    }
    (estimate,) = report["estimates"]
    assert (estimate["resource"], estimate["likely"], estimate["measured"]) == ("lut", 20, 17_280)
    assert report["firmware"]["folder"] == "firmware/tiny_jets"
