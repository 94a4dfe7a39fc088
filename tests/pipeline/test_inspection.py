"""What a report shows of a network is what its graph holds."""

import numpy as np
from planted_health import planted, planted_inputs

from trigforge.core.records import Stimulus
from trigforge.pipeline import inspection


def test_a_sketch_counts_weights_and_products():
    nodes = {node.name: node for node in inspection.sketch(planted()).nodes}
    assert list(nodes) == [node.name for node in planted()]
    half_dead = nodes["half_dead"]
    assert (half_dead.kind, half_dead.inputs, half_dead.shape) == ("Dense", ("x",), (3,))
    assert (half_dead.n_weights, half_dead.n_zero_weights) == (12, 6)
    assert (half_dead.n_products, half_dead.n_multiplications) == (9, 6)
    assert nodes["saturating"].format == "fixed<7,7,TRN,SAT>"
    assert (nodes["x"].kind, nodes["x"].n_weights) == ("Input", 0)
    assert {node.kind for node in nodes.values()} >= {"Quantise", "Activation relu"}


def test_health_is_looked_at_on_held_out_events_alone(monkeypatch):
    stimulus = Stimulus(inputs=planted_inputs(), blocks=(("held_out", 3), ("corners", 2)))
    health = inspection.health(planted(), stimulus)
    seen = next(tensor for tensor in health if tensor.name == "x")
    assert seen.n_values == 3 * 3
    assert np.array_equal((seen.minimum, seen.maximum), (-100, 100))
    monkeypatch.setattr(inspection, "N_HEALTH_EVENTS", 2)
    (first, *_) = inspection.health(planted(), stimulus)
    assert first.n_values == 2 * 3
