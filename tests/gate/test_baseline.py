import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigforge.core.errors import InputError, StoreError
from trigforge.core.verdict import Figure, SpecVerdict
from trigforge.gate import baseline
from trigforge.gate.baseline import LABELS, Baseline, Recorded, RecordedSpec, Tolerances
from trigforge.gate.figures import figures_of
from trigforge.gate.judging import verdict_of


@pytest.fixture
def verdict(summary, spec_path):
    return verdict_of(summary, spec_path)


@pytest.fixture
def stored(verdict):
    return baseline.record(None, [verdict])


@pytest.fixture
def file(stored, tmp_path):
    path = tmp_path / "baseline.json"
    baseline.write(stored, path)
    return path


def compare(stored, summary):
    return baseline.compare(stored, summary.name, figures_of(summary))


def changed(verdict, name, value):
    """Return the figures of a verdict, one of them with another value."""
    return [
        dataclasses.replace(figure, value=value) if figure.name == name else figure
        for figure in verdict.figures
    ]


def test_the_same_run_again_is_as_good(stored, summary):
    compared = compare(stored, summary)
    assert [check.name for check in compared.checks] == list(LABELS.values())
    assert all(check.met for check in compared.checks)
    assert compared.notes == ()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("latency_cycles", (11, 12, 10)),
        ("interval_cycles", (2, 3, 1)),
        ("lut", (21_000, 21_001, 19_999)),
        ("ff", (10_500, 10_501, 1)),
        ("dsp", (21, 22, 19)),
        ("bram_18k", (42, 43, 0)),
        ("accuracy", (0.728, 0.727999, 0.730001)),
        ("mean_auc", (0.923, 0.922999, 0.93)),
    ],
)
def test_each_figure_may_get_worse_by_its_tolerance_and_no_more(stored, verdict, name, values):
    just, too_bad, better = values

    def lines(value):
        compared = baseline.compare(stored, "jets", changed(verdict, name, value))
        return [check.name for check in compared.checks if not check.met], compared.notes

    assert lines(just) == ([], ())
    assert lines(too_bad) == ([LABELS[name]], ())
    failed, notes = lines(better)
    assert failed == []
    assert [note.partition(":")[0] for note in notes] == [LABELS[name]]
    assert "update the baseline" in notes[0]


def test_nothing_of_a_resource_allows_nothing_of_it(stored, verdict):
    compared = baseline.compare(stored, "jets", changed(verdict, "uram", 1))
    assert [check.name for check in compared.checks if not check.met] == ["URAM"]


def test_the_tolerances_of_the_file_are_those_that_count(stored, summary):
    slower = dataclasses.replace(summary, latency=dataclasses.replace(summary.latency, cycles=13))
    loose = stored.model_copy(update={"tolerances": Tolerances(latency_cycles=2)})
    assert not all(check.met for check in compare(stored, slower).checks)
    assert all(check.met for check in compare(loose, slower).checks)


@pytest.mark.parametrize(
    ("field", "lost"),
    [
        ("latency", ["latency", "initiation interval"]),
        ("resources", ["LUT", "FF", "DSP", "BRAM18", "URAM"]),
        ("quantised_metrics", ["accuracy", "mean AUC"]),
    ],
)
def test_a_measurement_that_was_lost_is_a_failure(stored, summary, field, lost):
    compared = compare(stored, dataclasses.replace(summary, **{field: None}))
    failed = [check for check in compared.checks if not check.met]
    assert [check.name for check in failed] == lost
    assert all("not measured any more" in check.used for check in failed)


@pytest.mark.parametrize(
    "changes",
    [
        {"tool": "Vivado 2023.2", "stage": "post-route, Vivado"},
        {"part": "xcku115-flvb2104-2-e"},
    ],
)
def test_counts_of_another_tool_or_part_are_never_better(stored, summary, changes):
    resources = dataclasses.replace(summary.resources, lut=1, **changes)
    compared = compare(stored, dataclasses.replace(summary, resources=resources))
    failed = [check for check in compared.checks if not check.met]
    assert [check.name for check in failed] == ["LUT", "FF", "DSP", "BRAM18", "URAM"]
    assert all("not comparable" in check.allowed for check in failed)
    assert compared.notes == ()


def test_cycles_of_another_clock_and_areas_on_other_events_are_not_compared(stored, summary):
    other = dataclasses.replace(
        summary,
        latency=dataclasses.replace(summary.latency, clock_mhz=360),
        provenance=(("sample_digest", "another"),),
    )
    failed = [check.name for check in compare(stored, other).checks if not check.met]
    assert failed == ["latency", "initiation interval", "accuracy", "mean AUC"]


def test_an_estimate_does_not_replace_a_count(stored, summary, estimated):
    failed = [check for check in compare(stored, estimated).checks if not check.met]
    assert "LUT" in [check.name for check in failed if "not comparable" in check.allowed]


def test_a_model_that_is_not_recorded_fails_with_what_to_do(stored, summary):
    compared = compare(stored, dataclasses.replace(summary, name="images"))
    (line,) = compared.checks
    assert not line.met
    assert "--write-baseline" in line.allowed


