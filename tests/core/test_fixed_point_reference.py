"""Casts compared with the compiled headers, and with exact fractions that those confirm."""

from __future__ import annotations

import itertools
import math
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trigforge.core import fixed_point
from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding, convert, quantise
from trigforge.vendor import toolchain

ROUNDINGS = [
    Rounding(name)
    for name in (
        "TRN",
        "TRN_ZERO",
        "RND",
        "RND_ZERO",
        "RND_INF",
        "RND_MIN_INF",
        "RND_CONV",
    )
]
OVERFLOWS = [Overflow(name) for name in ("WRAP", "SAT", "SAT_ZERO", "SAT_SYM")]
HOLDER_FRACTIONAL_BITS = 16
SHIFTS = range(27)
"""A small raw integer ``r`` is held as ``r << shift``."""
N_WIDE_PAIRS = 40
N_TYPED_PAIRS = 80


def small_targets() -> list[FixedPointFormat]:
    """Every width to 8, sign and mode; the point wanders, far left and far right too."""
    combinations = itertools.product(range(1, 9), (True, False), ROUNDINGS, OVERFLOWS)
    return [
        FixedPointFormat(signed, width, width + i * 7 % 13 - 6, rounding, overflow)
        for i, (width, signed, rounding, overflow) in enumerate(combinations)
    ]


def random_format(rng: random.Random, widths: range, reach: int) -> FixedPointFormat:
    width = rng.choice(widths)
    return FixedPointFormat(
        rng.random() < 0.6,
        width,
        width // 2 + rng.randint(-reach, reach),
        rng.choice(ROUNDINGS),
        rng.choice(OVERFLOWS),
    )


def wide_pairs() -> list[tuple[FixedPointFormat, FixedPointFormat]]:
    """Seeded pairs beyond 8 bits, and the corners by hand."""
    rng = random.Random(20)
    corners = [
        "ap_fixed<64,32> ap_ufixed<64,32,AP_RND,AP_SAT>",
        "ap_ufixed<64,64> ap_fixed<64,64,AP_RND,AP_SAT_SYM>",
        "ap_ufixed<64,10> ap_ufixed<63,10,AP_RND_CONV,AP_SAT>",
        "ap_ufixed<64,0> ap_fixed<64,64,AP_RND_INF>",
        "ap_fixed<64,1> ap_fixed<63,0,AP_RND_ZERO,AP_SAT_ZERO>",
        "ap_fixed<63,20> ap_ufixed<64,80,AP_TRN_ZERO>",
        "ap_fixed<16,100> ap_fixed<16,-100,AP_RND,AP_SAT>",
        "ap_fixed<16,-100> ap_fixed<16,100,AP_RND_INF,AP_SAT>",
        "ap_fixed<16,6,AP_RND,AP_SAT_SYM> ap_fixed<16,6,AP_RND,AP_SAT_SYM>",
        "ap_fixed<16,6> ap_fixed<16,6,AP_RND,AP_SAT_SYM>",
        "ap_fixed<16,6> ap_fixed<1,3,AP_TRN,AP_SAT_SYM>",
        "ap_fixed<62,31> ap_fixed<62,31,AP_RND_MIN_INF,AP_SAT>",
    ]
    by_hand = [tuple(map(fixed_point.parse_format, line.split())) for line in corners]
    seeded = [
        (random_format(rng, range(9, 65), 30), random_format(rng, range(1, 65), 30))
        for _ in range(N_WIDE_PAIRS - len(by_hand))
    ]
    return [*by_hand, *seeded]


def typed_pairs() -> list[tuple[FixedPointFormat, FixedPointFormat]]:
    """Seeded pairs of small types: not the holder but the source itself is cast."""
    rng = random.Random(21)
    small = range(1, 9)
    return [
        (random_format(rng, small, 8), random_format(rng, small, 8)) for _ in range(N_TYPED_PAIRS)
    ]


# Optimised casts as simulators have them; the other two only compile faster.
OPTIMISATION = {1: "-O1", 2: "-O0", 3: "-O0"}
PAIRS = [*wide_pairs(), *typed_pairs()]


def all_raw(fmt: FixedPointFormat) -> np.ndarray:
    return np.arange(fmt.raw_min, fmt.raw_max + 1, dtype=np.int64)


