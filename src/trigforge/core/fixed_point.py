"""Fixed-point formats with the semantics of ``ap_fixed``, on arrays of integers.

Source of the semantics: AMD UG1399, "C++ Arbitrary Precision Fixed-Point Types", and the
open ``ap_types`` headers that hls4ml ships, against which the tests compile and compare.

Raw integers are int64 arrays; only unsigned formats of 64 bits, which int64 cannot hold,
are uint64.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from trigforge.core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MAX_WIDTH = 64
MAX_INTEGER_BITS = 512
"""Bound on the position of the point, either side: every scaling stays a normal float64."""

RawArray: TypeAlias = "NDArray[Any]"
"""int64, or uint64 for unsigned formats of 64 bits."""


class Rounding(StrEnum):
    """What happens to bits below the least significant one (``ap_q_mode``)."""

    TRN = "TRN"
    TRN_ZERO = "TRN_ZERO"
    RND = "RND"
    RND_ZERO = "RND_ZERO"
    RND_INF = "RND_INF"
    RND_MIN_INF = "RND_MIN_INF"
    RND_CONV = "RND_CONV"


class Overflow(StrEnum):
    """What happens to values beyond the largest or smallest (``ap_o_mode``)."""

    WRAP = "WRAP"
    SAT = "SAT"
    SAT_ZERO = "SAT_ZERO"
    SAT_SYM = "SAT_SYM"


@dataclass(frozen=True, slots=True)
class FixedPointFormat:
    """How ``width`` bits are read as a number.

    A raw integer ``r`` stands for ``r * 2**-fractional_bits``. ``integer_bits`` counts the
    bits left of the point, the sign bit among them, as ``ap_fixed`` does; it may be
    negative or exceed ``width``.

    Raises:
        InputError: if ``width`` is not between 1 and 64, or ``integer_bits`` beyond 512.
    """

    signed: bool
    width: int
    integer_bits: int
    rounding: Rounding = Rounding.TRN
    overflow: Overflow = Overflow.WRAP

    def __post_init__(self) -> None:
        if not 1 <= self.width <= MAX_WIDTH:
            msg = f"fixed-point width {self.width} is not between 1 and {MAX_WIDTH}"
            raise InputError(msg)
        if abs(self.integer_bits) > MAX_INTEGER_BITS:
            msg = (
                f"{self.integer_bits} integer bits are not between {-MAX_INTEGER_BITS} "
                f"and {MAX_INTEGER_BITS}"
            )
            raise InputError(msg)

    @property
    def fractional_bits(self) -> int:
        """Bits right of the point (negative if the least significant bit is above 1)."""
        return self.width - self.integer_bits

    @property
    def raw_min(self) -> int:
        """The smallest raw integer."""
        return -(1 << (self.width - 1)) if self.signed else 0

    @property
    def raw_max(self) -> int:
        """The largest raw integer."""
        return (1 << (self.width - self.signed)) - 1

    @property
    def lsb(self) -> float:
        """The value of the least significant bit."""
        return 2.0**-self.fractional_bits

    def __str__(self) -> str:
        """Print as C++ would declare it: ``ap_fixed<6,1,AP_RND_CONV,AP_SAT>``."""
        modes = "" if self.has_default_modes else f",AP_{self.rounding},AP_{self.overflow}"
        return f"ap_{'' if self.signed else 'u'}fixed<{self.width},{self.integer_bits}{modes}>"

    @property
    def has_default_modes(self) -> bool:
        """Truncation and wrapping: what ``ap_fixed`` does if nothing is said."""
        return self.rounding is Rounding.TRN and self.overflow is Overflow.WRAP

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of this format's raw arrays."""
        return np.dtype(np.int64 if self.signed or self.width < MAX_WIDTH else np.uint64)

    @property
    def saturation_limits(self) -> tuple[int, int]:
        """The raw integers that too small and too large values become if they saturate.

        ``AP_SAT_SYM`` gives up the smallest value, except in one signed bit: the header
        sets the lowest bit of the minimum, and there that is the sign itself.
        """
        symmetric = self.overflow is Overflow.SAT_SYM and self.signed and self.width > 1
        return self.raw_min + symmetric, self.raw_max

    def contains(self, raw: ArrayLike) -> bool:
        """Tell whether these are integers and every one is representable."""
        values = np.asarray(raw)
        return values.size == 0 or (
            values.dtype.kind in "iu"
            and int(values.min()) >= self.raw_min
            and int(values.max()) <= self.raw_max
        )


