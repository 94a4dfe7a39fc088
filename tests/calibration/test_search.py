import dataclasses

import numpy as np

from trigforge.calibration import Problem, calibrate
from trigforge.core.fixed_point import FixedPointFormat, quantise, to_values
from trigforge.core.formats import FreeTensor
from trigforge.core.graph import Dense, FixedPointGraph, Input

WEIGHTS = np.random.default_rng(2).normal(size=(4, 3))
EVENTS = np.random.default_rng(3).normal(size=(300, 4))
EXPECTED = EVENTS @ WEIGHTS
WIDE = FixedPointFormat(signed=True, width=60, integer_bits=20)
NO_BIAS = FixedPointFormat(signed=True, width=2, integer_bits=2)


def build(link, formats, table_size):
    """A matrix product as a function of its formats."""
    del table_size
    fmt = formats["dense", "weight"]
    source = Input(name="x", inputs=(), shape=(4,), format=link)
    product = Dense(
        name="dense",
        inputs=("x",),
        shape=(3,),
        format=formats["dense", "result"],
        weights=quantise(WEIGHTS, fmt).astype(np.int64),
        weight_format=fmt,
        bias=np.zeros(3, dtype=np.int64),
        bias_format=NO_BIAS,
        accumulator=WIDE,
    )
    return FixedPointGraph(name="net", nodes=(source, product))


def loss(outputs):
    return float(np.abs(to_values(outputs.raw, outputs.format) - EXPECTED).max())


PROBLEM = Problem(
    build=build,
    tensors=(
        FreeTensor(layer="dense", key="dense", role="weight", values=WEIGHTS.ravel()),
        FreeTensor(layer="dense", key="dense", role="result"),
    ),
    events=EVENTS,
    loss=loss,
    measure="largest deviation",
    tolerance=0.05,
    margin=1.25,
)


def test_the_formats_found_meet_the_tolerance_and_no_tensor_can_be_narrower():
    found = calibrate(PROBLEM)
    assert found.met
    assert 0 < found.loss <= 0.05
    formats = {(entry.key, entry.role): entry.format for entry in found.tensors}
    weight = formats["dense", "weight"]
    narrower = formats | {("dense", "weight"): dataclasses.replace(weight, width=weight.width - 1)}
    inputs = quantise(EVENTS, found.input.format)
    from trigforge import evaluation
    from trigforge.core.records import RawTensor

    graph = build(found.input.format, narrower, None)
    raw = RawTensor(format=found.input.format, raw=inputs)
    assert loss(evaluation.evaluate(graph, raw).outputs) > 0.05


def test_a_smaller_tolerance_takes_more_bits():
    def n_bits(tolerance):
        found = calibrate(dataclasses.replace(PROBLEM, tolerance=tolerance))
        return sum(entry.format.width for entry in found.tensors)

    assert n_bits(0.5) < n_bits(0.05) < n_bits(0.005)


def test_a_tolerance_out_of_reach_is_said_and_costs_no_bits_in_vain():
    found = calibrate(dataclasses.replace(PROBLEM, tolerance=0.0))
    assert not found.met
    assert found.loss < 0.001


def test_narrower_formats_lose_more_and_cost_less():
    steps = calibrate(PROBLEM).narrower
    assert [step.n_bits_fewer for step in steps] == [0, 1, 2, 3]
    assert steps[0].loss < steps[2].loss
    assert steps[0].ebops > steps[2].ebops