def exact_cast(value: Fraction, fmt: FixedPointFormat) -> int:
    """Cast one number by the definitions in the vendor's manual (AMD UG1399), in fractions."""
    scaled = value * Fraction(2) ** fmt.fractional_bits
    floor, ceiling = math.floor(scaled), math.ceil(scaled)
    to_zero = floor if scaled >= 0 else ceiling
    from_zero = ceiling if scaled >= 0 else floor
    rounded = {Rounding.TRN: floor, Rounding.TRN_ZERO: to_zero}.get(fmt.rounding)
    if rounded is None:
        tie = {
            Rounding.RND: ceiling,
            Rounding.RND_ZERO: to_zero,
            Rounding.RND_INF: from_zero,
            Rounding.RND_MIN_INF: floor,
            Rounding.RND_CONV: floor if floor % 2 == 0 else ceiling,
        }[fmt.rounding]
        half = Fraction(1, 2)
        rounded = tie if scaled - floor == half else math.floor(scaled + half)
    low, high = fmt.raw_min, fmt.raw_max
    if fmt.overflow is Overflow.WRAP:
        return (rounded - low) % (high - low + 1) + low
    if fmt.overflow is Overflow.SAT_ZERO:
        return rounded if low <= rounded <= high else 0
    if fmt.overflow is Overflow.SAT_SYM and fmt.signed and fmt.width > 1:
        low = -high
    return max(low, min(high, rounded))


@dataclass(frozen=True)
class Headers:
    """The headers, compiled."""

    casts: Path
    doubles: Path
    pairs: Path

    def ask(self, program: Path, values: np.ndarray, *arguments: str) -> np.ndarray:
        done = toolchain.run(
            [program, *arguments],
            folder=program.parent,
            timeout_s=120,
            what="reference",
            stdin=values.tobytes(),
        )
        return np.frombuffer(done.stdout, dtype=np.int64)

    def cast_pair(self, number: int, raw: np.ndarray) -> np.ndarray:
        return self.ask(self.pairs, raw, "cast", str(number)).view(PAIRS[number][1].dtype)

    def quantise_pair(self, number: int, numbers: np.ndarray) -> np.ndarray:
        return self.ask(self.pairs, numbers, "double", str(number)).view(PAIRS[number][1].dtype)


@pytest.fixture(scope="session")
def headers(tmp_path_factory) -> Headers:
    folder = tmp_path_factory.mktemp("ap_fixed")
    hls4ml = Path(find_spec("hls4ml").origin).parent
    include = hls4ml / "templates/vivado/ap_types"
    source = Path(__file__).with_name("ap_fixed_reference.cpp")
    lines = [f"pair<{first}, {second}>," for first, second in PAIRS]
    (folder / "pairs.hpp").write_text("\n".join(lines))

    def build(number: int) -> Path:
        program = folder / f"reference_{number}"
        toolchain.run(
            [toolchain.compiler(), OPTIMISATION[number], "-std=c++17", f"-DREFERENCE={number}",
             f"-I{include}", f"-I{folder}", source, "-o", program],
            folder=folder, timeout_s=600, what="compiling the reference",
        )  # fmt: skip
        return program

    with ThreadPoolExecutor(2) as compilers:
        return Headers(*compilers.map(build, (1, 2, 3)))


def held_values() -> np.ndarray:
    small = np.arange(-128, 256, dtype=np.int64)
    return np.unique(np.concatenate([small << shift for shift in SHIFTS]))


def cast_tables(headers: Headers) -> tuple[np.ndarray, np.ndarray]:
    """Return the holder's raw integers and, one row a small target, what they become."""
    held = held_values()
    return held, headers.ask(headers.casts, held).reshape(len(small_targets()), len(held))


def compare_small_casts(headers: Headers) -> int:
    """Cast all values of all formats to 8 bits into every small target; count them."""
    held, tables = cast_tables(headers)
    n_checked = 0
    for target, table in zip(small_targets(), tables, strict=True):
        for shift, width, signed in itertools.product(SHIFTS, range(1, 9), (True, False)):
            fractional_bits = HOLDER_FRACTIONAL_BITS - shift
            source = FixedPointFormat(signed, width, width - fractional_bits)
            raw = all_raw(source)
            expected = table[np.searchsorted(held, raw << shift)]
            different = convert(raw, source, target) != expected
            assert not different.any(), f"{source} to {target}: {raw[different]}"
            n_checked += raw.size
    return n_checked


