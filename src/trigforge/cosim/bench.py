"""The simulator's side of cocotb: one test for each scenario in the folder it runs in.

This module is imported inside the simulator. Scenarios are folders that
``trigforge.cosim.scenario`` wrote; what came out is written beside them.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from trigforge.core import packing
from trigforge.cosim import scenario as scenarios
from trigforge.cosim.scenario import Observed, Scenario
from trigforge.cosim.traffic import RESET_CYCLES

FOLDERS = sorted(str(path.parent) for path in Path.cwd().glob("*/scenario.json"))
CLOCK_PERIOD_NS = 2


@cocotb.test()
@cocotb.parametrize(folder=FOLDERS)
async def firmware_gives_the_expected_results(dut: Any, folder: str) -> None:
    """Play a scenario; fail with cycle, event, output and both integers."""
    scenario = scenarios.load(Path(folder))
    observed = await play(dut, scenario)
    scenarios.save_observed(observed, Path(folder))
    outcome = scenarios.judge(scenario, observed, f"cocotb {cocotb.__version__}")
    if not outcome.met:
        raise AssertionError(f"{scenario.name}: {outcome.fault}")  # noqa: EM102 - a test's message


async def play(dut: Any, scenario: Scenario) -> Observed:
    """Present events in the cycles of the schedule; return what came out, and when.

    Inputs change after a rising edge; outputs are read at the next one, where they still
    have the values from before it. While ``in_valid`` is low, ``in_data`` is noise.
    """
    flags = scenario.schedule.flags().tolist() + [0] * scenario.drain_cycles
    events = iter([int.from_bytes(row.tobytes(), "little") for row in scenario.inputs])
    width, noise = len(dut.in_data), random.Random(1)
    cycles: list[int] = []
    results: list[int] = []
    Clock(dut.clk, CLOCK_PERIOD_NS, unit="ns").start()
    edge = RisingEdge(dut.clk)
    await edge
    started = time.perf_counter()
    for cycle, now in enumerate(flags):
        dut.in_valid.value = now & 1
        dut.rst.value = now >> 1
        dut.in_data.value = next(events) if now & 1 else noise.getrandbits(width)
        await edge
        if cycle >= RESET_CYCLES and dut.out_valid.value == 1:
            cycles.append(cycle)
            results.append(dut.out_data.value.to_unsigned())
    seconds = time.perf_counter() - started
    n_words = packing.n_words(scenario.output)
    octets = b"".join(result.to_bytes(4 * n_words, "little") for result in results)
    return Observed(
        cycles=np.array(cycles, dtype=np.int64),
        words=np.frombuffer(octets, dtype="<u4").reshape(-1, n_words).copy(),
        n_cycles=len(flags),
        seconds=seconds,
    )
