"""A schedule made by hand: a layer of each kind, an interval that is no crossing."""

from __future__ import annotations

from dataclasses import replace

from trigforge.core.schedule import LayerSchedule, Schedule

DENSE = LayerSchedule(
    name="hidden",
    kind="Dense",
    built_as="dsp",
    folding="channels in 5, pairs of channels",
    first_cycle=1,
    n_slots=5,
    last_cycle=12,
    pipeline_cycles=7,
    n_multiplications=1200,
    n_products=1400,
    n_dsp=100,
    n_slots_used=1100,
    n_slots_idle=500,
    n_lut_estimated=900,
    reason="",
)


def layer(name: str, **changes) -> LayerSchedule:
    """Return a layer without multipliers."""
    plain = replace(
        DENSE,
        kind="Activation",
        built_as="logic",
        folding="",
        n_multiplications=0,
        n_products=0,
        n_dsp=0,
        n_slots_used=0,
        n_slots_idle=0,
        pipeline_cycles=1,
    )
    return replace(plain, name=name, **changes)


SCHEDULE = Schedule(
    name="planted",
    clock_mhz=320,
    interval_cycles=16,
    latency_cycles=21,
    latency_bound_cycles=15,
    buffer_bits=12_345,
    layers=(
        DENSE,
        layer("relu", first_cycle=8, last_cycle=13),
        layer("order", kind="Gather", built_as="wires", first_cycle=13, n_slots=1, last_cycle=13),
        layer(
            "logits",
            kind="Dense",
            built_as="distributed arithmetic",
            first_cycle=13,
            n_slots=1,
            last_cycle=21,
            n_multiplications=34,
            reason="the spec asks for it",
        ),
    ),
)
