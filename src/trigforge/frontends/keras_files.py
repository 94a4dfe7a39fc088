"""Read Keras models: ``.keras``, ``.h5``, ``.json`` with its ``.h5`` -> ``KerasModel``."""

from __future__ import annotations

import copy
import json
import tempfile
import warnings
import zipfile
import zlib
from pathlib import Path
from typing import Any

import keras
import numpy as np

from trigforge.core.errors import InputError, TrigforgeError
from trigforge.frontends import hdf5, keras_config
from trigforge.frontends.keras_layers import LAYERS, QUANTISERS
from trigforge.frontends.keras_model import KerasModel

MAX_CONFIG_BYTES = 1 << 24
MAX_WEIGHTS_BYTES = 1 << 30
MAX_TENSOR = 1 << 24
"""Most elements a layer may give an event."""


def read_archive(path: Path) -> KerasModel:
    """Read a ``.keras`` file of Keras 3.

    Raises:
        InputError: if it is corrupt or holds what is no known layer.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            config = _member(archive, "config.json", MAX_CONFIG_BYTES, path)
            metadata = _member(archive, "metadata.json", MAX_CONFIG_BYTES, path)
            weights = _member(archive, "model.weights.h5", MAX_WEIGHTS_BYTES, path)
    except (OSError, zipfile.BadZipFile, zlib.error, ValueError, EOFError, RuntimeError) as error:
        msg = f"{path} is no readable .keras archive: {' '.join(str(error).split())[:200]}"
        raise InputError(msg) from error
    described = _json(metadata, f"{path}, metadata.json")
    version = described.get("keras_version") if isinstance(described, dict) else None
    with tempfile.TemporaryDirectory(prefix="trigforge-") as folder:
        extracted = Path(folder, "model.weights.h5")
        extracted.write_bytes(weights)
        return _build(_json(config, f"{path}, config.json"), extracted, str(path), version)


def read_hdf5(path: Path) -> KerasModel:
    """Read an ``.h5`` file that holds architecture and weights.

    Raises:
        InputError: if it is corrupt, holds weights alone, or what is no known layer.
    """
    with hdf5.opened(path) as file:
        config = hdf5.text_attribute(file, "model_config")
        version = hdf5.text_attribute(file, "keras_version")
    if config is None:
        msg = f"{path} holds no architecture (no model_config); give the .json and --weights {path}"
        raise InputError(msg)
    return _build(
        _json(config.encode(errors="replace"), f"{path}, model_config"), path, str(path), version
    )


def read_json(path: Path, weights: Path) -> KerasModel:
    """Read an architecture and the weights that belong to it.

    Raises:
        InputError: if one of them is corrupt, or they do not belong together.
    """
    with path.open("rb") as stream:
        content = stream.read(MAX_CONFIG_BYTES + 1)
    architecture = _json(content, str(path))
    version = architecture.get("keras_version") if isinstance(architecture, dict) else None
    return _build(architecture, weights, str(path), version)


def _member(archive: zipfile.ZipFile, name: str, limit: int, path: Path) -> bytes:
    """Return a file of the archive if it is as small as it says."""
    try:
        entry = archive.getinfo(name)
    except KeyError as error:
        msg = f"{path} is no Keras model: it has no {name}"
        raise InputError(msg) from error
    if entry.file_size > limit:
        msg = f"{path}: {name} has {entry.file_size} bytes, above {limit}"
        raise InputError(msg)
    with archive.open(entry) as stream:
        return stream.read(limit + 1)


def _json(content: bytes, where: str) -> Any:
    if len(content) > MAX_CONFIG_BYTES:
        msg = f"{where}: larger than {MAX_CONFIG_BYTES} bytes: no architecture"
        raise InputError(msg)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        msg = f"{where}: no JSON: {' '.join(str(error).split())[:100]}"
        raise InputError(msg) from error


def _build(architecture: Any, weights: Path, where: str, version: Any) -> KerasModel:
    """Build the network of known layers and load its weights."""
    n_numbers = hdf5.count_numbers(weights)
    try:
        cleaned = keras_config.clean(architecture, where)
        _check_sizes(cleaned, n_numbers, where)
        model = _from_config(cleaned)
        _load_weights(model, weights)
    except TrigforgeError:
        raise
    except Exception as error:  # Keras raises whatever its layers' code meets
        reason = " ".join(str(error).split())[:300]
        msg = f"{where} cannot be built: {type(error).__name__}: {reason}"
        raise InputError(msg) from error
    _check_ends(model, where)
    shown = f"Keras {version:.20}" if isinstance(version, str) else "Keras"
    # Without lists of one, so that arrays go in and come out.
    return KerasModel(
        network=keras.Model(model.inputs[0], model.outputs[0], name="imported"), version=shown
    )


def _check_ends(model: Any, where: str) -> None:
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        msg = (
            f"{where}: {len(model.inputs)} inputs and {len(model.outputs)} outputs; firmware "
            "here has one of each: export the part you want"
        )
        raise InputError(msg)


def _from_config(cleaned: dict[str, Any]) -> Any:
    """Let Keras build the model; a Sequential one becomes a chain of the same layers."""
    kind = keras.Sequential if cleaned["class_name"] == "Sequential" else keras.Model
    known = {**LAYERS, **QUANTISERS}
    with keras.saving.custom_object_scope(known), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind.from_config(copy.deepcopy(cleaned["config"]))  # Keras takes it apart


def _check_sizes(cleaned: dict[str, Any], n_numbers: int, where: str) -> None:
    """Build the model without memory first: it must not need more than its file holds."""
    with keras.StatelessScope(initialize_variables=False):
        model = _from_config(cleaned)
        n_weights = sum(int(np.prod(entry.shape, dtype=object)) for entry in model.weights)
        if n_weights > n_numbers:
            msg = f"{where} needs {n_weights} weights, but its file holds {n_numbers} numbers"
            raise InputError(msg)
        for layer in model.layers:
            n_elements = int(np.prod(layer.output.shape[1:], dtype=object))
            if n_elements > MAX_TENSOR:
                msg = f"{where}, layer {layer.name}: {n_elements} outputs an event, above 2**24"
                raise InputError(msg)


def _load_weights(model: Any, path: Path) -> None:
    """Load every weight; a missing or surplus one is an error."""
    suffix = ".h5"
    with hdf5.opened(path) as file:
        if "layers" in file and "layer_names" not in file.attrs and "model_weights" not in file:
            suffix = ".weights.h5"
    with tempfile.TemporaryDirectory(prefix="trigforge-") as folder:
        named = Path(folder, f"model{suffix}")
        named.write_bytes(path.read_bytes())
        with warnings.catch_warnings():
            # Keras only warns of weights that it does not find and leaves at random.
            warnings.simplefilter("error", UserWarning)
            if suffix == ".h5" and _names_agree(model, path):
                model.load_weights(named, by_name=True)
            else:
                model.load_weights(named)


def _names_agree(model: Any, path: Path) -> bool:
    """Tell whether a weight file of Keras 2 names the layers of the model; else order counts."""
    with hdf5.opened(path) as file:
        group = file if "layer_names" in file.attrs else file["model_weights"]
        names = [hdf5.as_text(name) for name in group.attrs["layer_names"]]
        stored = {name for name in names if len(group[name].attrs["weight_names"])}
    return stored == {layer.name for layer in model.layers if layer.weights}
