"""Where and when the elements of a tensor are: the edges of a time-multiplexed design.

Cycles are counted from the one in which the event is presented. A net is a vector of lanes;
a lane carries an element for some cycles. What is needed later than that is kept in registers
that take it in its last cycle and hold it for an interval, one behind the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trigforge.core.records import freeze_arrays

ANYTHING = -1
"""In a table: nothing is read here; whatever is there does no harm."""
PADDING = -2
"""In a table: a cell outside the tensor."""

_LONG_AGO, _FOR_EVER = -(1 << 30), 1 << 31


class Choice(NamedTuple):
    """What a lane reads in one cycle.

    ``net`` None is a constant, ``lane`` its raw integer. ``stage`` 0 is the net itself,
    k the k-th register behind it, of which the first takes the lane in cycle ``taken``.
    """

    net: str | None
    lane: int
    stage: int = 0
    taken: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stream:
    """Lanes and cycles of the elements of a tensor: arrays of ``(n_elements,)``.

    ``net`` indexes ``nets``; -1 marks a constant, whose raw integer is in ``lane``.
    """

    nets: tuple[str, ...]
    net: NDArray[np.int64]
    lane: NDArray[np.int64]
    first: NDArray[np.int64]
    """The first cycle in which an element is there."""
    n_cycles: NDArray[np.int64]
    """For how many cycles it stays."""

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def last_arrival(self) -> int:
        """The cycle in which the last element arrives; 0 if all are constants."""
        return max(0, int(self.first.max(initial=0)))

    def taken(self, indices: NDArray[np.int64]) -> Stream:
        """Return the stream of some elements; an index of -1 gives a constant zero."""
        zero = indices < 0
        return Stream(
            nets=self.nets,
            net=np.where(zero, -1, self.net[indices]),
            lane=np.where(zero, 0, self.lane[indices]),
            first=np.where(zero, _LONG_AGO, self.first[indices]),
            n_cycles=np.where(zero, _FOR_EVER, self.n_cycles[indices]),
        )

    def read(self, element: int, cycle: int, interval: int) -> Choice:
        """Return where an element is found in a cycle in which it has arrived."""
        if self.net[element] < 0:
            return Choice(None, int(self.lane[element]))
        net, lane = self.nets[self.net[element]], int(self.lane[element])
        taken = int(self.first[element] + self.n_cycles[element]) - 1
        stage = max(0, -(-(cycle - taken) // interval))
        return Choice(net, lane, stage, taken if stage else 0)


def on_net(
    net: str, lane: NDArray[np.int64], first: NDArray[np.int64], n_cycles: NDArray[np.int64]
) -> Stream:
    """Return the stream of elements that all are on one net."""
    return Stream(
        nets=(net,), net=np.zeros(len(lane), np.int64), lane=lane, first=first, n_cycles=n_cycles
    )


def joined(streams: tuple[Stream, ...]) -> Stream:
    """Return the stream of tensors laid end to end."""
    if len(streams) == 1:
        return streams[0]
    nets = tuple(dict.fromkeys(net for stream in streams for net in stream.nets))
    numbers = [
        np.array([*(nets.index(net) for net in stream.nets), -1], dtype=np.int64)
        for stream in streams
    ]
    return Stream(
        nets=nets,
        net=np.concatenate([n[s.net] for n, s in zip(numbers, streams, strict=True)]),
        lane=np.concatenate([s.lane for s in streams]),
        first=np.concatenate([s.first for s in streams]),
        n_cycles=np.concatenate([s.n_cycles for s in streams]),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """What a layer's units read, slot by slot: ``elements`` is ``(slots, units, operands)``.

    A slot is a cycle; slot 0 is in cycle ``start``. Output i is made by unit ``unit[i]`` when it
    has read its last operands, in ``slot[i]``; -1 where an output is a constant.
    """

    elements: NDArray[np.int64]
    unit: NDArray[np.int64]
    slot: NDArray[np.int64]
    start: int

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def n_slots(self) -> int:
        """Slots, at most as many as the interval has cycles."""
        return int(self.elements.shape[0])

    @property
    def n_units(self) -> int:
        """Units that work side by side."""
        return int(self.elements.shape[1])


def earliest(elements: NDArray[np.int64], stream: Stream) -> int:
    """Return the first cycle in which a table of ``(slots, ...)`` can start."""
    by_slot = elements.reshape(len(elements), -1)
    arrivals = np.where(by_slot >= 0, stream.first[np.maximum(by_slot, 0)], _LONG_AGO)
    starts = arrivals.max(axis=1, initial=_LONG_AGO) - np.arange(len(elements))
    return max(1, int(starts.max()))


def follow(stream: Stream, interval: int, *, apart: bool = False) -> Table | None:
    """Return a table that takes each element of a stream as it comes, a unit for each lane.

    Elements that are the same lane in the same cycle share a unit, unless they are to be kept
    ``apart``. None if the elements arrive over more cycles than an interval has.
    """
    varying = stream.net >= 0
    begin = int(stream.first[varying].min(initial=_FOR_EVER)) if varying.any() else 1
    slot = np.where(varying, stream.first - begin, 0)
    if slot.max(initial=0) >= interval:
        return None
    # Constants get units of their own.
    turn = _turns(stream) if apart else np.zeros_like(slot)
    keys = np.stack([stream.net, stream.lane, turn], axis=1)
    _, unit = np.unique(keys, axis=0, return_inverse=True)
    unit = unit.reshape(-1).astype(np.int64)
    elements = np.full((int(slot.max(initial=0)) + 1, int(unit.max(initial=0)) + 1, 1), ANYTHING)
    elements[slot, unit, 0] = np.arange(len(slot))
    return Table(elements=elements, unit=unit, slot=slot.astype(np.int64), start=max(1, begin))


def _turns(stream: Stream) -> NDArray[np.int64]:
    """Number the elements that are the same lane in the same cycle."""
    seen: dict[tuple[int, ...], int] = {}
    turns = []
    for place in zip(stream.net.tolist(), stream.lane.tolist(), stream.first.tolist(), strict=True):
        seen[place] = seen.get(place, -1) + 1
        turns.append(seen[place])
    return np.array(turns, dtype=np.int64)


def at_once(stream: Stream) -> Table:
    """Return a table that takes all elements in one cycle, a unit for each."""
    n_elements = len(stream.net)
    elements = np.arange(n_elements).reshape(1, n_elements, 1)
    return Table(
        elements=elements,
        unit=np.arange(n_elements),
        slot=np.zeros(n_elements, np.int64),
        start=earliest(elements, stream),
    )


def results(table: Table, net: str, stream: Stream, latency: int, *, brief: bool = False) -> Stream:
    """Return the stream that units give ``latency`` cycles after they read their operands.

    Where a unit reads one element only, straight from its net, the result stays as long as
    the element does; unless it is ``brief``, there for one cycle.
    """
    constant = table.unit < 0
    unit = np.maximum(table.unit, 0)
    stays = np.ones(1 + int(unit.max(initial=0)), np.int64) if brief else _stays(table, stream)
    return Stream(
        nets=(net,),
        net=np.where(constant, -1, 0),
        lane=np.where(constant, 0, unit),
        first=np.where(constant, _LONG_AGO, table.start + table.slot + latency),
        n_cycles=np.where(constant, _FOR_EVER, stays[unit]),
    )


def _stays(table: Table, stream: Stream) -> NDArray[np.int64]:
    """Return for how many cycles the result of each unit is there."""
    stays = np.ones(table.n_units, dtype=np.int64)
    if table.n_slots == 1:
        elements = table.elements[0]
        known = np.maximum(elements, 0)
        left = stream.first[known] + stream.n_cycles[known] - table.start
        left = np.where((elements < 0) | (stream.net[known] < 0), _FOR_EVER, left)
        stays = np.clip(left.min(axis=1, initial=_FOR_EVER), 1, _FOR_EVER)
        stays = np.where(stays == _FOR_EVER, 1, stays)
    return stays.astype(np.int64)
