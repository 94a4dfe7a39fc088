"""The verdict: what is met exactly at its limit, what is not, and what would help."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigforge import budget
from trigforge.core.config import Budget
from trigforge.core.costs import Estimate, Latency, Resources, Source


@dataclass(frozen=True, kw_only=True)
class Part:
    """Totals of a part, all round numbers."""

    lut: int = 400_000
    ff: int = 800_000
    dsp: int = 4_000
    bram_18k: int = 2_000
    uram: int = 400
    n_slrs: int = 4


PART = Part()
LIMITS = {
    "interval_crossings": 1,
    "latency_ns": 100,
    "lut_share": 0.1,
    "ff_share": 0.1,
    "dsp_share": 0.1,
    "bram_share": 0.1,
}
AT_THE_LIMIT = {"lut": 40_000, "ff": 80_000, "dsp": 400, "bram_18k": 200, "uram": 40}
COUNTS = st.fixed_dictionaries({name: st.integers(0, 2 * n) for name, n in AT_THE_LIMIT.items()})


def limits(**changes):
    return Budget(**{**LIMITS, **changes})


def measured(cycles=32, interval=8, clock_mhz=320.0, source=Source.MEASURED):
    return Latency(
        cycles=cycles,
        interval_cycles=interval,
        clock_mhz=clock_mhz,
        source=source,
        tool="Verilator 5.048",
    )


def resources(**counts):
    return Resources(
        part="a-part",
        source=Source.MEASURED,
        tool="Yosys 0.70",
        stage="logic synthesis",
        **{**dict.fromkeys(AT_THE_LIMIT, 0), **counts},
    )


def estimate(resource, low, likely, high):
    return Estimate(resource=resource, low=low, likely=likely, high=high, method="")


def line(verdict, name):
    """Return the one check of a name."""
    (found,) = [check for check in verdict.checks if check.name == name]
    return found


def verdict(**changes):
    parts = {"budget": limits(), "device": PART, "latency": measured(), "resources": resources()}
    return budget.check(**{**parts, **changes})


def test_a_design_at_all_limits_is_met():
    found = verdict(resources=resources(**AT_THE_LIMIT))
    assert found.met
    assert found.unknown == found.advice == ()
    assert [check.name for check in found.checks] == [
        "initiation interval",
        "latency",
        "LUT",
        "FF",
        "DSP",
        "BRAM18",
        "URAM",
        "fits one of 4 SLRs",
    ]


@pytest.mark.parametrize("resource", AT_THE_LIMIT)
def test_one_more_than_allowed_is_not_met(resource):
    more = {**AT_THE_LIMIT, resource: AT_THE_LIMIT[resource] + 1}
    found = verdict(resources=resources(**more))
    failed = [check.name for check in found.checks if not check.met]
    assert failed == [budget.UNITS[resource]]
    assert not found.met


def test_at_320_mhz_an_event_every_eight_cycles_keeps_up_and_every_nine_does_not():
    assert line(verdict(latency=measured(interval=8)), "initiation interval").met
    found = verdict(latency=measured(interval=9))
    check = line(found, "initiation interval")
    assert not check.met
    assert check.used == "9 cycles at 320 MHz = 28.12 ns"
    assert check.allowed == "8 cycles = 25.00 ns (1 crossing of 8 clocks)"
    assert found.advice == (
        "an interval of at most 8 cycles keeps up at 320 MHz (hls4ml: reuse factor 8 or less)",
        "an interval of 9 cycles keeps up at 360 MHz",
    )


@pytest.mark.parametrize(
    ("crossings", "clock_mhz", "cycles"), [(1, 240, 6), (6, 360, 54), (18, 480, 216), (1, 200, 5)]
)
def test_a_time_multiplexed_system_has_so_many_crossings_for_an_event(crossings, clock_mhz, cycles):
    settings = limits(interval_crossings=crossings)
    assert budget.largest_reuse_factor(settings, clock_mhz) == cycles
    for interval, met in ((cycles, True), (cycles + 1, False)):
        latency = measured(1, interval, clock_mhz)
        check = line(verdict(budget=settings, latency=latency), "initiation interval")
        assert check.met is met


def test_an_interval_no_clock_can_hold_needs_time_multiplexing():
    advice = verdict(latency=measured(interval=25)).advice
    assert advice[-1] == (
        "no clock up to 480 MHz keeps up with 25 cycles: one event every 3 crossings there, or "
        "parallel copies"
    )


def test_latency_is_met_to_the_last_cycle():
    assert line(verdict(latency=measured(32)), "latency").met
    found = verdict(latency=measured(33))
    check = line(found, "latency")
    assert not check.met
    assert check.used == "33 cycles at 320 MHz = 103.1 ns = 4.13 crossings"
    assert check.allowed == "100 ns = 32 cycles = 4.01 crossings"
    assert found.advice == (
        "latency: 33 cycles take 91.7 ns at 360 MHz, if timing closes there without more stages",
    )


def test_a_latency_no_clock_can_hold_needs_fewer_stages():
    (advice,) = verdict(latency=measured(100)).advice
    assert advice == (
        "latency: 100 cycles within 100 ns would need 1,000 MHz: fewer stages are needed"
    )


def test_a_count_is_shown_with_its_share_and_who_counted():
    check = line(verdict(resources=resources(lut=39_315)), "LUT")
    assert check.used == "39,315 LUT = 9.83 % (logic synthesis, Yosys 0.70)"
    assert check.allowed == "40,000 LUT = 10 % of 400,000"


@pytest.mark.parametrize(
    ("resource", "limit"),
    [("lut", 70_000), ("ff", 100_000), ("dsp", 800), ("bram_18k", 400), ("uram", 80)],
)
def test_timing_closes_up_to_a_share_of_one_region(resource, limit):
    wide = limits(lut_share=1, ff_share=1, dsp_share=1, bram_share=1)
    for count, met in ((limit, True), (limit + 1, False)):
        found = verdict(budget=wide, resources=resources(**{resource: count}))
        assert line(found, "fits one of 4 SLRs").met is met
    one = replace(PART, n_slrs=1)
    found = verdict(budget=wide, device=one, resources=resources(**{resource: limit + 1}))
    assert line(found, "fits the part's one SLR").met


def test_memory_a_part_does_not_have_cannot_be_used():
    without = replace(PART, uram=0)
    found = verdict(device=without, resources=resources(uram=1))
    assert line(found, "URAM").used == "1 URAM (logic synthesis, Yosys 0.70)"
    assert not line(found, "URAM").met
    assert not found.checks[-1].met
    assert verdict(device=without).met


@pytest.mark.parametrize(("ends", "met"), [((10_000, 40_000), True), ((40_001, 50_000), False)])
def test_an_estimate_is_met_if_its_upper_end_is(ends, met):
    found = verdict(resources=None, estimates=only_lut(*ends))
    check = line(found, "LUT (estimated)")
    assert check.met is found.met is met
    assert check.used.startswith(f"{ends[0]:,} to {ends[1]:,} LUT = ")


def test_a_limit_within_the_range_of_an_estimate_is_not_decided():
    found = verdict(resources=None, estimates=only_lut(30_000, 40_001))
    assert "LUT (estimated)" not in [check.name for check in found.checks]
    (undecided,) = found.unknown
    assert undecided.startswith("LUT (estimated): 30,000 to 40,001 LUT = ")
    assert "only synthesis tells; allowed 40,000 LUT" in undecided
    assert all(check.met for check in found.checks)
    assert not found.met


def only_lut(low, high):
    """Return estimates of which only LUTs are above zero."""
    rest = tuple(estimate(name, 0, 0, 0) for name in AT_THE_LIMIT if name != "lut")
    return (*rest, estimate("lut", low, (low + high) / 2, high))


def test_estimates_do_not_stand_beside_counts():
    found = verdict(estimates=(estimate("lut", 10**6, 10**6, 10**6),))
    assert found.met
    assert "LUT (estimated)" not in [check.name for check in found.checks]


def test_what_nobody_measured_is_said_and_never_met():
    found = verdict(latency=None)
    assert found.unknown == (
        "initiation interval and latency: neither simulated nor reported by a tool",
    )
    assert all(check.met for check in found.checks)
    assert not found.met
    nothing = budget.check(limits(), PART, None, None)
    assert nothing.checks == ()
    assert not nothing.met
    partial = verdict(resources=None, estimates=(estimate("lut", 1, 1, 1),))
    assert partial.unknown == ("FF, DSP, BRAM18, URAM: neither synthesised nor estimated",)


def test_estimated_latency_is_called_so():
    found = verdict(latency=measured(source=Source.ESTIMATED))
    assert [check.name for check in found.checks[:2]] == [
        "initiation interval (estimated)",
        "latency (estimated)",
    ]


def test_a_budget_of_next_to_nothing_fails_everything_that_is_used():
    nothing = limits(
        latency_ns=1e-9, lut_share=1e-9, ff_share=1e-9, dsp_share=1e-9, bram_share=1e-9
    )
    found = verdict(
        budget=nothing,
        latency=measured(1, 1),
        resources=resources(**dict.fromkeys(AT_THE_LIMIT, 1)),
    )
    failed = {check.name for check in found.checks if not check.met}
    assert failed == {"latency", *budget.UNITS.values()}


def test_advice_names_how_much_is_too_much():
    assert verdict(resources=resources(lut=100_000)).advice == (
        "LUT: 2.5 times what is allowed",
        "LUT: cut the design at SLR crossings, each a register stage more",
    )


def test_parts_hold_a_design_if_every_share_is_kept():
    parts = {"small": PART, "large": replace(PART, lut=1_000_000), "none": replace(PART, ff=0)}
    for counts, holding in (
        ({"lut": 40_000}, ("small", "large", "none")),
        ({"lut": 40_001}, ("large",)),
        ({"lut": 100_001}, ()),
        ({"ff": 1}, ("small", "large")),
    ):
        assert budget.parts_that_hold(limits(), parts, resources(**counts)) == holding
    ranges = (estimate("lut", 1, 2, 40_001),)
    assert budget.parts_that_hold(limits(), parts, None, ranges) == ("large",)


@given(COUNTS, st.sampled_from(sorted(AT_THE_LIMIT)), st.integers(1, 10**6))
def test_more_of_a_resource_never_turns_a_failure_into_a_success(counts, resource, more):
    before = verdict(resources=resources(**counts))
    after = verdict(resources=resources(**{**counts, resource: counts[resource] + more}))
    met = {check.name: check.met for check in after.checks}
    assert all(check.met or not met[check.name] for check in before.checks)


@given(st.integers(0, 200), st.integers(1, 64), st.sampled_from(budget.CLOCKS_MHZ))
def test_a_longer_latency_or_interval_never_helps(cycles, interval, clock_mhz):
    before = verdict(latency=measured(cycles, interval, clock_mhz))
    longer = verdict(latency=measured(cycles + 1, interval + 1, clock_mhz))
    pairs = zip(before.checks[:2], longer.checks[:2], strict=True)
    assert all(first.met or not second.met for first, second in pairs)


@given(st.integers(1, 200), st.sampled_from(budget.CLOCKS_MHZ))
def test_the_clock_that_is_advised_holds_the_interval(interval, clock_mhz):
    found = verdict(latency=measured(1, interval, clock_mhz))
    advised = [text for text in found.advice if text.startswith("an interval of ")]
    if any("at most" not in text for text in advised):
        (text,) = [text for text in advised if "at most" not in text]
        clock = float(text.split(" at ")[1].removesuffix(" MHz"))
        assert line(verdict(latency=measured(1, interval, clock)), "initiation interval").met
