"""How a layer is folded into the cycles of an interval: ``Reduction, Stream -> Folded``.

Positions, channels and terms are each cut into groups; the groups follow each other in the
slots of an interval, the members of a group are worked on side by side. A unit makes one
output at a time, or two that share an operand and travel packed through the same multipliers.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trigforge.core.records import freeze_arrays
from trigforge.rtl.timemux.streams import ANYTHING, Table, earliest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trigforge.rtl.timemux.reductions import Reduction
    from trigforge.rtl.timemux.streams import Stream


class Pairing(StrEnum):
    """Which two products share a multiplier, if any: those with one operand in common."""

    NONE = "none"
    CHANNELS = "channels"
    """Two weights, one input."""
    POSITIONS = "positions"
    """Two inputs, one weight."""


class Folding(NamedTuple):
    """Into how many groups each dimension is cut, and in which manner."""

    rows: int
    columns: int
    channels: int
    terms: int
    rows_interleaved: bool = False
    columns_interleaved: bool = False
    channels_first: bool = False
    """The channel groups are the outer loop, the positions the inner one."""
    pairing: Pairing = Pairing.NONE
    sparse: bool = False
    """Each channel reads only the cells whose weight is not zero."""

    @property
    def n_slots(self) -> int:
        """Slots that are used of an interval."""
        return self.rows * self.columns * self.channels * self.terms

    def __str__(self) -> str:
        parts = [
            f"{name} in {count}"
            for name, count in zip(("rows", "columns", "channels", "terms"), self[:4], strict=True)
            if count > 1
        ]
        flags = [
            *([f"pairs of {self.pairing}"] if self.pairing is not Pairing.NONE else []),
            *(["zeros left out"] if self.sparse else []),
        ]
        return ", ".join([*parts, *flags]) or "nothing folded"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Folded:
    """A layer whose products have their places: unit, multiplier and slot.

    ``table.elements`` is ``(slots, units, multipliers * n_inputs)``: with pairs of positions
    each multiplier reads two elements, the high one first. ``weights`` is ``(slots, units,
    multipliers, n_weights)``: with pairs of channels the high one first. ``outputs`` is
    ``(slots, units, pair)``: what a unit has finished after a slot, or -1. ``channels`` names
    the channel that a slot works on.
    """

    folding: Folding
    table: Table
    weights: NDArray[np.int64]
    outputs: NDArray[np.int64]
    channels: NDArray[np.int64]
    begins: NDArray[np.bool_]
    """``(slots,)``: a new sum begins."""
    used: NDArray[np.bool_]
    """``(units, multipliers)``: which multipliers are built."""

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def n_inputs(self) -> int:
        """Elements that a multiplier reads at a time."""
        return 2 if self.folding.pairing is Pairing.POSITIONS else 1

    @property
    def n_multipliers(self) -> int:
        """Multipliers of all units."""
        return int(self.used.sum())

    @property
    def n_used_slots(self) -> int:
        """Slots in which a multiplier has something to do, over all multipliers."""
        shape = (*self.weights.shape[:3], self.n_inputs)
        reads = (self.table.elements.reshape(shape) != ANYTHING).any(axis=3)
        return int(((self.weights != 0).any(axis=3) & reads).sum())

    @property
    def n_products(self) -> int:
        """Products of weights that are not zero with cells that exist."""
        shape = (*self.weights.shape[:3], self.n_inputs)
        inside = (self.table.elements.reshape(shape) >= 0).sum(axis=3)
        return int(((self.weights != 0).sum(axis=3) * inside).sum())


def foldings(
    reduction: Reduction, interval: int, pairings: tuple[Pairing, ...]
) -> Iterator[Folding]:
    """Enumerate the ways to fold a layer into the slots of an interval."""
    rows, columns = reduction.shape
    n_terms, n_channels = reduction.weights.shape
    for pairing in pairings:
        n_units = -(-n_channels // 2) if pairing is Pairing.CHANNELS else n_channels
        for groups in _groups((rows, columns, n_units, n_terms), interval):
            if pairing is Pairing.POSITIONS and groups[0] * groups[1] == rows * columns:
                continue
            sparse = (False, True) if (reduction.weights == 0).any() else (False,)
            for row_style, column_style, order, leave_out in itertools.product(
                (False, True) if 1 < groups[0] < rows else (False,),
                (False, True) if 1 < groups[1] < columns else (False,),
                (False, True) if groups[2] > 1 and groups[0] * groups[1] > 1 else (False,),
                sparse,
            ):
                yield Folding(*groups, row_style, column_style, order, pairing, leave_out)


def _groups(sizes: tuple[int, ...], interval: int) -> Iterator[tuple[int, int, int, int]]:
    """Enumerate group counts whose product fits the interval; more groups than needed never."""
    options = [
        sorted({-(-size // -(-size // count)) for count in range(1, min(size, interval) + 1)})
        for size in sizes
    ]
    for groups in itertools.product(*options):
        if np.prod(groups) <= interval:
            rows, columns, channels, terms = groups
            yield rows, columns, channels, terms


def n_multipliers(reduction: Reduction, folding: Folding) -> int:
    """Return how many multipliers a folding takes, without folding."""
    rows, columns = reduction.shape
    lanes = -(-rows // folding.rows) * -(-columns // folding.columns)
    if folding.pairing is Pairing.POSITIONS:
        lanes = -(-lanes // 2)
    groups = _channel_groups(reduction, folding)
    return lanes * sum(len(terms) for terms in _term_lanes(reduction, folding, groups))


def fold(reduction: Reduction, folding: Folding, stream: Stream) -> Folded:
    """Give every product its unit, multiplier and slot."""
    positions = _positions(reduction.shape, folding)
    channels = _channel_groups(reduction, folding)
    arrival = _arrival(reduction, stream)
    terms = _terms(reduction, folding, channels, arrival)
    slots = [
        (position, channel, term)
        for outer, inner, term in itertools.product(
            range(folding.channels if folding.channels_first else len(positions)),
            range(len(positions) if folding.channels_first else folding.channels),
            range(folding.terms),
        )
        for position, channel in [(inner, outer) if folding.channels_first else (outer, inner)]
    ]
    parts = [_slot(reduction, positions[p], channels[c], terms[:, c, t]) for p, c, t in slots]
    elements = np.stack([part[0] for part in parts])
    weights = np.stack([part[1] for part in parts])
    if folding.pairing is Pairing.POSITIONS:
        elements = elements.reshape(len(slots), -1, 2, *elements.shape[2:]).transpose(0, 1, 3, 4, 2)
        n_position_units = elements.shape[1]
    else:
        n_position_units, elements = elements.shape[1], elements[..., None]
    n_lanes, n_terms = weights.shape[1:3]
    idle = ~(weights != 0).any(axis=3)
    elements = np.where(idle[:, None, :, :, None], ANYTHING, elements)
    shape = (len(slots), n_position_units * n_lanes)
    spread = np.broadcast_to(weights[:, None], (len(slots), n_position_units, *weights.shape[1:]))
    outputs = _outputs(reduction, folding, positions, channels, slots)
    flat_outputs = outputs.reshape(*shape, -1)
    table, used = _table(elements.reshape(*shape, n_terms, -1), flat_outputs, reduction, stream)
    return Folded(
        folding=folding,
        table=table,
        weights=spread.reshape(*shape, n_terms, -1),
        outputs=flat_outputs,
        channels=np.stack(
            [
                np.broadcast_to(channels[c], (n_position_units, *channels[c].shape)).reshape(
                    shape[1], -1
                )
                for _, c, _ in slots
            ]
        ),
        begins=np.array([t == 0 for _, _, t in slots]),
        used=used & (spread.reshape(*shape, n_terms, -1) != 0).any(axis=(0, 3)),
    )


def _split(size: int, n_groups: int, *, interleaved: bool) -> NDArray[np.int64]:
    """Return which members each group has: ``(groups, lanes)``, -1 where there is none."""
    lanes = -(-size // n_groups)
    members = np.arange(n_groups * lanes)
    members = np.where(members < size, members, -1)
    return members.reshape(lanes, n_groups).T if interleaved else members.reshape(n_groups, lanes)


def _positions(shape: tuple[int, int], folding: Folding) -> NDArray[np.int64]:
    """Return the positions of each group: ``(groups, lanes)``, an even number if paired."""
    rows = _split(shape[0], folding.rows, interleaved=folding.rows_interleaved)
    columns = _split(shape[1], folding.columns, interleaved=folding.columns_interleaved)
    row, column = rows[:, None, :, None], columns[None, :, None, :]
    positions = np.where((row < 0) | (column < 0), -1, row * shape[1] + column)
    flat = positions.reshape(folding.rows * folding.columns, -1)
    if folding.pairing is Pairing.POSITIONS and flat.shape[1] % 2:
        flat = np.pad(flat, ((0, 0), (0, 1)), constant_values=-1)
    return flat


def _channel_groups(reduction: Reduction, folding: Folding) -> NDArray[np.int64]:
    """Return the channels of each group: ``(groups, lanes, 1 or 2)``, -1 where there is none.

    Where zeros are left out, channels with equally many weights take turns on a lane.
    """
    n_channels = reduction.n_channels
    if folding.pairing is Pairing.CHANNELS:
        members = _pairs(reduction) if folding.sparse else _neighbours(n_channels)
    else:
        members = np.arange(n_channels).reshape(-1, 1)
    if not folding.sparse:
        chosen = _split(len(members), folding.channels, interleaved=False)
    else:
        n_terms = [len(_used_terms(reduction, unit)) for unit in members]
        ranked = np.argsort(n_terms, kind="stable")[::-1]
        places = _split(len(members), folding.channels, interleaved=True)
        chosen = np.where(places < 0, -1, ranked[np.maximum(places, 0)])
    groups = members[np.maximum(chosen, 0)]
    return np.where(chosen[..., None] < 0, -1, groups)


def _neighbours(n_channels: int) -> NDArray[np.int64]:
    members = np.arange(-(-n_channels // 2) * 2)
    return np.where(members < n_channels, members, -1).reshape(-1, 2)


def _pairs(reduction: Reduction) -> NDArray[np.int64]:
    """Pair channels whose weights are zero at the same terms, the fullest first."""
    filled = reduction.weights != 0
    left = sorted(range(reduction.n_channels), key=lambda f: (-int(filled[:, f].sum()), f))
    pairs = []
    while left:
        first = left.pop(0)
        overlaps = [int((filled[:, first] & filled[:, other]).sum()) for other in left]
        second = left.pop(int(np.argmax(overlaps))) if left else -1
        pairs.append((first, second))
    return np.array(pairs)


def _used_terms(reduction: Reduction, unit: NDArray[np.int64]) -> NDArray[np.int64]:
    chosen = reduction.weights[:, unit[unit >= 0]]
    return np.flatnonzero((chosen != 0).any(axis=1))


def _term_lanes(reduction: Reduction, folding: Folding, groups: NDArray[np.int64]) -> list[range]:
    """Return the multipliers of each channel lane."""
    if not folding.sparse:
        n_lanes = -(-reduction.weights.shape[0] // folding.terms)
        return [range(n_lanes)] * groups.shape[1]
    most = [
        max(len(_used_terms(reduction, groups[group, lane])) for group in range(len(groups)))
        for lane in range(groups.shape[1])
    ]
    return [range(-(-count // folding.terms)) for count in most]


def _arrival(reduction: Reduction, stream: Stream) -> NDArray[np.int64]:
    """Return a key by which terms come: cycle, then net and lane; ``(terms,)`` or by channel."""
    cells = reduction.cells
    known = np.maximum(cells, 0)
    arrivals = np.where(cells >= 0, stream.first[known], -(1 << 30)).max(axis=0)
    place = np.where(cells[0] >= 0, stream.net[known[0]] * 65536 + stream.lane[known[0]], -1)
    keys: NDArray[np.int64] = np.maximum(arrivals, 0) * (1 << 32) + np.maximum(place, 0)
    return keys


def _terms(
    reduction: Reduction,
    folding: Folding,
    groups: NDArray[np.int64],
    arrival: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return the terms of each lane, channel group, term group: ``(lanes, c, t, multipliers)``.

    What arrives first comes first.
    """
    lanes = _term_lanes(reduction, folding, groups)
    width = max(1, *(len(lane) for lane in lanes))
    result = np.full((groups.shape[1], len(groups), folding.terms, width), -1)
    for group, lane in itertools.product(range(len(groups)), range(groups.shape[1])):
        unit = groups[group, lane]
        keys = arrival[min(max(0, int(unit[0])), len(arrival) - 1)]
        wanted = (
            _used_terms(reduction, unit) if folding.sparse else np.arange(len(reduction.weights))
        )
        ordered = wanted[np.argsort(keys[wanted], kind="stable")]
        n_multipliers = len(lanes[lane])
        if n_multipliers == 0:
            continue
        padded = np.full(folding.terms * n_multipliers, -1)
        # Late groups are full, so that what comes late has the most multipliers.
        padded[len(padded) - len(ordered) :] = ordered
        if not folding.sparse:
            padded = np.concatenate([ordered, np.full(len(padded) - len(ordered), -1)])
        result[lane, group, :, :n_multipliers] = padded.reshape(folding.terms, n_multipliers)
    return result


