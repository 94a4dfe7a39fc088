"""The verdict in words: three answers, made of what the report holds."""

from dataclasses import replace

import pytest
from page_reports import (
    agreements,
    failed_summary,
    hls_summary,
    imported_summary,
    met_summary,
    report,
    unlabelled_summary,
)

from trigforge.core.records import Check
from trigforge.report import document
from trigforge.report.page import notation
from trigforge.report.page.verdict import Standing, judge


@pytest.fixture
def judged(spec):
    def of(summary):
        return judge(document.make(summary, spec))

    return of


def test_a_good_run_is_answered_three_times_in_words(judged):
    verdict = judged(met_summary())
    assert verdict.met
    assert verdict.headline == "All 4 checks met"
    right, fits, physics = verdict.answers
    assert {answer.standing for answer in verdict.answers} == {Standing.MET}
    assert right.figure == "0 of 2,665 values differ"
    assert right.sentence == (
        "Yes: 5 implementations, among them the RTL simulated cycle by cycle, gave the same "
        "integers, bit for bit, on all 533 events."
    )
    assert fits.figure == "34.4 ns, an event every cycle"
    assert fits.sentence.replace("\N{NO-BREAK SPACE}", " ") == (
        "Yes. A decision is there 34.4 ns after the event, 1.38 bunch crossings (150 ns are "
        "allowed); a new event may come every 3.12 ns, collisions come every 24.95 ns. It takes "
        "1 % of the LUT cells of the xcvu13p-flga2577-2-e; 5 % are allowed."
    )
    assert physics.figure == "1.00 ± 0.40 points lost at 10 kHz"
    assert physics.sentence == (
        "At a trigger rate of 10 kHz the firmware keeps 61.0 ± 1.2 % of top events, the signal "
        "that loses most: 1.00 ± 0.40 percentage points fewer than the float network."
    )


def test_a_failed_run_names_event_output_and_both_integers(judged):
    verdict = judged(failed_summary())
    assert verdict.headline == "2 of 4 checks not met"
    right, fits, _ = verdict.answers
    assert (right.standing, fits.standing) == (Standing.FAILED, Standing.FAILED)
    assert right.figure == "40 of 2,665 values wrong"
    assert right.sentence.endswith(
        "First in event 17 (held_out[17]): output top is \N{MINUS SIGN}201, not \N{MINUS SIGN}205."
    )
    assert fits.sentence.startswith("No: not met: latency (60 cycles; allowed 150 ns).")
    assert [check.name for check in verdict.failed] == ["bit-exact: RTL", "latency"]


def test_rtl_that_is_wrong_only_in_other_traffic_is_wrong(judged):
    fault = Check(name="RTL: gaps in valid", used="a result too many", allowed="", met=False)
    right = judged(replace(met_summary(), checks=(fault,))).answers[0]
    assert right.standing is Standing.FAILED
    assert right.sentence.endswith("but RTL: gaps in valid: a result too many.")


def test_what_is_not_known_is_never_called_good(judged):
    verdict = judged(hls_summary())
    assert verdict.headline == "All 3 checks met; not everything was measured"
    right, fits, _ = verdict.answers
    assert right.sentence.endswith("No RTL was simulated.")
    assert fits.standing is Standing.UNKNOWN
    assert fits.sentence.startswith("Known only in part. Latency and interval were not measured.")
    assert "is estimated to take at most" in fits.sentence
    assert verdict.unmeasured == (
        "latency: nobody measured it",
        "RTL: none was simulated; the vendor's tool makes it from the C++",
        "resources: no synthesis was run, the figures are estimates",
        "timing closure: nothing was placed and routed, so 320 MHz is not proven",
        "trigger rate and efficiency: no trigger section in the spec, or no labels",
    )
    assert verdict.notes == ("advice: a reuse factor of 8 keeps up",)


