"""The FixedPointGraph: one network as exact integer arithmetic.

A graph is a tuple of nodes in an order in which they can be computed; the last node is the
output. Every tensor is flat and row-major (channels fastest); every node names its
producers, the shape of its result and the format that result is cast to. Weights, biases
and tables are raw integers. From here on nothing knows Keras or hls4ml.

The arithmetic is that of ``ap_fixed`` as the HLS C++ executes it (hls4ml 1.3.0, nnet_utils):
products and sums are computed exactly, and each assignment to a variable of the C++ is a
cast (``fixed_point.convert``) to its type. Where a sum is kept in an accumulator, bias and
every product are cast to it, and it is cast again after each addition, in the order given.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trigforge.core.errors import InputError, unknown_name
from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.records import Port, freeze_arrays

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """An operation and the tensor it gives: ``shape`` elements of ``format``."""

    name: str
    inputs: tuple[str, ...]
    shape: tuple[int, ...]
    format: FixedPointFormat

    def __post_init__(self) -> None:
        freeze_arrays(self)

    @property
    def n_elements(self) -> int:
        """Elements of the result."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def port(self) -> Port:
        """The result as a tensor at the edge of the firmware."""
        return Port(name=self.name, shape=self.shape, format=self.format)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Input(Node):
    """The event as the link carries it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quantise(Node):
    """Cast each element to the result's format (``nnet::linear``)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SumOfProducts(Node):
    """What dense layers and convolutions share.

    ``weights`` and ``bias`` are raw integers of their formats. ``order`` is ``(n_terms,
    n_channels)``: row t holds the term that is added t-th for each output channel; None
    adds the terms in ascending order. It decides the result only where the accumulator
    saturates.
    """

    weights: NDArray[np.int64]
    weight_format: FixedPointFormat
    bias: NDArray[np.int64]
    bias_format: FixedPointFormat
    accumulator: FixedPointFormat
    order: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dense(SumOfProducts):
    """``y = x W + b``; ``weights`` is ``(n_inputs, n_outputs)``.

    An input of shape ``(..., n_inputs)`` is taken row by row (a pointwise layer).
    """


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conv(SumOfProducts):
    """A convolution over ``(height, width, channels)``; one dimension has height 1.

    ``weights`` is ``(kernel_height, kernel_width, n_channels, n_filters)``; with
    ``depthwise`` the last axis is 1 and each channel has its own filter. Terms run over
    kernel rows, columns, channels. ``padding`` is (top, bottom, left, right), with zeros.
    """

    input_shape: tuple[int, int, int]
    strides: tuple[int, int]
    padding: tuple[int, int, int, int]
    depthwise: bool = False

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the result."""
        window = self.weights.shape[:2]
        shape = _window_shape(self.input_shape, window, self.strides, self.padding)
        return (*shape[:2], self.bias.shape[0])


class PoolKind(StrEnum):
    """What pooling takes of its window."""

    MAXIMUM = "maximum"
    AVERAGE = "average"


class Summation(StrEnum):
    """How an average is summed."""

    SEQUENTIAL = "sequential"
    TREE = "tree"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool(Node):
    """Maximum or average over windows of each channel.

    A maximum is cast to ``accumulator`` and then to the result; padded cells count as
    ``padding_raw``, an integer of the input's format (``nnet::pad_val``: the most negative
    value of a signed type, but half the range of an unsigned one). An average casts
    the elements to ``accumulator``, adds them one by one or as a balanced tree (each sum is
    cast to it again), divides by the number of elements that are not padding (of all, with
    ``count_padding``), truncating towards zero in the accumulator's least significant bit,
    and casts to the accumulator (unless ``divide_last``) and the result.
    """

    kind: PoolKind
    input_shape: tuple[int, int, int]
    window: tuple[int, int]
    strides: tuple[int, int]
    padding: tuple[int, int, int, int]
    accumulator: FixedPointFormat
    padding_raw: int = 0
    count_padding: bool = False
    summation: Summation = Summation.SEQUENTIAL
    divide_last: bool = False

    @property
    def output_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the result."""
        return _window_shape(self.input_shape, self.window, self.strides, self.padding)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scale(Node):
    """``x * scale + bias``, exact, then cast (``nnet::normalize``).

    ``scale`` and ``bias`` are ``(n,)`` raw integers, used cyclically over the elements.
    """

    scale: NDArray[np.int64]
    scale_format: FixedPointFormat
    bias: NDArray[np.int64]
    bias_format: FixedPointFormat


class ActivationKind(StrEnum):
    """Piecewise linear activations."""

    RELU = "relu"
    RELU_MAX = "relu_max"
    LEAKY_RELU = "leaky_relu"
    THRESHOLDED_RELU = "thresholded_relu"
    PRELU = "prelu"
    BINARY_TANH = "binary_tanh"
    TERNARY_TANH = "ternary_tanh"
    HARD_SIGMOID = "hard_sigmoid"
    HARD_TANH = "hard_tanh"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Activation(Node):
    """A piecewise linear activation, element by element.

    ``parameters`` are raw integers of ``parameter_format``: the slope of a leaky ReLU, the
    threshold, the slopes of a PReLU (one an element), slope and shift of the hard kinds
    (in ``parameter_format`` both), the limit of ``relu_max`` (an integer).
    """

    kind: ActivationKind
    parameters: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    parameter_format: FixedPointFormat | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table(Node):
    """A function read from a table (sigmoid, tanh, softplus, softsign, ELU, SELU, ...).

    The index is ``clamp(trunc(raw * multiplier / divisor) + offset)``, truncated towards
    zero, with ``raw`` the integer of the input. With ``positive`` given, inputs of zero and
    above do not use the table: they are multiplied by it (a raw integer of
    ``positive_format``), exactly, and cast; ``negative``, if given, multiplies the table's
    entry. Entries are raw integers of ``table_format``.
    """

    function: str
    table: NDArray[np.int64]
    table_format: FixedPointFormat
    multiplier: int
    divisor: int
    offset: int
    positive: int | None = None
    positive_format: FixedPointFormat | None = None
    negative: int | None = None
    negative_format: FixedPointFormat | None = None


