"""Train the float baseline and the quantised network: ``Spec, Sample -> TrainedNetworks``.

Weights are kept as Keras weight files beside a JSON record that says what they are and
holds their digests; the architecture is rebuilt from the spec, so that loading a model
never runs what a file says.
"""

from __future__ import annotations

import io
import json
import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import qkeras
from numpy.typing import NDArray

from trigforge import __version__
from trigforge.core.config import AnomalyNetwork, Conv2dStudent
from trigforge.core.errors import InputError, StoreError
from trigforge.core.files import digest_of, refusing_os_errors, write_file
from trigforge.core.fixed_point import to_values
from trigforge.core.link import LinkEncoding, fit_encoding
from trigforge.core.records import Progress, Sample, no_progress
from trigforge.core.store import file_digest, key_of
from trigforge.networks import teacher, zoo
from trigforge.networks.pruning import MagnitudePruning

if TYPE_CHECKING:
    from pathlib import Path

    from trigforge.core.config import Spec, Training

RECORD = "training.json"
WEIGHTS = {"float": "float.weights.h5", "quantised": "quantised.weights.h5"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedNetworks:
    """The two networks of a spec, how the link encodes their inputs, and their history.

    ``float_model`` takes physical values, ``quantised_model`` the values that the link
    carries; both end in logits or a score.
    """

    float_model: Any
    quantised_model: Any
    encoding: LinkEncoding
    key: str
    provenance: dict[str, Any]


def training_key(spec: Spec) -> str:
    """Return the digest of all that decides the weights: sample, network and training."""
    sections = ("sample", "network", "quantization", "training")
    return key_of({name: getattr(spec, name).model_dump(mode="json") for name in sections})


def content_digest(sample: Sample) -> str:
    """Return the digest of the events a network is trained on."""
    return digest_of(sample.x_train.tobytes(), sample.y_train.tobytes())


def input_shape(sample: Sample) -> tuple[int, ...]:
    """Return the shape of one event."""
    return tuple(int(n) for n in sample.x_train.shape[1:])


def n_outputs(spec: Spec, sample: Sample) -> int:
    """Return the number of outputs: one decides between two classes, or is a score."""
    scores = isinstance(spec.network, AnomalyNetwork)
    return 1 if scores or len(sample.class_names) == 2 else len(sample.class_names)


def encode_for(spec: Spec, sample: Sample) -> LinkEncoding:
    """Return how the link carries the sample's values.

    Images are integers already; features get the finest step that the link's bits allow.
    """
    link = spec.quantization.parsed("link_format")
    if np.issubdtype(sample.x_train.dtype, np.integer):
        return LinkEncoding(format=link, lsb_exponents=(0,))
    return fit_encoding(sample.x_train, link)


def train(spec: Spec, sample: Sample, *, progress: Progress = no_progress) -> TrainedNetworks:
    """Train both networks of a spec on the training events of a sample.

    Anomaly detectors see the first class alone, the background.

    Raises:
        InputError: if the sample is too small to hold events back for validation, or a
            training diverges.
    """
    seen = _training_events(spec, sample)
    _check_size(len(seen.x), spec.training)
    encoding = encode_for(spec, sample)
    shape, outputs = input_shape(sample), n_outputs(spec, sample)
    histories: dict[str, Any] = {}
    keras.utils.set_random_seed(spec.training.seed)
    float_model = zoo.build_float(spec.network, shape, outputs)
    float_x = seen.x.astype(np.float32)
    standardise = float_model.get_layer("standardise")
    standardise.adapt(float_x)
    if isinstance(spec.network, Conv2dStudent):
        seen, histories["teacher"] = _taught(spec, spec.network, seen, standardise, progress)
    histories["float"] = _fit(float_model, float_x, seen, spec, progress)

    keras.utils.set_random_seed(spec.training.seed)
    quantised = zoo.build_quantised(spec.network, spec.quantization, shape, outputs)
    link_x = to_values(encoding.encode(seen.x), encoding.format).astype(np.float32)
    if spec.quantization.input_format is not None:
        quantised.get_layer("standardise").fit(link_x)
    histories["quantised"] = _fit(quantised, link_x, seen, spec, progress)
    return TrainedNetworks(
        float_model=float_model,
        quantised_model=quantised,
        encoding=encoding,
        key=training_key(spec),
        provenance=_provenance(spec, sample, len(seen.x), histories),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _TrainingEvents:
    """Events, what a network is to give for each, and how far it is from that."""

    x: NDArray[Any]
    target: NDArray[Any]
    loss: Any


def _training_events(spec: Spec, sample: Sample) -> _TrainingEvents:
    """Return what a network is trained on; a student's targets come from its teacher."""
    if isinstance(spec.network, AnomalyNetwork):
        background = sample.x_train[sample.y_train == 0]
        nothing = np.zeros((len(background), 1), dtype=np.float32)
        return _TrainingEvents(x=background, target=nothing, loss=_score_itself)
    loss = (
        keras.losses.BinaryCrossentropy(from_logits=True)
        if n_outputs(spec, sample) == 1
        else keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    return _TrainingEvents(x=sample.x_train, target=sample.y_train, loss=loss)


@keras.saving.register_keras_serializable(package="trigforge")  # type: ignore[untyped-decorator]
def _score_itself(target: Any, score: Any) -> Any:
    """Take the score as the loss: an autoencoder's is the error it is to make small."""
    del target
    return keras.ops.mean(score, axis=-1)


def _taught(
    spec: Spec,
    network: Conv2dStudent,
    seen: _TrainingEvents,
    standardise: Any,
    progress: Progress,
) -> tuple[_TrainingEvents, dict[str, Any]]:
    """Train the teacher; return the events with its scores as targets."""
    x = np.asarray(standardise(seen.x.astype(np.float32)), dtype=np.float32)
    model = teacher.build(network.teacher, tuple(x.shape[1:]))
    schedule = spec.training.model_copy(update={"epochs": network.teacher.epochs, "sparsity": 0.0})
    given_back = _TrainingEvents(x=x, target=x, loss="mean_squared_error")
    lessons = spec.model_copy(update={"training": schedule})
    history = _fit(model, x, given_back, lessons, progress)
    scores = teacher.scores(model, x, network.score_per_e_fold)
    loss = keras.losses.MeanAbsoluteError()
    return _TrainingEvents(x=seen.x, target=scores, loss=loss), history


def _check_size(n_events: int, options: Training) -> None:
    """Refuse a sample that leaves nothing to train on or to validate with."""
    n_validation = int(n_events * options.validation_fraction)
    if not 0 < n_validation < n_events:
        msg = (
            f"{n_validation} of {n_events} training events are left for validation; use a larger "
            f"sample or training.validation_fraction (now {options.validation_fraction:g})"
        )
        raise InputError(msg)


def _fit(
    model: Any, x: NDArray[np.float32], seen: _TrainingEvents, spec: Spec, progress: Progress
) -> dict[str, Any]:
    """Fit one network with early stopping; return what its training was like."""
    options, y = spec.training, seen.target
    n_validation = int(len(x) * options.validation_fraction)
    model.compile(optimizer=keras.optimizers.Adam(options.learning_rate), loss=seen.loss)
    history = model.fit(
        x[n_validation:],
        y[n_validation:],
        validation_data=(x[:n_validation], y[:n_validation]),
        batch_size=options.batch_size,
        epochs=options.epochs,
        callbacks=_callbacks(model, options, progress),
        verbose=0,
    )
    losses = history.history["val_loss"]
    return {"epochs": len(losses), "best_validation_loss": round(float(min(losses)), 6)}


def _callbacks(model: Any, options: Training, progress: Progress) -> list[Any]:
    """Return what watches over an epoch: divergence, pruning, learning rate, early stopping."""
    pruning = model.name == "qkeras" and options.sparsity > 0
    pruned_by = options.epochs // 2 if pruning else 0
    return [
        _RefusingDivergence(model.name, options.learning_rate),
        *([MagnitudePruning(options.sparsity, pruned_by)] if pruning else []),
        keras.callbacks.ReduceLROnPlateau(
            factor=0.5, patience=max(1, options.patience_epochs // 3), min_lr=1e-5
        ),
        keras.callbacks.EarlyStopping(
            patience=options.patience_epochs,
            restore_best_weights=True,
            start_from_epoch=pruned_by,
        ),
        _Reporting(f"training {model.name}", options.epochs, progress),
    ]


class _RefusingDivergence(keras.callbacks.Callback):  # type: ignore[misc]
    """Stop with an error at the first loss that is no number: the weights are lost."""

    def __init__(self, name: str, learning_rate: float) -> None:
        super().__init__()
        self._name, self._learning_rate = name, learning_rate

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        for name, loss in (logs or {}).items():
            if name.endswith("loss") and not math.isfinite(loss):
                msg = (
                    f"training of the {self._name} network diverged: {name} is {loss} in epoch "
                    f"{epoch + 1}; lower training.learning_rate (now {self._learning_rate:g})"
                )
                raise InputError(msg)


class _Reporting(keras.callbacks.Callback):  # type: ignore[misc]
    """Pass the number of finished epochs on to ``progress``."""

    def __init__(self, what: str, epochs: int, progress: Progress) -> None:
        super().__init__()
        self._what, self._epochs, self._progress = what, epochs, progress

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        del logs
        self._progress(self._what, epoch + 1, self._epochs)

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        del logs
        self._progress(self._what, self._epochs, self._epochs)


def _provenance(
    spec: Spec, sample: Sample, n_train: int, histories: dict[str, Any]
) -> dict[str, Any]:
    return {
        "name": spec.name,
        "n_train": n_train,
        "sample": sample.read_provenance(),
        "training": histories,
        "seed": spec.training.seed,
        "versions": {
            "trigforge": __version__,
            "keras": keras.__version__,
            "qkeras": qkeras.__version__,
            "numpy": np.__version__,
        },
    }


class _MemoryFile(io.BytesIO):
    """A weight file in memory: on a full disk HDF5 does not fail but crash the process."""

    def __str__(self) -> str:
        return "memory.weights.h5"  # Keras looks at the end of the name


def save(trained: TrainedNetworks, folder: Path) -> None:
    """Write the weights, and last the record that vouches for them.

    Raises:
        StoreError: if the disk is full or the folder cannot be written.
    """
    with refusing_os_errors(f"writing {folder}"):
        (folder / RECORD).unlink(missing_ok=True)
    for kind, name in WEIGHTS.items():
        content = _MemoryFile()
        getattr(trained, f"{kind}_model").save_weights(content)
        write_file(folder / name, content.getvalue())
    record = {
        "key": trained.key,
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
        provenance=provenance,
    )


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


def quantised_weights_digest(trained: TrainedNetworks) -> str:
    """Return the digest of the quantised network's weights."""
    return digest_of(*(w.tobytes() for w in trained.quantised_model.get_weights()))