def _slot(
    reduction: Reduction,
    positions: NDArray[np.int64],
    channels: NDArray[np.int64],
    terms: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what is read ``(positions, lanes, multipliers)`` and the weights of a slot.

    ``terms`` is ``(lanes, multipliers)``.
    """
    cells = reduction.cells
    channel = np.minimum(np.maximum(channels[:, :1], 0), cells.shape[1] - 1)
    known = np.maximum(terms, 0)
    read = cells[np.maximum(positions, 0)[:, None, None], channel[None], known[None]]
    nothing = (positions < 0)[:, None, None] | (terms < 0)[None] | (channels[:, :1] < 0)[None]
    weights = reduction.weights[known[..., None], np.maximum(channels, 0)[:, None, :]]
    absent = (terms < 0)[..., None] | (channels < 0)[:, None, :]
    return np.where(nothing, ANYTHING, read), np.where(absent, 0, weights)


def _outputs(
    reduction: Reduction,
    folding: Folding,
    positions: NDArray[np.int64],
    channels: NDArray[np.int64],
    slots: list[tuple[int, int, int]],
) -> NDArray[np.int64]:
    """Return the outputs finished after each slot: ``(slots, position units, lanes, pair)``."""
    paired = folding.pairing is Pairing.POSITIONS
    by_slot = []
    for p, c, t in slots:
        position = positions[p].reshape(-1, 2) if paired else positions[p].reshape(-1, 1)
        where, which = position[:, None, :], channels[c][None]
        done = np.where(
            (where < 0) | (which < 0) | (t != folding.terms - 1),
            -1,
            where * reduction.n_channels + which,
        )
        by_slot.append(done)
    return np.stack(by_slot)


def _table(
    elements: NDArray[np.int64],
    outputs: NDArray[np.int64],
    reduction: Reduction,
    stream: Stream,
) -> tuple[Table, NDArray[np.bool_]]:
    """Return the table of ``(slots, units, multipliers, inputs)`` and what is worth building."""
    n_outputs = reduction.node.n_elements
    unit, slot = np.full(n_outputs, -1), np.zeros(n_outputs, np.int64)
    where = np.argwhere(outputs >= 0)
    finished = outputs[tuple(where.T)]
    unit[finished] = where[:, 1] * outputs.shape[2] + where[:, 2]
    slot[finished] = where[:, 0]
    useful: NDArray[np.bool_] = np.any(outputs >= 0, axis=(0, 2))
    flat = elements.reshape(*elements.shape[:2], -1)
    table = Table(elements=flat, unit=unit, slot=slot, start=earliest(elements, stream))
    return table, np.repeat(useful.reshape(-1, 1), elements.shape[2], axis=1)