_INT64_MAX = (1 << 63) - 1
_UINT64_MAX = (1 << 64) - 1
_PATTERN = re.compile(
    r"\s*(?P<kind>(?:ap_|ac_)?u?(?:fixed|int))\s*<\s*(?P<arguments>[^<>]+?)\s*>\s*",
)


def parse_format(text: str) -> FixedPointFormat:
    """Read ``ap_fixed<W,I,...>``, ``ap_ufixed``, ``ap_(u)int``, ``ac_fixed`` or ``fixed``.

    Raises:
        InputError: if the text is none of these, naming what is wrong.
    """
    match = _PATTERN.fullmatch(text)
    if match is None:
        msg = f"{text!r} is no fixed-point type; write it like ap_fixed<16,6,AP_RND,AP_SAT>"
        raise InputError(msg)
    kind = match["kind"]
    arguments = [argument.strip() for argument in match["arguments"].split(",")]
    try:
        if kind.startswith("ac_"):
            return _parse_ac(kind, arguments)
        signed = "u" not in kind.removeprefix("ap_")
        if kind.endswith("int"):
            (width,) = arguments
            return FixedPointFormat(signed, _number(width), _number(width))
        width, integer, *modes = arguments
        rounding, overflow = _modes(modes, "AP_")
        return FixedPointFormat(signed, _number(width), _number(integer), rounding, overflow)
    except ValueError as error:
        msg = (
            f"{text!r} is no fixed-point type this project computes with: rounding is one of "
            f"{', '.join(Rounding)}; overflow one of {', '.join(Overflow)} (no saturation bits)"
        )
        raise InputError(msg) from error


def _number(text: str) -> int:
    if re.fullmatch(r"-?[0-9]{1,9}", text) is None:
        raise ValueError(text)
    return int(text)


def _modes(modes: list[str], prefix: str) -> tuple[Rounding, Overflow]:
    """Read rounding, overflow and saturation bits, of which there must be none."""
    if len(modes) > 3 or (len(modes) == 3 and _number(modes[2]) != 0):
        raise ValueError(modes)
    rounding = Rounding(modes[0].removeprefix(prefix)) if modes else Rounding.TRN
    overflow = Overflow(modes[1].removeprefix(prefix)) if len(modes) > 1 else Overflow.WRAP
    return rounding, overflow


def _parse_ac(kind: str, arguments: list[str]) -> FixedPointFormat:
    """Read an Algorithmic C type: signedness is an argument there."""
    flags = {"true": True, "1": True, "false": False, "0": False}
    n_numbers = {"ac_int": 1, "ac_fixed": 2}.get(kind, 0)
    numbers = [_number(argument) for argument in arguments[:n_numbers]]
    sign, modes = arguments[n_numbers : n_numbers + 1] or ["true"], arguments[n_numbers + 1 :]
    n_modes = {"ac_fixed": 2}.get(kind, 0)
    if len(numbers) != n_numbers or sign[0] not in flags or len(modes) > n_modes:
        raise ValueError(arguments)
    rounding, overflow = _modes(modes, "AC_")
    return FixedPointFormat(flags[sign[0]], numbers[0], numbers[-1], rounding, overflow)


def to_values(raw: ArrayLike, fmt: FixedPointFormat) -> NDArray[np.float64]:
    """Return the numbers that raw integers stand for.

    Raises:
        InputError: if a value needs more than the 53 bits float64 carries exactly, or
            ``raw`` does not hold integers.
    """
    integers = _integers(raw)
    numbers = integers.astype(np.float64)
    if fmt.width > 53 and not np.array_equal(
        numbers - (integers >> 32).astype(np.float64) * 2.0**32, integers & 0xFFFF_FFFF
    ):
        msg = f"{fmt} holds values that float64 cannot represent exactly"
        raise InputError(msg)
    return np.ldexp(numbers, -fmt.fractional_bits)


