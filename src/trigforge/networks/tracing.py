"""Ask a Keras or QKeras model what each layer gives: ``(model, values) -> Original``.

The numbers are those of a float64 twin of the model: exact where the network is quantised
(``networks.reference``), otherwise the same layers and weights in float64. Beside them stand
the numbers that Keras itself computes in float32.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import qkeras

from trigforge.core.errors import ConversionError, InputError, unknown_name
from trigforge.core.fixed_point import FixedPointFormat
from trigforge.core.traces import LayerTrace, LayerWeights, Original, Values
from trigforge.networks.layers import Standardise
from trigforge.networks.quantisers import format_of, quantiser_of
from trigforge.networks.reference import (
    BATCH,
    PLAIN_LAYERS,
    exact_model,
    float64_numbers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

QUANTISED_LAYERS = (*PLAIN_LAYERS, qkeras.QActivation)
EXACT_LAYERS = (
    keras.layers.InputLayer,
    keras.layers.Flatten,
    keras.layers.Reshape,
    keras.layers.Permute,
    keras.layers.Concatenate,
    keras.layers.Dropout,
    keras.layers.ZeroPadding1D,
    keras.layers.ZeroPadding2D,
    keras.layers.Cropping1D,
    keras.layers.Cropping2D,
    keras.layers.UpSampling1D,
    keras.layers.UpSampling2D,
    keras.layers.MaxPooling1D,
    keras.layers.MaxPooling2D,
    keras.layers.GlobalMaxPooling1D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.ReLU,
    keras.layers.Add,
    keras.layers.Subtract,
    keras.layers.Multiply,
    keras.layers.Maximum,
    keras.layers.Minimum,
    Standardise,
    *QUANTISED_LAYERS,
)
"""Layers that keep dyadic fractions dyadic: float64 computes them without rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """A layer, or the activation inside it."""

    name: str
    inputs: tuple[str, ...]
    compute: Callable[..., Any] | None
    """None for the input of the model."""
    shapes: tuple[tuple[int, ...], ...]
    """The shape of an event of each input."""
    exact: bool
    format: FixedPointFormat | None = None


def trace(model: Any, values: Values) -> Original:
    """Return what every layer of a model gives for ``values``, ``(n_events, n_inputs)``.

    A layer that holds another model counts as one.

    Raises:
        InputError: if the values have another number of elements than the model, if the
            model has several inputs, or a layer is used more than once.
    """
    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs, model.outputs, name=model.name)
    _check(model, values)
    with float64_numbers():
        what, twin = _twin(model)
        quantised = what.startswith("QKeras, exact")
        stages = _stages(twin, model, quantised=quantised)
        layers = tuple(_traces(stages, np.asarray(values, dtype=np.float64)))
    return Original(
        what=what,
        layers=layers,
        single=_single(model, stages, values),
        weights=() if what == "QKeras, float64" else tuple(_weights(twin)),
        apply=_Layers({stage.name: stage for stage in stages}),
    )


@dataclass(frozen=True, slots=True)
class _Layers:
    """Compute one layer on given inputs."""

    stages: dict[str, _Stage]

    def __call__(self, name: str, inputs: tuple[Values, ...]) -> Values:
        """Return the values of a layer.

        Raises:
            InputError: if the model has no layer of this name, or it is the input.
        """
        stage = self.stages.get(name)
        if stage is None or stage.compute is None:
            raise InputError(unknown_name("layer", name, self.stages))
        with float64_numbers():
            return _computed(stage, inputs)


def _check(model: Any, values: Values) -> None:
    if len(model.inputs) != 1:
        msg = f"model {model.name}: {len(model.inputs)} inputs; firmware here has one"
        raise InputError(msg)
    nodes = [node for depth in model._nodes_by_depth.values() for node in depth]  # noqa: SLF001
    for layer in model.layers:
        if sum(node.operation is layer for node in nodes) > 1:
            msg = f"layer {layer.name} is used more than once; give each use a layer of its own"
            raise InputError(msg)
    n_elements = int(np.prod(model.input_shape[1:]))
    if values.ndim != 2 or values.shape[1] != n_elements:
        msg = (
            f"model {model.name} takes {model.input_shape[1:]}, {n_elements} elements an event, "
            f"not values of shape {values.shape}"
        )
        raise InputError(msg)


