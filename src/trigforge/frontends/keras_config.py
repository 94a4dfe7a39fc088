"""Check and clean the architecture in a Keras file: ``JSON -> config of known layers``.

Keras 2 and 3, QKeras 0.9 and qkeras-v3 write the same things under other keys. What remains
is what Keras 3 builds the layer from; initialisers, regularisers and constraints, which
only training needs, are left out unread.
"""

from __future__ import annotations

import inspect
import re
from typing import Any

from trigforge.core.errors import InputError
from trigforge.frontends.keras_layers import (
    ACTIVATIONS,
    LAYERS,
    MODELS,
    QUANTISERS,
    REFUSALS,
)

MAX_LAYERS = 500
MAX_NAME = 60
MAX_SIZE = 1 << 20
"""Largest number of units, filters, rows, ... a layer may ask for."""

_TRAINING_ONLY = re.compile(
    r"(.*_)?(initializer|regularizer|constraint)|kernel_range|bias_range|trainable|dtype|"
    r"depthwise_range|quantization_config|batch_input_shape|input_dtype|optional|ragged|sparse|"
    r"__passive_serialization__|activity_regularizer|shared_object_id|build_config|"
    r"renorm.*|fused|virtual_batch_size|adjustment|synchronized|ema_freeze_delay|folding_mode"
)
_QUANTISER_TEXT = re.compile(r"([a-z_0-9]+)\([A-Za-z0-9_.,= +-]*\)")
_KEPT_EVERYWHERE = {"name"}


def clean(architecture: Any, where: str) -> dict[str, Any]:
    """Return the checked architecture: ``class_name`` and ``config`` as Keras 3 reads them.

    Raises:
        InputError: naming the layer that is unknown, the key or the value that is wrong.
    """
    if not isinstance(architecture, dict) or architecture.get("class_name") not in MODELS:
        found = architecture.get("class_name") if isinstance(architecture, dict) else architecture
        msg = f"{where}: no Keras model: expected one of {', '.join(MODELS)}, found {found!r:.60}"
        raise InputError(msg)
    config = architecture.get("config")
    if isinstance(config, list):  # Sequential, as the first versions of Keras 2 wrote it
        config = {"name": "sequential", "layers": config}
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        msg = f"{where}: the model has no list of layers"
        raise InputError(msg)
    layers = config["layers"]
    if not 0 < len(layers) <= MAX_LAYERS:
        msg = f"{where}: {len(layers)} layers; from 1 to {MAX_LAYERS} are read"
        raise InputError(msg)
    cleaned = [_layer(entry, where) for entry in layers]
    sequential = architecture["class_name"] == "Sequential"
    if sequential and cleaned[0]["class_name"] != "InputLayer":
        cleaned.insert(0, _input_before(layers[0], where))
    result: dict[str, Any] = {"name": "imported", "layers": cleaned}
    if not sequential:
        for key in ("input_layers", "output_layers"):
            result[key] = _ends(config.get(key), f"{where}, {key}")
    return {"class_name": "Sequential" if sequential else "Functional", "config": result}


def _layer(entry: Any, where: str) -> dict[str, Any]:
    """Return one layer with the keys that its class takes."""
    if not isinstance(entry, dict) or not isinstance(entry.get("config"), dict):
        msg = f"{where}: a layer is no mapping with a class_name and a config: {entry!r:.60}"
        raise InputError(msg)
    kind, config = _class_name(entry), entry["config"]
    name = identifier(config.get("name", entry.get("name", kind)))
    place = f"{where}, layer {name:.60}"
    if kind not in LAYERS:
        reason = REFUSALS.get(kind, f"known layers: {', '.join(LAYERS)}")
        msg = f"{place}: {kind!r:.60} cannot be read: {reason}"
        raise InputError(msg)
    cleaned: dict[str, Any] = {
        "class_name": kind,
        "config": {"name": name, **_arguments(kind, config, place)},
        "module": None,
        "registered_name": kind,
    }
    if kind == "Standardise":
        cleaned["registered_name"] = "trigforge>Standardise"
    if "inbound_nodes" in entry:
        cleaned["name"] = name
        cleaned["inbound_nodes"] = _nodes(entry["inbound_nodes"], place)
    return cleaned


def _class_name(entry: dict[str, Any]) -> str:
    """Return the name of a class without its package: ``qkeras>QDense`` is ``QDense``."""
    return str(entry.get("class_name")).rpartition(">")[2]


def _arguments(kind: str, config: dict[str, Any], place: str) -> dict[str, Any]:
    """Return the arguments of a layer's class."""
    if kind == "InputLayer":
        shape = config.get("batch_shape", config.get("batch_input_shape"))
        return {"batch_shape": _input_shape(shape, place), "dtype": "float32"}
    taken = set(inspect.signature(LAYERS[kind].__init__).parameters)
    arguments = {}
    for key, value in config.items():
        if key in _KEPT_EVERYWHERE or _TRAINING_ONLY.fullmatch(str(key)):
            continue
        if key in taken:
            arguments[key] = _value(key, value, f"{place}, {key}")
        elif value not in (None, False, 0, "", [], {}):
            msg = f"{place}: {key} = {value!r:.60} is unknown to {kind}"
            raise InputError(msg)
    if kind.endswith("Normalization") and isinstance(arguments.get("axis"), list):
        arguments["axis"] = arguments["axis"][0]
    return arguments