def test_nothing_compared_is_not_known_and_a_comparison_of_nothing_is_wrong(judged):
    nothing = replace(met_summary(), agreements=())
    assert judged(nothing).answers[0].standing is Standing.UNKNOWN
    empty = replace(agreements()[0], n_values=0, n_events=0)
    right = judged(replace(met_summary(), agreements=(empty,))).answers[0]
    assert right.standing is Standing.FAILED
    assert "was compared with QKeras, exact on no value" in right.sentence


def test_without_a_rate_physics_is_the_area_under_the_curve(judged):
    physics = judged(hls_summary()).answers[2]
    assert physics.figure == "0.01 of AUC lost"
    assert "0.9400 in firmware and 0.9500 in floating point" in physics.sentence


def test_a_loss_beyond_what_is_accepted_is_a_failure(judged):
    lost = Check(name="loss of accuracy", used="+0.1", allowed="0.01", met=False)
    verdict = judged(replace(met_summary(), checks=(lost,)))
    assert verdict.answers[2].standing is Standing.FAILED


def test_without_labels_physics_is_not_known_or_a_distance(judged):
    assert judged(unlabelled_summary()).answers[2].standing is Standing.UNKNOWN
    physics = judged(imported_summary()).answers[2]
    assert physics.figure == "largest distance 0.125"
    assert "The largest output is another one in 3 of 500 events." in physics.sentence


def test_the_signal_that_loses_most_is_the_one_that_is_quoted(judged):
    summary = met_summary()
    first, second = summary.trigger.signals
    loss = replace(
        second.losses[1],
        efficiency=replace(second.losses[1].efficiency, value=0.05, low=0.04, high=0.06),
    )
    worse = replace(second, losses=(second.losses[0], loss))
    trigger = replace(summary.trigger, signals=(first, worse))
    physics = judged(replace(summary, trigger=trigger)).answers[2]
    assert physics.figure == "5.0 ± 1.0 points lost at 10 kHz"
    assert "of higgs events" in physics.sentence


def test_a_path_longer_than_a_cycle_is_said_where_no_clock_is_proven(judged):
    summary = met_summary()
    slow = replace(summary, logic_delay=replace(summary.logic_delay, ns=5.04))
    (line,) = judged(slow).unmeasured
    assert line == (
        "timing closure: nothing was placed and routed, so 320 MHz is not proven; the slowest "
        "path takes 5.04 ns, a cycle 3.12 ns (cells alone)"
    )


def test_a_report_of_nothing_is_not_met(judged):
    verdict = judged(replace(met_summary(), checks=(), budget=()))
    assert not verdict.met
    assert verdict.headline == "Nothing was checked"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (27665, "27,665"),
        (34.375, "34.4"),
        (5.0, "5"),
        (-0.0034, "\N{MINUS SIGN}0.0034"),
        (0.999999, "1"),
        (1e-7, "1e\N{MINUS SIGN}07"),
        (float("inf"), "\N{INFINITY}"),
        (None, ""),
    ],
)
def test_numbers_are_written_as_people_do(value, text):
    assert notation.number(value) == text


def test_an_uncertainty_has_two_digits_and_the_value_as_many_decimals():
    entry = report("met").trigger.signals[0].results[0].auc
    assert notation.measured(entry) == "0.9500 ± 0.0030"
    uneven = entry.model_copy(update={"value": 0.5, "low": 0.45, "high": 0.52})
    assert notation.measured(uneven, 100) == "50.0 +2.0 \N{MINUS SIGN}5.0"
    exact = entry.model_copy(update={"value": 0.0, "low": 0.0, "high": 0.0})
    assert notation.measured(exact) == "0 ± 0"


def test_a_small_share_is_not_none():
    space = "\N{NO-BREAK SPACE}"
    assert notation.coarse_percent(0, 100) == f"0{space}%"
    assert notation.coarse_percent(1, 1000) == f"<1{space}%"
    assert notation.coarse_percent(333, 1000) == f"33{space}%"
    assert notation.coarse_percent(0, 0) == ""


def test_names_are_listed_as_in_a_sentence():
    assert [notation.listed(names) for names in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "", "a", "a and b", "a, b and c",
    ]  # fmt: skip
