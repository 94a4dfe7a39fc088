"""What is lowered, under which names; what is refused, and why."""

import hls4ml
import keras
import numpy as np
import pytest
import simulating
from hls4ml.model.types import ExponentPrecisionType, FixedPrecisionType, XnorPrecisionType
from keras import layers
from lowering_nets import model_graph

from trigforge.conversion import lowering, project
from trigforge.conversion.convert import from_model_graph
from trigforge.conversion.lowering.layer import holds
from trigforge.core.errors import ConversionError
from trigforge.core.fixed_point import parse_format
from trigforge.core.graph import Conv, Dense, Gather, Pool, Quantise
from trigforge.core.records import RawTensor
from trigforge.evaluation import evaluate

LINK = {"inputs": {"result": "ap_fixed<8,4>"}}


def chain(shape, *stack):
    return simulating.chain(shape, *stack)


def converted(shape, *stack, io_type="io_parallel", settings=None, **options):
    model = chain(shape, *stack)
    return model_graph(model, LINK | (settings or {}), io_type, **options)


def lowered(*arguments, **options):
    return lowering.lower(converted(*arguments, **options), "net")


def test_layers_keep_their_names_and_the_output_is_last():
    stack = (layers.Dense(3, name="first"), layers.ReLU(name="act"), layers.Dense(2, name="last"))
    graph = lowered((4,), *stack)
    assert [node.name for node in graph] == ["inputs", "first", "act", "last"]
    assert graph.output.shape == (2,)


def test_a_reshape_of_io_stream_keeps_the_name_of_the_layer():
    stack = (layers.Reshape((2, 4), name="folded"), layers.Conv1D(2, 2, name="conv"))
    graph = lowered((8,), *stack, io_type="io_stream")
    assert isinstance(graph["folded"], Gather)


def test_a_copy_of_a_stream_is_no_node_of_its_own():
    inputs = keras.Input((4,), name="inputs")
    x = layers.Dense(3, name="first")(inputs)
    total = layers.Add(name="total")([layers.Dense(3, name="left")(x), layers.Dense(3)(x)])
    model = simulating.fill(keras.Model(inputs, total))
    graph = lowering.lower(model_graph(model, LINK, "io_stream"), "net")
    assert graph["left"].inputs == ("first",)
    assert not any("cpy" in node.name or "clone" in node.name for node in graph)


def test_what_the_output_does_not_need_is_left_out():
    graph = lowered((4,), layers.Dense(3, name="first"), layers.Dense(2, name="last"))
    extra = Quantise(name="extra", inputs=("first",), shape=(3,), format=graph["first"].format)
    assert [node.name for node in lowering._needed((*graph, extra), "last")] == [
        "inputs",
        "first",
        "last",
    ]


def test_weights_are_those_that_the_header_lists():
    settings = {"first": {"weight": "ap_fixed<6,1,AP_RND,AP_SAT>", "bias": "ap_fixed<4,2>"}}
    model = chain((4,), layers.Dense(3, name="first"))
    kernel = np.array([[0.3, -0.99, 2.0]] * 4)
    model.get_layer("first").set_weights([kernel, np.array([0.25, -0.26, 1.9])])
    graph = lowering.lower(model_graph(model, LINK | settings), "net")
    node = graph["first"]
    assert isinstance(node, Dense)
    # The header writes 5 digits, so 0.30000 and -0.99000; -0.26 is cut to 2 digits first.
    assert node.weights.tolist() == [[10, -32, 31]] * 4
    assert node.bias.tolist() == [1, -2, 7]


@pytest.mark.parametrize(("reuse", "first_terms"), [(1, None), (2, [0, 2, 4]), (3, [0, 3, 1])])
def test_the_resource_strategy_adds_every_so_many_th_term(reuse, first_terms):
    graph = lowered((6,), layers.Dense(2, name="sum"), strategy="Resource", reuse_factor=reuse)
    node = graph["sum"]
    assert isinstance(node, Dense)
    if first_terms is None:
        assert node.order is None
    else:
        assert node.order[:3, 0].tolist() == first_terms
        assert sorted(node.order[:, 1].tolist()) == list(range(6))


def test_weights_are_the_same_whatever_the_strategy():
    stack = (layers.Conv2D(2, (2, 3), name="conv"), layers.Flatten(), layers.Dense(3, name="sum"))
    model = chain((4, 5, 2), *stack)
    for name in ("conv", "sum"):
        first, second = (
            lowering.lower(model_graph(model, LINK, strategy=strategy, reuse_factor=reuse), "net")[
                name
            ]
            for strategy, reuse in (("Latency", 1), ("Resource", 2))
        )
        assert isinstance(first, Dense | Conv)
        np.testing.assert_array_equal(first.weights, second.weights)


def test_integers_truncate_towards_zero():
    graph = lowered((4,), layers.Dense(2, name="sum"), settings={"sum": {"result": "int<6>"}})
    assert str(graph["sum"].format) == "ap_fixed<6,6,AP_TRN_ZERO,AP_WRAP>"


