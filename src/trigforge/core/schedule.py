"""What a time-multiplexed design does in which cycle: a record to read and to draw."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from trigforge.core.errors import StoreError


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerSchedule:
    """One node of the graph in time and in area.

    Cycles are counted from the one in which the event is presented.
    """

    name: str
    kind: str
    """Of the node: ``Dense``, ``Conv``, ``Pool`` ..."""
    built_as: str
    """``dsp``, ``distributed arithmetic``, ``logic`` or ``wires``."""
    folding: str
    """How the layer is folded into the interval, in words."""
    first_cycle: int
    """Reads its first operands."""
    n_slots: int
    """Cycles of the interval in which it reads operands."""
    last_cycle: int
    """Has its last result."""
    pipeline_cycles: int
    """Registers from operands to result: what it takes with as many multipliers as products."""
    n_multiplications: int
    """Products of an event that the graph asks for: weights of zero and padding left out."""
    n_products: int
    """All products, those with zeros among them."""
    n_dsp: int
    n_slots_used: int
    """Cycles of an interval in which a DSP multiplies something, over all DSPs."""
    n_slots_idle: int
    n_lut_estimated: int
    """Roughly: multiplexers, weights, adders and casts, before any synthesis."""
    reason: str
    """Why it is built so, where that is not the usual way."""

    def efficiency(self, interval_cycles: int) -> float:
        """Return multiplications an event, per DSP and cycle; above 1 where pairs share a DSP."""
        slots = self.n_dsp * interval_cycles
        return self.n_multiplications / slots if slots else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A whole network, from the first operand to the last result."""

    name: str
    clock_mhz: float
    interval_cycles: int
    latency_cycles: int
    latency_bound_cycles: int
    """Registers alone on the longest way through the network: no folding goes below."""
    buffer_bits: int
    """Registers that hold elements until they are read, and delay lines of operands."""
    layers: tuple[LayerSchedule, ...]

    @property
    def n_dsp(self) -> int:
        """DSPs of all layers."""
        return sum(layer.n_dsp for layer in self.layers)

    @property
    def efficiency(self) -> float:
        """Multiplications an event, per DSP and cycle, over all layers that use DSPs."""
        slots = self.n_dsp * self.interval_cycles
        done = sum(layer.n_multiplications for layer in self.layers if layer.n_dsp)
        return done / slots if slots else 0.0

    @property
    def latency_ns(self) -> float:
        """From the event to its result."""
        return self.latency_cycles / self.clock_mhz * 1000


def to_json(schedule: Schedule) -> str:
    """Return a schedule as JSON, with what follows from it."""
    content: dict[str, Any] = asdict(schedule)
    content["n_dsp"] = schedule.n_dsp
    content["efficiency"] = round(schedule.efficiency, 4)
    for entry, layer in zip(content["layers"], schedule.layers, strict=True):
        entry["efficiency"] = round(layer.efficiency(schedule.interval_cycles), 4)
    return json.dumps(content, indent=1) + "\n"


def from_json(text: str) -> Schedule:
    """Read what ``to_json`` wrote.

    Raises:
        StoreError: if it is something else.
    """
    try:
        content = json.loads(text)
        layers = tuple(
            LayerSchedule(**{k: v for k, v in entry.items() if k != "efficiency"})
            for entry in content.pop("layers")
        )
        for derived in ("n_dsp", "efficiency"):
            content.pop(derived)
        return Schedule(layers=layers, **content)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"this is no schedule ({error}); write the firmware again"
        raise StoreError(msg) from error