@pytest.mark.toolchain
def test_every_value_of_every_format_to_8_bits_is_cast_as_the_headers_do(headers):
    values_of_all_sources = 2 * sum(2**width for width in range(1, 9))
    assert compare_small_casts(headers) == 448 * len(SHIFTS) * values_of_all_sources == 12_337_920


@pytest.mark.toolchain
@pytest.mark.parametrize("rounding", [Rounding.RND, Rounding.RND_CONV, Rounding.RND_INF])
def test_a_wrong_tie_rule_is_seen(headers, monkeypatch, rounding):
    right = fixed_point._tie_goes_up
    rounded = fixed_point._rounded

    def wrong_tie(raw, floor, mode):
        goes_up = right(raw, floor, mode)
        return np.logical_not(goes_up) if mode is rounding else goes_up

    def wrong_half(raw, dropped, mode):
        mode = Rounding.RND_MIN_INF if mode is Rounding.RND else mode
        return rounded(raw, dropped, mode)

    monkeypatch.setattr(fixed_point, "_tie_goes_up", wrong_tie)
    if rounding is Rounding.RND:
        monkeypatch.setattr(fixed_point, "_rounded", wrong_half)
    with pytest.raises(AssertionError, match=rf"to ap_u?fixed<.*AP_{rounding},"):
        compare_small_casts(headers)


@pytest.mark.toolchain
def test_a_wrong_overflow_is_seen(headers, monkeypatch):
    limits = property(lambda fmt: (fmt.raw_min, fmt.raw_max))
    monkeypatch.setattr(FixedPointFormat, "saturation_limits", limits)
    with pytest.raises(AssertionError, match="AP_SAT_SYM"):
        compare_small_casts(headers)


@pytest.mark.toolchain
def test_the_exact_fractions_cast_as_the_headers_do(headers):
    held, tables = cast_tables(headers)
    n_checked = 0
    for target, table in zip(small_targets(), tables, strict=True):
        # From far below the target's step to far above its range.
        lowest = HOLDER_FRACTIONAL_BITS - target.fractional_bits - 6
        for shift in range(max(lowest, 0), lowest + 10):
            raw = np.arange(-16, 32) << shift
            expected = table[np.searchsorted(held, raw)]
            exact = [exact_cast(Fraction(int(r), 2**HOLDER_FRACTIONAL_BITS), target) for r in raw]
            assert exact == expected.tolist(), f"{target}, shift {shift}"
            n_checked += len(raw)
    assert n_checked > 200_000


@pytest.mark.toolchain
def test_the_type_of_the_source_does_not_matter(headers):
    n_checked = 0
    for number in range(N_WIDE_PAIRS, len(PAIRS)):
        source, target = PAIRS[number]
        raw = all_raw(source)
        np.testing.assert_array_equal(
            convert(raw, source, target), headers.cast_pair(number, raw), f"{source} to {target}"
        )
        n_checked += raw.size
    assert n_checked > 4_000


def telling_raw(fmt: FixedPointFormat) -> np.ndarray:
    """Ends, neighbours of every power of two, and random raw integers."""
    rng = random.Random(22)
    powers = [
        sign * (1 << bit) + near for bit in range(65) for sign in (1, -1) for near in (-1, 0, 1)
    ]
    ties = [(2 * rng.getrandbits(20) + 1) << bit for bit in range(60)]
    chance = [rng.randint(fmt.raw_min, fmt.raw_max) for _ in range(1000)]
    values = [fmt.raw_min, fmt.raw_max, *powers, *ties, *(-tie for tie in ties), *chance]
    return np.array([v for v in values if fmt.raw_min <= v <= fmt.raw_max], dtype=fmt.dtype)


@pytest.mark.toolchain
def test_wide_formats_are_cast_as_the_headers_do(headers):
    n_checked = 0
    for number, (source, target) in enumerate(PAIRS[:N_WIDE_PAIRS]):
        raw = telling_raw(source)
        result = convert(raw, source, target)
        assert result.dtype == target.dtype
        np.testing.assert_array_equal(
            result, headers.cast_pair(number, raw), f"{source} to {target}"
        )
        n_checked += raw.size
    assert n_checked > 40_000


