"""Small random graphs of each node type, and the comparison with the evaluator."""

from dataclasses import replace

import numpy as np

from trigforge import onnx_export
from trigforge.core.fixed_point import FixedPointFormat, Overflow, Rounding
from trigforge.core.graph import (
    Activation,
    ActivationKind,
    Conv,
    Dense,
    FixedPointGraph,
    Gather,
    Input,
    Merge,
    MergeKind,
    Pool,
    PoolKind,
    Quantise,
    Scale,
    Softmax,
    SoftmaxKind,
    Summation,
    Table,
)
from trigforge.core.records import RawTensor
from trigforge.evaluation import evaluate

MODES = [(rounding, overflow) for rounding in Rounding for overflow in Overflow]


def random_format(rng, widest=16, signed=None):
    width = int(rng.integers(1, min(widest, 64) + 1))
    return FixedPointFormat(
        bool(rng.integers(2)) if signed is None else signed,
        width,
        int(rng.integers(-3, width + 4)),
        Rounding(rng.choice(list(Rounding))),
        Overflow(rng.choice(list(Overflow))),
    )


def wide_format(signed=True, width=40, integer_bits=20):
    return FixedPointFormat(signed, width, integer_bits)


def random_raw(rng, fmt, shape):
    """Every value equally often, the extremes in particular."""
    raw = rng.integers(fmt.raw_min, fmt.raw_max, shape, endpoint=True, dtype=np.int64)
    near = rng.integers(0, 4, shape)
    raw = np.where(near == 0, rng.choice([fmt.raw_min, fmt.raw_max, 0], shape), raw)
    return np.where(near == 1, np.clip(raw % 5 - 2, fmt.raw_min, fmt.raw_max), raw)


def source(fmt, *shape):
    return Input(name="x", inputs=(), shape=shape, format=fmt)


def graph_of(*nodes):
    return FixedPointGraph(name="small", nodes=nodes)


def after(shape, fmt, *inputs):
    """Return what every node takes."""
    return {"name": "y", "inputs": inputs or ("x",), "shape": shape, "format": fmt}


def quantise(rng, widest=16):
    shape = (int(rng.integers(1, 6)),)
    fmt = random_format(rng, widest)
    return graph_of(source(fmt, *shape), Quantise(**after(shape, random_format(rng, widest))))


def _sum_arguments(rng, weights_shape, n_terms, n_channels, widest):
    weight_format, bias_format = random_format(rng, widest), random_format(rng, widest)
    order = np.stack([rng.permutation(n_terms) for _ in range(n_channels)], axis=1)
    accumulator = random_format(rng, 2 * widest)
    if rng.integers(3) == 0:
        accumulator = FixedPointFormat(True, min(2 * widest + 8, 64), widest + 4)
    return {
        "weights": random_raw(rng, weight_format, weights_shape),
        "weight_format": weight_format,
        "bias": random_raw(rng, bias_format, (n_channels,)),
        "bias_format": bias_format,
        "accumulator": accumulator,
        "order": order if rng.integers(2) else None,
    }


def dense(rng, widest=10):
    n_rows, n_in, n_out = (int(n) for n in rng.integers(1, 6, 3))
    rows = () if n_rows == 1 else (n_rows,)
    fmt = random_format(rng, widest)
    arguments = _sum_arguments(rng, (n_in, n_out), n_in, n_out, widest)
    node = Dense(**after((*rows, n_out), random_format(rng, widest)), **arguments)
    return graph_of(source(fmt, *rows, n_in), node)


