"""The record of a schedule: what follows from it, and its file."""

import pytest

from trigforge.core.errors import StoreError
from trigforge.core.schedule import LayerSchedule, Schedule, from_json, to_json


def layer(name: str, n_multiplications: int, n_dsp: int) -> LayerSchedule:
    return LayerSchedule(
        name=name,
        kind="Dense",
        built_as="dsp" if n_dsp else "distributed arithmetic",
        folding="channels in 8",
        first_cycle=1,
        n_slots=8,
        last_cycle=20,
        pipeline_cycles=12,
        n_multiplications=n_multiplications,
        n_products=n_multiplications,
        n_dsp=n_dsp,
        n_slots_used=8 * n_dsp,
        n_slots_idle=0,
        n_lut_estimated=100,
        reason="",
    )


SCHEDULE = Schedule(
    name="net",
    clock_mhz=320,
    interval_cycles=8,
    latency_cycles=32,
    latency_bound_cycles=20,
    buffer_bits=1000,
    layers=(layer("a", 128, 10), layer("b", 32, 0), layer("c", 32, 10)),
)


def test_efficiency_is_of_the_layers_that_use_dsps():
    assert [entry.efficiency(8) for entry in SCHEDULE.layers] == [1.6, 0.0, 0.4]
    assert SCHEDULE.efficiency == 1.0
    assert SCHEDULE.n_dsp == 20
    assert SCHEDULE.latency_ns == 100


def test_a_schedule_is_read_as_it_was_written():
    assert from_json(to_json(SCHEDULE)) == SCHEDULE


@pytest.mark.parametrize("text", ["", "[]", "{}", to_json(SCHEDULE).replace('"n_slots"', '"n"')])
def test_something_else_is_refused(text):
    with pytest.raises(StoreError, match="no schedule"):
        from_json(text)
