"""Two runs side by side: what changed, by how much, for better or worse."""

from dataclasses import replace

import pytest
from page_reports import HOSTILE, failed_summary, hls_summary, met_summary, report
from page_tree import parse

from trigforge.core.trigger import Measurement
from trigforge.report import document
from trigforge.report.page.comparison import compare, lines


@pytest.fixture
def compared(spec):
    def of(first, second):
        groups = lines(*(document.make(summary, spec) for summary in (first, second)))
        return {line.name: line for group in groups for line in group.lines}

    return of


def standing(line) -> tuple[str, str]:
    return line.change, line.standing


def faster(cycles: int):
    summary = met_summary()
    return replace(summary, latency=replace(summary.latency, cycles=cycles))


def keeping(efficiency: float):
    summary = met_summary()
    signal = summary.trigger.signals[0]
    kept = Measurement(value=efficiency, low=efficiency - 0.01, high=efficiency + 0.01)
    results = (*signal.results[:2], replace(signal.results[2], efficiency=kept))
    trigger = replace(summary.trigger, signals=(replace(signal, results=results),))
    return replace(summary, trigger=trigger)


def test_a_run_is_the_same_as_itself(compared):
    found = compared(met_summary(), met_summary())
    assert {line.standing for line in found.values()} == {"same"}
    assert {line.change for line in found.values()} == {""}


def test_less_latency_is_better_and_more_is_worse(compared):
    assert standing(compared(met_summary(), faster(10))["latency, cycles"]) == (
        "\N{MINUS SIGN}1 (\N{MINUS SIGN}9.09 %)",
        "better",
    )
    assert standing(compared(met_summary(), faster(22))["latency, cycles"]) == (
        "+11 (+100 %)",
        "worse",
    )


def test_more_efficiency_is_better_but_not_within_the_uncertainties(compared):
    name = "efficiency in % of top, firmware"
    assert standing(compared(keeping(0.6), keeping(0.7))[name]) == ("+10 (+16.7 %)", "better")
    assert standing(compared(keeping(0.6), keeping(0.5))[name])[1] == "worse"
    close = compared(keeping(0.6), keeping(0.615))[name]
    assert standing(close) == ("+1.5 (+2.5 %), within the uncertainties", "same")


def test_a_failed_run_is_worse_than_one_that_was_met(compared):
    found = compared(met_summary(), failed_summary())
    assert standing(found["all checks"]) == ("", "worse")
    assert (found["all checks"].first, found["all checks"].second) == ("met", "not met")
    assert standing(found["values that differ, all comparisons"]) == ("+40", "worse")


def test_what_only_one_run_has_is_neither_better_nor_worse(compared):
    found = compared(met_summary(), hls_summary())
    assert found["latency, ns"].standing == "alone"
    assert found["latency, ns"].second == "not there"
    assert found["LUT, counted"].standing == "alone"
    assert found["LUT, estimated"].first == "not there"
    assert found["efficiency in % of higgs, firmware"].standing == "alone"


def test_texts_that_differ_are_changed(compared):
    summary = met_summary()
    nodes = (replace(summary.network.nodes[0], format="fixed<8,3>"), *summary.network.nodes[1:])
    other = replace(summary, network=replace(summary.network, nodes=nodes))
    line = compared(summary, other)["format of image"]
    assert (line.first, line.second) == ("ufixed<6,2,RND_CONV,SAT>", "fixed<8,3>")
    assert standing(line) == ("", "changed")


def test_a_clock_is_another_one_but_not_a_better_one(compared):
    threshold = "threshold of top, firmware"
    summary = met_summary()
    signal = summary.trigger.signals[0]
    results = (*signal.results[:2], replace(signal.results[2], threshold=32.0))
    other = replace(
        summary, trigger=replace(summary.trigger, signals=(replace(signal, results=results),))
    )
    assert standing(compared(summary, other)[threshold]) == ("+16 (+100 %)", "changed")


def test_the_page_counts_and_marks_what_changed():
    found = parse(compare(report("met"), report("failed")))
    assert "0 figures got better, 3 figures worse" in found.one("section", id="summary").text
    worse = [cell.text for cell in found.all("td", kind="worse")]
    assert worse == ["▼ worse"] * 3
    assert [h.text for h in found.all("h2")][1:3] == ["Verdict", "Agreement"]
    assert found.all("script")[-1].attributes == {}


def test_hostile_names_are_text_on_the_comparison_too():
    found = parse(compare(report("hostile"), report("met")))
    assert found.one("h1").text.startswith(HOSTILE)
    assert len(found.all("script")) == 1