def test_a_signed_pooling_pads_with_the_smallest_and_an_unsigned_one_with_half_its_range():
    pool = layers.MaxPooling2D(2, padding="same", name="pool")
    for link, raw in (("ap_fixed<8,4>", -128), ("ap_ufixed<8,4>", 128)):
        graph = lowered((3, 3, 1), pool, settings={"inputs": {"result": link}})
        node = graph["pool"]
        assert isinstance(node, Pool)
        assert node.padding_raw == raw


def narrow(kind, **settings):
    return {"layer": {"accum": "ap_fixed<6,2,AP_TRN,AP_SAT>"} | settings}


@pytest.mark.parametrize(
    ("shape", "layer", "options", "message"),
    [
        ((4,), layers.Activation("silu", name="layer"), {}, "no activation silu; it has binary"),
        ((4,), layers.Activation("relu6", name="layer"), {"io_type": "io_stream"}, "relu6"),
        ((3, 4), layers.SimpleRNN(2, name="layer"), {}, "SimpleRNN.*supported: Activation"),
        ((3, 4), layers.GRU(2, name="layer"), {}, "its arithmetic is not expressed here"),
        (
            (4, 4, 1),
            layers.AveragePooling2D(2, name="layer"),
            {"settings": narrow("mean")},
            "cannot hold its input",
        ),
        (
            (4, 4, 1),
            layers.MaxPooling2D(2, padding="same", strides=1, name="layer"),
            {"io_type": "io_stream"},
            "pads no pooling in io_stream",
        ),
        (
            (4, 4, 1),
            layers.MaxPooling2D(2, strides=1, name="layer"),
            {"io_type": "io_stream"},
            "windows and strides must be equal",
        ),
        (
            (4, 4, 1),
            layers.DepthwiseConv2D(2, name="layer"),
            {"strategy": "Resource"},
            "no Resource strategy for it in io_parallel",
        ),
        (
            (4, 4, 1),
            layers.DepthwiseConv2D(2, depth_multiplier=2, name="layer"),
            {},
            "depth multiplier of 1 only",
        ),
        (
            (4, 4, 2),
            layers.Conv2D(2, (1, 2), strides=2, name="layer"),
            {"io_type": "io_stream"},
            "ignores the vertical stride",
        ),
        ((6, 4), layers.Conv1D(2, 2, groups=2, name="layer"), {}, "groups"),
        ((4, 6), layers.Reshape((6, 4), name="layer"), {"io_type": "io_stream"}, "cannot pack 6"),
        ((4, 6), layers.Permute((1, 2), name="layer"), {"io_type": "io_stream"}, "every matrix"),
        ((2, 3), layers.PReLU(shared_axes=[1], name="layer"), {}, "3 slopes for 6 elements"),
        (
            (4,),
            layers.Dense(2, name="layer"),
            {"settings": {"layer": {"weight": "float"}}},
            "float",
        ),
    ],
)
def test_what_is_not_exact_is_refused_by_name(shape, layer, options, message):
    with pytest.raises(ConversionError, match=rf"(?s)net: .*layer layer.*{message}"):
        lowered(shape, layer, **options)


def test_every_refused_layer_is_named_at_once():
    stack = (layers.Activation("silu", name="one"), layers.Activation("gelu", name="two"))
    with pytest.raises(ConversionError, match="(?s)2 layer.*layer one .*layer two "):
        lowered((4,), *stack)


def test_an_activation_behind_the_flattening_of_a_stream_is_refused():
    stack = (layers.Flatten(), layers.ReLU(name="act"))
    with pytest.raises(ConversionError, match="layer act .*packs have 3 and 6 elements"):
        lowered((2, 3), *stack, io_type="io_stream")


def test_a_table_that_its_type_cannot_address_is_refused():
    settings = {"soft": {"TableSize": 512, "inv_inp": "ap_fixed<6,3>"}}
    with pytest.raises(ConversionError, match="layer soft .*cannot address 512 inverses"):
        lowered(
            (4,),
            layers.Softmax(name="soft"),
            settings=settings | {"inputs": {"result": "ap_fixed<16,6>"}},
        )


def test_softmax_over_another_axis_of_a_stream_is_refused():
    with pytest.raises(ConversionError, match="over the last axis only"):
        lowered((4, 4), layers.Softmax(axis=1, name="soft"), io_type="io_stream")


def test_several_ends_are_refused():
    inputs = keras.Input((4,), name="inputs")
    model = keras.Model(inputs, [layers.Dense(2)(inputs), layers.Dense(3)(inputs)])
    with pytest.raises(ConversionError, match="1 inputs and 2 outputs"):
        lowering.lower(model_graph(model, LINK), "net")


def test_a_backend_whose_headers_were_not_read_is_refused():
    hls_graph = converted((4,), layers.Dense(2, name="sum"))
    hls_graph.config.backend = hls4ml.backends.get_backend("Quartus")
    with pytest.raises(ConversionError, match="arithmetic of Quartus is not known.*Vitis, Vivado"):
        lowering.lower(hls_graph, "net")


