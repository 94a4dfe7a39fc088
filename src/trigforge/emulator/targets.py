"""Instruction sets, and how g++ is told to use them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Target:
    """The macros by which the compiler says it may use an instruction set, and its flags."""

    condition: str
    flags: tuple[str, ...]


TARGETS: Mapping[str, Target] = {
    "portable": Target("1", ()),
    "avx2": Target("defined(__AVX2__)", ("-mavx2",)),
    "avx512vnni": Target(
        "defined(__AVX512VNNI__) && defined(__AVX512BW__)",
        (
            "-mavx512f",
            "-mavx512bw",
            "-mavx512dq",
            "-mavx512vl",
            "-mavx512vnni",
            "-mprefer-vector-width=512",
        ),
    ),
}
"""Each is a translation unit of its own; the best the CPU has is chosen at run time.

``portable`` is what every CPU of the compiler's target can run; the others exist on x86-64.
"""

FLAGS = ("-std=c++17", "-O3", "-fPIC", "-fvisibility=hidden")
LINK_FLAGS = ("-shared", "-Wl,-Bsymbolic")


def unit_flags(unit: str, machine: str) -> tuple[str, ...]:
    """Return the flags of a translation unit for a compiler's target (``x86_64-linux-gnu``)."""
    target = TARGETS.get(unit)
    return target.flags if target is not None and machine.startswith("x86_64") else ()
