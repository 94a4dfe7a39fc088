"""The planted faults: each a tiny network, its fault, and what must be said of it."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import keras
import planted
import qkeras
from keras import layers
from planted import Planted, grid_values

from trigforge.diagnosis import Cause

import simulating  # isort: skip  # planted puts its folder on the path
from simulating import chain, relu, weights  # isort: skip

LINK = "fixed<8,4>"
_STORED = {"weight": "fixed<5,1>", "bias": "fixed<5,1>"}
_QUANTISED: dict[str, dict[str, Any]] = {
    "inputs": {"result": LINK},
    "first": _STORED,
    "act": {"result": "ufixed<5,2,RND_CONV,SAT>"},
    "second": _STORED,
}
_SOFTMAX_TYPES = (
    "LayerName.sm.exp_table_t: ufixed<18,1,RND,SAT>",
    "LayerName.sm.inv_table_t: ufixed<18,1,RND,SAT>",
    "LayerName.sm.inv_inp_t: ufixed<10,2,RND,SAT>",
    "LayerName.sm.Precision.accum: ufixed<20,3,RND,SAT>",
    "LayerName.sm.Precision.result: fixed<10,2,RND,WRAP>",
)


@dataclass(frozen=True)
class Fault:
    """A planted fault: what causes must be named, where, and the lines that mend them."""

    case: Planted
    causes: tuple[tuple[Cause, str], ...]
    mends: tuple[str, ...]
    evidence: str = ""


def dense(n: int, **options: Any) -> Any:
    return qkeras.QDense(n, **weights(), **options)


def quantised(values: Any = None, **changes: dict[str, Any]) -> Planted:
    """Two dense layers of QKeras, converted exactly but for the changes."""
    settings = copy.deepcopy(_QUANTISED)
    for name, entries in changes.items():
        settings[name] = settings[name] | entries
    model = chain((6,), dense(4, name="first"), relu(name="act"), dense(3, name="second"))
    return Planted(model, settings, grid_values(LINK, 6) if values is None else values)


def floating(shape: tuple[int, ...], *stack: Any, link: str, **settings: Any) -> Planted:
    """Layers of plain Keras on inputs that use the whole link."""
    model = chain(shape, *stack)
    n_elements = model.input_shape[1:]
    size = 1
    for n in n_elements:
        size *= n
    return Planted(model, {"inputs": {"result": link}} | settings, grid_values(link, size))


def _wide_sums() -> Planted:
    """Sums of 29 bits, which float32 rounds; the firmware is exact."""
    activation = simulating.cast(20, 5, name="act")
    model = chain((6,), qkeras.QDense(4, **weights(14), name="first"), activation)
    settings = {
        "inputs": {"result": "fixed<16,4>"},
        "first": {
            "weight": "fixed<14,1>",
            "bias": "fixed<14,1>",
            "result": "fixed<20,6,RND_CONV,SAT>",
        },
        "act": {"result": "fixed<20,6,RND_CONV,SAT>"},
    }
    return Planted(model, settings, grid_values("fixed<16,4>", 6, n_events=2000))


def _branches() -> Planted:
    inputs = keras.Input((6,), name="inputs")
    total = layers.Add(name="total")(
        [dense(3, name="left")(inputs), dense(3, name="right")(inputs)]
    )
    model = simulating.fill(keras.Model(inputs, total))
    settings = {"inputs": {"result": LINK}, "left": _STORED, "right": _STORED}
    return Planted(model, settings | {"total": {"result": "fixed<12,4>"}}, grid_values(LINK, 6))


def _activation_inside() -> Planted:
    """A quantiser inside a layer, of which hls4ml's configuration knows nothing."""
    quantiser = qkeras.quantized_bits(6, 2, alpha=1)
    model = chain((6,), dense(4, name="first", activation=quantiser))
    return Planted(model, {"inputs": {"result": LINK}, "first": _STORED}, grid_values(LINK, 6))