def _value(key: str, value: Any, place: str) -> Any:
    """Return one argument, checked; quantisers and activations by their table."""
    if isinstance(value, dict):
        return _object(value, place)
    if isinstance(value, str):
        return _text(key, value, place)
    if isinstance(value, list):
        return [_value(key, entry, place) for entry in value]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)) and abs(value) <= MAX_SIZE:
        return value
    msg = f"{place}: {value!r:.60} is no number up to {MAX_SIZE}"
    raise InputError(msg)


def _text(key: str, value: str, place: str) -> str:
    if key in {"activation", "kernel_quantizer", "bias_quantizer", "depthwise_quantizer"}:
        match = _QUANTISER_TEXT.fullmatch(value)
        if value not in (*ACTIVATIONS, *QUANTISERS) and (
            match is None or match[1] not in QUANTISERS
        ):
            known = ", ".join((*ACTIVATIONS, *QUANTISERS))
            msg = f"{place}: unknown activation or quantiser {value!r:.60}; known: {known}"
            raise InputError(msg)
    elif len(value) > 60:
        msg = f"{place}: a text of {len(value)} characters is no setting of a layer"
        raise InputError(msg)
    return value


def _object(value: dict[str, Any], place: str) -> Any:
    """Return a quantiser or an activation given as a mapping."""
    kind, config = _class_name(value), value.get("config")
    if kind == "function" or ("class_name" not in value and isinstance(config, str)):
        return _text("activation", str(config), place)
    if kind not in QUANTISERS or not isinstance(config, dict):
        known = ", ".join(QUANTISERS)
        msg = f"{place}: {kind!r:.60} is no known quantiser; known: {known}"
        raise InputError(msg)
    taken = set(inspect.signature(QUANTISERS[kind].__init__).parameters)
    arguments = {
        key: _value(key, entry, f"{place}, {key}") for key, entry in config.items() if key in taken
    }
    return {
        "class_name": kind,
        "config": arguments,
        "module": None,
        "registered_name": f"qkeras>{kind}",
    }


def _nodes(nodes: Any, place: str) -> list[Any]:
    """Return the inbound nodes: lists of Keras 2, or arguments of Keras 3."""
    if not isinstance(nodes, list) or len(nodes) > 1:
        msg = f"{place}: it is used {len(nodes)} times; give each use a layer of its own"
        raise InputError(msg)
    return [_node(node, place) for node in nodes]


def _node(node: Any, place: str) -> Any:
    if isinstance(node, list):
        if all(isinstance(entry, list) and len(entry) >= 3 for entry in node):
            return [[identifier(entry[0]), 0, 0, {}] for entry in node]
    elif isinstance(node, dict) and isinstance(node.get("args"), list):
        return {"args": [_tensor(entry, place) for entry in node["args"]], "kwargs": {}}
    msg = f"{place}: cannot read where its inputs come from: {node!r:.60}"
    raise InputError(msg)


def _tensor(entry: Any, place: str) -> Any:
    if isinstance(entry, list):
        return [_tensor(part, place) for part in entry]
    if isinstance(entry, dict) and entry.get("class_name") == "__keras_tensor__":
        config = entry.get("config")
        if isinstance(config, dict):
            history, shape = config.get("keras_history"), config.get("shape")
            if isinstance(history, list) and len(history) == 3 and isinstance(shape, list):
                return {
                    "class_name": "__keras_tensor__",
                    "config": {
                        "shape": [None, *_sizes(shape[1:], place)],
                        "dtype": "float32",
                        "keras_history": [identifier(history[0]), 0, 0],
                    },
                }
    msg = f"{place}: it is called with {entry!r:.60}, which is no output of a layer"
    raise InputError(msg)


def identifier(name: Any) -> str:
    """Return a layer's name as hls4ml and C++ take it: other characters become ``_``."""
    text = re.sub(r"[^A-Za-z0-9_]", "_", str(name)[:MAX_NAME])
    return text if re.match(r"[A-Za-z]\w", text) else f"layer_{text}"


def _ends(value: Any, place: str) -> list[Any]:
    """Return which layers are inputs or outputs: ``[[name, 0, 0], ...]``, or one alone."""
    entries = [value] if isinstance(value, list) and value and isinstance(value[0], str) else value
    if not isinstance(entries, list) or not all(
        isinstance(entry, list) and entry and isinstance(entry[0], str) for entry in entries
    ):
        msg = f"{place}: no list of [layer, 0, 0]: {value!r:.60}"
        raise InputError(msg)
    return [[identifier(entry[0]), 0, 0] for entry in entries]


def _input_before(first: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the input that a first layer of a Sequential model describes itself."""
    shape = first["config"].get("batch_input_shape")
    if shape is None and first.get("build_config"):
        shape = first["build_config"].get("input_shape")
    config = {"name": "inputs", "batch_shape": _input_shape(shape, where), "dtype": "float32"}
    return {
        "class_name": "InputLayer",
        "config": config,
        "module": None,
        "registered_name": "InputLayer",
    }


def _input_shape(shape: Any, place: str) -> list[int | None]:
    sizes = _sizes(shape[1:] if isinstance(shape, list) else None, place)
    return [None, *sizes]


def _sizes(sizes: Any, place: str) -> list[int]:
    if not sizes or not all(type(n) is int and 0 < n <= MAX_SIZE for n in sizes):
        msg = f"{place}: a tensor needs whole sizes, [null, n, ...]; found {sizes!r:.60}"
        raise InputError(msg)
    return list(sizes)
