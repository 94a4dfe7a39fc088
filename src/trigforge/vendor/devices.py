"""The FPGAs this package knows: what each holds.

Totals are those of the vendor's product tables, named beside each part. Block RAM is counted
in units of 18 kb, twice the blocks of 36 kb that the tables and utilisation reports count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from trigforge.core.errors import SpecError, unknown_name

if TYPE_CHECKING:
    from collections.abc import Mapping


class Architecture(StrEnum):
    """What the logic of a part is made of."""

    SERIES_7 = "7 series"
    ULTRASCALE = "UltraScale"
    ULTRASCALE_PLUS = "UltraScale+"
    VERSAL = "Versal"


_DSP_PRIMITIVES: Mapping[Architecture, str] = {
    Architecture.SERIES_7: "DSP48E1",  # UG479
    Architecture.ULTRASCALE: "DSP48E2",  # UG579
    Architecture.ULTRASCALE_PLUS: "DSP48E2",  # UG579
    Architecture.VERSAL: "DSP58",  # AM004
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """What one FPGA holds, all super logic regions (SLRs) together."""

    family: str
    """As the vendor sells it: ``Virtex UltraScale+``."""
    architecture: Architecture
    lut: int
    ff: int
    dsp: int
    bram_18k: int
    uram: int
    n_slrs: int

    @property
    def dsp_primitive(self) -> str:
        """The library cell that is one DSP block."""
        return _DSP_PRIMITIVES[self.architecture]

    @property
    def slr_share(self) -> float:
        """What one SLR holds of every total, on average: SLRs are not all alike."""
        return 1 / self.n_slrs


DEVICES: Mapping[str, Device] = MappingProxyType(
    {
        # DS890 and the UltraScale+ product table; also the totals of the U250, the same die
        "xcvu13p": Device(
            family="Virtex UltraScale+",
            architecture=Architecture.ULTRASCALE_PLUS,
            lut=1_728_000,
            ff=3_456_000,
            dsp=12_288,
            bram_18k=5_376,
            uram=1_280,
            n_slrs=4,
        ),
        # DS890 and the UltraScale+ product table
        "xcvu9p": Device(
            family="Virtex UltraScale+",
            architecture=Architecture.ULTRASCALE_PLUS,
            lut=1_182_240,
            ff=2_364_480,
            dsp=6_840,
            bram_18k=4_320,
            uram=960,
            n_slrs=3,
        ),
        # DS890; Vivado's utilisation reports give the same totals
        "xcku115": Device(
            family="Kintex UltraScale",
            architecture=Architecture.ULTRASCALE,
            lut=663_360,
            ff=1_326_720,
            dsp=5_520,
            bram_18k=4_320,
            uram=0,
            n_slrs=2,
        ),
        # DS180; flip-flops: UG474, table of CLB resources
        "xc7vx690t": Device(
            family="Virtex-7",
            architecture=Architecture.SERIES_7,
            lut=433_200,
            ff=866_400,
            dsp=3_600,
            bram_18k=2_940,
            uram=0,
            n_slrs=1,
        ),
        # DS962 (the whole FPGA, the platform's shell not taken off)
        "xcu250": Device(
            family="Alveo U250",
            architecture=Architecture.ULTRASCALE_PLUS,
            lut=1_728_000,
            ff=3_456_000,
            dsp=12_288,
            bram_18k=5_376,
            uram=1_280,
            n_slrs=4,
        ),
        # DS987 (the module on the KV260 board)
        "xck26": Device(
            family="Kria K26",
            architecture=Architecture.ULTRASCALE_PLUS,
            lut=117_120,
            ff=234_240,
            dsp=1_248,
            bram_18k=288,
            uram=64,
            n_slrs=1,
        ),
        # DS950; Vivado's utilisation report gives the same totals; SLRs: UG1387
        "xcvp1802": Device(
            family="Versal Premium",
            architecture=Architecture.VERSAL,
            lut=3_360_896,
            ff=6_721_792,
            dsp=14_352,
            bram_18k=9_882,
            uram=2_549,
            n_slrs=4,
        ),
    }
)

_REST = r"(-[a-z0-9-]+|f[a-z]{1,2}\d+(-[a-z0-9-]+)?)?"
"""What may follow a device in the name of a part: a dash and more, or (7 series) the package."""


def find(part: str) -> Device:
    """Return what a part holds: ``xcvu13p-flga2577-2-e``, ``xc7vx690tffg1927-2``, ``XCVU9P``.

    Package, speed grade and temperature make no difference.

    Raises:
        SpecError: if the device is not in the table; the known ones are listed.
    """
    for name, device in DEVICES.items():
        if re.fullmatch(name + _REST, part.lower()):
            return device
    raise SpecError(unknown_name("FPGA part", part, DEVICES))