def _window(rng):
    """Return input shape, window, strides, padding and the output's height and width."""
    height, width, channels = (int(n) for n in rng.integers(1, 6, 3))
    window = int(rng.integers(1, height + 1)), int(rng.integers(1, width + 1))
    strides = int(rng.integers(1, 3)), int(rng.integers(1, 3))
    padding = tuple(int(rng.integers(0, window[i // 2])) for i in range(4))
    out = (
        (height + padding[0] + padding[1] - window[0]) // strides[0] + 1,
        (width + padding[2] + padding[3] - window[1]) // strides[1] + 1,
    )
    return (height, width, channels), window, strides, padding, out


def conv(rng, widest=10):
    input_shape, window, strides, padding, out = _window(rng)
    depthwise = bool(rng.integers(2))
    channels = input_shape[2]
    n_filters = channels if depthwise else int(rng.integers(1, 4))
    n_terms = window[0] * window[1] * (1 if depthwise else channels)
    weights_shape = (*window, channels, 1 if depthwise else n_filters)
    node = Conv(
        **after((*out, n_filters), random_format(rng, widest)),
        **_sum_arguments(rng, weights_shape, n_terms, n_filters, widest),
        input_shape=input_shape,
        strides=strides,
        padding=padding,
        depthwise=depthwise,
    )
    return graph_of(source(random_format(rng, widest), *input_shape), node)


def pool(rng, widest=12):
    input_shape, window, strides, padding, out = _window(rng)
    fmt = random_format(rng, widest)
    counting = bool(rng.integers(2))
    kind = PoolKind(rng.choice(list(PoolKind)))
    node = Pool(
        **after((*out, input_shape[2]), random_format(rng, widest)),
        kind=kind,
        input_shape=input_shape,
        window=window,
        strides=strides,
        padding=padding if counting or kind is PoolKind.MAXIMUM else (0, 0, 0, 0),
        accumulator=random_format(rng, widest + 4),
        padding_raw=fmt.raw_min if fmt.signed else 1 << (fmt.width - 1),
        count_padding=counting,
        summation=Summation(rng.choice(list(Summation))),
        divide_last=bool(rng.integers(2)),
    )
    if node.padding == (0, 0, 0, 0):
        shape = node.output_shape
        node = Pool(**{**_fields(node), "shape": shape})
    return graph_of(source(fmt, *input_shape), node)


def _fields(node):
    return {name: getattr(node, name) for name in type(node).__dataclass_fields__}


def scale(rng, widest=14):
    n_values, n_times = (int(n) for n in rng.integers(1, 5, 2))
    scale_format, bias_format = random_format(rng, widest), random_format(rng, widest)
    shape = (n_times, n_values)
    node = Scale(
        **after(shape, random_format(rng, widest)),
        scale=random_raw(rng, scale_format, (n_values,)),
        scale_format=scale_format,
        bias=random_raw(rng, bias_format, (n_values,)),
        bias_format=bias_format,
    )
    return graph_of(source(random_format(rng, widest), *shape), node)


def activation(rng, widest=14, kind=None):
    kind = kind or ActivationKind(rng.choice(list(ActivationKind)))
    shape = (int(rng.integers(1, 6)),)
    parameter_format = random_format(rng, widest)
    n_parameters = {
        ActivationKind.PRELU: shape[0],
        ActivationKind.HARD_SIGMOID: 2,
        ActivationKind.HARD_TANH: 2,
    }.get(kind, 1)
    parameters = random_raw(rng, parameter_format, (n_parameters,))
    if kind is ActivationKind.RELU_MAX:
        parameters = rng.integers(1, 9, 1)
    node = Activation(
        **after(shape, random_format(rng, widest)),
        kind=kind,
        parameters=parameters,
        parameter_format=parameter_format,
    )
    return graph_of(source(random_format(rng, widest), *shape), node)


def table(rng, widest=14):
    shape = (int(rng.integers(1, 6)),)
    table_format = random_format(rng, widest)
    positive_format, negative_format = random_format(rng, widest), random_format(rng, widest)
    has_positive, has_negative = rng.integers(2, size=2)
    n_entries = int(rng.integers(1, 40))
    node = Table(
        **after(shape, random_format(rng, widest)),
        function="sigmoid",
        table=random_raw(rng, table_format, (n_entries,)),
        table_format=table_format,
        multiplier=int(rng.integers(-64, 65)),
        divisor=int(rng.integers(1, 300)),
        offset=int(rng.integers(-20, 40)),
        positive=int(random_raw(rng, positive_format, ())) if has_positive else None,
        positive_format=positive_format if has_positive else None,
        negative=int(random_raw(rng, negative_format, ())) if has_negative else None,
        negative_format=negative_format if has_negative else None,
    )
    return graph_of(source(random_format(rng, widest), *shape), node)


def softmax(rng, widest=12, kind=None):
    n_slice, n_inner, n_outer = (int(n) for n in rng.integers(1, 5, 3))
    kind = kind or SoftmaxKind(rng.choice(list(SoftmaxKind)))
    fmt, distance, total = (random_format(rng, widest) for _ in range(3))
    addressed = distance if kind is SoftmaxKind.STABLE else fmt
    exponential_bits = int(rng.integers(0, min(addressed.width, 6) + 1))
    inverse_bits = int(rng.integers(0, min(total.width, 6) + 1))
    exponential_format, inverse_format = random_format(rng, widest), random_format(rng, widest)
    node = Softmax(
        **after((n_outer, n_slice, n_inner), random_format(rng, widest)),
        kind=kind,
        n_slice=n_slice,
        n_inner=n_inner,
        exponentials=random_raw(rng, exponential_format, (1 << exponential_bits,)),
        exponential_format=exponential_format,
        inverses=random_raw(rng, inverse_format, (1 << inverse_bits,)),
        inverse_format=inverse_format,
        accumulator=random_format(rng, widest + 4),
        distance_format=distance,
        sum_format=total,
    )
    return graph_of(source(fmt, n_outer, n_slice, n_inner), node)


def _two_tensors(rng, widest):
    """Return an input and a cast of some of its elements to another format."""
    n_elements = int(rng.integers(1, 5))
    n_kept = int(rng.integers(1, n_elements + 1))
    kept = Gather(
        name="kept",
        inputs=("x",),
        shape=(n_kept,),
        format=random_format(rng, widest),
        kind="crop",
        indices=rng.choice(n_elements, n_kept, replace=False),
    )
    return source(random_format(rng, widest), n_elements), kept


def gather(rng, widest=16):
    first, second = _two_tensors(rng, widest)
    n_elements = first.n_elements + second.n_elements
    indices = rng.integers(-1, n_elements, int(rng.integers(1, 12)))
    node = Gather(
        **after((len(indices),), random_format(rng, widest), "x", "kept"),
        kind="concatenate",
        indices=indices,
    )
    return graph_of(first, second, node)


def merge(rng, widest=14, kind=None):
    first, second = _two_tensors(rng, widest)
    inputs = ("x", "kept") if rng.integers(2) else ("kept", "x")
    node = Merge(
        **after((first.n_elements,), random_format(rng, widest), *inputs),
        kind=kind or MergeKind(rng.choice(list(MergeKind))),
    )
    return graph_of(first, second, node)


FACTORIES = (quantise, dense, conv, pool, scale, activation, table, softmax, gather, merge)


def network(rng, widest=10):
    """Return a chain of random nodes; what one gives is moved into what the next takes."""
    nodes = []
    for index in range(int(rng.integers(2, 6))):
        part = FACTORIES[rng.integers(len(FACTORIES))](rng, widest)
        first, *others = _numbered(part, index)
        if nodes:
            n_before = nodes[-1].n_elements
            first = Gather(
                name=first.name,
                inputs=(nodes[-1].name,),
                shape=first.shape,
                format=first.format,
                kind="move",
                indices=rng.integers(-1, n_before, first.n_elements),
            )
        nodes += [first, *others]
    return graph_of(*nodes)


def _numbered(graph, index):
    """Return the nodes of a graph under names of their own."""
    return [
        replace(
            node,
            name=f"{node.name}_{index}",
            inputs=tuple(f"{name}_{index}" for name in node.inputs),
        )
        for node in graph
    ]


def events_of(rng, graph, n_events=40):
    raw = random_raw(rng, graph.input.format, (n_events, graph.input.n_elements))
    return RawTensor(format=graph.input.format, raw=raw)


def results_of(graph, inputs):
    """Return the evaluator's and ONNX Runtime's outputs."""
    outputs = onnx_export.run(onnx_export.export(graph), inputs)
    expected = evaluate(graph, inputs).outputs
    assert outputs.format == expected.format
    return expected.raw, outputs.raw


def assert_exact(graph, inputs):
    expected, outputs = results_of(graph, inputs)
    np.testing.assert_array_equal(outputs, expected, strict=True)