def _twin(model: Any) -> tuple[str, Any]:
    """Return the network in float64 and what it is."""
    if not any(isinstance(layer, QUANTISED_LAYERS) for layer in model.layers):
        return "Keras, float64", exact_model(model)
    if all(_has_a_grid(layer) for layer in model.layers):
        with contextlib.suppress(ConversionError):
            return "QKeras, exact", exact_model(model)
    clone = keras.models.clone_model(model, clone_function=_in_float64)
    clone.set_weights(model.get_weights())
    return "QKeras, float64", clone


def _has_a_grid(layer: Any) -> bool:
    """Tell whether a format stands for a layer's quantiser, if it has one."""
    if not isinstance(layer, QUANTISED_LAYERS):
        return True
    quantiser = quantiser_of(layer, "activation")
    return quantiser is None or _has_format(quantiser)


def _in_float64(layer: Any) -> Any:
    return type(layer).from_config(layer.get_config() | {"dtype": "float64"})


def _stages(twin: Any, model: Any, *, quantised: bool) -> tuple[_Stage, ...]:
    """Return the layers in order of computation, an activation inside one apart."""
    stages: list[_Stage] = []
    producers: dict[int, str] = {}
    for layer in twin.layers:
        made = list(_stages_of(layer, model.get_layer(layer.name), producers, quantised=quantised))
        producers[id(layer.output)] = made[-1].name
        stages += made
    return tuple(stages)


def _stages_of(
    layer: Any, original: Any, producers: dict[int, str], *, quantised: bool
) -> Iterator[_Stage]:
    """Yield a layer and, if there is one, its activation."""
    exact = quantised and _is_exact(original)
    if isinstance(layer, keras.layers.InputLayer):
        yield _Stage(name=layer.name, inputs=(), compute=None, shapes=(), exact=quantised)
        return
    tensors = layer.input if isinstance(layer.input, list | tuple) else [layer.input]
    shapes = tuple(tuple(int(size) for size in tensor.shape[1:]) for tensor in tensors)
    inputs = tuple(producers[id(tensor)] for tensor in tensors)
    activation = _split_activation(layer)
    fmt = _grid(original) if quantised else None
    yield _Stage(
        name=layer.name,
        inputs=inputs,
        compute=layer,
        shapes=shapes,
        exact=exact or (quantised and type(original) in PLAIN_LAYERS),
        format=fmt if activation is None else None,
    )
    if activation is not None:
        suffix = getattr(activation, "__name__", "act") if fmt is None else "act"
        shape = tuple(int(size) for size in layer.output.shape[1:])
        name = f"{layer.name}_{suffix}"
        yield _Stage(
            name=name, inputs=(layer.name,), compute=activation, shapes=(shape,), exact=exact,
            format=fmt,
        )  # fmt: skip


def _split_activation(layer: Any) -> Any | None:
    """Take the activation out of a layer of weights (the twin's is ours to change)."""
    if isinstance(layer, keras.layers.Activation) or not layer.weights:
        return None
    activation = getattr(layer, "activation", None)
    if activation is None or activation is keras.activations.linear:
        return None
    layer.activation = keras.activations.linear
    return activation


def _is_exact(layer: Any) -> bool:
    """Tell whether float64 computes a layer of a quantised network without rounding."""
    if isinstance(layer, keras.layers.Activation) and not isinstance(layer, qkeras.QActivation):
        return layer.activation in {keras.activations.relu, keras.activations.linear}
    if isinstance(layer, keras.layers.AveragePooling1D | keras.layers.AveragePooling2D):
        n_cells = int(np.prod(layer.pool_size))
        return n_cells & (n_cells - 1) == 0 and layer.padding == "valid"
    return isinstance(layer, EXACT_LAYERS)


def _has_format(quantiser: Any) -> bool:
    try:
        format_of(quantiser, "")
    except ConversionError:
        return False
    return True


def _grid(layer: Any) -> FixedPointFormat | None:
    """Return the format that a layer of the user's casts its result to."""
    if not isinstance(layer, QUANTISED_LAYERS):
        return None
    quantiser = quantiser_of(layer, "activation")
    if quantiser is None or not _has_format(quantiser):
        return None
    return format_of(quantiser, f"layer {layer.name}")