class SoftmaxKind(StrEnum):
    """hls4ml's implementations of softmax."""

    LATENCY = "latency"
    STABLE = "stable"
    LEGACY = "legacy"
    ARGMAX = "argmax"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Softmax(Node):
    """A softmax in one of hls4ml's implementations, with its tables (nnet_activation.h).

    It acts on slices of ``n_slice`` elements, ``n_inner`` apart. ``exponentials`` is indexed
    by the top bits of the input (latency), of the distance to the maximum in
    ``distance_format`` (stable), or by the scaled difference of two inputs (legacy);
    ``inverses`` by the top bits of the sum in ``sum_format``, or by the scaled sum (legacy).
    """

    kind: SoftmaxKind
    n_slice: int
    n_inner: int
    exponentials: NDArray[np.int64]
    exponential_format: FixedPointFormat
    inverses: NDArray[np.int64]
    inverse_format: FixedPointFormat
    accumulator: FixedPointFormat
    distance_format: FixedPointFormat
    sum_format: FixedPointFormat


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Gather(Node):
    """Move elements: reshape, transpose, concatenate, pad with zeros, crop, upsample.

    Element i of the result is element ``indices[i]`` of the inputs laid end to end, or zero
    where the index is -1, cast to the result's format. ``kind`` is for people.
    """

    kind: str
    indices: NDArray[np.int64]


class MergeKind(StrEnum):
    """Operations on two tensors."""

    ADD = "add"
    SUBTRACT = "subtract"
    MULTIPLY = "multiply"
    AVERAGE = "average"
    MAXIMUM = "maximum"
    MINIMUM = "minimum"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Merge(Node):
    """An operation on two tensors, exact, then cast; a smaller one is used cyclically.

    An average is the exact half of the exact sum. A maximum or minimum is cast after it is
    chosen.
    """

    kind: MergeKind


NODE_TYPES: Mapping[str, type[Node]] = {
    kind.__name__: kind
    for kind in (
        Input,
        Quantise,
        Dense,
        Conv,
        Pool,
        Scale,
        Activation,
        Table,
        Softmax,
        Gather,
        Merge,
    )
}


@dataclass(frozen=True, kw_only=True)
class FixedPointGraph:
    """A network of exact integer arithmetic with one input and one output.

    Raises:
        InputError: if the first node is not the only input, a name is used twice, or a
            node uses what does not come before it.
    """

    name: str
    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        if not self.nodes or not isinstance(self.nodes[0], Input):
            msg = f"graph {self.name}: the first node must be the input"
            raise InputError(msg)
        known: set[str] = set()
        for node in self.nodes:
            if node.name in known:
                msg = f"graph {self.name}: two nodes are called {node.name}"
                raise InputError(msg)
            if isinstance(node, Input) and known:
                msg = f"graph {self.name}: {node.name} is a second input"
                raise InputError(msg)
            for source in node.inputs:
                if source not in known:
                    msg = f"graph {self.name}, node {node.name}: " + unknown_name(
                        "input", source, known
                    )
                    raise InputError(msg)
            known.add(node.name)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __getitem__(self, name: str) -> Node:
        try:
            return self._by_name[name]
        except KeyError as error:
            msg = f"graph {self.name}: " + unknown_name("node", name, self._by_name)
            raise InputError(msg) from error

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    @property
    def input(self) -> Node:
        """The node that stands for the event."""
        return self.nodes[0]

    @property
    def output(self) -> Node:
        """The node whose tensor is the result."""
        return self.nodes[-1]

    def sources(self, node: Node) -> tuple[Node, ...]:
        """Return the nodes a node reads."""
        return tuple(self._by_name[name] for name in node.inputs)


def window_indices(
    input_shape: tuple[int, int, int],
    window: tuple[int, int],
    strides: tuple[int, int],
    padding: tuple[int, int, int, int],
) -> NDArray[np.int64]:
    """Return which element each cell of each window is: ``(positions, cells, channels)``.

    Positions and cells run row by row; padded cells are -1.
    """
    height, width, channels = input_shape
    out_height, out_width, _ = _window_shape(input_shape, window, strides, padding)
    rows = np.arange(out_height)[:, None] * strides[0] - padding[0] + np.arange(window[0])
    columns = np.arange(out_width)[:, None] * strides[1] - padding[2] + np.arange(window[1])
    row, column = rows[:, None, :, None], columns[None, :, None, :]
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    pixel = np.where(inside, row * width + column, -1).reshape(out_height * out_width, -1)
    elements = pixel[..., None] * channels + np.arange(channels)
    return np.where(pixel[..., None] < 0, -1, elements)


def _window_shape(
    input_shape: tuple[int, int, int],
    window: tuple[Any, ...],
    strides: tuple[int, int],
    padding: tuple[int, int, int, int],
) -> tuple[int, int, int]:
    height, width, channels = input_shape
    top, bottom, left, right = padding
    return (
        (height + top + bottom - window[0]) // strides[0] + 1,
        (width + left + right - window[1]) // strides[1] + 1,
        channels,
    )