def test_a_new_figure_is_told(summary, verdict):
    without = dataclasses.replace(summary, latency=None)
    before = baseline.record(None, [verdict_of(without, verdict.spec)])
    assert compare(before, summary).notes == (
        "latency: 11, not in the baseline: update it",
        "initiation interval: 2, not in the baseline: update it",
    )


def test_only_models_that_met_every_check_are_recorded(stored, verdict):
    broken = SpecVerdict(name="broken", spec=Path("broken.yaml"), error="no such file")
    worse = dataclasses.replace(
        verdict,
        checks=(dataclasses.replace(verdict.checks[0], met=False),),
        figures=(Figure(name="lut", value=1, origin="a miracle"),),
    )
    assert baseline.record(stored, [broken, worse]) == stored


def test_recording_keeps_tolerances_and_other_models(stored, verdict):
    loose = stored.model_copy(update={"tolerances": Tolerances(resources_percent=20.0)})
    images = dataclasses.replace(verdict, name="images")
    again = baseline.record(loose, [images])
    assert again.tolerances == loose.tolerances
    assert sorted(again.specs) == ["images", "jets"]
    assert baseline.unchecked(again, [images]) == ("jets",)


def test_a_file_says_everything_sorted_and_is_read_back(stored, file):
    assert baseline.read(file) == stored
    data = json.loads(file.read_text())
    assert data["baseline_version"] == 1
    assert data["tolerances"] == {
        "accuracy": 0.002,
        "interval_cycles": 0,
        "latency_cycles": 0,
        "mean_auc": 0.002,
        "resources_percent": 5.0,
    }
    assert data["specs"]["jets"]["latency_cycles"] == {
        "origin": "measured by Verilator at 320 MHz",
        "value": 11,
    }
    assert list(data) == sorted(data)
    assert file.read_text().endswith("}\n")


NUMBERS = st.integers(0, 10**9) | st.floats(0, 1e9, allow_nan=False)
ENTRIES = st.builds(Recorded, value=NUMBERS, origin=st.text())
SPECS = st.dictionaries(st.sampled_from(sorted(LABELS)), ENTRIES, min_size=1).map(
    lambda entries: RecordedSpec(**entries)
)


@given(st.dictionaries(st.text(max_size=10), SPECS, max_size=3))
def test_any_baseline_survives_the_file(tmp_path_factory, specs):
    stored = Baseline(specs=specs)
    path = tmp_path_factory.mktemp("baseline") / "baseline.json"
    baseline.write(stored, path)
    assert baseline.read(path) == stored


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"baseline_version": 1', '"baseline_version": 2', r"baseline_version: .* 1 \(got '2'\)"),
        ('"baseline_version": 1,', "", 'no object with "baseline_version": 1'),
        ('"value": 11', '"value": NaN', "NaN is no figure"),
        ('"value": 11', '"value": 1e999', "specs.jets.latency_cycles.value"),
        ('"value": 11', '"value": -1', "specs.jets.latency_cycles.value.*greater than"),
        ('"value": 11', '"value": "11"', "specs.jets.latency_cycles.value"),
        ('"value": 11', '"value": true', "specs.jets.latency_cycles.value"),
        ('"value": 11', '"value": 11, "note": 1', "specs.jets.latency_cycles.note: unknown key"),
        ('"value": 11', '"value": 11, "value": 12', "'value' is written twice"),
        ('"lut"', '"luts"', "specs.jets.luts: unknown key"),
        ('"accuracy": 0.002', '"accuracy": -0.1', "tolerances.accuracy"),
        ('"latency_cycles": 0', '"latency_cycles": 0.5', "tolerances.latency_cycles"),
        ("{", "<<<<<<< HEAD\n{", "Expecting value: line 1"),
    ],
)
def test_a_wrong_file_is_refused_with_what_is_wrong(file, before, after, message):
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after, 1))
    with pytest.raises(InputError, match=message) as caught:
        baseline.read(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Expecting value"),
        (b"\xff\xfe", "decode"),
        (b"[" * 100_000, "recursion"),
        (b'{"baseline_version": 1, "specs": {"jets": {}}}', "specs.jets: no figure"),
        (b"[1]", "no object"),
        (b" " * (1 << 23), "larger than"),
    ],
)
def test_what_is_no_baseline_at_all_is_refused(tmp_path, content, message):
    path = tmp_path / "baseline.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        baseline.read(path)


def test_a_missing_file_says_how_to_write_one(tmp_path):
    with pytest.raises(InputError, match=r"No such file.*--write-baseline FILE"):
        baseline.read(tmp_path / "none.json")


def test_a_file_that_cannot_be_written_leaves_the_old_one(stored, tmp_path):
    path = tmp_path / "a_file" / "baseline.json"
    path.parent.write_text("not a folder")
    with pytest.raises(StoreError, match=str(path.parent)):
        baseline.write(stored, path)
    assert path.parent.read_text() == "not a folder"