def _traces(stages: Sequence[_Stage], values: Values) -> Iterator[LayerTrace]:
    known: dict[str, Values] = {}
    for stage in stages:
        given = tuple(known[name] for name in stage.inputs)
        known[stage.name] = values.copy() if stage.compute is None else _computed(stage, given)
        yield LayerTrace(
            name=stage.name,
            values=known[stage.name],
            inputs=stage.inputs,
            exact=stage.exact,
            format=stage.format,
        )


def _computed(stage: _Stage, inputs: tuple[Values, ...]) -> Values:
    """Return what a layer gives, batch by batch, flat."""
    if stage.compute is None:
        raise InputError(unknown_name("layer", stage.name, ()))
    parts = []
    for first in range(0, len(inputs[0]), BATCH):
        given = [
            keras.ops.convert_to_tensor(
                values[first : first + BATCH].reshape(-1, *shape), dtype="float64"
            )
            for values, shape in zip(inputs, stage.shapes, strict=True)
        ]
        argument = given[0] if len(given) == 1 else given
        layer = isinstance(stage.compute, keras.layers.Layer)
        result = stage.compute(argument, training=False) if layer else stage.compute(argument)
        flat = keras.ops.convert_to_numpy(result).reshape(len(given[0]), -1)
        parts.append(np.asarray(flat, dtype=np.float64))
    return np.concatenate(parts)


def _single(model: Any, stages: Sequence[_Stage], values: Values) -> tuple[LayerTrace, ...]:
    """Return what Keras gives in float32; a layer with an activation only as a whole."""
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    layers = [layer for layer in clone.layers if not isinstance(layer, keras.layers.InputLayer)]
    observed = keras.Model(clone.inputs, [layer.output for layer in layers])
    given = np.asarray(values, dtype=np.float32).reshape(len(values), *model.input_shape[1:])
    found = observed.predict(given, batch_size=BATCH, verbose=0)
    outputs = [found] if len(layers) == 1 and not isinstance(found, list) else found
    last = {}
    for stage in stages:
        last[stage.inputs[0] if _is_inner(stage) else stage.name] = stage
    return tuple(
        LayerTrace(
            name=last[layer.name].name,
            values=np.asarray(output, dtype=np.float64).reshape(len(values), -1),
            inputs=last[layer.name].inputs,
            exact=last[layer.name].exact,
            format=last[layer.name].format,
        )
        for layer, output in zip(layers, outputs, strict=True)
    )


def _is_inner(stage: _Stage) -> bool:
    """Tell whether a stage is the activation inside a layer."""
    return stage.compute is not None and not isinstance(stage.compute, keras.layers.Layer)


def _weights(twin: Any) -> Iterator[LayerWeights]:
    """Yield kernels, biases and scales in the layout of the graph."""
    for layer in twin.layers:
        kernel = getattr(layer, "kernel", None)
        if isinstance(layer, keras.layers.BatchNormalization):
            scale, offset = _normalisation(layer)
            yield LayerWeights(layer=layer.name, role="scale", values=scale)
            yield LayerWeights(layer=layer.name, role="bias", values=offset)
        elif isinstance(layer, Standardise):
            scale = 2.0 ** -_numbers(layer.shifts)
            yield LayerWeights(layer=layer.name, role="scale", values=scale)
            offset = -_numbers(layer.offsets) * scale
            yield LayerWeights(layer=layer.name, role="bias", values=offset)
        elif kernel is not None:
            numbers = _numbers(kernel)
            if numbers.ndim == 3:
                numbers = numbers[None]
            yield LayerWeights(layer=layer.name, role="weight", values=numbers)
            if getattr(layer, "use_bias", False):
                bias = _numbers(layer.bias)
                yield LayerWeights(layer=layer.name, role="bias", values=bias)


def _normalisation(layer: Any) -> tuple[Values, Values]:
    """Return factor and offset of a batch normalisation at inference."""
    scale = 1.0 / np.sqrt(_numbers(layer.moving_variance) + layer.epsilon)
    if layer.scale:
        scale = scale * _numbers(layer.gamma)
    offset = -_numbers(layer.moving_mean) * scale
    return scale, offset + _numbers(layer.beta) if layer.center else offset


def _numbers(variable: Any) -> Values:
    return np.asarray(keras.ops.convert_to_numpy(variable), dtype=np.float64)