def to_raw(values: ArrayLike, fmt: FixedPointFormat, *, where: str = "values") -> RawArray:
    """Return the raw integers of numbers that lie exactly on the grid of ``fmt``.

    Nothing is rounded: a number off the grid or out of range is an error, because a
    comparison of raw integers must not hide it.

    Raises:
        InputError: naming ``where``, the first offending number and its index.
    """
    numbers = np.asarray(values, dtype=np.float64)
    with np.errstate(over="ignore", under="ignore"):
        scaled = np.ldexp(numbers, fmt.fractional_bits)
        unscaled = np.ldexp(scaled, -fmt.fractional_bits)
    # raw_max itself may not be a float64; one above it is a power of two.
    in_range = (scaled >= float(fmt.raw_min)) & (scaled < float(fmt.raw_max + 1))
    on_grid = (scaled == np.floor(scaled)) & (unscaled == numbers) & in_range
    if not on_grid.all():
        index = tuple(int(i) for i in np.argwhere(~on_grid)[0])
        msg = (
            f"{where}: {float(numbers[index])!r} at {index} is not representable in {fmt} "
            f"(step {fmt.lsb:g}, from {fmt.raw_min * fmt.lsb:g} to {fmt.raw_max * fmt.lsb:g})"
        )
        raise InputError(msg)
    return np.asarray(scaled.astype(fmt.dtype))


def quantise(values: ArrayLike, fmt: FixedPointFormat) -> RawArray:
    """Round and saturate or wrap numbers into ``fmt``; return raw integers.

    The float64 numbers are taken exactly, as ``ap_fixed``'s constructor from double does.

    Raises:
        InputError: if a number is not finite (``ap_fixed`` would make one up).
    """
    numbers = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if not np.isfinite(numbers).all():
        msg = f"a number that is not finite cannot be quantised to {fmt}"
        raise InputError(msg)
    # Two guard bits and a sticky bit below the least significant one decide every mode.
    with np.errstate(over="ignore", under="ignore"):
        scaled = np.ldexp(numbers, fmt.fractional_bits + 2)
    scaled = np.where((scaled == 0) & (numbers != 0), np.copysign(0.5, numbers), scaled)
    large = np.abs(scaled) >= 2.0**62
    floor = np.floor(np.where(large, 0.0, scaled))
    guarded = (floor.astype(np.int64) << 1) | (scaled != floor)
    raw = _cast(guarded, 3, fmt)
    if large.any():
        raw[large] = _cast(_scaled_integers(numbers[large], fmt.fractional_bits), 0, fmt)
    return raw.reshape(np.shape(values))


