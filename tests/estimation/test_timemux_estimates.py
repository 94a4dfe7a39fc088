"""Estimates of time-multiplexed RTL follow from its schedule."""

from trigforge.core.schedule import LayerSchedule, Schedule
from trigforge.estimation import timemux


def test_dsps_are_those_of_the_schedule_and_logic_is_a_range():
    layer = LayerSchedule(
        name="a",
        kind="Dense",
        built_as="dsp",
        folding="channels in 8",
        first_cycle=1,
        n_slots=8,
        last_cycle=20,
        pipeline_cycles=12,
        n_multiplications=128,
        n_products=128,
        n_dsp=20,
        n_slots_used=160,
        n_slots_idle=0,
        n_lut_estimated=300,
        reason="",
    )
    schedule = Schedule(
        name="net",
        clock_mhz=320,
        interval_cycles=8,
        latency_cycles=21,
        latency_bound_cycles=13,
        buffer_bits=1000,
        layers=(layer,),
    )
    found = {entry.resource: entry for entry in timemux.estimates(schedule)}
    assert (found["dsp"].low, found["dsp"].likely, found["dsp"].high) == (20, 20, 20)
    assert (found["lut"].low, found["lut"].likely, found["lut"].high) == (150, 300, 600)
    assert found["ff"].low < 1000 < found["ff"].high
    assert found["bram_18k"].high == found["uram"].high == 0
