"""The verdict alone: what came out is made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tiny_designs import INPUT, OUTPUT

from trigforge.core import packing
from trigforge.cosim.scenario import (
    Observed,
    Scenario,
    SimulationFault,
    judge,
    load,
    load_observed,
    pair,
    save,
    save_observed,
)
from trigforge.cosim.traffic import Schedule

EXPECTED = np.array([[1, 2], [3, 4], [5, 6]])
SCHEDULE = Schedule(event_cycles=np.array([8, 10, 12]), reset_cycles=np.arange(8))
SCENARIO = Scenario(
    name="by hand",
    output=OUTPUT,
    latency_cycles=3,
    drain_cycles=9,
    schedule=SCHEDULE,
    inputs=packing.pack(np.zeros((3, 3), dtype=np.int64), INPUT),
    expected=EXPECTED,
    origins=("a[0]", "a[1]", "b[0]"),
)


def observed(cycles, raw=EXPECTED) -> Observed:
    words = packing.pack(np.asarray(raw)[: len(cycles)], OUTPUT)
    return Observed(cycles=np.array(cycles, dtype=np.int64), words=words, n_cycles=24, seconds=0.5)


def test_right_results_in_time_meet_the_scenario():
    outcome = judge(SCENARIO, observed([11, 13, 15]), "by hand")
    assert outcome.met
    assert (outcome.n_events, outcome.n_values, outcome.latency_cycles) == (3, 6, (3, 3))


def test_one_late_result_is_named():
    outcome = judge(SCENARIO, observed([11, 14, 15]), "by hand")
    assert not outcome.met
    assert outcome.latency_cycles == (3, 4)
    assert outcome.fault == (
        "cycle 14: the result of event 1 (a[1], presented in cycle 10) took 4 cycles, not 3"
    )


def test_one_wrong_value_is_named():
    outcome = judge(SCENARIO, observed([11, 13, 15], [[1, 2], [3, 4], [5, -6]]), "by hand")
    assert outcome.fault == (
        "cycle 15, event 2 (b[0]): output y[1] is -6, not 6; 1 of 6 values differ"
    )
    assert outcome.n_different == 1


@pytest.mark.parametrize(
    ("cycles", "cycle", "message"),
    [
        ([11, 15], 13, "2 results of 3 events: in cycle 13 the result of event 1 .* is missing"),
        ([11, 13, 14, 15], 14, "4 results of 3 events: out_valid is high in cycle 14"),
        ([9, 11, 13, 16], 9, "out_valid is high in cycle 9"),
        ([], 11, "0 results of 3 events: out_valid did not rise in 24 cycles"),
    ],
)
def test_too_many_or_too_few_results_name_the_first_cycle(cycles, cycle, message):
    came_out = observed(cycles, np.zeros((4, 2), dtype=np.int64))
    with pytest.raises(SimulationFault, match=message) as fault:
        pair(SCHEDULE, came_out, 3)
    assert fault.value.cycle == cycle
    outcome = judge(SCENARIO, came_out, "by hand")
    assert not outcome.met
    assert outcome.latency_cycles is None


def test_events_that_a_reset_takes_need_no_result():
    schedule = replace(SCHEDULE, reset_cycles=np.array([0, 11]))
    outcome = judge(
        replace(SCENARIO, schedule=schedule), observed([11, 15], EXPECTED[[0, 2]]), "by hand"
    )
    assert outcome.met
    assert outcome.n_events == 2


def test_a_scenario_without_any_result_is_not_met():
    schedule = replace(SCHEDULE, reset_cycles=np.arange(20))
    outcome = judge(replace(SCENARIO, schedule=schedule), observed([]), "by hand")
    assert outcome.fault is None
    assert not outcome.met


def test_scenarios_and_results_survive_the_way_through_files(tmp_path):
    save(SCENARIO, tmp_path)
    save_observed(observed([11, 13, 15]), tmp_path)
    again = load(tmp_path)
    assert again.origins == SCENARIO.origins
    assert again.output == SCENARIO.output
    assert judge(again, load_observed(tmp_path), "x") == judge(
        SCENARIO, observed([11, 13, 15]), "x"
    )