def _scaled_integers(numbers: NDArray[np.float64], shift: int) -> NDArray[np.object_]:
    """Return ``numbers * 2**shift``, known to be whole, as Python's integers."""
    up, down = max(shift, 0), max(-shift, 0)
    ratios = (float(number).as_integer_ratio() for number in numbers)
    whole = [(numerator << up) // (denominator << down) for numerator, denominator in ratios]
    return np.array(whole, dtype=object)


def convert(raw: ArrayLike, source: FixedPointFormat, target: FixedPointFormat) -> RawArray:
    """Cast raw integers from one format to another, exactly as the C++ assignment does.

    Between equal types C++ copies the bits: the one value ``AP_SAT_SYM`` forbids, if it
    is there, stays.

    Raises:
        InputError: if ``raw`` does not hold integers of ``source``.
    """
    integers = _integers(raw)
    if not source.contains(integers):
        msg = f"raw integers outside {source}: {integers.min()} to {integers.max()}"
        raise InputError(msg)
    if source == target:
        return integers.astype(source.dtype)
    dropped = source.fractional_bits - target.fractional_bits
    # Where int64 is too narrow Python's integers take over; such formats are rare.
    fits = source.width - min(dropped, 0) <= 62 and dropped <= 62
    exact = np.atleast_1d(integers.astype(np.int64 if fits else np.object_))
    return _cast(exact, dropped, target).reshape(integers.shape)


def cast(raw: NDArray[Any], fractional_bits: int, target: FixedPointFormat) -> RawArray:
    """Cast exact results, ``raw * 2**-fractional_bits``, to a format.

    ``raw`` holds int64 or Python's integers; it may be wider than any format, as products
    and sums are before they are assigned.
    """
    shifted, dropped = _room_to_shift(raw, fractional_bits, target)
    return _cast(shifted, dropped, target).reshape(raw.shape)


def n_overflowing(raw: NDArray[Any], fractional_bits: int, target: FixedPointFormat) -> int:
    """Count the exact results that a format has to wrap or saturate, after rounding."""
    shifted, dropped = _room_to_shift(raw, fractional_bits, target)
    rounded = shifted << -dropped if dropped <= 0 else _rounded(shifted, dropped, target.rounding)
    return int(((rounded < target.raw_min) | (rounded > target.raw_max)).sum())


def _room_to_shift(
    raw: NDArray[Any], fractional_bits: int, target: FixedPointFormat
) -> tuple[NDArray[Any], int]:
    """Return the integers in a type wide enough to be shifted to the target's point."""
    dropped = fractional_bits - target.fractional_bits
    exact = np.atleast_1d(raw)
    if exact.dtype == np.object_:
        return exact, dropped
    largest = max(abs(int(exact.min(initial=0))), abs(int(exact.max(initial=0))))
    fits = dropped <= 62 and largest.bit_length() - min(dropped, 0) <= 62
    return exact.astype(np.int64 if fits else np.object_), dropped


def _integers(raw: ArrayLike) -> NDArray[Any]:
    """Return int64, or uint64 as is; refuse anything else unless it is empty."""
    integers = np.asarray(raw)
    if integers.size > 0 and integers.dtype.kind not in "iu":
        msg = f"raw integers expected, got an array of {integers.dtype}"
        raise InputError(msg)
    return integers if integers.dtype == np.uint64 else integers.astype(np.int64, copy=False)


def _cast(raw: NDArray[Any], dropped: int, fmt: FixedPointFormat) -> RawArray:
    """Drop low bits (append zeros if negative) and bring the result into ``fmt``.

    ``raw`` is int64 with room for the shift, or holds Python's integers; at least 1D.
    """
    shifted = raw << -dropped if dropped <= 0 else _rounded(raw, dropped, fmt.rounding)
    if fmt.overflow is Overflow.WRAP:
        return _wrapped(shifted, fmt)
    low, high = fmt.saturation_limits
    if shifted.dtype != np.object_:
        high = min(high, _INT64_MAX)
    if fmt.overflow is Overflow.SAT_ZERO:
        shifted = np.where((shifted < low) | (shifted > high), 0, shifted)
    else:
        shifted = np.minimum(np.maximum(shifted, low), high)
    return shifted.astype(fmt.dtype)


def _rounded(raw: NDArray[Any], dropped: int, mode: Rounding) -> NDArray[Any]:
    """Drop ``dropped`` low bits; ``ap_fixed`` adds one where the mode says so."""
    floor: NDArray[Any] = raw >> dropped
    if mode is Rounding.TRN:
        return floor
    rest = raw - (floor << dropped)
    half = 1 << (dropped - 1)
    if mode is Rounding.TRN_ZERO:
        up = (rest != 0) & (raw < 0)
    elif mode is Rounding.RND:
        up = rest >= half
    else:
        up = (rest > half) | ((rest == half) & _tie_goes_up(raw, floor, mode))
    rounded: NDArray[Any] = floor + up
    return rounded


def _tie_goes_up(raw: NDArray[Any], floor: NDArray[Any], mode: Rounding) -> Any:
    """Tell for each value, should it lie halfway, whether it is rounded up."""
    if mode is Rounding.RND_ZERO:
        return raw < 0
    if mode is Rounding.RND_INF:
        return raw >= 0
    if mode is Rounding.RND_CONV:
        return (floor & 1) != 0
    return False


def _wrapped(raw: NDArray[Any], fmt: FixedPointFormat) -> RawArray:
    """Keep the low ``width`` bits and read them as ``fmt`` does."""
    if raw.dtype == np.object_:
        raw = (raw & _UINT64_MAX).astype(np.uint64).astype(np.int64)
    if fmt.signed:
        spare = MAX_WIDTH - fmt.width
        raw = raw << spare >> spare
    elif fmt.width < MAX_WIDTH:
        raw = raw & fmt.raw_max
    return raw.astype(fmt.dtype)
