"""Verdicts of all kinds, as a check of many specs gives them."""

from pathlib import Path

from trigforge.core.records import Check
from trigforge.core.verdict import Figure, SpecVerdict

MET = SpecVerdict(
    name="jets",
    spec=Path("models/jets.yaml"),
    checks=(Check(name="bit-exact: RTL", used="0 differ", allowed="0", met=True),),
    budget=(Check(name="LUT", used="20,000 LUT", allowed="86,400 LUT", met=True),),
    baseline=(Check(name="LUT", used="20,000", allowed="21,000", met=True),),
    figures=(
        Figure(name="latency_cycles", value=11, origin="measured by Verilator at 320 MHz"),
        Figure(name="lut", value=20_000, origin="logic synthesis, Yosys"),
        Figure(name="accuracy", value=0.73, origin="quantised network"),
    ),
    seconds=46.6,
)
FAILED = SpecVerdict(
    name="images",
    spec=Path("models/images, 100%.yaml"),
    checks=(Check(name="bit-exact: RTL", used="3 differ", allowed="0", met=False),),
    budget=(Check(name="latency", used="50 cycles", allowed="48 cycles", met=False),),
    figures=(Figure(name="lut", value=15_360, origin="estimated before synthesis"),),
    unknown=("BRAM18: neither synthesised nor estimated",),
    notes=("mean AUC: 0.95 is better than 0.94: update the baseline",),
    seconds=10.0,
)
DIED = SpecVerdict(
    name="muons",
    spec=Path("models/muons.yaml"),
    seconds=2.5,
    error="its process was killed by SIGSEGV",
    output="Fatal Python error: Segmentation fault\n\x1b[31mred\x00 <&> \ud800",
)
UNREADABLE = SpecVerdict(
    name="bad.yaml",
    spec=Path("bad.yaml"),
    error="bad.yaml: 2 problem(s)\n  name: missing\n  budget: missing",
)
ALL = (MET, FAILED, DIED, UNREADABLE)
