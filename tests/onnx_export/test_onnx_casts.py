"""Every cast of ONNX operators is the cast of ap_fixed."""

import numpy as np
import onnx_graphs
import pytest

from trigforge import onnx_export
from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding, convert
from trigforge.core.graph import Gather, Quantise
from trigforge.core.records import RawTensor

GEOMETRIES = [
    (width, integer_bits, signed)
    for width in (1, 2, 3, 5)
    for integer_bits in (-2, 0, 1, 3, 6)
    for signed in (True, False)
]


@pytest.mark.parametrize(("rounding", "overflow"), onnx_graphs.MODES)
@pytest.mark.parametrize("signed", [True, False])
def test_every_value_is_cast_as_ap_fixed_casts_it(rounding, overflow, signed):
    source = FixedPointFormat(signed, 7, 3)
    raw = np.arange(source.raw_min, source.raw_max + 1)
    inputs = RawTensor(format=source, raw=raw[:, None])
    targets = [FixedPointFormat(s, w, i, rounding, overflow) for w, i, s in GEOMETRIES]
    outputs = casts_by_onnx(source, targets, inputs)
    for target, output in zip(targets, outputs, strict=True):
        np.testing.assert_array_equal(output, convert(raw, source, target), err_msg=str(target))


def casts_by_onnx(source, targets, inputs):
    """Return one column for each format; a last cast moves all to one point, exactly."""
    wide = FixedPointFormat(True, 40, 20)
    casts = [
        Quantise(name=f"cast_{i}", inputs=("x",), shape=(1,), format=target)
        for i, target in enumerate(targets)
    ]
    joined = Gather(
        name="joined",
        inputs=tuple(node.name for node in casts),
        shape=(len(casts),),
        format=wide,
        kind="concatenate",
        indices=np.arange(len(casts)),
    )
    graph = onnx_graphs.graph_of(onnx_graphs.source(source, 1), *casts, joined)
    columns = onnx_export.run(onnx_export.export(graph), inputs).raw.T
    shifts = [wide.fractional_bits - target.fractional_bits for target in targets]
    return [column >> shift for column, shift in zip(columns, shifts, strict=True)]


@pytest.mark.parametrize("rounding", list(Rounding))
@pytest.mark.parametrize("dropped", [1, 2, 11, 40, 60, 62])
def test_integers_beyond_float64_are_rounded_exactly(rounding, dropped):
    source = FixedPointFormat(True, 62, 62)
    target = FixedPointFormat(True, 62, 62 + dropped, rounding, Overflow.SAT)
    graph = onnx_graphs.graph_of(
        onnx_graphs.source(source, 1), Quantise(**onnx_graphs.after((1,), target))
    )
    half, step = 1 << (dropped - 1), 1 << min(dropped, 61)
    near = [k * half + d for k in (-5, -3, -1, 0, 1, 3, 5) for d in (-1, 0, 1)]
    near += [source.raw_min, source.raw_max, step - 1, 1 - step]
    raw = np.array([r for r in near if source.raw_min <= r <= source.raw_max])[:, None]
    onnx_graphs.assert_exact(graph, RawTensor(format=source, raw=raw))


@pytest.mark.parametrize("overflow", list(Overflow))
@pytest.mark.parametrize("width", [1, 8, 33, 53, 54, 60])
@pytest.mark.parametrize("signed", [True, False])
def test_integers_beyond_float64_overflow_exactly(overflow, width, signed):
    source = FixedPointFormat(True, 61, 61)
    target = FixedPointFormat(signed, width, width, Rounding.TRN, overflow)
    graph = onnx_graphs.graph_of(
        onnx_graphs.source(source, 1), Quantise(**onnx_graphs.after((1,), target))
    )
    edges = [target.raw_min, target.raw_max, 0, source.raw_min, source.raw_max, 3 << width]
    raw = np.array([e + d for e in edges for d in (-1, 0, 1)])
    raw = raw[(raw >= source.raw_min) & (raw <= source.raw_max)][:, None]
    onnx_graphs.assert_exact(graph, RawTensor(format=source, raw=raw))


@pytest.mark.parametrize("overflow", list(Overflow))
@pytest.mark.parametrize("gained", [1, 20, 40, 300])
def test_zeros_are_appended_to_any_length(overflow, gained):
    source = FixedPointFormat(True, 24, 24)
    target = FixedPointFormat(True, 30, 30 - gained, Rounding.TRN, overflow)
    graph = onnx_graphs.graph_of(
        onnx_graphs.source(source, 3), Quantise(**onnx_graphs.after((3,), target))
    )
    onnx_graphs.assert_exact(graph, onnx_graphs.events_of(np.random.default_rng(1), graph))


def test_equal_types_copy_even_the_value_that_saturation_forbids():
    fmt = FixedPointFormat(True, 4, 2, Rounding.RND, Overflow.SAT_SYM)
    graph = onnx_graphs.graph_of(
        onnx_graphs.source(fmt, 1), Quantise(**onnx_graphs.after((1,), fmt))
    )
    inputs = RawTensor(format=fmt, raw=np.array([[-8], [7]]))
    outputs = onnx_export.run(onnx_export.export(graph), inputs)
    np.testing.assert_array_equal(outputs.raw, [[-8], [7]])


def test_a_cast_that_changes_nothing_writes_no_operator():
    graph = onnx_graphs.graph_of(
        onnx_graphs.source(FixedPointFormat(True, 8, 3), 4),
        Quantise(**onnx_graphs.after((4,), FixedPointFormat(True, 9, 4))),
    )
    operators = [node.op_type for node in onnx_export.export(graph).graph.node]
    assert operators == ["Cast", "Cast"]
