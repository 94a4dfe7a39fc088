"""Cycle-accurate simulation: ``Firmware, RawTensor -> Simulation``.

Two benches play the same scenarios: one in C++ around the verilated design, without Python
in its loop, and one in cocotb. Vendor-exported RTL is played by both, behind an adapter.
"""

from trigforge.core.errors import SimulationFault
from trigforge.core.records import Outcome
from trigforge.cosim.campaign import Bench, check, run, surviving
from trigforge.cosim.design import Design, of_firmware
from trigforge.cosim.interface import Ports, of_vendor_rtl, read_ports
from trigforge.cosim.traffic import Traffic, back_to_back, random_gaps, with_resets

__all__ = [
    "Bench",
    "Design",
    "Outcome",
    "Ports",
    "SimulationFault",
    "Traffic",
    "back_to_back",
    "check",
    "of_firmware",
    "of_vendor_rtl",
    "random_gaps",
    "read_ports",
    "run",
    "surviving",
    "with_resets",
]
