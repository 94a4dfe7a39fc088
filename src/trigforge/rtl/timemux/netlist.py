"""A module of SystemVerilog that only instantiates: nets, constants and instances, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from trigforge.rtl.timemux.placements import Bits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trigforge.rtl.timemux.streams import Choice

ITEMS_A_LINE = 6
MOST_ROM_BITS = 65536
"""Verilator takes no longer constants; larger memories are several."""


class Vector(NamedTuple):
    """A net of lanes."""

    name: str
    n_lanes: int
    lane_bits: int


def literal(value: int, width: int) -> str:
    """Return a constant of some bits; negative ones in two's complement."""
    return f"{width}'h{value & ((1 << width) - 1):x}"


def part(net: str, index: int, width: int) -> str:
    """Return a lane of a vector."""
    return f"{net}[{index * width + width - 1}:{index * width}]"


def concatenation(parts: Sequence[str]) -> str:
    """Return a vector of parts, the first in the lowest bits."""
    if len(parts) == 1:
        return parts[0]
    highest_first = list(reversed(parts))
    lines = [
        ", ".join(highest_first[i : i + ITEMS_A_LINE])
        for i in range(0, len(highest_first), ITEMS_A_LINE)
    ]
    return "{" + ",\n        ".join(lines) + "}"


@dataclass(slots=True)
class Netlist:
    """What has been written of a module so far."""

    interval: int
    phase_bits: int
    declarations: list[str] = field(default_factory=list)
    body: list[str] = field(default_factory=list)
    last_tap: int = 0
    modules: set[str] = field(default_factory=set)
    _held: dict[tuple[str, int, int], dict[int, int]] = field(default_factory=dict)
    _widths: dict[str, int] = field(default_factory=dict)

    def comment(self, text: str) -> None:
        """Begin a part of the body."""
        self.body += ["", f"    // {text}"]

    def net(self, name: str, width: int) -> str:
        """Declare a vector."""
        self.declarations.append(f"    wire [{width - 1}:0] {name};")
        return name

    def assign(self, name: str, width: int, value: str) -> str:
        """Declare a vector with its value."""
        self.net(name, width)
        self.body.append(f"    assign {name} = {value};")
        return name

    def instance(
        self,
        module: str,
        name: str,
        parameters: Mapping[str, int | Bits],
        ports: Mapping[str, str],
    ) -> None:
        """Instantiate a module."""
        self.modules.add(module)
        values = ", ".join(f".{key}({_parameter(value)})" for key, value in parameters.items())
        head = f"    {module} #({values}) {name} (" if parameters else f"    {module} {name} ("
        lines = [f"        .{port}({value})" for port, value in ports.items()]
        self.body += [head, ",\n".join(lines), "    );"]

    def valid(self, cycle: int) -> str:
        """Return the flag that is high in one cycle of an event."""
        self.last_tap = max(self.last_tap, cycle)
        return f"valid[{cycle}]"

    def phase(self, cycle: int) -> str:
        """Return the counter that is zero in one cycle of an event."""
        self.last_tap = max(self.last_tap, cycle)
        return part("phase", cycle, self.phase_bits)

    def read(self, choice: Choice, width: int) -> str:
        """Return what a choice reads, from registers of its own if it is there no more."""
        if choice.net is None:
            return literal(choice.lane, width)
        if choice.stage == 0:
            return part(choice.net, choice.lane, width)
        for stage in range(1, choice.stage + 1):
            lanes = self._held.setdefault((choice.net, choice.taken, stage), {})
            lanes.setdefault(choice.lane, len(lanes))
        self._widths[choice.net] = width
        index = self._held[choice.net, choice.taken, choice.stage][choice.lane]
        return part(_register(choice.net, choice.taken, choice.stage), index, width)

    def read_by_phase(self, choices: Sequence[Choice], width: int, start: int, name: str) -> str:
        """Return a lane that reads another choice in each slot."""
        if len(set(choices)) == 1:
            return self.read(choices[0], width)
        self.net(name, width)
        self.instance(
            "tm_select",
            f"{name}_select",
            {"WIDTH": width, "N_CHOICES": len(choices), "PHASE_WIDTH": self.phase_bits},
            {
                "phase": self.phase(start),
                "in_data": concatenation([self.read(choice, width) for choice in choices]),
                "out_data": name,
            },
        )
        return name

    def constants_by_phase(
        self, sequences: Iterable[tuple[int, ...]], width: int, start: int, name: str
    ) -> dict[tuple[int, ...], str]:
        """Return constants that change from slot to slot, each sequence once, from one memory."""
        unique = list(dict.fromkeys(sequences))
        result = {
            sequence: literal(sequence[0], width) for sequence in unique if len(set(sequence)) == 1
        }
        varying = [sequence for sequence in unique if sequence not in result]
        if not varying:
            return result
        n_together = max(1, MOST_ROM_BITS // (width * len(varying[0])))
        for first in range(0, len(varying), n_together):
            some = varying[first : first + n_together]
            memory = name if first == 0 else f"{name}_{first}"
            self._rom(some, width, start, memory)
            result |= {seq: part(memory, i, width) for i, seq in enumerate(some)}
        return result

    def _rom(self, sequences: Sequence[tuple[int, ...]], width: int, start: int, name: str) -> None:
        mask, row, n_slots = (1 << width) - 1, width * len(sequences), len(sequences[0])
        content = 0
        for slot in reversed(range(n_slots)):
            entry = sum((seq[slot] & mask) << (i * width) for i, seq in enumerate(sequences))
            content = content << row | entry
        self.net(name, row)
        self.instance(
            "tm_rom",
            f"{name}_rom",
            {
                "WIDTH": row,
                "DEPTH": n_slots,
                "PHASE_WIDTH": self.phase_bits,
                "CONTENT": Bits(n_slots * row, content),
            },
            {"phase": self.phase(start), "out_data": name},
        )

    def write_registers(self) -> int:
        """Write the registers that hold what is read late; return how many bits they have."""
        n_bits = 0
        if self._held:
            self.comment("Elements that are read when they are no longer on their nets.")
        for (net, taken, stage), lanes in self._held.items():
            width = self._widths[net]
            name = _register(net, taken, stage)
            before = net if stage == 1 else _register(net, taken, stage - 1)
            order = lanes if stage == 1 else self._held[net, taken, stage - 1]
            self.net(name, width * len(lanes))
            n_bits += width * len(lanes)
            sources = [part(before, lane if stage == 1 else order[lane], width) for lane in lanes]
            self.instance(
                "tm_hold",
                f"{name}_hold",
                {"WIDTH": width * len(lanes)},
                {
                    "clk": "clk",
                    "enable": self.valid(taken + (stage - 1) * self.interval),
                    "in_data": concatenation(sources),
                    "out_data": name,
                },
            )
        return n_bits


def _register(net: str, taken: int, stage: int) -> str:
    return f"{net}_from{taken}_held{stage}"


def _parameter(value: int | Bits) -> str:
    if isinstance(value, Bits):
        return literal(value.value, value.width)
    return str(value)
