"""Convert a model of somebody else's with hls4ml: ``(model, configuration) -> Conversion``.

``network`` is a Keras model or qonnx's ``ModelWrapper`` of known layers. The configuration is
hls4ml's own (``Model``, ``LayerName``, ``LayerType``); unlike hls4ml, a name in it that no
layer bears is an error.
"""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hls4ml
import keras
from hls4ml.utils.config import config_from_keras_model, config_from_onnx_model

from trigforge.conversion import configuration, handlers, tensors
from trigforge.conversion.convert import from_model_graph, project_options, quietly
from trigforge.core.errors import ConversionError, SpecError, TrigforgeError, unknown_name
from trigforge.core.fixed_point import FixedPointFormat

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trigforge.conversion.convert import Conversion
    from trigforge.core.config import Hardware
    from trigforge.core.formats import FreeTensor

SECTIONS = ("Model", "LayerName", "LayerType", "Flows", "Optimizers", "SkipOptimizers")
"""What hls4ml reads of a configuration."""
MAX_ROUNDS = 4
MAX_REUSE = 1 << 20
MAX_TABLE = 1 << 20
_ANY = FixedPointFormat(signed=True, width=16, integer_bits=6)


def convert(
    network: Any,
    name: str,
    link: FixedPointFormat,
    formats: Mapping[str, Any],
    hardware: Hardware,
) -> Conversion:
    """Convert a network with the formats of an hls4ml configuration.

    Raises:
        SpecError: if the configuration names what the network does not have.
        ConversionError: if hls4ml fails, or the arithmetic cannot be expressed exactly.
    """
    with tempfile.TemporaryDirectory(prefix="trigforge-") as folder:
        graph = to_model_graph(network, link, formats, hardware, Path(folder) / name)
    known = {layer.name for layer in graph.get_layers()}
    known.update(base_configuration(network, hardware)["LayerName"])
    for layer in formats.get("LayerName", {}):
        if layer not in known:  # hls4ml would silently ignore it
            msg = "the hls4ml configuration, LayerName: " + unknown_name("layer", layer, known)
            raise SpecError(msg)
    return from_model_graph(graph, name, hardware)


def to_model_graph(
    network: Any,
    link: FixedPointFormat,
    formats: Mapping[str, Any],
    hardware: Hardware,
    folder: Path,
) -> Any:
    """Return hls4ml's graph after its optimiser; the last part of ``folder`` names it.

    Raises:
        ConversionError: if hls4ml fails.
    """
    config = {key: copy.deepcopy(formats[key]) for key in SECTIONS if key in formats}
    config.setdefault("LayerName", {})[input_name(network)] = {"Precision": {"result": str(link)}}
    options = project_options(folder.name, hardware, folder) | {"hls_config": config}
    run = hls4ml.converters.convert_from_onnx_model
    if isinstance(network, keras.Model):
        handlers.register()
        run = hls4ml.converters.convert_from_keras_model
        options |= {"allow_da_fallback": False, "allow_v2_fallback": True}
    try:
        return quietly(run, network, **options)
    except TrigforgeError:
        raise
    except Exception as error:  # hls4ml raises whatever its passes meet
        reason = " ".join(str(error).split())[:300]
        msg = f"hls4ml {hls4ml.__version__} cannot convert the model: {reason}"
        raise ConversionError(msg) from error


def problems(configuration: Mapping[Any, Any]) -> Iterator[str]:
    """Yield what of a configuration hls4ml would ignore or stumble over."""
    for key, section in configuration.items():
        if key not in SECTIONS:
            yield f"unknown key {key!r:.60}; known: {', '.join(SECTIONS)}"
        elif key in {"Model", "LayerName", "LayerType"}:
            if not isinstance(section, dict):
                yield f"{key} is {section!r:.60}, not a mapping"
                continue
            layers = {"": section} if key == "Model" else section
            for name, layer in layers.items():
                yield from _layer_problems(f"{key}.{name:.60}".rstrip("."), layer)


