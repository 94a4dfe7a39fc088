"""Casts, activations, tables, scales and merges of the library, each module under cocotb."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from library_bench import Instance, as_bits, check, design, side_by_side, sources

from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding, cast
from trigforge.core.graph import (
    Activation,
    ActivationKind,
    FixedPointGraph,
    Input,
    MergeKind,
    Scale,
    Table,
)
from trigforge.core.records import RawTensor
from trigforge.evaluation import evaluate

pytestmark = pytest.mark.toolchain

N_EVENTS = 300
ROUNDINGS, OVERFLOWS = list(Rounding), list(Overflow)
SIGNED, UNSIGNED = FixedPointFormat(True, 8, 4), FixedPointFormat(False, 7, 3)
NARROW = FixedPointFormat(True, 5, 2, Rounding.RND_CONV, Overflow.SAT)


@dataclass(frozen=True)
class Case:
    """An instance, what it is given and what it must give: ``(raw, width)`` each."""

    instance: Instance
    given: tuple[tuple[np.ndarray, int], ...]
    expected: tuple[np.ndarray, int]


def modes(fmt: FixedPointFormat) -> dict[str, int]:
    return {
        "OUT_WIDTH": fmt.width,
        "OUT_SIGNED": int(fmt.signed),
        "ROUNDING": ROUNDINGS.index(fmt.rounding),
        "OVERFLOW": OVERFLOWS.index(fmt.overflow),
    }


def source(fmt: FixedPointFormat) -> dict[str, int]:
    return {"IN_WIDTH": fmt.width, "IN_SIGNED": int(fmt.signed)}


def every(fmt: FixedPointFormat, seed: int = 0) -> np.ndarray:
    """Return every raw integer of a narrow format, then random ones."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(fmt.raw_min, fmt.raw_max + 1, N_EVENTS)
    all_of_them = np.arange(fmt.raw_min, fmt.raw_max + 1)[:N_EVENTS]
    return np.concatenate([all_of_them, drawn])[:N_EVENTS] if fmt.width <= 8 else drawn


def by_graph(node, fmt: FixedPointFormat, raw: np.ndarray) -> np.ndarray:
    graph = FixedPointGraph(
        name="one",
        nodes=(Input(name="x", inputs=(), shape=(raw.shape[1],), format=fmt), node),
    )
    return evaluate(graph, RawTensor(format=fmt, raw=raw)).outputs.raw


def requantise_cases() -> list[Case]:
    found = []
    combinations = itertools.product(ROUNDINGS, OVERFLOWS, (SIGNED, UNSIGNED), (True, False))
    for number, (rounding, overflow, fmt, signed) in enumerate(combinations):
        dropped = (-2, 0, 1, 3, 5, fmt.width, fmt.width + 2)[number % 7]
        target = FixedPointFormat(signed, 2 + number % 5, 4, rounding, overflow)
        stages, rectify = number % 3, int(number % 4 == 3)
        raw = every(fmt, number)
        exact = np.maximum(raw, 0) if rectify else raw
        parameters = source(fmt) | {"DROPPED": dropped, "RECTIFY": rectify, "STAGES": stages}
        found.append(
            Case(
                Instance(
                    module="tm_requantise",
                    parameters=parameters | modes(target),
                    inputs={"in_data": fmt.width},
                    outputs={"out_data": target.width},
                    latency=stages,
                ),
                ((raw, fmt.width),),
                (cast(exact, target.fractional_bits + dropped, target), target.width),
            )
        )
    return found


