"""Ranges before synthesis: what they follow from, and how they are held against counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigforge.core.config import Hardware
from trigforge.core.costs import Estimate, Resources, Source
from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.graph import Conv, Dense, FixedPointGraph, Input, Scale, Table
from trigforge.estimation import Ebops, LayerEbops, deviation, distributed_arithmetic, ebops, hls

WIDE = FixedPointFormat(True, 40, 40)


def operations(total, not_counted=()):
    layer = LayerEbops(name="d", n_multiplications=1, n_nonzero=1, ebops=total)
    return Ebops(layers=(layer,), not_counted=not_counted)


def by_resource(estimates):
    return {estimate.resource: estimate for estimate in estimates}


def hardware(**changes):
    settings = {"part": "xcvu13p-flga2577-2-e", "clock_mhz": 320, "io_type": "io_parallel"}
    return Hardware(**{**settings, **changes})


def dense_graph(n_inputs=16, n_outputs=8, *, bits=6, weight=3, n_zero=0):
    fmt = FixedPointFormat(True, bits, bits)
    weights = np.full((n_inputs, n_outputs), weight)
    weights.flat[:n_zero] = 0
    dense = Dense(
        name="d",
        inputs=("x",),
        shape=(n_outputs,),
        format=WIDE,
        weights=weights,
        weight_format=fmt,
        bias=np.zeros(n_outputs, dtype=np.int64),
        bias_format=fmt,
        accumulator=WIDE,
    )
    x = Input(name="x", inputs=(), shape=(n_inputs,), format=fmt)
    return FixedPointGraph(name="g", nodes=(x, dense))


def conv_graph():
    fmt = FixedPointFormat(True, 6, 6)
    conv = Conv(
        name="c",
        inputs=("x",),
        shape=(4, 6, 2),
        format=WIDE,
        weights=np.full((3, 3, 1, 2), 3),
        weight_format=fmt,
        bias=np.zeros(2, dtype=np.int64),
        bias_format=fmt,
        accumulator=WIDE,
        input_shape=(6, 8, 1),
        strides=(1, 1),
        padding=(0, 0, 0, 0),
    )
    x = Input(name="x", inputs=(), shape=(6, 8, 1), format=fmt)
    return FixedPointGraph(name="g", nodes=(x, conv))


def test_distributed_arithmetic_follows_the_routed_designs():
    found = by_resource(distributed_arithmetic(operations(10_000)))
    lut, ff = found["lut"], found["ff"]
    assert (lut.low, lut.high) == (6_600, 9_100)
    assert lut.likely == pytest.approx(0.911 * 10_000**0.988)
    assert (ff.low, ff.high) == pytest.approx((0.46 * 6_600, 0.58 * 9_100))
    assert all(found[name].high == 0 for name in ("dsp", "bram_18k", "uram"))
    assert "routed" in lut.method
    assert "JEDI-linear" in lut.method


@given(st.integers(0, 10**15))
def test_the_likely_figure_lies_in_its_range(total):
    for estimate in distributed_arithmetic(operations(total)):
        assert 0 <= estimate.low <= estimate.likely <= estimate.high


def test_what_is_not_counted_is_said():
    method = by_resource(distributed_arithmetic(operations(100, ("soft",))))["lut"].method
    assert "not counted: the logic of soft" in method


def test_narrow_multiplications_are_luts_by_the_rule():
    graph = dense_graph()
    found = by_resource(hls.estimates(graph, hardware()))
    assert ebops(graph).total == 16 * 8 * 6 * 2
    assert found["lut"].likely == ebops(graph).total
    assert found["dsp"].high == 0
    assert "LUT + 55 DSP" in found["lut"].method


def test_a_dsp_stands_for_55_luts():
    graph = dense_graph(bits=12, weight=1365)  # eleven bits from its highest to its lowest one
    found = by_resource(hls.estimates(graph, hardware()))
    assert found["dsp"].likely == 16 * 8
    assert found["dsp"].low == 0
    assert found["lut"].likely == 16 * 8 * (12 * 11 - 55)
    assert found["lut"].high >= 16 * 8 * 12 * 11


@pytest.mark.parametrize(("bits", "each"), [(8, 0), (9, 1), (18, 1), (19, 2), (28, 4)])
def test_dsps_have_27_by_18_bits(bits, each):
    graph = dense_graph(1, 1, bits=bits, weight=85)
    assert by_resource(hls.estimates(graph, hardware()))["dsp"].likely == each


@pytest.mark.parametrize(
    ("strategy", "reuse", "n_zero", "count"),
    [
        ("Latency", 1, 28, 100),
        ("Latency", 8, 0, 16),
        ("Latency", 8, 28, 13),
        ("Latency", 7, 0, 19),
        ("Resource", 8, 28, 16),
    ],
)
def test_multipliers_are_as_many_as_hls4ml_allows(strategy, reuse, n_zero, count):
    graph = dense_graph(n_zero=n_zero)
    built = hls.multipliers(graph, hardware(strategy=strategy, reuse_factor=reuse))
    assert [entry.count for entry in built] == [count]


def test_weights_of_the_resource_strategy_are_held_in_block_ram():
    graph = dense_graph(64, 32)
    found = by_resource(hls.estimates(graph, hardware(strategy="Resource", reuse_factor=8)))
    # 256 weights of 6 bits a word, 8 words deep, in ports of 36 bits.
    assert found["bram_18k"].likely == 43
    assert found["bram_18k"].high == 86
    assert by_resource(hls.estimates(graph, hardware(reuse_factor=8)))["bram_18k"].high == 0


def test_a_convolution_has_the_multipliers_of_one_position():
    graph = conv_graph()
    (built,) = hls.multipliers(graph, hardware())
    assert built.count == 18
    assert built.ebops * 24 == ebops(graph).total


@pytest.mark.parametrize(
    ("io_type", "reuse", "cycles"),
    [("io_parallel", 1, 24), ("io_parallel", 2, 48), ("io_stream", 1, 48)],
)
def test_a_convolution_takes_an_event_every_so_many_positions(io_type, reuse, cycles):
    settings = hardware(io_type=io_type, reuse_factor=reuse)
    assert hls.interval_cycles(conv_graph(), settings) == cycles
    assert hls.interval_cycles(dense_graph(), hardware(reuse_factor=reuse)) == reuse


def test_tables_may_be_memories():
    fmt = FixedPointFormat(True, 8, 3)
    table = Table(
        name="t",
        inputs=("x",),
        shape=(3,),
        format=fmt,
        function="sigmoid",
        table=np.zeros(1024, dtype=np.int64),
        table_format=FixedPointFormat(True, 18, 8),
        multiplier=1,
        divisor=1,
        offset=0,
    )
    x = Input(name="x", inputs=(), shape=(3,), format=fmt)
    found = by_resource(hls.estimates(FixedPointGraph(name="g", nodes=(x, table)), hardware()))
    bram = found["bram_18k"]
    assert (bram.low, bram.likely, bram.high) == (0, 2, 3)


def test_a_scale_in_a_stream_is_built_once_a_channel():
    fmt = FixedPointFormat(True, 6, 6)
    scale = Scale(
        name="s",
        inputs=("x",),
        shape=(4, 4, 2),
        format=WIDE,
        scale=np.array([3, 5]),
        scale_format=fmt,
        bias=np.zeros(2, dtype=np.int64),
        bias_format=fmt,
    )
    x = Input(name="x", inputs=(), shape=(4, 4, 2), format=fmt)
    graph = FixedPointGraph(name="g", nodes=(x, scale))
    counts = [
        hls.multipliers(graph, hardware(io_type=io_type))[0]
        for io_type in ("io_parallel", "io_stream")
    ]
    assert [entry.count for entry in counts] == [32, 2]
    assert [entry.ebops for entry in counts] == [16 * 6 * 5, 6 * 5]


@given(st.integers(1, 64))
def test_more_reuse_never_needs_more_multipliers(reuse):
    few, many = (
        hls.multipliers(dense_graph(), hardware(strategy="Resource", reuse_factor=factor))[0].count
        for factor in (reuse + 1, reuse)
    )
    assert few <= many


def resources(**changes):
    counts = {"lut": 800, "ff": 400, "dsp": 0, "bram_18k": 0, "uram": 0}
    return Resources(
        part="xcvu13p-flga2577-2-e",
        source=Source.MEASURED,
        tool="Yosys 0.70",
        stage="logic synthesis",
        **{**counts, **changes},
    )


def test_a_deviation_says_by_whom_it_was_counted_and_where_it_lies():
    estimate = Estimate(resource="lut", low=660, likely=900, high=910, method="")
    (inside,) = deviation([estimate], resources())
    (outside,) = deviation([estimate], resources(lut=400))
    assert inside.inside
    assert inside.ratio == pytest.approx(800 / 900)
    assert not outside.inside
    assert str(outside) == (
        "lut: 400 (logic synthesis, Yosys 0.70), 0.44 of the likely 900, outside the estimate "
        "of 660 to 910"
    )


def test_a_resource_nobody_expected_has_no_ratio_but_is_outside():
    estimate = Estimate(resource="dsp", low=0, likely=0, high=0, method="")
    (none, some) = (deviation([estimate], resources(dsp=n))[0] for n in (0, 3))
    assert (none.ratio, none.inside) == (None, True)
    assert (some.ratio, some.inside) == (None, False)
    assert "0.0" not in str(some)


@pytest.mark.parametrize("edge", [660, 910])
def test_the_ends_of_a_range_belong_to_it(edge):
    estimate = Estimate(resource="lut", low=660, likely=800, high=910, method="")
    assert deviation([estimate], resources(lut=edge))[0].inside