def _layer_problems(where: str, layer: Any) -> Iterator[str]:
    if not isinstance(layer, dict):
        yield f"{where} is {layer!r:.60}, not a mapping"
        return
    precision = layer.get("Precision", {})
    named = precision if isinstance(precision, dict) else {"": precision}
    for role, text in named.items():
        if not isinstance(text, str):
            path = f"{where}.Precision.{role}".rstrip(".")
            yield f"{path} is {text!r:.60}; write fixed<16,6> or auto"
    for key, largest in (("ReuseFactor", MAX_REUSE), ("TableSize", MAX_TABLE)):
        number = layer.get(key, 1)
        if type(number) is not int or not 1 <= number <= largest:
            yield f"{where}.{key} is {number!r:.60}; write a whole number from 1 to {largest}"


def input_name(network: Any) -> str:
    """Return how hls4ml calls the input."""
    is_keras = isinstance(network, keras.Model)
    return str(network.layers[0].name if is_keras else network.graph.input[0].name)


def with_formats(
    base: Mapping[str, Any],
    formats: Mapping[tuple[str, str], FixedPointFormat],
    table_size: int | None,
) -> dict[str, Any]:
    """Return a configuration with formats for (layer, role), and larger activation tables."""
    config: dict[str, Any] = copy.deepcopy(dict(base))
    layers = config["LayerName"]
    for (key, role), fmt in formats.items():
        layers.setdefault(key, {}).setdefault("Precision", {})[role] = str(fmt)
    for layer in layers.values():
        if table_size is not None and "TableSize" in layer:
            layer["TableSize"] = table_size
    return config


def open_tensors(
    network: Any, hardware: Hardware, folder: Path
) -> tuple[dict[str, Any], tuple[FreeTensor, ...]]:
    """Return the configuration of a float model and the tensors whose formats are open.

    Once a result has a format of its own, hls4ml keeps layers that it would else merge; so
    formats are given until no new tensor appears.
    """
    base = base_configuration(network, hardware)
    found: dict[tuple[str, str], FreeTensor] = {}
    for _ in range(MAX_ROUNDS):
        config = with_formats(base, dict.fromkeys(found, _ANY), None)
        graph = to_model_graph(network, _ANY, config, hardware, folder)
        now = {entry.name: entry for entry in tensors.free_tensors(graph, base["LayerName"])}
        if now.keys() == found.keys():
            break
        found = now
    for layer in graph.get_layers():
        if layer.class_name == "Softmax":
            n_elements = int(layer.get_output_variable().shape[-1])
            settings = base["LayerName"][layer.name]
            settings |= tensors.softmax_settings(n_elements)
            accumulator = tensors.softmax_accumulator(n_elements)
            settings.setdefault("Precision", {})["accum"] = accumulator
    return base, tuple(found.values())


def base_configuration(network: Any, hardware: Hardware) -> dict[str, Any]:
    """Return what hls4ml knows of a model without further words, layer by layer.

    Formats that quantisers state are filled in; the others are ``auto`` or the default. The
    first layer is the input.

    Raises:
        ConversionError: if hls4ml does not know a layer, or a quantiser has no exact format.
    """
    options = {"granularity": "name", "backend": hardware.backend}
    try:
        if not isinstance(network, keras.Model):
            config: dict[str, Any] = quietly(config_from_onnx_model, network, **options)
            config["LayerName"] = {input_name(network): {}, **config["LayerName"]}
            return _with_strategy(config, hardware)
        handlers.register()
        config = quietly(config_from_keras_model, network, **options)
    except Exception as error:  # hls4ml raises whatever its readers meet
        reason = " ".join(str(error).split())[:300]
        msg = f"hls4ml {hls4ml.__version__} cannot read the model: {reason}"
        raise ConversionError(msg) from error
    names = config["LayerName"]
    for layer in network.layers:
        for name, role, fmt in configuration.stated_formats(layer):
            names.setdefault(name, {}).setdefault("Precision", {})[role] = str(fmt)
    source = input_name(network)
    config["LayerName"] = {source: names.pop(source, {}), **names}
    return _with_strategy(config, hardware)


def _with_strategy(config: dict[str, Any], hardware: Hardware) -> dict[str, Any]:
    config["Model"] |= {"Strategy": hardware.strategy, "ReuseFactor": hardware.reuse_factor}
    for layer in config["LayerName"].values():
        if "ReuseFactor" in layer:
            layer |= {"Strategy": hardware.strategy, "ReuseFactor": hardware.reuse_factor}
    return config
