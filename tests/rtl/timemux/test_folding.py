"""How layers are folded: every product once, packed where that is exact, operands in time."""

from dataclasses import replace

import numpy as np
import pytest
from timemux_networks import CLOCKS_MHZ, Layers, planned, random_network

from trigforge.core.fixed_point import FixedPointFormat, Overflow
from trigforge.rtl.timemux import clocking, scheduler
from trigforge.rtl.timemux.folding import Pairing, fold, foldings, n_multipliers
from trigforge.rtl.timemux.multipliers import operands
from trigforge.rtl.timemux.placements import Sums
from trigforge.rtl.timemux.reductions import count_multiplications, reduction

WORD = FixedPointFormat(False, 6, 2)


def layer(kind: str):
    """Return a small layer with zeros among its weights, and what it reads."""
    if kind == "dense":
        layers = Layers("net", (7,), WORD, 1).dense(6, 0.4)
    elif kind == "depthwise":
        layers = Layers("net", (5, 4, 3), WORD, 2).conv(3, (2, 3), (2, 1), depthwise=True)
    else:
        layers = Layers("net", (5, 6, 2), WORD, 3).conv(5, (3, 2), (1, 2), (1, 0, 0, 1))
    graph = layers.graph()
    return reduction(graph.nodes[1], WORD), scheduler.input_stream(
        graph.input, clocking.timing(320, 1)
    )


def products_of(folded):
    """Return each product that a folded layer computes: ``(output, cell, weight)``, sorted."""
    found = []
    n_slots, n_units = folded.table.elements.shape[:2]
    shape = (n_slots, n_units, folded.weights.shape[2], folded.n_inputs)
    elements = folded.table.elements.reshape(shape)
    for unit in range(n_units):
        since = []
        for slot in range(n_slots):
            if folded.begins[slot]:
                since = []
            since.append(slot)
            for place, output in enumerate(folded.outputs[slot, unit]):
                if output < 0:
                    continue
                for s in since:
                    for multiplier in np.flatnonzero(folded.used[unit]):
                        cells, weights = elements[s, unit, multiplier], folded.weights[s, unit]
                        paired = folded.folding.pairing
                        cell = cells[place if paired is Pairing.POSITIONS else 0]
                        weight = weights[multiplier, place if paired is Pairing.CHANNELS else 0]
                        if cell >= 0 and weight:
                            found.append((int(output), int(cell), int(weight)))
    return sorted(found)


def products_wanted(of_layer):
    wanted = []
    cells, weights = of_layer.cells, of_layer.weights
    for position in range(len(cells)):
        for channel in range(of_layer.n_channels):
            own = cells[position, min(channel, cells.shape[1] - 1)]
            wanted += [
                (position * of_layer.n_channels + channel, int(cell), int(weight))
                for cell, weight in zip(own, weights[:, channel], strict=True)
                if cell >= 0 and weight
            ]
    return sorted(wanted)


@pytest.mark.parametrize("kind", ["dense", "conv", "depthwise"])
@pytest.mark.parametrize("interval", [1, 4, 8, 12])
def test_every_folding_computes_every_product_once(kind, interval):
    of_layer, stream = layer(kind)
    pairings = tuple(pairing for pairing in Pairing if operands(of_layer, pairing))
    wanted, n_tried = products_wanted(of_layer), 0
    assert len(wanted) == count_multiplications(of_layer.node)[0]
    for folding in list(foldings(of_layer, interval, pairings))[::3]:
        folded = fold(of_layer, folding, stream)
        assert products_of(folded) == wanted, folding
        assert folded.n_products == len(wanted)
        assert folded.table.n_slots <= interval
        assert folded.n_multipliers <= n_multipliers(of_layer, folding)
        n_tried += 1
    assert n_tried


def test_depthwise_channels_are_not_paired_as_they_read_other_cells():
    of_layer, _ = layer("depthwise")
    assert operands(of_layer, Pairing.CHANNELS) is None
    assert operands(of_layer, Pairing.POSITIONS) is not None


@pytest.mark.parametrize("pairing", [Pairing.CHANNELS, Pairing.POSITIONS])
def test_pairs_are_refused_where_the_low_sum_does_not_fit(pairing):
    narrow = Layers("net", (4, 4, 1), WORD, 1).conv(2, (3, 3)).graph()
    wide = Layers("net", (4, 4, 1), FixedPointFormat(True, 17, 4), 1).conv(2, (3, 3)).graph()
    assert operands(reduction(narrow.nodes[1], narrow.input.format), pairing) is not None
    assert operands(reduction(wide.nodes[1], wide.input.format), pairing) is None


@pytest.mark.parametrize("seed", range(30))
def test_nothing_is_read_before_it_is_there_and_no_layer_is_needed_twice_at_once(seed):
    _, plan, clock = planned(random_network(seed), CLOCKS_MHZ[seed % len(CLOCKS_MHZ)])
    for placement in plan.placements:
        table, source = placement.table, placement.source
        assert table.n_slots <= clock.interval_cycles
        for slot, elements in enumerate(table.elements.reshape(table.n_slots, -1)):
            read = elements[elements >= 0]
            assert (source.first[read] <= table.start + slot).all()
        if isinstance(placement.build, Sums):
            assert placement.build.folded.n_products == count_multiplications(placement.node)[0]


def test_a_saturating_accumulator_that_can_clip_is_not_summed_at_will():
    node = Layers("net", (6,), WORD, 1).dense(2).nodes[1]
    fraction = WORD.fractional_bits + node.weight_format.fractional_bits
    clipping = FixedPointFormat(True, 9, 9 - fraction, overflow=Overflow.SAT)
    assert "saturates" in reduction(replace(node, accumulator=clipping), WORD)
    assert not isinstance(reduction(node, WORD), str)
