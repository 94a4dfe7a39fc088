"""Networks as files: weights beside a record that says what they are and vouches for them.

The architecture is rebuilt from the spec: loading a model never runs what a file says.
"""

from __future__ import annotations

import io
import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from trigforge.core.config import Conv2dStudent
from trigforge.core.errors import StoreError
from trigforge.core.files import refusing_os_errors, write_file
from trigforge.core.link import LinkEncoding
from trigforge.core.store import file_digest
from trigforge.networks import zoo
from trigforge.training.baseline import Baseline, baseline_key
from trigforge.training.networks import TrainedNetworks, input_shape, n_outputs, training_key

if TYPE_CHECKING:
    from pathlib import Path

    from trigforge.core.config import Spec
    from trigforge.core.records import Sample

RECORD = "training.json"
WEIGHTS = {"float": "float.weights.h5", "quantised": "quantised.weights.h5"}
SCORES = "scores.npy"
"""What the teacher of a student gave for the training events."""


class _MemoryFile(io.BytesIO):
    """A weight file in memory: on a full disk HDF5 does not fail but crash the process."""

    def __str__(self) -> str:
        return "memory.weights.h5"  # Keras looks at the end of the name


def save_baseline(baseline: Baseline, folder: Path) -> None:
    """Write the float network into a folder of the store, which vouches for it.

    Raises:
        StoreError: if the disk is full or the folder cannot be written.
    """
    _save_weights(baseline.float_model, folder / WEIGHTS["float"])
    if baseline.scores is not None:
        content = io.BytesIO()
        np.save(content, baseline.scores, allow_pickle=False)
        write_file(folder / SCORES, content.getvalue())
    write_file(folder / RECORD, json.dumps(baseline.histories, indent=1) + "\n")


def find_shipped_baseline(folder: Path, spec: Spec, sample: Sample) -> Baseline | None:
    """Return the float network of a model's folder if it is the one of the spec.

    The quantised network beside it may be another. A student's is none: it lacks the scores
    that its teacher gave.

    Raises:
        StoreError: if the record is unreadable or the weights are not the ones recorded.
    """
    path = folder / RECORD
    if not path.exists() or isinstance(spec.network, Conv2dStudent):
        return None
    try:
        record = json.loads(path.read_text())
        if record.get("baseline_key") != baseline_key(spec):
            return None
        digest = str(record["weights"][WEIGHTS["float"]])
        histories = {"float": record["provenance"]["training"]["float"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{path} is unreadable ({type(error).__name__}: {error}); remove it and train again"
        raise StoreError(msg) from error
    model = zoo.build_float(spec.network, input_shape(sample), n_outputs(spec, sample))
    _load_weights(model, folder / WEIGHTS["float"], digest)
    return Baseline(float_model=model, scores=None, histories=histories)


def find_baseline(folder: Path, spec: Spec, sample: Sample) -> Baseline:
    """Read the float network of a spec from a folder of the store.

    Raises:
        StoreError: if a file cannot be read or does not fit the network.
    """
    model = zoo.build_float(spec.network, input_shape(sample), n_outputs(spec, sample))
    path = folder / WEIGHTS["float"]
    _load_weights(model, path, file_digest(path))
    scores = folder / SCORES
    try:
        return Baseline(
            float_model=model,
            scores=np.load(scores, allow_pickle=False) if scores.exists() else None,
            histories=json.loads((folder / RECORD).read_text()),
        )
    except (OSError, ValueError) as error:
        msg = f"{folder} is unreadable ({error}); remove it and train again"
        raise StoreError(msg) from error


def save(trained: TrainedNetworks, folder: Path) -> None:
    """Write the weights, and last the record that vouches for them.

    Raises:
        StoreError: if the disk is full or the folder cannot be written.
    """
    with refusing_os_errors(f"writing {folder}"):
        (folder / RECORD).unlink(missing_ok=True)
    for kind, name in WEIGHTS.items():
        _save_weights(getattr(trained, f"{kind}_model"), folder / name)
    record = {
        "key": trained.key,
        "baseline_key": trained.baseline_key,
        "link": {
            "format": str(trained.encoding.format),
            "lsb_exponents": list(trained.encoding.lsb_exponents),
        },
        "weights": {name: file_digest(folder / name) for name in WEIGHTS.values()},
        "provenance": trained.provenance,
    }
    write_file(folder / RECORD, json.dumps(record, indent=1) + "\n")


def find(folder: Path, spec: Spec, sample: Sample) -> TrainedNetworks | None:
    """Return the networks in a folder if they are those of the spec.

    Raises:
        StoreError: if the record is unreadable or a weight file is not the one recorded.
    """
    path = folder / RECORD
    if not path.exists():
        return None
    try:
        record = json.loads(path.read_text())
        if record["key"] != training_key(spec):
            return None
        digests = {kind: str(record["weights"][name]) for kind, name in WEIGHTS.items()}
        exponents = tuple(int(e) for e in record["link"]["lsb_exponents"])
        provenance = dict(record["provenance"])
        baseline = str(record.get("baseline_key", ""))
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{path} is unreadable ({type(error).__name__}: {error}); remove it and train again"
        raise StoreError(msg) from error
    shape, outputs = input_shape(sample), n_outputs(spec, sample)
    models = {
        "float": zoo.build_float(spec.network, shape, outputs),
        "quantised": zoo.build_quantised(spec.network, spec.quantization, shape, outputs),
    }
    for kind, model in models.items():
        _load_weights(model, folder / WEIGHTS[kind], digests[kind])
    return TrainedNetworks(
        float_model=models["float"],
        quantised_model=models["quantised"],
        encoding=LinkEncoding(
            format=spec.quantization.parsed("link_format"), lsb_exponents=exponents
        ),
        key=record["key"],
        baseline_key=baseline,
        provenance=provenance,
    )


def _save_weights(model: Any, path: Path) -> None:
    content = _MemoryFile()
    model.save_weights(content)
    write_file(path, content.getvalue())


def _load_weights(model: Any, path: Path, digest: str) -> None:
    """Load a weight file if it is the one with the digest."""
    if file_digest(path) != digest:
        msg = f"{path} is not the file {path.parent / RECORD} was written with; train again"
        raise StoreError(msg)
    try:
        with warnings.catch_warnings():
            # Keras only warns of weights that it does not find and leaves at random.
            warnings.simplefilter("error", UserWarning)
            model.load_weights(path)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        msg = f"{path} does not fit the network of the spec: {error}; train again"
        raise StoreError(msg) from error