def activation_cases() -> list[Case]:
    found = []
    parameter = FixedPointFormat(True, 6, 3)
    for number, (kind, fmt) in enumerate(itertools.product(ActivationKind, (SIGNED, UNSIGNED))):
        values = {
            ActivationKind.RELU: [],
            ActivationKind.RELU_MAX: [3],
            ActivationKind.BINARY_TANH: [],
            ActivationKind.TERNARY_TANH: [],
            ActivationKind.HARD_SIGMOID: [3, 4],
            ActivationKind.HARD_TANH: [-5, 6],
        }.get(kind, [-11, 9])
        raw = np.stack([every(fmt, number), every(fmt, number + 50)], axis=1)
        node = Activation(
            name="a",
            inputs=("x",),
            shape=(2,),
            format=NARROW,
            kind=kind,
            parameters=np.array(values, dtype=np.int64),
            parameter_format=parameter,
        )
        own = np.array(values if len(values) == 2 else [0, 0])
        stages = number % 4
        parameters = source(fmt) | {
            "KIND": list(ActivationKind).index(kind),
            "N_LANES": 2,
            "IN_FRACTION": fmt.fractional_bits,
            "IN_OVERFLOW": OVERFLOWS.index(fmt.overflow),
            "PARAMETER_WIDTH": parameter.width,
            "PARAMETER_SIGNED": 1,
            "PARAMETER_FRACTION": parameter.fractional_bits,
            "OUT_FRACTION": NARROW.fractional_bits,
            "LIMIT": 3,
            "SLOPE": f"6'd{own[0] % 64}",
            "SHIFT": f"6'd{own[1] % 64}",
            "STAGES": stages,
        }
        found.append(
            Case(
                Instance(
                    module="tm_activation",
                    parameters=parameters | modes(NARROW),
                    inputs={"in_data": 2 * fmt.width, "parameters": 2 * parameter.width},
                    outputs={"out_data": 2 * NARROW.width},
                    latency=stages,
                ),
                (
                    (raw, fmt.width),
                    # They stay for as long as a result is under way.
                    (np.broadcast_to(own, raw.shape), parameter.width),
                ),
                (by_graph(node, fmt, raw), NARROW.width),
            )
        )
    return found


def table_cases() -> list[Case]:
    found = []
    rng = np.random.default_rng(5)
    settings = [
        (SIGNED, -3, 16, 32),
        (SIGNED, 1, 200, 256),
        (UNSIGNED, -2, 0, 20),
        (SIGNED, 0, 9, 5),
    ]
    for number, (fmt, shift, offset, size) in enumerate(settings):
        entries = rng.integers(0, 32, size)
        raw = every(fmt, number)
        node = Table(
            name="t",
            inputs=("x",),
            shape=(1,),
            format=FixedPointFormat(False, 5, 5),
            function="made up",
            table=entries,
            table_format=FixedPointFormat(False, 5, 5),
            multiplier=1 << max(shift, 0),
            divisor=1 << max(-shift, 0),
            offset=offset,
        )
        content = sum(int(entry) << (5 * i) for i, entry in enumerate(entries))
        stages = 1 + number % 2
        found.append(
            Case(
                Instance(
                    module="tm_table",
                    parameters=source(fmt)
                    | {
                        "SHIFT": shift,
                        "OFFSET": offset,
                        "SIZE": size,
                        "OUT_WIDTH": 5,
                        "CONTENT": f"{5 * size}'h{content:x}",
                        "STAGES": stages,
                    },
                    inputs={"in_data": fmt.width},
                    outputs={"out_data": 5},
                    latency=stages,
                ),
                ((raw, fmt.width),),
                (by_graph(node, fmt, raw[:, None]), 5),
            )
        )
    return found


def scale_cases() -> list[Case]:
    found = []
    for number, fmt in enumerate((SIGNED, UNSIGNED, SIGNED, UNSIGNED)):
        scale_format, bias_format = (
            FixedPointFormat(True, 5, 1 + number),
            FixedPointFormat(True, 6, 4),
        )
        factors, biases = np.array([-16, 2 + number]), np.array([31, -7 * number])
        raw = np.stack([every(fmt, number), every(fmt, number + 9)], axis=1)
        node = Scale(
            name="s",
            inputs=("x",),
            shape=(2,),
            format=NARROW,
            scale=factors,
            scale_format=scale_format,
            bias=biases,
            bias_format=bias_format,
        )
        product = fmt.fractional_bits + scale_format.fractional_bits
        bits = max(product, bias_format.fractional_bits)
        parameters = source(fmt) | {
            "N_LANES": 2,
            "SCALE_WIDTH": 5,
            "BIAS_WIDTH": 6,
            "PRODUCT_SHIFT": bits - product,
            "BIAS_SHIFT": bits - bias_format.fractional_bits,
            "DROPPED": bits - NARROW.fractional_bits,
            "STAGES": number,
        }
        found.append(
            Case(
                Instance(
                    module="tm_scale",
                    parameters=parameters | modes(NARROW),
                    inputs={"in_data": 2 * fmt.width, "scale": 10, "bias": 12},
                    outputs={"out_data": 2 * NARROW.width},
                    latency=number,
                ),
                (
                    (raw, fmt.width),
                    (np.broadcast_to(factors, raw.shape), 5),
                    (np.broadcast_to(biases, raw.shape), 6),
                ),
                (by_graph(node, fmt, raw), NARROW.width),
            )
        )
    return found