@pytest.mark.parametrize(
    ("precision", "message"),
    [
        (XnorPrecisionType(), "XnorPrecisionType"),
        (ExponentPrecisionType(), "ExponentPrecisionType"),
        (FixedPrecisionType(70, 6), "not between 1 and 64"),
        (FixedPrecisionType(8, 6, saturation_bits=2), "no saturation bits"),
    ],
)
def test_a_type_that_is_no_format_is_refused(precision, message):
    hls_graph = converted((4,), layers.Dense(2, name="sum"))
    next(
        layer for layer in hls_graph.get_layers() if layer.name == "sum"
    ).get_output_variable().type.precision = precision
    with pytest.raises(ConversionError, match=rf"layer sum \(Dense\): its result.*{message}"):
        lowering.lower(hls_graph, "net")


def test_a_strategy_without_a_known_order_is_refused():
    hls_graph = converted((4,), layers.Dense(2, name="sum"))
    next(layer for layer in hls_graph.get_layers() if layer.name == "sum").set_attr(
        "strategy", "resource_unrolled"
    )
    with pytest.raises(ConversionError, match="layer sum .*resource_unrolled; supported: Latency"):
        lowering.lower(hls_graph, "net")


@pytest.mark.parametrize(
    ("shape", "layer", "settings", "note"),
    [
        (
            (3, 3, 1),
            layers.MaxPooling2D(2, padding="same", name="layer"),
            {"inputs": {"result": "ap_ufixed<8,4>"}},
            "pads an unsigned input with half its range",
        ),
        ((2, 3), layers.Activation("softmax", name="layer"), {}, "one softmax over all elements"),
        ((3,), layers.Softmax(name="layer"), {}, "inputs that lie 8 or more below the largest"),
        ((3,), layers.Activation("hard_sigmoid", name="layer"), {}, "slope is 0.2; Keras 3 has"),
        (
            (3,),
            layers.Dense(8, name="layer"),
            {"layer": {"weight": "int<2>"}},
            "a weight of -2 in ap_int<2> counts as 1",
        ),
    ],
)
def test_what_hls4ml_computes_otherwise_than_keras_is_said(shape, layer, settings, note):
    model = chain(shape, layer)
    if isinstance(layer, layers.Dense):
        layer.set_weights([np.full((3, 8), -2.0), np.zeros(8)])
    (said,) = lowering.known_deviations(model_graph(model, LINK | settings))
    assert said.startswith("layer layer (")
    assert note in said


def test_a_project_says_where_it_differs_from_keras(tmp_path):
    pooling = layers.MaxPooling2D(2, padding="same", name="pool")
    settings = {"inputs": {"result": "ap_ufixed<8,4>"}}
    graph = converted((3, 3, 1), pooling, settings=settings)
    conversion = from_model_graph(graph, "net", simulating.hardware("io_parallel"))
    inputs = RawTensor(format=conversion.input.format, raw=np.zeros((1, 9), dtype=np.int64))
    outputs = evaluate(conversion.graph, inputs).outputs
    files = project.assemble(conversion, inputs, outputs)
    written = project.write(tmp_path / "net", files, "digest")
    assert written.deviations == conversion.deviations
    assert "layer pool (Pooling2D): " in written.deviations[0]


def test_a_repetition_by_elements_is_said():
    inputs = keras.Input((2, 3), name="inputs")
    column = layers.Reshape((2, 1))(layers.Dense(2)(layers.Flatten()(inputs)))
    model = simulating.fill(keras.Model(inputs, layers.Add(name="sum")([inputs, column])))
    (said,) = lowering.known_deviations(model_graph(model, LINK))
    assert "layer sum (Merge): (2, 1) is repeated over (2, 3) element by element" in said


def test_a_repetition_by_axes_is_no_deviation():
    inputs = keras.Input((2, 3), name="inputs")
    row = layers.Reshape((1, 3))(layers.Dense(3)(layers.Flatten()(inputs)))
    model = simulating.fill(keras.Model(inputs, layers.Add(name="sum")([inputs, row])))
    assert lowering.known_deviations(model_graph(model, LINK)) == ()


@pytest.mark.parametrize(
    ("target", "source", "expected"),
    [
        ("fixed<8,4>", "fixed<8,4>", True),
        ("fixed<8,4>", "ufixed<8,4>", False),
        ("fixed<9,5>", "ufixed<8,4>", True),
        ("fixed<8,4>", "fixed<6,2>", True),
        ("fixed<8,4>", "fixed<8,3>", False),
        ("fixed<8,4,TRN,SAT_SYM>", "fixed<8,4>", False),
        ("ufixed<8,4>", "fixed<4,2>", False),
    ],
)
def test_a_format_holds_another_if_it_has_all_its_values(target, source, expected):
    assert holds(parse_format(target), parse_format(source)) is expected
