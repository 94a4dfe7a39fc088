"""Lower hls4ml's optimised graph: ``ModelGraph -> FixedPointGraph``.

The arithmetic is that of the C++ that hls4ml writes for the Vitis and the Vivado backend,
errors included: the C simulation is what the hardware does. Where it differs from Keras by
more than rounding, ``known_deviations`` says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trigforge.conversion.lowering import activations, binary, moves, pooling, softmax, sums
from trigforge.conversion.lowering.deviations import deviation_of
from trigforge.conversion.lowering.layer import Layer
from trigforge.core.errors import ConversionError
from trigforge.core.fixed_point import parse_format
from trigforge.core.graph import FixedPointGraph, Input, Node, Quantise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

BACKENDS = ("Vitis", "Vivado")

LOWERINGS: Mapping[str, Callable[[Layer], tuple[Node, ...]]] = {
    "Activation": activations.activation,
    "ApplyAlpha": sums.scale,
    "BatchNormalization": sums.scale,
    "BatchNormalizationQuantizedTanh": binary.threshold,
    "Broadcast": moves.broadcast,
    "Concatenate": moves.concatenate,
    "Conv1D": sums.conv,
    "Conv2D": sums.conv,
    "Conv2DBatchnorm": sums.conv,
    "Cropping1D": moves.cropping,
    "Cropping2D": moves.cropping,
    "Dense": sums.dense,
    "DepthwiseConv1D": sums.depthwise,
    "DepthwiseConv2D": sums.depthwise,
    "GlobalPooling1D": pooling.global_pool,
    "GlobalPooling2D": pooling.global_pool,
    "HardActivation": activations.hard,
    "Merge": moves.merge,
    "PReLU": activations.prelu,
    "ParametrizedActivation": activations.parametrised,
    "PointwiseConv1D": sums.conv,
    "PointwiseConv2D": sums.conv,
    "Pooling1D": pooling.pool,
    "Pooling2D": pooling.pool,
    "Repack": moves.repack,
    "Reshape": moves.reshape,
    "Resize": moves.resize,
    "Softmax": softmax.softmax,
    "TernaryTanh": activations.activation,
    "Transpose": moves.transpose,
    "UnaryLUT": activations.lookup,
    "ZeroPadding1D": moves.zero_padding,
    "ZeroPadding2D": moves.zero_padding,
}
"""hls4ml's class -> how it is lowered. Beside them: Input, and Clone, which vanishes."""


def lower(model_graph: Any, name: str) -> FixedPointGraph:
    """Return the exact arithmetic of a network as hls4ml would build it.

    ``model_graph`` is a ``ModelGraph`` after its optimiser, as the converters return it. A
    layer of the user's keeps its name; one that hls4ml removed, merged or split is not there.

    Raises:
        ConversionError: naming every layer that cannot be expressed exactly, and why.
    """
    _check_ports(model_graph, name)
    nodes: list[Node] = []
    producers: dict[str, str] = {}
    problems: list[str] = []
    for hls_layer in model_graph.get_layers():
        sources = tuple(producers.get(source, source) for source in hls_layer.inputs)
        layer = Layer(hls_layer, sources)
        try:
            made = tuple(_lowered(layer))
        except ConversionError as error:
            problems.append(str(error))
            made = ()
        nodes.extend(made)
        for output in hls_layer.outputs:
            producers[output] = _producer(output, made, sources)
    if problems:
        msg = f"{name}: {len(problems)} layer(s) cannot be lowered exactly\n  "
        raise ConversionError(msg + "\n  ".join(problems))
    return FixedPointGraph(name=name, nodes=_needed(nodes, producers[model_graph.outputs[0]]))


def known_deviations(model_graph: Any) -> tuple[str, ...]:
    """Say, layer by layer, where hls4ml's arithmetic differs from Keras by more than rounding."""
    layers = [Layer(hls_layer, ()) for hls_layer in model_graph.get_layers()]
    notes = ((layer, deviation_of(layer)) for layer in layers)
    return tuple(
        f"layer {layer.name} ({layer.class_name}): {note}" for layer, note in notes if note
    )


def _check_ports(model_graph: Any, name: str) -> None:
    backend = model_graph.config.backend.name
    if backend not in BACKENDS:
        msg = f"{name}: the arithmetic of {backend} is not known; lowered are {', '.join(BACKENDS)}"
        raise ConversionError(msg)
    if len(model_graph.inputs) != 1 or len(model_graph.outputs) != 1:
        msg = (
            f"{name}: {len(model_graph.inputs)} inputs and {len(model_graph.outputs)} outputs; "
            "firmware here has one of each"
        )
        raise ConversionError(msg)


def _lowered(layer: Layer) -> Iterator[Node]:
    """Yield the nodes of one layer."""
    if layer.class_name == "Input":
        # Nothing is cast to it: the format of the port, as the C++ declares it.
        port = parse_format(str(layer.node.get_output_variable().type.precision))
        yield Input(**layer.tensor() | {"inputs": (), "format": port})
    elif layer.class_name == "Clone":
        yield from _clones(layer)
    elif layer.class_name in LOWERINGS:
        yield from LOWERINGS[layer.class_name](layer)
    else:
        known = ", ".join(sorted(LOWERINGS))
        layer.refuse(f"its arithmetic is not expressed here; supported: {known}")


def _clones(layer: Layer) -> Iterator[Node]:
    """Yield a cast for each copy of a stream that has another format than the stream."""
    source = layer.source_format()
    for output in layer.node.outputs:
        fmt = layer.format_of(layer.node.variables[output].type.precision, "copy")
        if fmt != source:
            yield Quantise(name=output, inputs=layer.inputs, shape=layer.shape, format=fmt)


def _producer(output: str, made: tuple[Node, ...], sources: tuple[str, ...]) -> str:
    """Return the node whose tensor is an output of a layer that made these nodes."""
    names = [node.name for node in made]
    if output in names:
        return output
    if names:
        return names[-1]
    return sources[0] if sources else output


def _needed(nodes: Iterable[Node], output: str) -> tuple[Node, ...]:
    """Return the nodes that the output depends on, the output last."""
    wanted = {output}
    kept: list[Node] = []
    for node in reversed(tuple(nodes)):
        if node.name in wanted or isinstance(node, Input):
            kept.append(node)
            wanted.update(node.inputs)
    return tuple(reversed(kept))
