from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigforge.core.errors import InputError
from trigforge.cosim.traffic import (
    RESET_CYCLES,
    Schedule,
    Traffic,
    back_to_back,
    random_gaps,
    with_resets,
)


def schedule_of(events, resets) -> Schedule:
    return Schedule(
        event_cycles=np.array(events, dtype=np.int64), reset_cycles=np.array(resets, dtype=np.int64)
    )


def survivors_step_by_step(schedule: Schedule, latency: int) -> list[int]:
    """Move events through a line of registers that a reset empties."""
    line: list[int | None] = [None] * latency
    came_out = []
    events = {int(cycle): i for i, cycle in enumerate(schedule.event_cycles)}
    resets = set(schedule.reset_cycles.tolist())
    for cycle in range(schedule.n_cycles + latency + 1):
        entering = events.get(cycle)
        leaving = line[-1] if latency else entering
        if leaving is not None:
            came_out.append(leaving)
        line = [None] * latency if cycle in resets else [entering, *line[:-1]][:latency]
    return came_out


@given(st.integers(0, 6), st.sets(st.integers(0, 40)), st.sets(st.integers(0, 45)))
def test_survivors_are_those_that_leave_a_line_of_registers(latency, events, resets):
    schedule = schedule_of(sorted(events), sorted(resets))
    assert schedule.surviving(latency).tolist() == survivors_step_by_step(schedule, latency)


def test_back_to_back_events_follow_each_other_every_interval():
    assert back_to_back().schedule(4, 1).event_cycles.tolist() == [8, 9, 10, 11]
    assert back_to_back().schedule(3, 6).event_cycles.tolist() == [8, 14, 20]
    assert back_to_back(9).schedule(3, 6).interval_cycles == 9
    assert back_to_back().schedule(1, 6).interval_cycles == 0


def test_gaps_are_random_and_the_same_each_time():
    schedule = random_gaps(idle_share=0.5).schedule(1000, 2)
    distances = np.diff(schedule.event_cycles)
    assert distances.min() == 2
    assert distances.max() > 5
    assert 2.8 < distances.mean() < 3.2
    again = random_gaps(idle_share=0.5).schedule(1000, 2)
    np.testing.assert_array_equal(again.event_cycles, schedule.event_cycles)
    other = random_gaps(idle_share=0.5, seed=2).schedule(1000, 2)
    assert not np.array_equal(other.event_cycles, schedule.event_cycles)


def test_resets_fall_between_the_events_and_on_them():
    schedule = with_resets(20).schedule(500, 1)
    resets = schedule.reset_cycles
    assert resets[:RESET_CYCLES].tolist() == list(range(RESET_CYCLES))
    assert len(resets) == RESET_CYCLES + 20
    hits = np.isin(resets[RESET_CYCLES:], schedule.event_cycles)
    assert 0 < hits.sum() < 20
    assert 0 < 500 - len(schedule.surviving(5)) <= 100


def test_flags_say_what_happens_in_each_cycle():
    schedule = schedule_of([2, 4], [0, 1, 4])
    assert schedule.flags().tolist() == [2, 2, 1, 0, 3]
    assert schedule_of([], []).flags().tolist() == []


def test_impossible_traffic_is_refused():
    with pytest.raises(InputError, match="every 0 cycles is impossible"):
        Traffic(interval_cycles=0)
    with pytest.raises(InputError, match="idle share 1"):
        Traffic(idle_share=1)
    with pytest.raises(InputError, match="-1 resets"):
        Traffic(n_resets=-1)
    with pytest.raises(InputError, match="every 1 cycles is too fast: .* one every 2"):
        back_to_back(1).schedule(5, 2)