FAULTS: dict[str, Any] = {
    "an accumulator that wraps": lambda: Fault(
        quantised(first={"accum": "fixed<12,4>"}),
        ((Cause.ACCUMULATOR_OVERFLOW, "first"),),
        ("LayerName.first.Precision.accum: fixed<14,6>",),
        "after term 5 of 6 \\(term 4\\), beyond ap_fixed<12,4>",
    ),
    "an accumulator that saturates": lambda: Fault(
        quantised(first={"accum": "fixed<13,5,TRN,SAT>"}),
        ((Cause.ACCUMULATOR_OVERFLOW, "first"),),
        ("LayerName.first.Precision.accum: fixed<14,6,TRN,SAT>",),
        "saturates to",
    ),
    "an accumulator that drops bits": lambda: Fault(
        quantised(first={"accum": "fixed<12,8>"}),
        ((Cause.ACCUMULATOR_ROUNDING, "first"),),
        ("LayerName.first.Precision.accum: fixed<16,8>",),
        "the products have 4 \\+ 4 fractional bits, the accumulator ap_fixed<12,8> keeps 4",
    ),
    "a result that wraps where the original saturates": lambda: Fault(
        quantised(act={"result": "ufixed<5,2,RND_CONV>"}),
        ((Cause.RESULT_OVERFLOW, "act"),),
        ("LayerName.act.Precision.result: ufixed<5,2,RND_CONV,SAT>",),
        "goes from 0 to 3.875 and wraps; 187 of 600 results are beyond",
    ),
    "a result that truncates where the original rounds": lambda: Fault(
        quantised(act={"result": "ufixed<5,2,TRN,SAT>"}),
        ((Cause.RESULT_ROUNDING, "act"),),
        ("LayerName.act.Precision.result: ufixed<5,2,RND_CONV,SAT>",),
        "rounds by TRN, the original by RND_CONV",
    ),
    "too few integer bits of a result": lambda: Fault(
        quantised(act={"result": "ufixed<4,1,RND_CONV,SAT>"}),
        ((Cause.RESULT_INTEGER_BITS, "act"),),
        ("LayerName.act.Precision.result: ufixed<5,2,RND_CONV,SAT>",),
        "from 0 to 1.875 and saturates",
    ),
    "too few fractional bits of a result": lambda: Fault(
        quantised(act={"result": "ufixed<4,2,RND_CONV,SAT>"}),
        ((Cause.RESULT_FRACTIONAL_BITS, "act"),),
        ("LayerName.act.Precision.result: ufixed<5,2,RND_CONV,SAT>",),
        "steps of 0.25, the original's values lie 0.125 apart",
    ),
    "weights on a coarser grid": lambda: Fault(
        quantised(second={"weight": "fixed<3,1>"}),
        ((Cause.WEIGHT, "second"),),
        (
            "LayerName.second.Precision.weight: fixed<5,1>",
            "LayerName.second.Precision.accum: fixed<13,6>",
            "LayerName.second.Precision.result: fixed<13,6>",
        ),
        "weight \\(0, 0\\) is -0.8125, ap_fixed<3,1> .* makes it -1; 9 of 12",
    ),
    "a weight beyond its range": lambda: Fault(
        floating((6,), layers.Dense(4, name="first"), link="fixed<10,4>",
                 first={"weight": "fixed<10,0>"}),
        ((Cause.WEIGHT, "first"),),
        ("LayerName.first.Precision.weight: fixed<12,2>",),
        "weight \\(3, 1\\) is 0.692.* makes it -0.308",
    ),
    "a bias on a coarser grid": lambda: Fault(
        quantised(second={"bias": "fixed<3,1>"}),
        ((Cause.BIAS, "second"),),
        ("LayerName.second.Precision.bias: fixed<5,1>",),
        "bias \\(1,\\) is 0.875, .* makes it 0.75; 2 of 3",
    ),
    "inputs beyond a table": lambda: Fault(
        floating((3,), layers.Activation("tanh", name="th"), link="fixed<12,5>",
                 th={"TableSize": 32768, "table": "fixed<24,4>", "result": "fixed<18,2>"}),
        ((Cause.TABLE_RANGE, "th"),),
        ("LayerName.th.Precision.result: fixed<12,2>",),
        "lies beyond the table, which goes from -4 to 4; 336 of 450",
    ),
    "a table with few entries": lambda: Fault(
        floating((3,), layers.Activation("sigmoid", name="sg"), link="fixed<12,5>",
                 sg={"TableSize": 128}),
        ((Cause.TABLE_SIZE, "sg"),),
        ("LayerName.sg.TableSize: 2048",),
        "the table has 128 entries from -8 to 8, one each 0.125",
    ),
    "a table of coarse entries": lambda: Fault(
        floating((3,), layers.Activation("sigmoid", name="sg"), link="fixed<12,5>",
                 sg={"TableSize": 65536, "table": "fixed<8,2>"}),
        ((Cause.TABLE_FORMAT, "sg"),),
        ("LayerName.sg.table_t: fixed<12,2>",),
        "entries of the table have steps of 0.015625",
    ),
    "a maximum over padding of an unsigned input": lambda: Fault(
        floating((3, 3, 2), layers.MaxPooling2D(2, padding="same", name="pool"),
                 link="ufixed<8,4>"),
        ((Cause.MAXIMUM_PADDING, "pool"),),
        ("LayerName.inputs.Precision.result: fixed<9,5>",),
        "2 of the 4 cells of this window are padding, which hls4ml fills with 8",
    ),
    "a truncated average": lambda: Fault(
        floating((4, 4, 2), layers.AveragePooling2D(2, name="pool"), link=LINK,
                 pool={"accum": "fixed<10,8>"}),
        ((Cause.AVERAGE_TRUNCATION, "pool"),),
        ("LayerName.pool.Precision.accum: fixed<12,8>",),
        "-10.3125 / 4 = -2.578125; hls4ml divides in the accumulator ap_fixed<10,8>",
    ),
    "a maximum whose accumulator wraps in a stream": lambda: Fault(
        floating((4, 4, 2), layers.MaxPooling2D(2, name="pool"), link=LINK,
                 pool={"accum": "fixed<8,3>"}).streamed(),
        ((Cause.ACCUMULATOR_OVERFLOW, "pool"),),
        ("LayerName.pool.Precision.accum: fixed<9,4>",),
        "the accumulator ap_fixed<8,3> goes from -4 to 3.96875",
    ),
    "a softmax whose exponentials saturate": lambda: Fault(
        floating((4,), layers.Softmax(name="sm"), link="fixed<10,4>",
                 sm={"Implementation": "latency", "result": "fixed<10,2>"}),
        ((Cause.SOFTMAX, "sm"),),
        (
            "LayerName.inputs.Precision.result: fixed<11,5>",
            "LayerName.sm.Implementation: stable",
            *_SOFTMAX_TYPES,
        ),
        "its exponential .* is beyond ap_fixed<18,8,AP_RND,AP_SAT>",
    ),
    "a softmax whose distances wrap": lambda: Fault(
        floating((4,), layers.Softmax(name="sm"), link="fixed<10,4>",
                 sm={"Implementation": "stable", "result": "fixed<10,2>"}),
        ((Cause.SOFTMAX, "sm"),),
        ("LayerName.inputs.Precision.result: fixed<11,5>", *_SOFTMAX_TYPES),
        "an input lies 11.609375 below it, beyond ap_ufixed<9,3> .* wraps around",
    ),
    "inputs between the steps of the link": lambda: Fault(
        quantised(grid_values("fixed<10,4>", 6)),
        ((Cause.INPUT_OFF_THE_GRID, "inputs"),),
        ("LayerName.inputs.Precision.result: fixed<10,4>",),
        "feature 0 of event 0 is 4.96875, between two steps \\(0.0625\\)",
    ),
    "inputs beyond the link": lambda: Fault(
        quantised(grid_values("fixed<10,6>", 6)),
        ((Cause.INPUT_OUT_OF_RANGE, "inputs"),),
        ("LayerName.inputs.Precision.result: fixed<10,6>",),
        "feature 0 of event 0 is 19.875, beyond ap_fixed<8,4>",
    ),
    "a cast that is left out": lambda: Fault(
        _activation_inside(),
        ((Cause.CAST_LEFT_OUT, "first"),),
        ("LayerName.first.Precision.result: fixed<6,3,RND_CONV,SAT>",),
        "casts to it nowhere",
    ),
    "a sum of two tensors that wraps": lambda: Fault(
        _branches(),
        ((Cause.RESULT_INTEGER_BITS, "total"),),
        ("LayerName.total.Precision.result: fixed<14,6>",),
        "from -8 to 7.99609 and wraps",
    ),
    "two faults in two layers": lambda: Fault(
        quantised(first={"accum": "fixed<12,4>"}, second={"result": "fixed<10,3>"}),
        ((Cause.ACCUMULATOR_OVERFLOW, "first"), (Cause.RESULT_INTEGER_BITS, "second")),
        (
            "LayerName.first.Precision.accum: fixed<14,6>",
            "LayerName.second.Precision.result: fixed<12,5>",
        ),
    ),
    "a fault that another hides": lambda: Fault(
        floating((5, 5, 2), layers.Conv2D(3, 3, padding="same", activation="relu", name="cv"),
                 link="fixed<10,4>", cv={"accum": "fixed<24,4>"}),
        ((Cause.ACCUMULATOR_OVERFLOW, "cv"), (Cause.RESULT_INTEGER_BITS, "cv_relu")),
        (
            "LayerName.cv.Precision.accum: fixed<27,7>",
            "LayerName.cv_relu.Precision.result: fixed<17,7>",
        ),
    ),
}  # fmt: skip
"""Sentence -> the fault; made when it is asked for."""

CLEAN = {
    "quantised": quantised,
    "float": lambda: floating((6,), layers.Dense(4, activation="relu", name="first"),
                              layers.BatchNormalization(name="norm"),
                              layers.Dense(3, name="second"), link="fixed<10,4>"),
    "elu": lambda: floating((3,), layers.ELU(name="elu"), link="fixed<12,5>",
                            elu={"TableSize": 16384}),
}  # fmt: skip

WIDE_SUMS = _wide_sums
__all__ = ["CLEAN", "FAULTS", "LINK", "WIDE_SUMS", "Fault", "floating", "planted", "quantised"]
