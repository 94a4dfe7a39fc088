"""Write placements as instances of the library: ``Plan -> text of the top module``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.graph import Pool, PoolKind
from trigforge.rtl.timemux import cascades
from trigforge.rtl.timemux.elements import OVERFLOWS, ROUNDINGS
from trigforge.rtl.timemux.netlist import Vector, concatenation, part
from trigforge.rtl.timemux.placements import Block, Elementwise, Moves, Placement, Pooling, Sums
from trigforge.rtl.timemux.streams import ANYTHING, PADDING, Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trigforge.rtl.timemux.netlist import Netlist
    from trigforge.rtl.timemux.placements import Build, Cast
    from trigforge.rtl.timemux.streams import Stream, Table


def write(netlist: Netlist, placement: Placement, net: str) -> int:
    """Write a node whose result is to be on a net; return the bits of its delay lines."""
    return _WRITERS[type(placement.build)](placement.build, netlist, placement, net)


def choices(
    table: Table, stream: Stream, interval: int, padding: int = 0
) -> list[list[tuple[Choice, ...]]]:
    """Return what each operand of each unit reads, slot by slot.

    Where anything may be read, what was read before stays.
    """
    return [
        [
            _filled(
                [
                    _choice(int(element), table.start + slot, stream, interval, padding)
                    for slot, element in enumerate(table.elements[:, unit, operand])
                ]
            )
            for operand in range(table.elements.shape[2])
        ]
        for unit in range(table.n_units)
    ]


def _choice(element: int, cycle: int, stream: Stream, interval: int, padding: int) -> Choice | None:
    if element == ANYTHING:
        return None
    if element == PADDING:
        return Choice(None, padding)
    return stream.read(element, cycle, interval)


def _filled(entries: Sequence[Choice | None]) -> tuple[Choice, ...]:
    known = next((entry for entry in entries if entry is not None), Choice(None, 0))
    result = []
    for entry in entries:
        known = known if entry is None else entry
        result.append(known)
    return tuple(result)


def _moves(build: Moves, netlist: Netlist, placement: Placement, net: str) -> int:
    del build, netlist, placement, net
    return 0


def _sums(build: Sums, netlist: Netlist, placement: Placement, net: str) -> int:
    read = choices(placement.table, placement.source, netlist.interval)
    n_bits = cascades.write(netlist, build, read, placement.table.start, net)
    bits = build.operands.result_bits
    n_lanes = placement.table.n_units * (2 if build.operands.field_bits else 1)
    casts(netlist, Vector(f"{net}_sum", n_lanes, bits), build.casts, net)
    return n_bits


def _elementwise(build: Elementwise, netlist: Netlist, placement: Placement, net: str) -> int:
    table = placement.table
    read = choices(table, placement.source, netlist.interval)
    ports = []
    for operand, width in enumerate(build.operand_bits):
        lanes = [
            netlist.read_by_phase(units[operand], width, table.start, f"{net}_in{operand}_{i}")
            for i, units in enumerate(read)
        ]
        name = netlist.assign(f"{net}_in{operand}", width * len(lanes), concatenation(lanes))
        ports.append(name)
    if not build.module:
        source = Vector(ports[0], table.n_units, build.operand_bits[0])
        casts(netlist, source, build.casts, net)
        return 0
    values = _constants(build, netlist, placement, net)
    out = f"{net}_exact" if build.casts else net
    width = build.out_bits * table.n_units
    netlist.net(out, width)
    if build.module == "tm_merge":
        netlist.net(f"{net}_merged", width)
        netlist.instance(
            build.module,
            f"{net}_merge",
            {"N_LANES": table.n_units, **build.parameters},
            {"left": ports[0], "right": ports[1], "out_data": f"{net}_merged"},
        )
        _delay(netlist, f"{net}_merged", out, width, f"{net}_register")
    else:
        netlist.instance(
            build.module,
            f"{net}_unit",
            {
                "N_LANES": table.n_units,
                **build.parameters,
                **{
                    f"{port.upper()}_WIDTH": build.constants[port][0]
                    for port in values
                    if port != "parameters"
                },
            },
            {"clk": "clk", "in_data": ports[0], **values, "out_data": out},
        )
    if build.casts:
        casts(netlist, Vector(out, table.n_units, build.out_bits), build.casts, net)
    return 0


def _delay(netlist: Netlist, source: str, target: str, width: int, name: str) -> None:
    netlist.instance(
        "tm_delay",
        name,
        {"WIDTH": width, "N_CYCLES": 1},
        {"clk": "clk", "in_data": source, "taps": target},
    )


def _constants(
    build: Elementwise, netlist: Netlist, placement: Placement, net: str
) -> dict[str, str]:
    """Write the constants that belong to the elements on each lane."""
    table, ports = placement.table, {}
    for port, (width, numbers) in build.constants.items():
        sequences = []
        for unit in range(table.n_units):
            elements = table.elements[:, unit, 0]
            known = elements[elements >= 0]
            default = int(known[0]) if len(known) else 0
            filled = np.where(elements >= 0, elements, default)
            sequences.append(tuple(numbers[int(element)] for element in filled))
        found = netlist.constants_by_phase(sequences, width, table.start, f"{net}_{port}")
        lanes = [found[sequence] for sequence in sequences]
        ports[port] = netlist.assign(
            f"{net}_{port}_lanes", width * len(lanes), concatenation(lanes)
        )
    return ports


def _pooling(build: Pooling, netlist: Netlist, placement: Placement, net: str) -> int:
    table, node = placement.table, placement.node
    assert isinstance(node, Pool)
    padding = node.padding_raw if node.kind is PoolKind.MAXIMUM else 0
    read = choices(table, placement.source, netlist.interval, padding)
    out = f"{net}_exact" if build.casts else net
    netlist.net(out, build.out_bits * table.n_units)
    firsts = [
        tuple(int(row[unit]) for row in build.begins) or (1,) for unit in range(table.n_units)
    ]
    flags = netlist.constants_by_phase(firsts, 1, table.start, f"{net}_first")
    for unit, operands in enumerate(read):
        lanes = [
            netlist.read_by_phase(entry, build.cell_bits, table.start, f"{net}_u{unit}_{i}")
            for i, entry in enumerate(operands)
        ]
        ports = {
            "clk": "clk",
            "in_data": concatenation(lanes),
            "out_data": part(out, unit, build.out_bits),
        }
        if build.module == "tm_maximum":
            ports["first"] = flags[firsts[unit]]
        netlist.instance(build.module, f"{net}_unit{unit}", build.parameters, ports)
    if build.casts:
        casts(netlist, Vector(out, table.n_units, build.out_bits), build.casts, net)
    return 0


def _block(build: Block, netlist: Netlist, placement: Placement, net: str) -> int:
    table = placement.table
    (operands,) = choices(table, placement.source, netlist.interval)
    lanes = [
        netlist.read_by_phase(entry, build.operand_bits, table.start, f"{net}_in_{i}")
        for i, entry in enumerate(operands)
    ]
    name = netlist.assign(f"{net}_in", build.operand_bits * len(lanes), concatenation(lanes))
    netlist.net(net, build.result_bits * build.design.output.n_elements)
    netlist.net(f"{net}_valid", 1)
    netlist.instance(
        build.design.name,
        f"{net}_block",
        {},
        {
            "clk": "clk",
            "rst": "rst",
            "in_valid": netlist.valid(table.start),
            "in_data": name,
            "out_valid": f"{net}_valid",
            "out_data": net,
        },
    )
    return 0


def casts(netlist: Netlist, source: Vector, chain: tuple[Cast, ...], net: str) -> None:
    """Write casts one behind the other; the last gives the net."""
    if not chain:
        netlist.assign(net, source.lane_bits * source.n_lanes, source.name)
        return
    for i, cast in enumerate(chain):
        out = net if i + 1 == len(chain) else f"{net}_cast{i}"
        netlist.net(out, cast.target.width * source.n_lanes)
        netlist.instance(
            "tm_requantise",
            f"{out}_requantise",
            {
                "N_LANES": source.n_lanes,
                "IN_WIDTH": cast.in_bits,
                "IN_SIGNED": int(cast.in_signed),
                "DROPPED": cast.dropped,
                "OUT_WIDTH": cast.target.width,
                "OUT_SIGNED": int(cast.target.signed),
                "ROUNDING": 0 if cast.exact else ROUNDINGS.index(cast.target.rounding),
                "OVERFLOW": 0 if cast.exact else OVERFLOWS.index(cast.target.overflow),
                "RECTIFY": int(cast.rectify),
                "STAGES": cast.stages,
            },
            {"clk": "clk", "in_data": source.name, "out_data": out},
        )
        source = Vector(out, source.n_lanes, cast.target.width)


_WRITERS: dict[type[Build], Callable[[Any, Netlist, Placement, str], int]] = {
    Moves: _moves,
    Sums: _sums,
    Elementwise: _elementwise,
    Pooling: _pooling,
    Block: _block,
}
