"""Write layers of multipliers: operand lanes, weights, cascades of DSPs, adders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trigforge.rtl.timemux.folding import Pairing
from trigforge.rtl.timemux.multipliers import low_offset, packed, signed_bits
from trigforge.rtl.timemux.netlist import concatenation, literal, part

if TYPE_CHECKING:
    from trigforge.rtl.timemux.netlist import Netlist
    from trigforge.rtl.timemux.placements import Sums
    from trigforge.rtl.timemux.streams import Choice


def write(
    netlist: Netlist, build: Sums, read: list[list[tuple[Choice, ...]]], start: int, net: str
) -> int:
    """Write the sums of a layer to ``<net>_sum``; return the bits of its delay lines."""
    layer = _Layer(netlist, build, start, net)
    if not build.folded.used.any():
        bits = layer.unit_bits * len(read)
        netlist.assign(f"{net}_sum", bits, literal(0, bits))
        return 0
    layer.prepare(read)
    sums = []
    for unit in range(len(read)):
        cascades = build.cascades(unit)
        if not cascades:
            sums.append(literal(0, layer.unit_bits))
            continue
        partial = [
            layer.cascade(unit, number, multipliers) for number, multipliers in enumerate(cascades)
        ]
        sums.append(layer.tree(unit, partial))
    netlist.assign(f"{net}_sum", layer.unit_bits * len(sums), concatenation(sums))
    return layer.delay_bits


class _Layer:
    """The nets that the units of a layer share."""

    def __init__(self, netlist: Netlist, build: Sums, start: int, net: str) -> None:
        self.netlist, self.build, self.start, self.net = netlist, build, start, net
        self.operands = build.operands
        self.input_bits = build.reduction.source.width
        self.weight_bits = (
            self.operands.b_bits if self.operands.inputs_on_a else self.operands.a_bits
        )
        self.pair = 2 if self.operands.field_bits else 1
        self.unit_bits = self.pair * self.operands.result_bits
        self.delay_bits = 0

    def prepare(self, read: list[list[tuple[Choice, ...]]]) -> None:
        """Write what the multipliers share: operands, weights, and what sums begin with."""
        self.lane_numbers = self._lanes(read)
        self.weights = self._weights()
        self.biases, self.first = self._biases()

    def _lanes(self, read: list[list[tuple[Choice, ...]]]) -> list[list[int]]:
        """Write what is read, each lane once and as late as any multiplier wants it.

        Returns the lane of each operand of each unit.
        """
        used = self.build.folded.used
        n_inputs = self.build.folded.n_inputs
        numbers: dict[tuple[Choice, ...], int] = {}
        result = []
        for unit, operands in enumerate(read):
            result.append(
                [
                    numbers.setdefault(entry, len(numbers)) if used[unit, i // n_inputs] else -1
                    for i, entry in enumerate(operands)
                ]
            )
        width = self.input_bits
        values = [
            self.netlist.read_by_phase(entry, width, self.start, f"{self.net}_lane{number}")
            for entry, number in numbers.items()
        ]
        total = width * len(values)
        self.netlist.assign(f"{self.net}_lanes", total, concatenation(values))
        if self.build.cascade > 1:
            late = self.build.cascade - 1
            self.delay_bits = total * late
            self.netlist.net(f"{self.net}_late", total * late)
            self.netlist.instance(
                "tm_delay",
                f"{self.net}_delay",
                {"WIDTH": total, "N_CYCLES": late},
                {"clk": "clk", "in_data": f"{self.net}_lanes", "taps": f"{self.net}_late"},
            )
        self.n_lanes = len(values)
        return result

    def _weights(self) -> list[dict[tuple[int, ...], str]]:
        """Write the weights, for each place in a cascade those that are used there."""
        wanted: list[list[tuple[int, ...]]] = [[] for _ in range(self.build.cascade)]
        for unit in range(len(self.build.folded.used)):
            for multipliers in self.build.cascades(unit):
                for delay, multiplier in self._delays(multipliers):
                    wanted[delay].append(self._sequence(unit, multiplier))
        return [
            self.netlist.constants_by_phase(
                sequences, self.weight_bits, self.start + delay, f"{self.net}_weights{delay}"
            )
            for delay, sequences in enumerate(wanted)
        ]

    def _biases(self) -> tuple[list[tuple[str, int]], str]:
        """Write where sums begin: what they begin with, by unit, and when."""
        folded, start = self.build.folded, self.start + self.build.cascade
        sequences = [self._bias(unit) for unit in range(len(folded.used))]
        everything = [value for sequence in sequences for value in sequence]
        width = signed_bits(min(0, *everything), max(0, *everything))
        found = self.netlist.constants_by_phase(sequences, width, start, f"{self.net}_bias")
        begins = tuple(int(flag) for flag in folded.begins)
        flags = self.netlist.constants_by_phase([begins], 1, start, f"{self.net}_begins")
        return [(found[sequence], width) for sequence in sequences], flags[begins]

    def cascade(self, unit: int, number: int, multipliers: list[int]) -> str:
        """Write a cascade of DSPs; return its sum."""
        inputs, factors = [], []
        for delay, multiplier in self._delays(multipliers):
            inputs.append(self._input(self.lane_numbers[unit], multiplier, delay))
            factors.append(self.weights[delay][self._sequence(unit, multiplier)])
        on_a, on_b = (inputs, factors) if self.operands.inputs_on_a else (factors, inputs)
        bias, bias_bits = self.biases[unit] if number == 0 else (literal(0, 1), 1)
        name = f"{self.net}_u{unit}_c{number}"
        self.netlist.net(name, self.operands.sum_bits)
        self.netlist.instance(
            "tm_chain",
            f"{name}_chain",
            {
                "LENGTH": len(multipliers),
                "A_WIDTH": self.operands.a_bits,
                "A_SIGNED": int(self.operands.a_signed),
                "B_WIDTH": self.operands.b_bits,
                "B_SIGNED": int(self.operands.b_signed),
                "C_WIDTH": bias_bits,
                "ACCUMULATE": int(not self.build.folded.begins.all()),
                "SUM_WIDTH": self.operands.sum_bits,
            },
            {
                "clk": "clk",
                "a": concatenation(on_a),
                "b": concatenation(on_b),
                "c": bias,
                "first": self.first,
                "sum": name,
            },
        )
        return name

    def tree(self, unit: int, partial: list[str]) -> str:
        """Write the sum of a unit's cascades; return its results, a low one above a high one."""
        operands, count = self.operands, self.build.n_cascades
        if count == 1 and not operands.field_bits:
            return partial[0]
        padded = [*partial, *[literal(0, operands.sum_bits)] * (count - len(partial))]
        name = self.netlist.net(f"{self.net}_u{unit}", self.unit_bits)
        self.netlist.instance(
            "tm_tree",
            f"{name}_tree",
            {
                "N": count,
                "IN_WIDTH": operands.sum_bits,
                "OUT_WIDTH": operands.result_bits,
                "SPLIT": operands.field_bits,
                "LEVELS": self.build.adder_levels,
            },
            {"clk": "clk", "in_data": concatenation(padded), "out_data": name},
        )
        if self.pair == 1:
            return name
        low, high = (part(name, i, operands.result_bits) for i in (0, 1))
        return concatenation([high, low])

    def _delays(self, multipliers: list[int]) -> list[tuple[int, int]]:
        """Return each multiplier with how much later than the layer's first it reads."""
        spare = self.build.cascade - len(multipliers)
        return [(spare + place, multiplier) for place, multiplier in enumerate(multipliers)]

    def _sequence(self, unit: int, multiplier: int) -> tuple[int, ...]:
        """Return what a multiplier multiplies by, slot by slot."""
        weights = self.build.folded.weights[:, unit, multiplier]
        if self.operands.pairing is Pairing.CHANNELS:
            field = self.operands.field_bits
            return tuple(packed(int(high), int(low), field) for high, low in weights)
        return tuple(int(weight) for (weight,) in weights)

    def _bias(self, unit: int) -> tuple[int, ...]:
        reduction, operands = self.build.reduction, self.operands
        values = []
        for slot in range(len(self.build.folded.channels)):
            channels = self.build.folded.channels[slot, unit]
            biases = [int(reduction.bias[f]) if f >= 0 else 0 for f in channels]
            if operands.pairing is Pairing.NONE:
                values.append(biases[0])
                continue
            if operands.pairing is Pairing.POSITIONS:
                total = int(reduction.weights[:, channels[0]].sum()) if channels[0] >= 0 else 0
                biases = [biases[0], biases[0] - int(low_offset(reduction)) * total]
            values.append(packed(biases[0], biases[1], operands.field_bits))
        return tuple(values)

    def _input(self, lanes: list[int], multiplier: int, delay: int) -> str:
        """Return what a multiplier reads: one lane, or two side by side."""
        if self.operands.pairing is not Pairing.POSITIONS:
            return self._lane(lanes[multiplier], delay)
        high, low = (self._lane(lanes[2 * multiplier + i], delay) for i in (0, 1))
        offset = int(low_offset(self.build.reduction))
        if offset:
            low = f"({low} ^ {literal(offset, self.input_bits)})"
        between = self.operands.field_bits - self.input_bits
        zeros = [literal(0, between)] if between else []
        return concatenation([low, *zeros, high])

    def _lane(self, lane: int, delay: int) -> str:
        if delay == 0:
            return part(f"{self.net}_lanes", lane, self.input_bits)
        index = (delay - 1) * self.n_lanes + lane
        return part(f"{self.net}_late", index, self.input_bits)
