"""What the RTL of the jet tagger costs, and how fast it is simulated and synthesised.

Both benches simulate the same verilated design in one run, so that their ratio holds on
machines of any speed. A simulated event is a clock cycle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shipped_models

from trigforge import cosim, synthesis
from trigforge.core.records import RawTensor
from trigforge.core.store import Store
from trigforge.pipeline import firmware

if TYPE_CHECKING:
    from pathlib import Path

    from trigforge.cosim import Bench, Outcome

NAME = "jet_tagger"
N_EVENTS = 1 << 20


def measure(folder: Path) -> dict[str, float]:
    model = shipped_models.open_one(shipped_models.MODELS / f"{NAME}.yaml", folder)
    graph = firmware.delivered_graph(model.job, model.ready)
    written = firmware.write_firmware(model.job, model.ready, graph)
    held_out = model.ready.stimulus.inputs
    n_copies = -(-N_EVENTS // len(held_out.raw))
    many = RawTensor(format=held_out.format, raw=np.tile(held_out.raw, (n_copies, 1))[:N_EVENTS])
    store = Store(folder / "firmware_store")
    played = cosim.run(written, many, store)
    benches: tuple[Bench, ...] = ("verilator", "cocotb")
    outcomes = {
        bench: firmware.play_scenarios(model.job, model.ready, written, bench) for bench in benches
    }
    unmet = [entry.name for found in outcomes.values() for entry in found if not entry.met]
    if unmet:
        msg = f"the RTL of {NAME} is wrong: {unmet}"
        raise RuntimeError(msg)
    netlist = synthesis.run(written, store)
    latency_ns = written.latency_cycles / written.clock_mhz * 1000
    verilator, cocotb = played.n_cycles / played.seconds, _cycles_per_s(outcomes["cocotb"])
    return {
        f"da_lut_{NAME}": netlist.resources.lut,
        f"da_lut_packed_{NAME}": netlist.lut_packed,
        f"da_ff_{NAME}": netlist.resources.ff,
        f"da_dsp_{NAME}": netlist.resources.dsp,
        f"da_logic_delay_ns_{NAME}": 0.0 if netlist.delay is None else netlist.delay.ns,
        f"da_latency_cycles_{NAME}": written.latency_cycles,
        f"da_latency_ns_{NAME}": latency_ns,
        f"synthesis_s_{NAME}": netlist.seconds,
        "verilator_cycles_per_s": verilator,
        "cocotb_cycles_per_s": cocotb,
        "verilator_vs_cocotb": verilator / cocotb,
    }


def _cycles_per_s(outcomes: tuple[Outcome, ...]) -> float:
    return sum(entry.n_cycles for entry in outcomes) / sum(entry.seconds for entry in outcomes)