@pytest.mark.toolchain
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), number=st.integers(0, N_WIDE_PAIRS - 1))
def test_wide_formats_are_cast_as_the_headers_do_on_any_value(headers, data, number):
    source, target = PAIRS[number]
    raws = st.lists(st.integers(source.raw_min, source.raw_max), min_size=1, max_size=60)
    raw = np.array(data.draw(raws), dtype=source.dtype)
    np.testing.assert_array_equal(convert(raw, source, target), headers.cast_pair(number, raw))


def telling_numbers() -> np.ndarray:
    """Doubles that small formats round and overflow in every way, and extreme ones."""
    rng = np.random.default_rng(23)
    grid = np.unique(held_values())[::3] * 2.0**-HOLDER_FRACTIONAL_BITS
    signs = rng.choice([-1.0, 1.0], 600)
    chance = signs * rng.uniform(1, 2, 600) * 2.0 ** rng.integers(-30, 30, 600)
    ties = np.arange(-65, 65, 2) * 0.5
    # A tie by all but the last bit of the mantissa.
    near = np.concatenate([np.nextafter(ties, np.inf), np.nextafter(ties, -np.inf)])
    ends = [
        0.0,
        -0.0,
        5e-324,
        -5e-324,
        1e-310,
        -1e-310,
        2.0**-1022,
        1e300,
        -1e300,
        1.7e308,
        -1.7e308,
    ]
    powers = np.ldexp(1.0, np.arange(-80, 80))
    return np.concatenate([grid, chance, ties, near, ends, powers, -powers, -0.75 * powers])


@pytest.mark.toolchain
def test_numbers_are_quantised_as_the_constructor_from_double_does(headers):
    numbers = telling_numbers()
    tables = headers.ask(headers.doubles, numbers).reshape(448, len(numbers))
    for target, table in zip(small_targets(), tables, strict=True):
        different = quantise(numbers, target) != table
        assert not different.any(), f"{target}: {numbers[different]}"
    assert tables.size > 448 * 3_000


@pytest.mark.toolchain
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    number=st.integers(0, len(PAIRS) - 1),
    numbers=st.lists(
        st.floats(allow_nan=False, allow_infinity=False)
        | st.floats(-1e6, 1e6)
        | st.integers(-40, 40).map(lambda n: n / 8),
        min_size=1,
        max_size=60,
    ),
)
def test_wide_formats_are_quantised_as_the_headers_do_on_any_number(headers, number, numbers):
    values = np.array(numbers)
    expected = headers.quantise_pair(number, values)
    np.testing.assert_array_equal(quantise(values, PAIRS[number][1]), expected)


formats = st.builds(
    lambda signed, width, offset, rounding, overflow: FixedPointFormat(
        signed, width, width - offset, rounding, overflow
    ),
    st.booleans(),
    st.integers(1, 64),
    st.integers(-90, 90),
    st.sampled_from(ROUNDINGS),
    st.sampled_from(OVERFLOWS),
)


@settings(max_examples=1500, deadline=None)
@given(data=st.data(), source=formats, target=formats)
def test_any_cast_is_that_of_the_exact_fractions(data, source, target):
    limits = st.integers(source.raw_min, source.raw_max)
    raws = data.draw(st.lists(limits, max_size=10))
    expected = [
        exact_cast(Fraction(raw) / Fraction(2) ** source.fractional_bits, target) for raw in raws
    ]
    if source == target:
        expected = raws
    result = convert(np.array(raws, dtype=source.dtype), source, target)
    assert result.tolist() == expected
    assert result.dtype == target.dtype


@settings(max_examples=1500, deadline=None)
@given(
    numbers=st.lists(
        st.floats(allow_nan=False, allow_infinity=False) | st.floats(-300, 300), max_size=10
    ),
    target=formats,
)
def test_any_number_is_quantised_as_the_exact_fractions_are(numbers, target):
    result = quantise(np.array(numbers), target)
    assert result.tolist() == [exact_cast(Fraction(number), target) for number in numbers]
    assert result.dtype == target.dtype