def merge_cases() -> list[Case]:
    found = []
    kinds = (MergeKind.ADD, MergeKind.SUBTRACT, MergeKind.MULTIPLY, MergeKind.MAXIMUM)
    for code, kind in enumerate((*kinds, MergeKind.MINIMUM)):
        for left, right in ((SIGNED, UNSIGNED), (UNSIGNED, UNSIGNED), (UNSIGNED, SIGNED)):
            x, y = every(left, code).astype(object), every(right, code + 20)[::-1].astype(object)
            shifts = (0, 0) if kind is MergeKind.MULTIPLY else (2, 1)
            a, b = x << shifts[0], y << shifts[1]
            exact = {
                MergeKind.ADD: a + b,
                MergeKind.SUBTRACT: a - b,
                MergeKind.MULTIPLY: a * b,
                MergeKind.MAXIMUM: np.maximum(a, b),
                MergeKind.MINIMUM: np.minimum(a, b),
            }[kind]
            parameters = {
                "KIND": code,
                "LEFT_WIDTH": left.width,
                "LEFT_SIGNED": int(left.signed),
                "LEFT_SHIFT": shifts[0],
                "RIGHT_WIDTH": right.width,
                "RIGHT_SIGNED": int(right.signed),
                "RIGHT_SHIFT": shifts[1],
                "OUT_WIDTH": 18,
            }
            found.append(
                Case(
                    Instance(
                        module="tm_merge",
                        parameters=parameters,
                        inputs={"left": left.width, "right": right.width},
                        outputs={"out_data": 18},
                    ),
                    ((x.astype(np.int64), left.width), (y.astype(np.int64), right.width)),
                    (exact.astype(np.int64), 18),
                )
            )
    return found


CASES = {
    "tm_requantise": (requantise_cases, ["tm_requantise"]),
    "tm_activation": (activation_cases, ["tm_product", "tm_requantise", "tm_activation"]),
    "tm_table": (table_cases, ["tm_rom", "tm_table"]),
    "tm_scale": (scale_cases, ["tm_product", "tm_requantise", "tm_scale"]),
    "tm_merge": (merge_cases, ["tm_product", "tm_merge"]),
}


def faults(module: str, store, bench="cocotb", **changed) -> list[str]:
    """Play all cases of a module side by side; return what is wrong."""
    make, names = CASES[module]
    cases = make()
    text, given, gives, latency = side_by_side([case.instance for case in cases])
    inputs = as_bits(*(field for case in cases for field in case.given))
    expected = as_bits(*(case.expected for case in cases))
    # An event every few cycles: constants that come with an event stay that long.
    built = design(module, text, names, given, gives, latency, 1, changed=changed)
    outcomes = check(built, inputs, expected, store, bench)
    return [f"{entry.name}: {entry.fault}" for entry in outcomes if not entry.met]


@pytest.mark.parametrize("module", CASES)
def test_a_module_gives_what_the_graph_says_under_cocotb(module, session_store):
    assert faults(module, session_store) == []


@pytest.mark.parametrize(
    ("module", "right", "wrong"),
    [
        ("tm_table", "index = INDEX_WIDTH'(SIZE - 1)", "index = '0"),
        ("tm_table", "wide + $signed(CUT_OFF)", "wide"),
        ("tm_scale", "<< BIAS_SHIFT", "<< (BIAS_SHIFT + 1)"),
        ("tm_merge", "LEFT_SHIFT", "RIGHT_SHIFT"),
    ],
)
def test_a_planted_fault_is_seen(module, right, wrong, session_store):
    text = sources(module)[f"{module}.sv"].decode()
    head, body = text.split(");\n", 1)
    assert right in body
    changed = {module: head + ");\n" + body.replace(right, wrong)}
    assert faults(module, session_store, "verilator", **changed)
